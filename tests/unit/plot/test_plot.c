#include "support/test.h"

#include <ctype.h>
#include <locale.h>
#include <stdbool.h>

#include "plot/plot.h"

/* --- a chart as text, and is it well-formed? --- */

static char *draw(const struct plot *p)
{
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    plot_write(p, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

enum { DEPTH = 16, NAME = 32 };

static const char *skip_attributes(const char *at, bool *empty)
{
    while (*at == ' ') {
        while (*at && *at != '=')
            assert_true(*at != '>' && *at != '<'), at++;
        assert_true(at[1] == '"');
        for (at += 2; *at != '"'; at++)
            assert_true(*at && *at != '<');
        at++;
    }
    *empty = *at == '/';
    at += *empty;
    assert_int_equal(*at, '>');
    return at + 1;
}

static const char *name_at(const char *at, char name[NAME])
{
    size_t n = 0;
    while (isalnum((unsigned char)*at))
        name[n++] = *at++;
    name[n] = '\0';
    assert_true(n > 0 && n < NAME);
    return at;
}

/* Tags in pairs, attributes in quotes, entities known; one root. */
static void assert_well_formed(const char *at)
{
    char open[DEPTH][NAME], name[NAME];
    int depth = 0, roots = 0;
    bool empty;
    while (*at) {
        if (*at == '&') {
            const char *end = strchr(at, ';');
            assert_true(end && end - at < 7);
        }
        if (*at != '<') {
            assert_true(depth > 0 || *at == '\n');
            at++;
        } else if (at[1] == '/') {
            at = name_at(at + 2, name);
            assert_int_equal(*at++, '>');
            assert_true(depth > 0);
            assert_string_equal(open[--depth], name);
        } else {
            at = name_at(at + 1, open[depth]);
            roots += depth == 0;
            at = skip_attributes(at, &empty);
            depth += !empty;
            assert_true(depth < DEPTH);
        }
    }
    assert_int_equal(depth, 0);
    assert_int_equal(roots, 1);
}

static void assert_good(const char *text)
{
    assert_well_formed(text);
    assert_null(strstr(text, "\"nan"));
    assert_null(strstr(text, "inf"));
    assert_null(strstr(text, "M-nan"));
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    for (; (text = strstr(text, what)); text += strlen(what))
        n++;
    return n;
}

/* --- charts --- */

static const double steps[] = {1, 10, 100, 1000}, losses[] = {4.2, 3.1, NAN, 2.4};
static const struct plot_series series[] = {{"loss", steps, losses, 4, true},
                                            {"smoothed", steps, losses, 4, false}};
static const struct plot_mark some_marks[] = {
    {100, NAN, "here"}, {NAN, 3, "published"}, {1000, 2.4, "the end"}};

static struct plot example(void)
{
    return (struct plot){.title = "a chart",
                         .x = {.title = "step", .log = true},
                         .y = {.title = "loss", .unit = "nats/token"},
                         .series = series,
                         .series_n = 2,
                         .marks = some_marks,
                         .marks_n = 3};
}

static void a_chart_has_all_that_it_was_given(void **state)
{
    (void)state;
    const struct plot p = example();
    char *text = draw(&p);
    assert_good(text);
    static const char *const parts[] = {">a chart</title>",
                                        ">a chart</text>",
                                        ">step</text>",
                                        ">loss (nats/token)</text>",
                                        ">loss</text>",
                                        ">smoothed</text>",
                                        ">here</text>",
                                        ">published</text>",
                                        ">the end</text>",
                                        ">1000</text>",
                                        "prefers-color-scheme:dark",
                                        "xmlns=\"http://www.w3.org/2000/svg\"",
                                        "viewBox=\"0 0 760 420\""};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(text, parts[i]))
            fail_msg("no %s in %s", parts[i], text);
    assert_int_equal(count(text, "<path class=\"line c0 faint\""), 2); /* legend, line */
    assert_int_equal(count(text, "<circle"), 1);
    assert_int_equal(count(text, "class=\"mark\""), 2);
    free(text);
}

static void the_style_knows_every_colour_in_both_modes(void **state)
{
    (void)state;
    struct plot_series many[9];
    for (int i = 0; i < 9; i++)
        many[i] = (struct plot_series){"s", steps, losses, 4, false};
    const struct plot p = {.series = many, .series_n = 9};
    char *text = draw(&p), class[16];
    assert_good(text);
    for (int i = 0; i < 8; i++) {
        snprintf(class, sizeof class, ".plot .c%d{", i);
        assert_int_equal(count(text, class), 2);
        snprintf(class, sizeof class, "\"line c%d\"", i);
        assert_int_equal(count(text, class), 2);
    }
    assert_int_equal(count(text, "\"line c0 dashed\""), 2); /* the ninth */
    free(text);
}

static void text_from_anywhere_stays_text(void **state)
{
    (void)state;
    static const char bad[] = "</text><script>\"'&\x01\xff\xc3(\xc2\x80 \xc3\xa9";
    const struct plot_series s = {bad, steps, losses, 4, false};
    const struct plot_mark m = {10, NAN, bad};
    const struct plot p = {.title = bad,
                           .x = {.title = bad, .unit = bad},
                           .y = {.title = bad, .unit = bad},
                           .series = &s,
                           .series_n = 1,
                           .marks = &m,
                           .marks_n = 1};
    char *text = draw(&p);
    assert_good(text);
    assert_null(strstr(text, "<script"));
    static const char good[] = "&lt;/text&gt;&lt;script&gt;&quot;&#39;&amp;?"
                               "?"
                               "?(? \xc3\xa9";
    assert_int_equal(count(text, good), 8); /* title twice, axes 2 x 2, name, label */
    free(text);
}

/* Nothing at all, nothing that can be shown, one point, equal points, huge and tiny. */
static void odd_numbers_make_a_chart_all_the_same(void **state)
{
    (void)state;
    static const double no[] = {NAN, INFINITY, -INFINITY, 1e300}, one[] = {5},
                        same[] = {0, 0, 0}, huge[] = {-1e100, 0, 1e100},
                        tiny[] = {1e-100, 2e-100, 1e-99}, near[] = {1, 1 + 1e-15, 1};
    static const struct plot_series all[] = {
        {"none", NULL, NULL, 0, false}, {"no", no, no, 4, false},
        {"one", one, one, 1, false},    {"same", same, same, 3, false},
        {"huge", huge, huge, 3, false}, {"tiny", tiny, tiny, 3, false},
        {"near", near, near, 3, false},
    };
    static const struct plot_mark odd[] = {
        {NAN, NAN, "nowhere"}, {INFINITY, NAN, "no"}, {1e300, 1, NULL}, {0, 0, ""}};
    for (int log = 0; log < 4; log++)
        for (size_t i = 0; i < sizeof all / sizeof *all; i++)
            for (int fixed = 0; fixed < 4; fixed++) {
                struct plot p = {.series = &all[i],
                                 .series_n = 1,
                                 .marks = odd,
                                 .marks_n = 4,
                                 .x = {.log = log & 1},
                                 .y = {.log = log & 2}};
                if (fixed & 1)
                    p.y.high = 10, p.y.low = NAN;
                if (fixed & 2)
                    p.x.low = 1e3, p.x.high = NAN;
                char *text = draw(&p);
                assert_good(text);
                free(text);
            }
}

static void an_axis_ends_where_it_is_told_to(void **state)
{
    (void)state;
    struct plot p = example();
    p.x.log = false;
    p.x.low = 0;
    p.x.high = 2000;
    p.y.low = NAN;
    p.y.high = 30;
    char *text = draw(&p);
    assert_good(text);
    assert_non_null(strstr(text, ">2000</text>"));
    assert_non_null(strstr(text, ">30</text>"));
    free(text);
}

/* What other programs of the process do with the locale is not ours. */
static void equal_charts_are_equal_bytes_in_any_locale(void **state)
{
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8",
                                        "C.UTF-8"};
    const struct plot p = example();
    char *first = draw(&p);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!setlocale(LC_ALL, names[i]))
            continue;
        char *again = draw(&p);
        assert_string_equal(first, again);
        free(again);
    }
    setlocale(LC_ALL, "C");
    free(first);
}

static void thousands_of_points_take_no_more_room_than_the_picture(void **state)
{
    (void)state;
    enum { N = 50000 };
    static double xs[N], ys[N];
    for (size_t i = 0; i < N; i++) {
        xs[i] = (double)i;
        ys[i] = fmod((double)i * 0.618, 1);
    }
    const struct plot_series s = {"much", xs, ys, N, false};
    const struct plot p = {.series = &s, .series_n = 1, .width = 400, .height = 300};
    char *text = draw(&p);
    assert_good(text);
    assert_true(strlen(text) < 30000);
    free(text);
}

RUN(T(a_chart_has_all_that_it_was_given), T(the_style_knows_every_colour_in_both_modes),
    T(text_from_anywhere_stays_text), T(odd_numbers_make_a_chart_all_the_same),
    T(an_axis_ends_where_it_is_told_to), T(equal_charts_are_equal_bytes_in_any_locale),
    T(thousands_of_points_take_no_more_room_than_the_picture))
