/* What becomes of a step: updated, skipped, or the run goes back.  One worker computes;
 * what it says of loss and norm decides. */
#include "unit/coordinator/stage.h"

enum { WINDOW = 4 };

static struct coordinator_conf guarded(double loss_z, double norm_z)
{
    struct coordinator_conf conf = default_conf(1);
    conf.steps = 100;
    conf.outlier = 0;
    conf.skip_loss_z = loss_z;
    conf.skip_norm_z = norm_z;
    conf.skip_window = WINDOW;
    return conf;
}

/* To the update, or to what takes its place. */
static void compute(struct stage *s, double loss)
{
    const struct action lease = *lease_of(s, 1);
    assert_int_equal(lease.lease, LEASE_TRAIN);
    give(s, &lease, 3 * loss); /* of 3 targets */
}

static void update(struct stage *s, double norm)
{
    assert_non_null(find(s, ACTION_UPDATE));
    feed(s, (struct event){.kind = EVENT_UPDATED, .norm = norm, .clip = 1});
}

static void make(struct stage *s, double loss, double norm)
{
    compute(s, loss);
    update(s, norm);
}

/* Losses and norms of 1 and 3: mean 2, sigma 1. */
static void fill(struct stage *s)
{
    for (int i = 0; i < WINDOW; i++) {
        make(s, 1 + i % 2 * 2, 1 + i % 2 * 2);
        assert_false(find(s, ACTION_COMMIT)->skipped);
    }
}

static void a_loss_far_above_the_last_ones_is_not_applied(void **state)
{
    (void)state;
    struct stage s;
    gather(&s, guarded(6, 0));
    fill(&s);
    for (int twice = 0; twice < 2; twice++) { /* measured against what was accepted */
        compute(&s, 8.5);
        assert_null(find(&s, ACTION_UPDATE));
        assert_non_null(find(&s, ACTION_DISCARD));
        assert_int_equal(find(&s, ACTION_SKIP)->step, WINDOW + twice);
        const struct action *a = find(&s, ACTION_COMMIT);
        assert_true(a->skipped == SKIP_LOSS && a->z == 6.5 && a->loss == 8.5);
        assert_int_equal(lease_of(&s, 1)->step, WINDOW + twice + 1); /* other data */
    }
    make(&s, 8, 1000); /* at most six, and the norm may be what it likes */
    assert_false(find(&s, ACTION_COMMIT)->skipped);
    end(&s);
}

static void a_norm_far_above_the_last_ones_is_not_applied(void **state)
{
    (void)state;
    struct stage s;
    gather(&s, guarded(0, 6));
    fill(&s);
    compute(&s, 1000);
    assert_true(find(&s, ACTION_UPDATE)->limit == 8);
    update(&s, 8.5);
    const struct action *a = find(&s, ACTION_COMMIT);
    assert_true(a->skipped == SKIP_NORM && a->z == 6.5 && a->norm == 8.5);
    assert_non_null(find(&s, ACTION_SKIP));
    make(&s, 1, 8);
    assert_false(find(&s, ACTION_COMMIT)->skipped);
    end(&s);
}

static void nothing_is_a_spike_unless_asked_for(void **state)
{
    (void)state;
    struct stage s;
    gather(&s, guarded(0, 0));
    fill(&s);
    compute(&s, 1e30);
    assert_true(isinf(find(&s, ACTION_UPDATE)->limit));
    update(&s, 1e30);
    assert_false(find(&s, ACTION_COMMIT)->skipped);
    end(&s);
}

RUN(T(a_loss_far_above_the_last_ones_is_not_applied),
    T(a_norm_far_above_the_last_ones_is_not_applied),
    T(nothing_is_a_spike_unless_asked_for))
