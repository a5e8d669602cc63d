#include "unit/net/messages.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/codec.h"
#include "net/codec_check.h"
#include "net/frame.h"

static int quiet(void **state)
{
    (void)state;
    log_init("", LOG_ERROR); /* thousands of refusals are provoked here */
    return 0;
}

/* Bytes exactly as long as they are, so that reading past their end is found. */
static int unpack_copy(const uint8_t *bytes, size_t n, struct message *m,
                       struct codec *codec)
{
    uint8_t *copy = mem_alloc(n);
    if (n)
        memcpy(copy, bytes, n);
    const int err = codec_unpack(codec, "test", copy, n, m);
    mem_free(copy);
    return err;
}

static int refusal(const void *bytes, size_t n)
{
    struct codec *codec = codec_new();
    struct message m;
    const int err = unpack_copy(bytes, n, &m, codec);
    codec_free(codec);
    return err;
}

/* --- bad input ------------------------------------------------------------------------
 * Written by hand: tag (field << 3 | type), length, content.  Field numbers are those of
 * proto/control.proto. */

#define B(s)       (s), sizeof(s) - 1
#define JOIN(n, s) "\x1a" n "\x08\x01" s

static const struct {
    const char *what;
    const char *bytes;
    size_t n;
    int err;
} bad[] = {
    {"nothing", B(""), ERR_MALFORMED},
    {"no kind", B("\x08\x01\x10\x02"), ERR_MALFORMED},
    {"unknown kind", B("\x8a\x01\x00"), ERR_MALFORMED},
    {"not protobuf", B("\xff\xff\xff\xff\xff\xff"), ERR_MALFORMED},
    {"length beyond the end", B("\x1a\x7f\x08\x01"), ERR_MALFORMED},
    {"right join", B(JOIN("\x02", "")), ERR_OK},
    {"host with a zero inside",
     B(JOIN("\x07", "\x22\x03"
                    "a\0b")),
     ERR_MALFORMED},
    {"host with a lone surrogate", B(JOIN("\x07", "\x22\x03\xed\xa0\x80")),
     ERR_MALFORMED},
    {"host in Latin-1", B(JOIN("\x05", "\x22\x01\xe9")), ERR_MALFORMED},
    {"kind twice", B("\x52\x02\x08\x01\x52\x02\x08\x02"), ERR_MALFORMED},
    {"two kinds", B("\x52\x00\x5a\x00"), ERR_MALFORMED},
    {"right heartbeat", B("\x52\x02\x08\x01"), ERR_OK},
    {"heartbeat of a newer version", B("\x52\x04\x08\x01\x10\x01"), ERR_OK},
    {"lease without slices", B("\x32\x02\x08\x01"), ERR_MALFORMED},
    {"right lease",
     B("\x32\x12\x32\x10\x1a\x08"
       "aaaabbbb"
       "\x22\x01\x07\x2a\x01\x01"),
     ERR_OK},
    {"right lease with a source",
     B("\x32\x1b\x32\x19\x1a\x08"
       "aaaabbbb"
       "\x22\x01\x07\x2a\x01\x01\x32\x04"
       "cccc"
       "\x3a\x01\x01"),
     ERR_OK},
    {"slice without sequences",
     B("\x32\x0c\x32\x0a\x1a\x08"
       "aaaabbbb"),
     ERR_MALFORMED},
    {"sequence of length 0",
     B("\x32\x0e\x32\x0c\x1a\x04"
       "aaaa"
       "\x22\x01\x07\x2a\x01\x00"),
     ERR_MALFORMED},
    {"7 bytes of tokens",
     B("\x32\x11\x32\x0f\x1a\x07"
       "aaaabbb"
       "\x22\x01\x07\x2a\x01\x01"),
     ERR_MALFORMED},
    {"one token too many",
     B("\x32\x16\x32\x14\x1a\x0c"
       "aaaabbbbcccc"
       "\x22\x01\x07\x2a\x01\x01"),
     ERR_MALFORMED},
    {"source of length 0",
     B("\x32\x15\x32\x13\x1a\x08"
       "aaaabbbb"
       "\x22\x01\x07\x2a\x01\x01\x3a\x01\x00"),
     ERR_MALFORMED},
    {"source without a length",
     B("\x32\x18\x32\x16\x1a\x08"
       "aaaabbbb"
       "\x22\x01\x07\x2a\x01\x01\x32\x04"
       "cccc"),
     ERR_MALFORMED},
    {"a source length too many",
     B("\x32\x20\x32\x1e\x1a\x08"
       "aaaabbbb"
       "\x22\x01\x07\x2a\x01\x01\x32\x08"
       "ccccdddd"
       "\x3a\x02\x01\x01"),
     ERR_MALFORMED},
    {"lengths whose tokens are 2 in 32 bits",
     B("\x32\x18\x32\x16\x1a\x08"
       "aaaabbbb"
       "\x22\x02\x07\x08\x2a\x06\xff\xff\xff\xff\x0f\x01"),
     ERR_MALFORMED},
    {"one sample too many",
     B("\x32\x13\x32\x11\x1a\x08"
       "aaaabbbb"
       "\x22\x02\x07\x08\x2a\x01\x01"),
     ERR_MALFORMED},
    {"lease of an unknown kind",
     B("\x32\x14\x20\x04\x32\x10\x1a\x08"
       "aaaabbbb"
       "\x22\x01\x07\x2a\x01\x01"),
     ERR_MALFORMED},
    {"lease beyond the last slice",
     B("\x32\x18\x28\xff\xff\xff\xff\x0f\x32\x10\x1a\x08"
       "aaaabbbb"
       "\x22\x01\x07\x2a\x01\x01"),
     ERR_MALFORMED},
    {"evaluated with a translation", B("\x42\x09\x32\x01\x01\x3a\x04"
                                       "aaaa"),
     ERR_OK},
    {"evaluated with a token that no translation has", B("\x42\x09\x32\x01\x00\x3a\x04"
                                                         "aaaa"),
     ERR_MALFORMED},
    {"partial of level 32", B("\x3a\x02\x10\x20"), ERR_MALFORMED},
    {"partial of a node beyond the last slice", B("\x3a\x04\x10\x10\x18\x01"),
     ERR_MALFORMED},
    {"revoke of too many", B("\x6a\x06\x18\x81\x80\x80\x80\x04"), ERR_MALFORMED},
    {"revoke beyond the last slice", B("\x6a\x08\x10\xff\xff\xff\xff\x0f\x18\x01"),
     ERR_MALFORMED},
    {"revoke of the last slice", B("\x6a\x08\x10\xff\xff\xff\xff\x03\x18\x01"), ERR_OK},
    {"right revoke", B("\x6a\x02\x18\x01"), ERR_OK},
    {"released of an unknown kind", B("\x72\x02\x20\x04"), ERR_MALFORMED},
    {"audited without hashes", B("\x7a\x02\x08\x01"), ERR_MALFORMED},
    {"partial with loss NaN: the model diverged", B("\x3a\x09\x21\0\0\0\0\0\0\xf8\x7f"),
     ERR_OK},
    {"partial with a statistic NaN: it diverged, or there is none",
     B("\x3a\x0a\x62\x08\0\0\0\0\0\0\xf8\x7f"), ERR_OK},
    {"statistics of 7 bytes", B("\x3a\x09\x62\x07\0\0\0\0\0\0\xf8"), ERR_MALFORMED},
    {"commit with loss NaN: that step was skipped", B("\x4a\x09\x31\0\0\0\0\0\0\xf8\x7f"),
     ERR_OK},
    {"commit with norm NaN", B("\x4a\x09\x21\0\0\0\0\0\0\xf8\x7f"), ERR_MALFORMED},
    {"partial with seconds NaN", B("\x3a\x09\x51\0\0\0\0\0\0\xf8\x7f"), ERR_MALFORMED},
    {"partial with seconds infinite", B("\x3a\x09\x51\0\0\0\0\0\0\xf0\x7f"),
     ERR_MALFORMED},
    {"more losses than targets", B("\x42\x0a\x1a\x08\0\0\0\0\0\0\xf0\x3f"),
     ERR_MALFORMED},
    {"more targets than losses", B("\x42\x03\x22\x01\x07"), ERR_MALFORMED},
    {"losses of 7 bytes", B("\x42\x09\x1a\x07\0\0\0\0\0\0\xf0"), ERR_MALFORMED},
};

