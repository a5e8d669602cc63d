/* What `lockstep bench` makes of its numbers: spreads, the table, a predicted step. */
#include "support/test.h"

#include <jansson.h>

#include "coordinator/bench/bench_report.h"
#include "coordinator/bench/bench_step.h"
#include "coordinator/bench/bench_table.h"

/* --- spreads --- */

static void a_spread_is_the_median_between_the_extremes(void **state)
{
    (void)state;
    double odd[] = {3, 1, 2}, even[] = {4, 1, 2, 8}, one[] = {5};
    struct spread s = spread_of(odd, 3);
    assert_true(s.low == 1 && s.median == 2 && s.high == 3);
    s = spread_of(even, 4);
    assert_true(s.low == 1 && s.median == 3 && s.high == 8);
    s = spread_of(one, 1);
    assert_true(s.low == 5 && s.median == 5 && s.high == 5);
}

static void the_longest_time_is_the_lowest_rate(void **state)
{
    (void)state;
    const struct spread rate = spread_rate((struct spread){1, 2, 4}, 8);
    assert_true(rate.low == 2 && rate.median == 4 && rate.high == 8);
    const struct spread twice = spread_scaled(rate, 2);
    assert_true(twice.low == 4 && twice.median == 8 && twice.high == 16);
}

/* --- the table --- */

static void add(struct bench_table *t, enum bench_section section, const char *name,
                double median, double share)
{
    struct bench_row row = {.section = section,
                            .threads = 2,
                            .value = {median / 2, median, median * 2},
                            .unit = BENCH_GBS,
                            .share = share};
    snprintf(row.name, sizeof row.name, "%s", name);
    bench_table_add(t, &row);
}

static char *text_of(void (*print)(const struct bench_table *t, FILE *out),
                     const struct bench_table *t)
{
    char *text;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    print(t, out);
    fclose(out);
    return text;
}

static void a_table_has_the_sections_that_have_rows_in_their_order(void **state)
{
    (void)state;
    struct bench_table t = {0};
    add(&t, BENCH_VECTOR, "norm", 12.5, 0.5);
    add(&t, BENCH_CEILINGS, "memory, read", 25, (double)NAN);
    char *text = text_of(bench_table_print, &t);
    assert_string_equal(text, "                                    threads     median    "
                              " lowest    highest  unit      share\n"
                              "The machine's ceilings\n"
                              "  memory, read                            2      25.00    "
                              "  12.50      50.00  GB/s\n"
                              "Whole vectors; share of the memory's rate\n"
                              "  norm                                    2      12.50    "
                              "  6.250      25.00  GB/s       50 %\n");
    free(text);
    bench_table_fini(&t);
}

static void a_row_is_found_by_section_name_and_threads(void **state)
{
    (void)state;
    struct bench_table t = {0};
    add(&t, BENCH_LINKS, "mpi, one way", 3, (double)NAN);
    const struct spread s = bench_table_value(&t, BENCH_LINKS, "mpi, one way", 2);
    assert_true(s.low == 1.5 && s.median == 3 && s.high == 6);
    assert_true(isnan(bench_table_value(&t, BENCH_LINKS, "mpi, one way", 1).high));
    assert_true(isnan(bench_table_value(&t, BENCH_LINKS, "mpi", 2).high));
    assert_true(isnan(bench_table_value(&t, BENCH_VECTOR, "mpi, one way", 2).high));
    bench_table_fini(&t);
}

static void json_has_every_row_and_null_for_what_is_not_finite(void **state)
{
    (void)state;
    struct bench_table t = {0};
    add(&t, BENCH_LINKS, "mpi, one way", 3, (double)NAN);
    add(&t, BENCH_PRODUCTS, "head, wgrad, float32", 100, 0.75);
    char *text = text_of(bench_table_json, &t);
    json_t *rows = json_loads(text, 0, NULL);
    assert_non_null(rows);
    assert_int_equal(json_array_size(rows), 2);
    const json_t *first = json_array_get(rows, 0), *second = json_array_get(rows, 1);
    assert_true(json_is_null(json_object_get(first, "share")));
    assert_string_equal(json_string_value(json_object_get(first, "section")), "links");
    assert_string_equal(json_string_value(json_object_get(first, "unit")), "GB/s");
    assert_true(json_number_value(json_object_get(second, "share")) == 0.75);
    assert_true(json_number_value(json_object_get(second, "median")) == 100);
    assert_true(json_number_value(json_object_get(second, "low")) == 50);
    assert_true(json_number_value(json_object_get(second, "high")) == 200);
    json_decref(rows);
    free(text);
    bench_table_fini(&t);
}

/* --- a step --- */

/* Of 4 slices on 2 threads; computing limits. */
static struct bench_costs costs(void)
{
    return (struct bench_costs){.slices = 4,
                                .threads = 2,
                                .alone = 1,
                                .together = 1,
                                .products = 0.8,
                                .add = 0.02,
                                .norm = 0.01,
                                .update = 0.05,
                                .checksum = 0.002,
                                .parameters = 1e8,
                                .partial = 1e8,
                                .link = 1e10,
                                .flops_share = 0.9,
                                .bfloat16_faster = 1};
}

static void near(double x, double expected)
{
    if (!(fabs(x - expected) < 1e-12))
        fail_msg("%.15g, expected %.15g", x, expected);
}

