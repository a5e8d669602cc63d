#include "support/test.h"

#include "base/err.h"
#include "text/bytemap.h"
#include "text/utf8.h"

static void bad_sequences_are_found_with_offset_and_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t offset, line;
    } cases[] = {
        {"\x80", 0, 1},                  /* continuation alone */
        {"a\nb\nc\xC3", 5, 3},           /* cut off at the end */
        {"12345678\xC3(", 8, 1},         /* behind eight ASCII bytes */
        {"\xC0\xAF", 0, 1},              /* overlong "/" */
        {"\xC1\xBF", 0, 1},              /* overlong DEL */
        {"\xE0\x9F\xBF", 0, 1},          /* overlong U+07FF */
        {"\xF0\x8F\xBF\xBF", 0, 1},      /* overlong U+FFFF */
        {"x\xED\xA0\x80", 1, 1},         /* surrogate U+D800 */
        {"\xF4\x90\x80\x80", 0, 1},      /* U+110000 */
        {"\xF5\x80\x80\x80", 0, 1},      /* never a first byte */
        {"\xFF", 0, 1},                  /* never a byte */
        {"\xE2\x82", 0, 1},              /* euro sign without its end */
        {"ok \xF0\x9F\x91", 3, 1},       /* emoji without its end */
        {"\xE2\x28\xA1", 0, 1},          /* second byte is none */
        {"\xF0\x9F\x28\x8B", 0, 1},      /* third byte is none */
        {"\xC3\xA9\n\xC3\xA9\xA9", 5, 2} /* one continuation too many */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct utf8_error where = {99, 99};
        assert_int_equal(utf8_check(cases[i].text, strlen(cases[i].text), &where),
                         ERR_DATA);
        assert_int_equal(where.offset, cases[i].offset);
        assert_int_equal(where.line, cases[i].line);
    }
}

static void every_code_point_survives_encoding_and_decoding(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < UTF8_CODES; code++) {
        if (code == 0xD800)
            code = 0xE000;
        char text[UTF8_BYTES];
        uint32_t back = ~0u;
        const size_t n = utf8_encode(code, text);
        if (utf8_next(text, n, &back) != n || back != code)
            fail_msg("U+%04X became U+%04X", code, back);
        if (n > 1 && utf8_next(text, n - 1, &back) != 0)
            fail_msg("U+%04X was read from %zu of its %zu bytes", code, n - 1, n);
    }
}

static void exactly_the_valid_sequences_of_three_bytes_are_accepted(void **state)
{
    (void)state;
    size_t accepted = 0;
    for (uint32_t x = 0xC00000; x < 0x1000000; x++) { /* first byte not ASCII */
        const char text[] = {(char)(x >> 16), (char)(x >> 8), (char)x};
        uint32_t code;
        accepted += utf8_next(text, 3, &code) == 3;
    }
    assert_int_equal(accepted, 0x10000 - 0x800 - 0x800); /* less two-byte, surrogates */
}

static void characters_are_counted_and_found(void **state)
{
    (void)state;
    const char text[] =
        "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x91\x8Bz"; /* 1, 2, 3, 4, 1 bytes */
    static const size_t offsets[] = {0, 1, 3, 6, 10, 11};
    assert_int_equal(utf8_check(text, 11, NULL), ERR_OK);
    assert_int_equal(utf8_count(text, 11), 5);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(utf8_offset(text, 11, i), offsets[i]);
    assert_int_equal(utf8_line("a\nb\nc", 0), 1);
    assert_int_equal(utf8_line("a\nb\nc", 4), 3);
}

/* encoder.py: a space is U+0120, a line feed U+010A, the soft hyphen comes last. */
static void every_byte_has_a_visible_character_of_its_own(void **state)
{
    (void)state;
    char seen[324] = {0};
    for (int byte = 0; byte < 256; byte++) {
        const uint32_t code = bytemap_code((unsigned char)byte);
        assert_true(code > 32 && code < 324);
        assert_false(seen[code]++);
        char text[UTF8_BYTES], back[UTF8_BYTES];
        const size_t n = utf8_encode(code, text);
        assert_int_equal(bytemap_read(text, n, back), 1);
        assert_int_equal((unsigned char)back[0], byte);
    }
    assert_int_equal(bytemap_code(' '), 0x120);
    assert_int_equal(bytemap_code('\n'), 0x10A);
    assert_int_equal(bytemap_code('A'), 'A');
    assert_int_equal(bytemap_code(127), 0x121);
    assert_int_equal(bytemap_code(173), 0x143);
}

static void characters_that_are_no_bytes_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"a b",      "\n",           "\xC2\xAD",
                                      "\xC5\x84", "\xE2\x82\xAC", "\xC3"};
    char out[8];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_true(bytemap_read(bad[i], strlen(bad[i]), out) == SIZE_MAX);
}

RUN(T(bad_sequences_are_found_with_offset_and_line),
    T(every_code_point_survives_encoding_and_decoding),
    T(exactly_the_valid_sequences_of_three_bytes_are_accepted),
    T(characters_are_counted_and_found), T(every_byte_has_a_visible_character_of_its_own),
    T(characters_that_are_no_bytes_are_refused))
