#include "support/test.h"

#include <string.h>

#include "base/wrap.h"

static void lines_end_before_the_word_that_goes_beyond(void **state)
{
    (void)state;
    static const struct {
        int indent;
        const char *text, *expected;
    } cases[] = {
        {4, "", ""},
        {4, "one two", "one two"},
        {4, "one   two ", "one two"},
        {70, "1234567890 1", "1234567890\n%*s1"},
        {70, "1234567 12 1", "1234567 12\n%*s1"},
        {70, "12345678 12", "12345678\n%*s12"},
        {76, "1234567890 1", "1234567890\n%*s1"}, /* a long word has its line */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = NULL, expected[200];
        size_t n;
        FILE *out = open_memstream(&text, &n);
        wrap_words(out, cases[i].text, cases[i].indent);
        fclose(out);
        const char *at = strstr(cases[i].expected, "%*s");
        snprintf(expected, sizeof expected, "%.*s%*s%s",
                 (int)(at ? at - cases[i].expected : 100), cases[i].expected,
                 at ? cases[i].indent : 0, "", at ? at + 3 : "");
        assert_string_equal(text, expected);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {T(lines_end_before_the_word_that_goes_beyond)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
