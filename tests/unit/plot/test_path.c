#include "support/test.h"

#include <stdbool.h>

#include "plot/path.h"

enum { TEXT = 1 << 20 };

static char *path_of(struct scale x, struct scale y, const double *xs, const double *ys,
                     size_t n)
{
    static char text[TEXT];
    FILE *out = fmemopen(text, sizeof text, "w");
    assert_non_null(out);
    path_write(out, &x, &y, xs, ys, n);
    fputc('\0', out);
    fclose(out);
    return text;
}

static const struct scale to_100 = {false, 0, 100, 100};

static void points_go_right_and_up(void **state)
{
    (void)state;
    const double xs[] = {0, 50, 100}, ys[] = {0, 25, 100};
    assert_string_equal(path_of(to_100, to_100, xs, ys, 3), "M0 100L50 75L100 0");
}

static void what_cannot_be_shown_is_a_gap(void **state)
{
    (void)state;
    static const double xs[] = {0, 10, 20, 30, 40, 50, 60, 70},
                        ys[] = {5, 5, NAN, 7, INFINITY, 9, 9, -1e200};
    assert_string_equal(path_of(to_100, to_100, xs, ys, 8),
                        "M0 95L10 95M30 93h0M50 91L60 91");
    assert_string_equal(path_of(to_100, to_100, ys + 2, xs + 2, 1), "");
}

static void zero_is_a_gap_on_a_logarithmic_axis(void **state)
{
    (void)state;
    static const double xs[] = {1, 10, 0, 100, -5, 1000}, ys[] = {1, 1, 1, 1, 1, 1};
    const struct scale log_x = {true, 1, 1000, 30};
    assert_string_equal(path_of(log_x, to_100, xs, ys, 6), "M0 99L10 99M20 99h0M30 99h0");
}

static void what_is_far_outside_stays_a_number(void **state)
{
    (void)state;
    static const double xs[] = {-1e100, 1e99}, ys[] = {1e100, -1e99};
    assert_string_equal(path_of(to_100, to_100, xs, ys, 2), "M-10000 -9900L10000 10100");
}

/* A hundred thousand points with one spike: few stay, the spike among them. */
static void a_column_keeps_its_ends_and_its_extremes(void **state)
{
    (void)state;
    enum { N = 100000 };
    static double xs[N], ys[N];
    for (size_t i = 0; i < N; i++) {
        xs[i] = 100.0 * (double)i / N;
        ys[i] = 50 + 10 * sin((double)i);
    }
    ys[54321] = 99;
    ys[77777] = 1;
    const char *text = path_of(to_100, to_100, xs, ys, N);
    size_t points = 0;
    for (const char *at = text; *at; at++)
        points += *at == 'M' || *at == 'L';
    assert_true(points >= 300 && points <= 400);
    assert_non_null(strstr(text, "L54.3 1L"));
    assert_non_null(strstr(text, "L77.8 99L"));
}

static void few_points_all_stay(void **state)
{
    (void)state;
    static const double xs[] = {1.1, 1.2, 1.3, 1.4}, ys[] = {5, 9, 1, 5};
    assert_string_equal(path_of(to_100, to_100, xs, ys, 4),
                        "M1.1 95L1.2 91L1.3 99L1.4 95");
}

RUN(T(points_go_right_and_up), T(what_cannot_be_shown_is_a_gap),
    T(zero_is_a_gap_on_a_logarithmic_axis), T(what_is_far_outside_stays_a_number),
    T(a_column_keeps_its_ends_and_its_extremes), T(few_points_all_stay))
