#include "support/test.h"

#include <stdbool.h>

#include "plot/ticks.h"

/* The numbers, one after the other, with a space between them. */
static const char *numbers(const struct ticks *t)
{
    static char text[TICKS_MAX * TICK_TEXT];
    *text = '\0';
    for (size_t i = 0; i < t->n; i++)
        if (*t->list[i].text) {
            strcat(text, *text ? " " : "");
            strcat(text, t->list[i].text);
        }
    return text;
}

static void numbers_are_written_as_people_do(void **state)
{
    (void)state;
    static const struct {
        int64_t digits;
        int exponent;
        const char *want;
    } cases[] = {
        {0, 0, "0"},
        {0, -7, "0"},
        {1, 0, "1"},
        {15, 2, "1500"},
        {2, -2, "0.02"},
        {-3, -7, "-3e-7"},
        {15, 8, "1.5e9"},
        {1, -4, "0.0001"},
        {1, -5, "1e-5"},
        {1, 5, "100000"},
        {1, 6, "1e6"},
        {250, -2, "2.5"},
        {-125, -1, "-12.5"},
        {3000, -3, "3"},
        {12345, -4, "1.2345"},
        {1, 100, "1e100"},
        {1, -100, "1e-100"},
        {25, -6, "2.5e-5"},
        {INT64_MAX, 0, "9.223372036854775807e18"},
        {999999, 0, "999999"},
        {1001, 3, "1.001e6"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[TICK_TEXT];
        assert_string_equal(tick_text(text, cases[i].digits, cases[i].exponent),
                            cases[i].want);
    }
}

static void linear_axes_have_ones_twos_and_fives(void **state)
{
    (void)state;
    static const struct {
        double low, high;
        unsigned want;
        const char *numbers;
    } cases[] = {
        {0, 1, 5, "0 0.2 0.4 0.6 0.8 1"},
        {0, 1, 10, "0 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9 1"},
        {1.73, 4.31, 6, "2 2.5 3 3.5 4"},
        {-3, 3, 3, "-2 0 2"},
        {0, 2000, 7, "0 500 1000 1500 2000"},
        {0, 3e-7, 3, "0 1e-7 2e-7 3e-7"},
        {1e6, 1.004e6, 4, "1e6 1.001e6 1.002e6 1.003e6 1.004e6"},
        {-1e100, 1e100, 3, "-1e100 0 1e100"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ticks t;
        ticks_linear(&t, cases[i].low, cases[i].high, cases[i].want);
        assert_string_equal(numbers(&t), cases[i].numbers);
    }
}

static void logarithmic_axes_have_decades_more_or_fewer(void **state)
{
    (void)state;
    static const struct {
        double low, high;
        unsigned want;
        const char *numbers;
    } cases[] = {
        {1e-6, 1, 7, "1e-5 0.0001 0.001 0.01 0.1 1"}, /* and the first: below */
        {1e-3, 1, 7, "0.001 0.002 0.005 0.01 0.02 0.05 0.1 0.2 0.5 1"},
        {0.3, 30, 5, "0.5 1 2 5 10 20"},
        {1, 3, 4, "1 1.5 2 2.5 3"}, /* too short for decades */
        {1e-30, 1e30, 6, "1e-30 1e-20 1e-10 1 1e10 1e20 1e30"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ticks t;
        ticks_log(&t, cases[i].low, cases[i].high, cases[i].want);
        const char *got = numbers(&t);
        assert_string_equal(i == 0 ? got + strlen("1e-6 ") : got, cases[i].numbers);
    }
}

static void between_decades_are_lines_without_a_number(void **state)
{
    (void)state;
    struct ticks t;
    ticks_log(&t, 1e-6, 1, 7);
    size_t silent = 0;
    for (size_t i = 0; i < t.n; i++)
        silent += !*t.list[i].text;
    assert_int_equal(silent, 6 * 8);
}

static void check(const struct ticks *t, double low, double high)
{
    const double little = 1e-5 * (high - low);
    assert_true(t->n >= 1);
    for (size_t i = 0; i < t->n; i++) {
        const struct tick *tick = &t->list[i];
        assert_true(tick->at >= low - little && tick->at <= high + little);
        assert_true(i == 0 || tick->at > t->list[i - 1].at);
        if (*tick->text) /* reads as what it stands for */
            assert_true(fabs(strtod(tick->text, NULL) - tick->at) <=
                        1e-15 * fabs(tick->at));
    }
}

/* Any axis: ticks within it, rising, and as they read. */
static void no_axis_is_left_alone(void **state)
{
    (void)state;
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        const double size = pow(10, (double)(random % 40) - 20),
                     low = (double)(int)(random >> 40) / 1e6 * size,
                     high = low + size * (double)(1 + (random >> 8) % 100000) / 1e3;
        struct ticks t;
        ticks_linear(&t, low, high, 3 + random % 9);
        check(&t, low, high);
        const double factor = 1.5 + (double)((random >> 20) % 1000000);
        ticks_log(&t, size, size * factor, 3 + random % 9);
        check(&t, size, size * factor);
    }
}

RUN(T(numbers_are_written_as_people_do), T(linear_axes_have_ones_twos_and_fives),
    T(logarithmic_axes_have_decades_more_or_fewer),
    T(between_decades_are_lines_without_a_number), T(no_axis_is_left_alone))
