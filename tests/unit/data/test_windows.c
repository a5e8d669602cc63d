#include "support/test.h"

#include "base/err.h"
#include "base/mem.h"
#include "data/tokens.h"
#include "data/windows.h"

/* A file of the tokens 0, 1, 2 ... n - 1: a token tells where it stood. */
static struct tokens *count_up(uint32_t n)
{
    struct tokens_info info = {.vocab = 100000};
    memset(info.tokenizer, '0', HASH_HEX - 1);
    struct tokens_writer *w;
    struct tokens *t;
    assert_int_equal(tokens_writer_open("count", &info, &w), ERR_OK);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(tokens_writer_add(w, &i, 1), ERR_OK);
    assert_int_equal(tokens_writer_seal(w, 1, n), ERR_OK);
    assert_int_equal(tokens_writer_publish(w), ERR_OK);
    assert_int_equal(tokens_open("count", &t), ERR_OK);
    return t;
}

static void a_text_shorter_than_two_contexts_is_refused(void **state)
{
    (void)state;
    struct windows w;
    for (uint32_t n = 0; n <= 17; n++) {
        struct tokens *t = count_up(n);
        assert_int_equal(windows_init(&w, t, 8, 1), n < 16 ? ERR_DATA : ERR_OK);
        if (n >= 16)
            assert_int_equal(w.n, 1);
        tokens_close(t);
    }
}

/* Each of the n windows once per epoch, side by side, all inside the text, for any
 * length of text and context. */
static void an_epoch_has_each_window_once_and_all_fit(void **state)
{
    (void)state;
    static const struct {
        uint32_t N, T;
    } cases[] = {{16, 8}, {17, 8}, {23, 8}, {24, 8}, {1000, 7}, {999, 1}, {513, 256}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const uint32_t N = cases[c].N, T = cases[c].T;
        struct tokens *t = count_up(N);
        struct windows w;
        assert_int_equal(windows_init(&w, t, T, 5), ERR_OK);
        assert_int_equal(w.n, (N - T) / T);
        uint32_t *out = mem_alloc((T + 1) * sizeof *out);
        for (uint64_t epoch = 0; epoch < 20; epoch++) {
            unsigned char *seen = mem_zalloc(N);
            uint32_t offset = T;
            for (uint64_t k = 0; k < w.n; k++) {
                windows_get(&w, epoch * w.n + k, out);
                assert_int_equal(windows_start(&w, epoch * w.n + k), out[0]);
                for (uint32_t i = 0; i <= T; i++)
                    assert_int_equal(out[i], out[0] + i);
                assert_int_equal(seen[out[0]]++, 0);
                if (offset == T)
                    offset = out[0] % T;
                assert_int_equal(out[0] % T, offset);
            }
            mem_free(seen);
        }
        mem_free(out);
        tokens_close(t);
    }
}

static void epochs_start_at_all_offsets(void **state)
{
    (void)state;
    struct tokens *t = count_up(64);
    struct windows w;
    int seen[8] = {0};
    assert_int_equal(windows_init(&w, t, 8, 3), ERR_OK);
    for (uint64_t epoch = 0; epoch < 800; epoch++)
        seen[windows_start(&w, epoch * w.n) % 8]++;
    for (int i = 0; i < 8; i++)
        assert_in_range(seen[i], 60, 140);
    tokens_close(t);
}

/* Runs that resume depend on it. */
static void samples_never_change(void **state)
{
    (void)state;
    static const uint64_t expected[] = {740, 356, 596, 836, 852, 212, 324, 820};
    struct tokens *t = count_up(1000);
    struct windows w;
    assert_int_equal(windows_init(&w, t, 16, 1), ERR_OK);
    for (uint64_t g = 0; g < 8; g++)
        assert_int_equal(windows_start(&w, 100 + g), expected[g]);
    tokens_close(t);
}

static void held_out_windows_have_each_prediction_once(void **state)
{
    (void)state;
    for (uint32_t N = 0; N <= 40; N++)
        for (size_t T = 1; T <= 10; T++) {
            struct tokens *t = count_up(N);
            uint64_t count = 0;
            assert_int_equal(held_out_count(t, T, &count), N < 2 ? ERR_DATA : ERR_OK);
            uint32_t next = 0;
            for (uint64_t i = 0; i < count; i++) {
                uint32_t out[11];
                size_t length;
                held_out_get(t, T, i, out, &length);
                assert_in_range(length, i + 1 < count ? T : 1, T);
                for (size_t k = 0; k <= length; k++)
                    assert_int_equal(out[k], next + k);
                next += (uint32_t)length;
            }
            assert_int_equal(next, N < 2 ? 0 : N - 1);
            tokens_close(t);
        }
}

RUN(T(a_text_shorter_than_two_contexts_is_refused),
    T(an_epoch_has_each_window_once_and_all_fit), T(epochs_start_at_all_offsets),
    T(samples_never_change), T(held_out_windows_have_each_prediction_once))
