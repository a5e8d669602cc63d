/* What limits a run, by where its time goes. */
#include "support/test.h"

#include "coordinator/roofline.h"

static const struct roofline_step warm = {100, 100, 100, 1e9, 1e9};

static struct roofline of(struct roofline_step step, int steps)
{
    struct roofline r = {0};
    for (int i = 0; i < 3; i++)
        roofline_add(&r, &warm);
    for (int i = 0; i < steps; i++)
        roofline_add(&r, &step);
    return r;
}

static void a_few_steps_say_nothing(void **state)
{
    (void)state;
    char text[ROOFLINE_TEXT];
    const struct roofline few = of((struct roofline_step){1, 0, 0, 0, 0}, 9),
                          none = of((struct roofline_step){0}, 20);
    assert_false(roofline_text(&few, 0.9, false, text));
    assert_false(roofline_text(&none, 0.9, false, text));
}

static void times_and_bytes_are_those_of_a_step_without_the_first(void **state)
{
    (void)state;
    char text[ROOFLINE_TEXT];
    const struct roofline r =
        of((struct roofline_step){0.09, 0.006, 0.004, 2 << 20, 1 << 20}, 50);
    assert_true(roofline_text(&r, 0.9, false, text));
    assert_non_null(strstr(text, "a step took 100.0 ms"));
    assert_non_null(
        strstr(text, "90 % computing, 6 % gathering gradients, 4 % updating"));
    assert_non_null(strstr(text, "2.0 MiB in, 1.0 MiB out"));
}

static void what_limits_is_named(void **state)
{
    (void)state;
    static const struct {
        struct roofline_step step;
        double share;
        enum wire wire;
        const char *expected;
    } cases[] = {
        {{0.9, 0.05, 0.05, 0, 0},
         0.8,
         WIRE_IS_FLOAT32,
         "the workers limit, near their product rate"},
        {{0.9, 0.05, 0.05, 0, 0}, 0.3, WIRE_IS_FLOAT32, "fewer train.slices"},
        {{0.9, 0.05, 0.05, 0, 0},
         (double)NAN,
         WIRE_IS_FLOAT32,
         "near their product rate"},
        {{0.5, 0.4, 0.1, 0, 0}, 0.3, WIRE_IS_FLOAT32, "cluster.wire=bfloat16"},
        {{0.5, 0.4, 0.1, 0, 0},
         0.3,
         WIRE_IS_BFLOAT16,
         "the link limits: cluster.wire=int8 halves"},
        {{0.5, 0.4, 0.1, 0, 0},
         0.3,
         WIRE_IS_INT8,
         "the link limits: a larger train.batch"},
        {{0.5, 0.1, 0.4, 0, 0}, 0.3, WIRE_IS_BFLOAT16, "the coordinator limits"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[ROOFLINE_TEXT];
        const struct roofline r = of(cases[i].step, 20);
        assert_true(roofline_text(&r, cases[i].share, cases[i].wire, text));
        if (!strstr(text, cases[i].expected))
            fail_msg("case %zu: %s", i, text);
    }
}

RUN(T(a_few_steps_say_nothing), T(times_and_bytes_are_those_of_a_step_without_the_first),
    T(what_limits_is_named))