static void a_step_is_the_sum_of_what_it_waits_for(void **state)
{
    (void)state;
    struct bench_costs c = costs();
    struct bench_step s = bench_step_of(&c);
    near(s.compute, 2 * 1 + 3 * 0.02);
    near(s.pull, 0.01 + 2 * 0.002);
    near(s.push, 0.01 + 0.01 + 2 * 0.002);
    near(s.coordinator, 0.05);
    near(bench_step_sum(&s), 2.06 + 0.014 + 0.024 + 0.05);
    c.slices = 5; /* one thread has three of them */
    c.wire = WIRE_IS_BFLOAT16;
    c.pack = 0.004;
    c.unpack = 0.003;
    c.partial = 5e7;
    s = bench_step_of(&c);
    near(s.compute, 3 * 1 + 4 * 0.02);
    near(s.push, 0.005 + 0.01 + 0.004 + 0.003 + 0.002);
}

static void what_limits_is_named_with_what_to_change(void **state)
{
    (void)state;
    struct bench_costs crowded = costs(), idle = costs(), half = costs(), low = costs(),
                       link = costs(), halved = costs(), packed = costs(),
                       updates = costs();
    crowded.together = 1.5;
    idle.threads = 3;
    half.bfloat16_faster = 1.8;
    low.flops_share = 0.4;
    link.link = 1e8;
    packed.link = 1e8;
    packed.wire = WIRE_IS_INT8;
    halved.link = 1e8;
    halved.wire = WIRE_IS_BFLOAT16;
    updates.update = 1;
    const struct {
        struct bench_costs costs;
        const char *limit, *advice;
    } cases[] = {
        {costs(), "Computing limits: 96 % of a step", "More workers make it faster."},
        {crowded, "Computing limits", "1.5 times as long when all threads compute"},
        {idle, "Computing limits", "4 slices on 3 threads leave 33 % of them idle"},
        {half, "Computing limits",
         "train.compute=bfloat16 would make products 1.8 times"},
        {low, "Computing limits", "Products reach 40 % of the multiply-adds"},
        {link, "Moving parameters and gradients limits", "cluster.wire=bfloat16 halves"},
        {halved, "Moving parameters and gradients limits", "cluster.wire=int8 halves"},
        {packed, "Moving parameters and gradients limits", "a larger train.batch"},
        {updates, "The coordinator limits: 32 %", "A larger train.batch has fewer"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[BENCH_VERDICT];
        bench_step_verdict(&cases[i].costs, text);
        if (!strstr(text, cases[i].limit) || !strstr(text, cases[i].advice))
            fail_msg("case %zu: %s", i, text);
    }
    char text[BENCH_VERDICT];
    bench_step_verdict(&packed, text);
    assert_null(strstr(text, "halves"));
}

/* --- the whole --- */

static void a_report_says_the_same_to_people_and_to_programs(void **state)
{
    (void)state;
    struct bench_table t = {0};
    struct bench_report r = {.products = "pairs",
                             .rows = "v4",
                             .link = "mpi",
                             .threads = 2,
                             .ranks = 2,
                             .parameters = 25000000,
                             .slice_rows = 512,
                             .vocabulary = 8192,
                             .costs = costs(),
                             .table = &t};
    char *text, verdict[BENCH_VERDICT];
    size_t n;
    bench_report_step(&t, &r.costs);
    assert_int_equal(t.n, 5);
    bench_step_verdict(&r.costs, verdict);
    FILE *out = open_memstream(&text, &n);
    bench_report_text(&r, out);
    fclose(out);
    assert_non_null(strstr(text, "kernels pairs (products) and v4 (rows), 2 threads\n"));
    assert_non_null(strstr(text, "a model of 25.0M parameters, vocabulary 8192"));
    assert_non_null(strstr(text, "by mpi: about 2.1 s, 953 tokens/s.\n"));
    assert_non_null(strstr(text, verdict));
    free(text);

    out = open_memstream(&text, &n);
    bench_report_json(&r, out);
    fclose(out);
    json_error_t why;
    json_t *all = json_loads(text, 0, &why);
    if (!all)
        fail_msg("%s in %s", why.text, text);
    const json_t *step = json_object_get(all, "step");
    near(json_number_value(json_object_get(step, "seconds")), 2.148);
    near(json_number_value(json_object_get(step, "coordinator")), 0.05);
    near(json_number_value(json_object_get(step, "tokens_per_second")), 2048 / 2.148);
    assert_true(json_is_false(json_object_get(all, "disturbed")));
    assert_string_equal(json_string_value(json_object_get(all, "verdict")), verdict);
    assert_int_equal(json_array_size(json_object_get(all, "rows")), 5);
    json_decref(all);
    free(text);
    bench_table_fini(&t);
}

static void a_machine_whose_multiply_adds_scatter_was_not_alone(void **state)
{
    (void)state;
    struct bench_row row = {.section = BENCH_CEILINGS,
                            .threads = 1,
                            .value = {100, 110, 114},
                            .unit = BENCH_GFLOPS,
                            .share = (double)NAN};
    struct bench_table t = {0};
    add(&t, BENCH_CEILINGS, "memory, read", 25, (double)NAN); /* scatters by itself */
    bench_table_add(&t, &row);
    assert_false(bench_report_disturbed(&t));
    row.value.high = 116;
    bench_table_add(&t, &row);
    assert_true(bench_report_disturbed(&t));
    bench_table_fini(&t);
}

RUN(T(a_spread_is_the_median_between_the_extremes),
    T(the_longest_time_is_the_lowest_rate),
    T(a_table_has_the_sections_that_have_rows_in_their_order),
    T(a_row_is_found_by_section_name_and_threads),
    T(json_has_every_row_and_null_for_what_is_not_finite),
    T(a_step_is_the_sum_of_what_it_waits_for),
    T(what_limits_is_named_with_what_to_change),
    T(a_report_says_the_same_to_people_and_to_programs),
    T(a_machine_whose_multiply_adds_scatter_was_not_alone))
