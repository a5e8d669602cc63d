#include "support/test.h"

#include "base/mem.h"
#include "score/split.h"
#include "text/utf8.h"

static struct span span(const char *text)
{
    return (struct span){text, strlen(text)};
}

/* Words with a bar between them. */
static void join(const char *text, char *out)
{
    size_t n;
    struct span *words = split_words(span(text), &n);
    for (size_t i = 0; i < n; i++) {
        if (i)
            *out++ = '|';
        memcpy(out, words[i].text, words[i].bytes);
        out += words[i].bytes;
    }
    *out = '\0';
    mem_free(words);
}

static void words_are_what_stands_between_white_space(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {" \t\r\n", ""},
        {"a", "a"},
        {"  a  bc d ", "a|bc|d"},
        {"a\xC2\xA0"
         "b\xE3\x80\x80"
         "c\xE2\x80\xA8"
         "d",
         "a|b|c|d"}, /* U+A0, 3000, 2028 */
        {"a\x1C"
         "b\x1F"
         "c\x1B"
         "d\xC2\x85"
         "e",
         "a|b|c\x1B"
         "d|e"},
        {"a\xE2\x80\x8B"
         "b",
         "a\xE2\x80\x8B"
         "b"},                            /* U+200B, zero width: none */
        {"a \xFF\xA0 b", "a|\xFF\xA0|b"}, /* A0 alone is a byte, no space */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[64];
        join(cases[i][0], out);
        assert_string_equal(out, cases[i][1]);
    }
}

static void characters_come_without_white_space(void **state)
{
    (void)state;
    const uint32_t expected[] = {'a', 0xE9, 0x1F600, UTF8_CODES + 0xFF,
                                 UTF8_CODES + 0xC3};
    size_t n;
    uint32_t *codes = split_characters(span(" a\xC3\xA9 \xF0\x9F\x98\x80\xFF\xC3"), &n);
    assert_int_equal(n, 5);
    assert_memory_equal(codes, expected, sizeof expected);
    mem_free(codes);
}

static void white_space_at_the_end_goes(void **state)
{
    (void)state;
    assert_int_equal(split_trim_end(span("")).bytes, 0);
    assert_int_equal(split_trim_end(span(" \n")).bytes, 0);
    assert_int_equal(split_trim_end(span(" a b\xC2\xA0\r\n")).bytes, 4);
    assert_int_equal(split_trim_end(span("\xC3\xA0")).bytes, 2); /* ends like U+A0 */
}

RUN(T(words_are_what_stands_between_white_space), T(characters_come_without_white_space),
    T(white_space_at_the_end_goes))
