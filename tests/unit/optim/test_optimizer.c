#include "support/sets.h"

#include "conf/conf.h"
#include "optim/optimizer.h"
#include "support/rows_reference.h"

enum { COUNT = 67, UPDATES = 50 };

static const struct optimizer kinds[] = {
    {.kind = OPTIMIZER_IS_SGD, .momentum = 0.9, .decay = 0.1},
    {.kind = OPTIMIZER_IS_ADAM, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .decay = 0.1},
    {.kind = OPTIMIZER_IS_ADAMW, .beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .decay = 0.1},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

struct model {
    float theta[COUNT], m[COUNT], v[COUNT], g[COUNT];
};

static void model_start(struct model *a)
{
    memset(a, 0, sizeof *a);
    for (size_t i = 0; i < COUNT; i++)
        a->theta[i] = (float)uniform(1, i);
}

/* Gradients of very different sizes, one of them always zero. */
static void model_gradient(struct model *a, uint32_t t)
{
    for (size_t i = 0; i < COUNT; i++)
        a->g[i] = (float)(uniform(t + 10, i) * pow(10, (double)(i % 7) - 5));
    a->g[3] = 0;
}

static void step(const struct optimizer *o, uint64_t t, bool decay, struct model *a,
                 size_t first, size_t n)
{
    float *const moments[] = {a->m + first, a->v + first};
    optimizer_step(o, t, 0.01, 0.5, decay, a->theta + first, moments, a->g + first, n);
}

static void kinds_are_in_the_order_of_the_options_values(void **state)
{
    (void)state;
    static const int ours[] = {OPTIMIZER_IS_SGD, OPTIMIZER_IS_ADAM, OPTIMIZER_IS_ADAMW},
                     options[] = {OPTIMIZER_SGD, OPTIMIZER_ADAM, OPTIMIZER_ADAMW};
    assert_memory_equal(ours, options, sizeof ours);
}

static void each_kind_names_its_moments(void **state)
{
    (void)state;
    assert_int_equal(optimizer_moments(OPTIMIZER_IS_SGD), 1);
    assert_string_equal(optimizer_moment_name(OPTIMIZER_IS_SGD, 0), "velocity");
    for (int k = OPTIMIZER_IS_ADAM; k <= OPTIMIZER_IS_ADAMW; k++) {
        assert_int_equal(optimizer_moments((enum optimizer_kind)k), 2);
        assert_string_equal(optimizer_moment_name((enum optimizer_kind)k, 0), "moment1");
        assert_string_equal(optimizer_moment_name((enum optimizer_kind)k, 1), "moment2");
    }
}

/* The first update of Adam is rate * sign(g), whatever the size of g: m and sqrt(v) are
 * both |g| after their corrections. */
static void the_first_update_of_adam_goes_by_the_rate(void **state)
{
    (void)state;
    const struct optimizer o = {
        .kind = OPTIMIZER_IS_ADAM, .beta1 = 0.9, .beta2 = 0.999, .eps = 0};
    static const float gradients[] = {1e-12f, -1e-3f, 1, -1e6f};
    FOR_EACH_SET(set)
    for (int i = 0; i < 4; i++) {
        float theta = 0, m = 0, v = 0;
        optimizer_step(&o, 1, 0.01, 1, false, &theta, (float *[]){&m, &v}, &gradients[i],
                       1);
        assert_true(fabs(fabs((double)theta) - 0.01) < 0.01 * 4e-7);
        assert_true((theta < 0) == (gradients[i] > 0));
    }
}

struct wide {
    double theta[COUNT], m[COUNT], v[COUNT];
};

static void wide_step(const struct optimizer *o, unsigned t, bool decay, struct wide *w,
                      const float *g)
{
    const double d = decay ? o->decay : 0;
    if (o->kind == OPTIMIZER_IS_SGD) {
        reference_sgd(w->theta, w->m, g, COUNT, 0.01, o->momentum, d, 0.5);
        return;
    }
    const bool decoupled = o->kind == OPTIMIZER_IS_ADAMW;
    reference_adam(w->theta, w->m, w->v, g, COUNT,
                   (struct reference_adam){.rate = 0.01,
                                           .beta1 = o->beta1,
                                           .beta2 = o->beta2,
                                           .eps = o->eps,
                                           .decay = decoupled ? d : 0,
                                           .l2 = decoupled ? 0 : d,
                                           .scale = 0.5,
                                           .t = t});
}

/* What float adds to it: each update rounds theta once, by at most half a unit of 1. */
static void assert_near(const struct model *a, const struct wide *w, unsigned t, int k)
{
    for (size_t i = 0; i < COUNT; i++)
        if (!(fabs((double)a->theta[i] - w->theta[i]) <= 6e-8 * (t + 2)))
            fail_msg("kind %d, update %u, element %zu: %.9g instead of %.9g", k, t, i,
                     (double)a->theta[i], w->theta[i]);
}

static void many_updates_follow_the_papers(void **state)
{
    (void)state;
    FOR_EACH_SET(set)
    for (int k = 0; k < KINDS; k++)
        for (int decay = 0; decay < 2; decay++) {
            struct model a;
            struct wide w = {0};
            model_start(&a);
            for (size_t i = 0; i < COUNT; i++)
                w.theta[i] = (double)a.theta[i];
            for (unsigned t = 1; t <= UPDATES; t++) {
                model_gradient(&a, t);
                step(&kinds[k], t, decay, &a, 0, COUNT);
                wide_step(&kinds[k], t, decay, &w, a.g);
                assert_near(&a, &w, t, k);
            }
        }
}

static void decay_is_applied_only_where_it_is_asked_for(void **state)
{
    (void)state;
    for (int k = 0; k < KINDS; k++) {
        struct model a;
        model_start(&a); /* gradients are zero */
        step(&kinds[k], 1, false, &a, 0, 1);
        step(&kinds[k], 1, true, &a, 1, 1);
        assert_true(a.theta[0] == (float)uniform(1, 0));
        assert_true(fabsf(a.theta[1]) < fabsf((float)uniform(1, 1)));
    }
}

/* At usual settings theta * (1 - rate * decay) with a factor rounded to float would decay
 * everything by 0.04 % too much: so near 1 few digits are left for the 6e-5.  Rounding
 * theta itself goes either way. */
static void a_small_decay_is_not_biased_by_rounding(void **state)
{
    (void)state;
    enum { MANY = 20000 };
    const struct optimizer o = {.kind = OPTIMIZER_IS_ADAMW,
                                .beta1 = 0.9,
                                .beta2 = 0.95,
                                .eps = 1e-8,
                                .decay = 0.1};
    float *mem = calloc(4 * MANY, sizeof *mem), *theta = mem, *zero = mem + 3 * MANY;
    FOR_EACH_SET(set)
    {
        double before = 0, after = 0;
        for (size_t i = 0; i < MANY; i++) {
            theta[i] = (float)(1.5 + uniform(1, i) / 2);
            before += (double)theta[i];
        }
        optimizer_step(&o, 1, 6e-4, 1, true, theta,
                       (float *[]){mem + MANY, mem + 2 * MANY}, zero, MANY);
        for (size_t i = 0; i < MANY; i++)
            after += (double)theta[i];
        assert_true(fabs((before - after) / (6e-5 * before) - 1) < 5e-5);
    }
    free(mem);
}

static void ranges_may_be_cut_anywhere_and_the_bits_are_the_same(void **state)
{
    (void)state;
    static const size_t cuts[] = {0, 1, 6, 22, 40, 66, COUNT};
    FOR_EACH_SET(set)
    for (int k = 0; k < KINDS; k++) {
        struct model whole, parts;
        model_start(&whole);
        model_start(&parts);
        for (uint32_t t = 1; t <= 3; t++) {
            model_gradient(&whole, t);
            model_gradient(&parts, t);
            step(&kinds[k], t, true, &whole, 0, COUNT);
            for (size_t c = 0; c + 1 < sizeof cuts / sizeof *cuts; c++)
                step(&kinds[k], t, true, &parts, cuts[c], cuts[c + 1] - cuts[c]);
        }
        assert_memory_equal(&whole, &parts, sizeof whole);
    }
}

static void sets_with_fused_multiply_add_give_the_same_bits(void **state)
{
    (void)state;
    if (!set_present(2))
        skip();
    for (int k = 0; k < KINDS; k++) {
        struct model a[SETS];
        for (int set = 1; set < SETS; set++) {
            set_start(set);
            model_start(&a[set]);
            for (uint32_t t = 1; t <= 3; t++) {
                model_gradient(&a[set], t);
                step(&kinds[k], t, true, &a[set], 0, COUNT);
            }
        }
        assert_memory_equal(&a[1], &a[2], sizeof a[1]);
    }
}

RUN(T(kinds_are_in_the_order_of_the_options_values), T(each_kind_names_its_moments),
    T(the_first_update_of_adam_goes_by_the_rate), T(many_updates_follow_the_papers),
    T(decay_is_applied_only_where_it_is_asked_for),
    T(a_small_decay_is_not_biased_by_rounding),
    T(ranges_may_be_cut_anywhere_and_the_bits_are_the_same),
    T(sets_with_fused_multiply_add_give_the_same_bits))
