#include "support/test.h"

#include "base/mem.h"
#include "text/line.h"

static void white_space_at_the_ends_goes(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},         {" \t\r\n", ""},
        {"a", "a"},       {" a  b\r\n", "a  b"},
        {"\v\fa\n", "a"}, {"\xC2\xA0 a", "\xC2\xA0 a"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct span got =
            line_trim((struct span){cases[i][0], strlen(cases[i][0])});
        assert_int_equal(strlen(cases[i][1]), got.bytes);
        assert_memory_equal(cases[i][1], got.text, got.bytes);
    }
}

static void any_bytes_become_a_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t bytes;
        const char *want;
    } cases[] = {{"", 0, ""},
                 {"a\nb\r\nc\n", 7, "a b  c"},
                 {" \xC3\xA4\xE2\x82\xAC ", 7, "\xC3\xA4\xE2\x82\xAC"},
                 {"a\xC3", 2, "a\xEF\xBF\xBD"},
                 {"\xFF\xE2\x82"
                  "b",
                  4,
                  "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
                  "b"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t bytes;
        char *got = line_clean((struct span){cases[i].text, cases[i].bytes}, &bytes);
        assert_int_equal(strlen(cases[i].want), bytes);
        assert_memory_equal(cases[i].want, got, bytes);
        mem_free(got);
    }
}

RUN(T(white_space_at_the_ends_goes), T(any_bytes_become_a_line))