static void bad_input_is_refused_and_good_input_beside_it_is_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const int err = refusal(bad[i].bytes, bad[i].n);
        if (err != bad[i].err)
            fail_msg("%s: %s", bad[i].what, err_name(err));
    }
}

static void utf8_is_judged_as_rfc_3629_does(void **state)
{
    (void)state;
    static const struct {
        const char *s;
        bool ok;
    } cases[] = {
        {"", true},
        {"abc\x7f", true},
        {"\xc2\x80\xdf\xbf", true},
        {"\xe0\xa0\x80\xef\xbf\xbf", true},
        {"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", true},
        {"\x80", false},
        {"\xc0\x80", false},
        {"\xc1\xbf", false},
        {"\xe0\x9f\xbf", false},
        {"\xed\xa0\x80", false},
        {"\xf0\x8f\xbf\xbf", false},
        {"\xf4\x90\x80\x80", false},
        {"\xf5\x80\x80\x80", false},
        {"\xe2\x82", false},
        {"\xc3(", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(utf8_ok(cases[i].s, strlen(cases[i].s)), cases[i].ok);
}

static void strings_are_bounded(void **state)
{
    (void)state;
    struct codec *codec = codec_new();
    for (size_t extra = 0; extra < 2; extra++) {
        char *text = mem_zalloc(MESSAGE_CONF_MAX + 2);
        struct message m = {MESSAGE_STOP, .stop = {text, 1}}, got;
        size_t n;
        memset(text, 'x', MESSAGE_TEXT_MAX + extra);
        uint8_t *bytes = codec_pack(&m, 0, &n);
        assert_int_equal(unpack_copy(bytes, n, &got, codec),
                         extra ? ERR_MALFORMED : ERR_OK);
        mem_free(bytes);
        memset(text, 'x', MESSAGE_CONF_MAX + extra);
        m = (struct message){MESSAGE_WELCOME, .welcome = {1, 2, text, 3}};
        bytes = codec_pack(&m, 0, &n);
        assert_int_equal(unpack_copy(bytes, n, &got, codec),
                         extra ? ERR_MALFORMED : ERR_OK);
        mem_free(bytes);
        mem_free(text);
    }
    codec_free(codec);
}

static void a_message_that_would_unpack_to_much_more_is_refused(void **state)
{
    (void)state;
    enum { EMPTY = (1 << 20) - 1, HEAD = 4 };
    uint8_t *bytes = mem_alloc(HEAD + 2 * EMPTY);
    memcpy(bytes, "\x32\xfe\xff\x7f", HEAD); /* a lease of 2 * EMPTY bytes */
    for (size_t i = 0; i < EMPTY; i++) {
        bytes[HEAD + 2 * i] = 0x32; /* a slice of none */
        bytes[HEAD + 2 * i + 1] = 0;
    }
    assert_int_equal(refusal(bytes, HEAD + 2 * EMPTY), ERR_TOO_BIG);
    mem_free(bytes);
}

static int unpack_within(size_t limit, const struct message *m, size_t *n)
{
    struct codec *codec = codec_new();
    struct message got;
    uint8_t *bytes = codec_pack(m, 0, n);
    codec_limit(codec, limit);
    const int err = unpack_copy(bytes, *n, &got, codec);
    mem_free(bytes);
    codec_free(codec);
    return err;
}

static void a_smaller_limit_means_less_memory(void **state)
{
    (void)state;
    enum { SLICES = 400, LIMIT = 8 << 10 }; /* 7,600 bytes, which take ten times as many */
    static struct message_slice slices[SLICES];
    for (size_t i = 0; i < SLICES; i++)
        slices[i] = (struct message_slice){
            1, example_lengths + 1, example_tokens, example_samples, NULL, NULL};
    const struct message m = {MESSAGE_LEASE, .lease = {.slices = SLICES, .slice = slices}};
    size_t n;
    assert_int_equal(unpack_within(FRAME_MAX, &m, &n), ERR_OK);
    assert_true(n <= LIMIT);
    assert_int_equal(unpack_within(LIMIT, &m, &n), ERR_TOO_BIG);
}

/* --- good input -----------------------------------------------------------------------
 */

static void the_longest_that_a_worker_may_have_to_say_is_within_its_limits(void **state)
{
    (void)state;
    static char text[MESSAGE_TEXT_MAX + 1];
    static double losses[MESSAGE_SLICES_MAX];
    static uint64_t numbers[MESSAGE_RANGES_MAX];
    memset(text, 'x', MESSAGE_TEXT_MAX);
    memset(numbers, 0xFF, sizeof numbers);
    for (size_t i = 0; i < MESSAGE_SLICES_MAX; i++)
        losses[i] = -3e300;
    const uint32_t most = UINT32_MAX;
    const struct message join = {MESSAGE_JOIN, UINT64_MAX, UINT64_MAX,
                                 .join = {most, most, most, most, text, text, text}};
    const struct message said[] = {
        {MESSAGE_PARTIAL, UINT64_MAX, UINT64_MAX,
         .partial = {UINT64_MAX, 1, 3, most, -3e300, -3e300, -3e300, UINT64_MAX,
                     MESSAGE_RANGES_MAX, numbers, MESSAGE_SLICES_MAX, numbers, -3e300,
                     MESSAGE_STATISTICS_MAX, losses}},
        {MESSAGE_EVALUATED, UINT64_MAX, UINT64_MAX,
         .evaluated = {UINT64_MAX, 0, MESSAGE_SLICES_MAX, losses, numbers, -3e300, 0, 0,
                       NULL, NULL}},
        {MESSAGE_AUDITED, UINT64_MAX, UINT64_MAX,
         .audited = {UINT64_MAX, 0, MESSAGE_SLICES_MAX, numbers}},
    };
    size_t n;
    assert_int_equal(unpack_within(MESSAGE_JOIN_BYTES, &join, &n), ERR_OK);
    assert_true(n <= MESSAGE_JOIN_BYTES);
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        assert_int_equal(unpack_within(MESSAGE_WORKER_BYTES, &said[i], &n), ERR_OK);
        assert_true(n <= MESSAGE_WORKER_BYTES);
    }
}

static void each_kind_survives_the_way(void **state)
{
    (void)state;
    struct codec *codec = codec_new();
    assert_int_equal(EXAMPLES, MESSAGE_PULLED);
    for (size_t i = 0; i < EXAMPLES; i++) {
        struct message got;
        size_t n;
        uint8_t *bytes = codec_pack(&examples[i], 5, &n);
        assert_int_equal(examples[i].kind, i + 1);
        assert_true(strlen(message_name(examples[i].kind)) > 0);
        assert_int_equal(unpack_copy(bytes + 5, n, &got, codec), ERR_OK);
        assert_same_message(&examples[i], &got);
        mem_free(bytes);
    }
    codec_free(codec);
}

static void a_lease_of_the_smallest_slices_fits_the_budget(void **state)
{
    (void)state;
    enum { SLICES = MESSAGE_SLICES_MAX };
    static struct message_slice slices[SLICES + 1];
    for (size_t i = 0; i <= SLICES; i++)
        slices[i] = (struct message_slice){
            1, example_lengths + 1, example_tokens, example_samples, NULL, NULL};
    struct codec *codec = codec_new();
    struct message m = {MESSAGE_LEASE, .lease = {.slices = SLICES, .slice = slices}}, got;
    size_t n;
    uint8_t *bytes = codec_pack(&m, 0, &n);
    assert_int_equal(unpack_copy(bytes, n, &got, codec), ERR_OK);
    assert_int_equal(got.lease.slices, SLICES);
    mem_free(bytes);
    codec_free(codec);
}

/* Without the hash of the frame: what arrives is refused or is a valid message. */
static void every_truncation_and_every_flipped_bit_is_refused_or_valid(void **state)
{
    (void)state;
    struct codec *codec = codec_new();
    size_t refused = 0, accepted = 0;
    for (size_t i = 0; i < EXAMPLES; i++) {
        struct message got;
        size_t n, again;
        uint8_t *bytes = codec_pack(&examples[i], 0, &n);
        for (size_t k = 0; k < n; k++)
            unpack_copy(bytes, k, &got, codec) ? refused++ : accepted++;
        for (size_t bit = 0; bit < 8 * n; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (unpack_copy(bytes, n, &got, codec) == ERR_OK) {
                accepted++;
                mem_free(codec_pack(&got, 0, &again)); /* reads all it points to */
            } else {
                refused++;
            }
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        mem_free(bytes);
    }
    print_message("%zu refused, %zu still valid\n", refused, accepted);
    assert_true(refused > 0 && accepted > 0);
    codec_free(codec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(bad_input_is_refused_and_good_input_beside_it_is_not),
        T(utf8_is_judged_as_rfc_3629_does),
        T(strings_are_bounded),
        T(a_message_that_would_unpack_to_much_more_is_refused),
        T(a_smaller_limit_means_less_memory),
        T(the_longest_that_a_worker_may_have_to_say_is_within_its_limits),
        T(each_kind_survives_the_way),
        T(a_lease_of_the_smallest_slices_fits_the_budget),
        T(every_truncation_and_every_flipped_bit_is_refused_or_valid),
    };
    return cmocka_run_group_tests(tests, quiet, NULL);
}
