#include "support/test.h"

#include "base/err.h"
#include "base/mem.h"
#include "text/words.h"

/* The words of @text with a bar between them. */
static void split(const char *text, char *out)
{
    struct words *w = words_new();
    const size_t bytes = strlen(text);
    for (size_t at = 0, n; at < bytes; at += n) {
        assert_int_equal(words_next(w, text, bytes, at, &n), ERR_OK);
        if (at)
            *out++ = '|';
        memcpy(out, text + at, n);
        out += n;
    }
    *out = '\0';
    words_free(w);
}

static void text_is_split_as_gpt2_does(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"Hello, world!", "Hello|,| world|!"},
        {"I'm you're it's can't", "I|'m| you|'re| it|'s| can|'t"},
        {"I'M", "I|'|M"},             /* contractions are lower case */
        {"a  b   c", "a| | b|  | c"}, /* the last space joins the word */
        {"x \n\ny", "x| \n|\n|y"},    /* the last line feed does not */
        {"end  ", "end|  "},          /* unless nothing follows */
        {"12ab34", "12|ab|34"},
        {"\xC3\xBC\xC3\x9F 4", "\xC3\xBC\xC3\x9F| 4"}, /* letters beyond ASCII */
        {"\xE2\x85\xA7x", "\xE2\x85\xA7|x"},           /* U+2167 is a number */
        {"a\xE1\xA0\x8E", "a|\xE1\xA0\x8E"},           /* U+180E is no white space: */
        {" \xE1\xA0\x8E", " \xE1\xA0\x8E"},            /* a space joins it */
        {"\xC2\x85\xC2\x85x", "\xC2\x85|\xC2\x85|x"},  /* U+0085 is */
        {"\xE3\x80\x80 x", "\xE3\x80\x80| x"},         /* so is U+3000 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[128];
        split(cases[i][0], out);
        assert_string_equal(out, cases[i][1]);
    }
}

static void text_is_cut_only_where_no_word_changes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t from, cut;
    } cases[] = {{"", 0, 0},           {"a", 0, 1},       {"\n", 1, 1},
                 {"\na", 0, 2},        {"a\nb", 0, 2},    {"a\nb", 2, 2},
                 {"a\nb", 3, 3},       {"a\n\nb", 0, 4},  {"a \nb", 0, 4},
                 {"a\n b\nc", 0, 5},   {"a\nb\nc", 3, 4}, {"a\nb\n", 3, 4},
                 {"a\n\xC3\xBC", 0, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(words_cut(cases[i].text, strlen(cases[i].text), cases[i].from),
                         cases[i].cut);
}

static void spaced_words_are_what_stands_between_spaces(void **state)
{
    (void)state;
    static const char text[] = "  a\tb  c\r\n\n d \r";
    static const char *const expected[] = {"a\tb", "c", "\n", "\n", "d"};
    size_t count = 0;
    for (size_t at = 0, n; words_spaced(text, sizeof text - 1, &at, &n); at += n) {
        assert_true(count < 5);
        assert_int_equal(n, strlen(expected[count]));
        assert_memory_equal(text + at, expected[count++], n);
    }
    assert_int_equal(count, 5);
    static const struct {
        const char *text;
        size_t from, cut;
    } cases[] = {{"", 0, 0},    {"ab", 0, 0},   {"ab", 1, 2},  {"a b", 1, 2},
                 {"a b", 2, 2}, {"a\nb", 1, 2}, {"a\n", 1, 2}, {"a\rb c", 1, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(
            words_spaced_cut(cases[i].text, strlen(cases[i].text), cases[i].from),
            cases[i].cut);
}

static void a_long_run_of_anything_is_one_word(void **state)
{
    (void)state;
    static const char runs[] = {'a', '7', '=', ' ', '\n'};
    const size_t bytes = 4 << 20;
    char *text = mem_alloc(bytes);
    struct words *w = words_new();
    for (size_t i = 0; i < sizeof runs; i++) {
        size_t n;
        memset(text, runs[i], bytes);
        assert_int_equal(words_next(w, text, bytes, 0, &n), ERR_OK);
        assert_int_equal(n, bytes);
    }
    words_free(w);
    mem_free(text);
}

RUN(T(text_is_split_as_gpt2_does), T(text_is_cut_only_where_no_word_changes),
    T(spaced_words_are_what_stands_between_spaces), T(a_long_run_of_anything_is_one_word))
