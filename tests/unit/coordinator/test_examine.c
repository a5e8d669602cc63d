/* Which steps are examined, and whose words count. */
#include "support/test.h"

#include "base/err.h"
#include "base/log.h"
#include "coordinator/examine.h"

enum { SLICES = 4, VALUES = 3 * BLOCK_STATISTICS + 1 };

static struct transformer model;

static int prepare(void **state)
{
    (void)state;
    struct conf conf;
    log_silence(true);
    conf_init(&conf);
    for (const char *const *w =
             (const char *const[]){"model.layers=2", "model.encoder_layers=1",
                                   "model.heads=2", "model.width=8", NULL};
         *w; w++)
        if (conf_load_word(&conf, *w))
            return 1;
    return conf_check(&conf) || transformer_init(&model, &conf.model, 5);
}

static int clean(void **state)
{
    (void)state;
    transformer_fini(&model);
    return 0;
}

static void the_first_step_is_due_then_every_so_many_each_time_another_slice(void **state)
{
    (void)state;
    struct examine e;
    examine_init(&e, &model, 10);
    static const struct {
        uint64_t step;
        bool due;
        uint32_t slice;
    } cases[] = {{0, true, 0},   {1, false, 0}, {8, false, 0}, {9, true, 1},
                 {10, false, 0}, {19, true, 2}, {29, true, 3}, {39, true, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(examine_due(&e, cases[i].step), cases[i].due);
        assert_int_equal(examine_tensors(&e, cases[i].step) != NULL, cases[i].due);
        if (cases[i].due)
            assert_int_equal(examine_slice(&e, cases[i].step, SLICES), cases[i].slice);
    }
    examine_fini(&e);
    examine_init(&e, &model, 0);
    for (uint64_t step = 0; step < 100; step++)
        assert_false(examine_due(&e, step));
    examine_fini(&e);
}

/* Partial @partial with statistics that begin with @first. */
static int tell(struct examine *e, uint64_t partial, size_t n, double first)
{
    double values[VALUES + 1];
    for (size_t i = 0; i < n; i++)
        values[i] = first + (double)i;
    struct message m = {.kind = MESSAGE_PARTIAL};
    m.partial.statistics = n;
    m.partial.values = values;
    return examine_receive(e, 1, partial, &m);
}

static struct statistics step(struct examine *e)
{
    return examine_step(e, 9, 8, 1, (struct examine_targets){SLICES, 40, 10, 0.4});
}

static void what_enters_the_sum_counts_and_what_is_dropped_does_not(void **state)
{
    (void)state;
    struct examine e;
    examine_init(&e, &model, 10);
    assert_int_equal(tell(&e, 1, VALUES, 0.5), ERR_OK);
    assert_int_equal(tell(&e, 2, VALUES, 1000), ERR_OK); /* a liar's */
    assert_int_equal(tell(&e, 3, 0, 0), ERR_OK);         /* of other slices */
    examine_drop(&e, 2);
    examine_add(&e, 3);
    struct statistics s = step(&e);
    assert_true(s.encoder == 0 && s.decoder == 0 && isnan(s.accuracy));
    examine_add(&e, 1);
    s = step(&e);
    assert_int_equal(s.slice, 1);
    assert_int_equal(s.encoder, 1);
    assert_int_equal(s.decoder, 2);
    assert_true(s.block[0].stream == 0.5 && s.block[1].stream == 0.5 + BLOCK_STATISTICS);
    assert_true(s.block[2].cross_entropy == 0.5 + VALUES - 2);
    assert_true(s.accuracy == (0.5 + VALUES - 1) / 10);
    assert_int_equal(s.tensors, model.tensors);
    assert_string_equal(s.name[0], model.info[0].name);
    assert_true(s.noise.slice == 2 && s.noise.step == 1);
    assert_true(fabs(s.noise.variance - 1 / (0.1 - 0.025)) < 1e-9);
    examine_fini(&e);
}

static void the_next_step_knows_nothing_of_the_last(void **state)
{
    (void)state;
    struct examine e;
    examine_init(&e, &model, 10);
    assert_int_equal(tell(&e, 1, VALUES, 1), ERR_OK);
    assert_int_equal(tell(&e, 2, VALUES, 2), ERR_OK);
    examine_add(&e, 1);
    examine_forget(&e);
    examine_add(&e, 2); /* forgotten, too */
    assert_int_equal(step(&e).decoder, 0);
    examine_drop(&e, 2);
    assert_int_equal(tell(&e, 7, VALUES, 3), ERR_OK); /* its worker is lost */
    examine_fini(&e);
}

static void numbers_of_another_model_are_refused(void **state)
{
    (void)state;
    struct examine e;
    examine_init(&e, &model, 10);
    assert_int_equal(tell(&e, 1, VALUES - 1, 1), ERR_MISMATCH);
    assert_int_equal(tell(&e, 1, VALUES + 1, 1), ERR_MISMATCH);
    assert_int_equal(tell(&e, 1, 1, 1), ERR_MISMATCH);
    examine_add(&e, 1);
    assert_int_equal(step(&e).decoder, 0);
    examine_fini(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_first_step_is_due_then_every_so_many_each_time_another_slice),
        T(what_enters_the_sum_counts_and_what_is_dropped_does_not),
        T(the_next_step_knows_nothing_of_the_last),
        T(numbers_of_another_model_are_refused),
    };
    return cmocka_run_group_tests(tests, prepare, clean);
}
