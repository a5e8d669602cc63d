#include "support/test.h"

#include "coordinator/ledger.h"
#include "coordinator/members.h"

static void finish(struct ledger *l, uint32_t level, uint32_t index, double loss,
                   uint64_t targets)
{
    ledger_finish_node(l, (struct tree_node){level, index},
                       (struct ledger_sum){.loss = loss, .targets = targets, .noise = 2 * loss});
}

static void a_step_is_complete_when_every_slice_came_once(void **state)
{
    (void)state;
    struct ledger l = {0};
    uint32_t first, end;
    ledger_begin(&l, 6);
    assert_true(ledger_free_run(&l, &first, &end) && first == 0 && end == 6);
    ledger_grant(&l, 1, 0, 4);
    ledger_grant(&l, 2, 4, 6);
    assert_false(ledger_free_run(&l, &first, &end));
    assert_false(ledger_announce(&l, 2, 0, 4)); /* another's */
    assert_false(ledger_announce(&l, 2, 3, 6));
    assert_true(ledger_announce(&l, 2, 4, 6));
    assert_false(ledger_announce(&l, 2, 4, 6)); /* twice */
    finish(&l, 1, 2, 0.5, 20);
    assert_true(ledger_done(&l, 4, 6) && !ledger_complete(&l));
    assert_true(ledger_announce(&l, 1, 0, 4));
    finish(&l, 2, 0, 0.25, 40);
    assert_true(ledger_complete(&l));
    const struct ledger_sum sum = ledger_tree_sum(&l);
    assert_true(sum.loss == 0.75 && sum.targets == 60 && sum.noise == 1.5);
    ledger_fini(&l);
}

static void two_may_hold_a_slice_and_the_last_to_go_leaves_it_free(void **state)
{
    (void)state;
    struct ledger l = {0};
    uint32_t first, end;
    ledger_begin(&l, 4);
    ledger_grant(&l, 1, 0, 4);
    assert_true(ledger_owed_run(&l, 1, &first, &end) && first == 0 && end == 4);
    ledger_grant(&l, 2, 2, 4);
    assert_true(ledger_owed_run(&l, 1, &first, &end) && first == 0 && end == 2);
    assert_true(ledger_owes(&l, 2, 3) && ledger_owes(&l, 1, 3));
    ledger_forget(&l, 1);
    assert_true(ledger_free_run(&l, &first, &end) && first == 0 && end == 2);
    assert_true(ledger_holds(&l, 2, 3) && !ledger_free(&l, 3));
    ledger_forget(&l, 2);
    assert_true(ledger_free_run(&l, &first, &end) && first == 0 && end == 4);
    ledger_fini(&l);
}

static void what_is_announced_cannot_be_released_but_doubted(void **state)
{
    (void)state;
    struct ledger l = {0};
    ledger_begin(&l, 4);
    ledger_grant(&l, 1, 0, 4);
    assert_true(ledger_announce(&l, 1, 0, 2));
    assert_int_equal(ledger_release(&l, 1, 0, 4), 2);
    assert_true(ledger_holds(&l, 1, 1) && !ledger_holds(&l, 1, 2));
    ledger_doubt(&l, 1, 0, 2);
    assert_true(ledger_free(&l, 0) && l.slice[0].doubted);
    ledger_fini(&l);
}

/* A node that comes after some of its parts counts instead of them. */
static void a_node_counts_instead_of_its_parts(void **state)
{
    (void)state;
    struct ledger l = {0};
    ledger_begin(&l, 4);
    finish(&l, 0, 1, 100, 1);
    finish(&l, 1, 0, 3, 2);
    finish(&l, 1, 1, 4, 2);
    assert_int_equal(l.slices_done, 4);
    assert_true(ledger_tree_sum(&l).loss == 7 && ledger_tree_sum(&l).targets == 4);
    ledger_fini(&l);
}

/* The loss has the same bits whichever nodes it came in. */
static void the_loss_is_added_along_the_tree(void **state)
{
    (void)state;
    const double loss[7] = {0.1, 1e16, -1e16, 0.3, 1e-9, 7e7, 0.7};
    struct ledger l = {0};
    ledger_begin(&l, 7);
    for (uint32_t v = 0; v < 7; v++)
        finish(&l, 0, v, loss[v], 1);
    const double leaves = ledger_tree_sum(&l).loss;

    ledger_begin(&l, 7);
    const double left = (loss[0] + loss[1]) + (loss[2] + loss[3]),
                 right = (loss[4] + loss[5]) + loss[6];
    finish(&l, 2, 1, right, 3);
    finish(&l, 2, 0, left, 4);
    assert_true(ledger_tree_sum(&l).loss == leaves);
    assert_true(leaves == left + right);
    ledger_fini(&l);
}

static void held_out_losses_are_added_in_the_order_of_the_slices(void **state)
{
    (void)state;
    const double loss[3] = {1e16, 1.0, -1e16};
    struct ledger l = {0};
    ledger_begin(&l, 3);
    for (uint32_t v = 3; v-- > 0;)
        ledger_finish_slice(&l, v, (struct ledger_sum){.loss = loss[v], .targets = 5 + v});
    const struct ledger_sum sum = ledger_slice_sum(&l);
    assert_true(sum.loss == (1e16 + 1.0) - 1e16);
    assert_int_equal(sum.targets, 18);
    ledger_fini(&l);
}

static void members_are_ordered_and_found(void **state)
{
    (void)state;
    struct members m = {0};
    members_add(&m, 70, 3);
    members_add(&m, 50, 1);
    members_add(&m, 60, 2);
    assert_int_equal(m.list[0].peer, 50);
    assert_int_equal(m.list[1].peer, 60);
    assert_int_equal(members_by_worker(&m, 3)->peer, 70);
    assert_null(members_by_peer(&m, 1));
    members_remove(&m, 2);
    assert_int_equal(m.n, 2);
    assert_int_equal(m.list[1].worker, 3);
    members_fini(&m);
}

static void cuts_follow_the_speeds_but_not_the_noise(void **state)
{
    (void)state;
    static const struct {
        double speed[3];
        uint32_t cut[4];
    } cases[] = {
        {{0, 0, 0}, {0, 4, 8, 12}},      /* not measured */
        {{10, 11, 9.9}, {0, 4, 8, 12}},  /* noise */
        {{10, 0, 40}, {0, 4, 8, 12}},    /* one not measured */
        {{10, 40, 10}, {0, 2, 10, 12}},  /* one is fast */
        {{1, 1000, 1000}, {0, 0, 6, 12}} /* one is useless */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct members m = {0};
        for (uint32_t k = 0; k < 3; k++)
            members_add(&m, 10 + k, 1 + k)->speed = cases[i].speed[k];
        uint32_t cut[4];
        struct member *const chosen[] = {&m.list[0], &m.list[1], &m.list[2]};
        members_cut(chosen, 3, 12, cut);
        assert_memory_equal(cut, cases[i].cut, sizeof cut);
        members_fini(&m);
    }
}

RUN(T(a_step_is_complete_when_every_slice_came_once),
    T(two_may_hold_a_slice_and_the_last_to_go_leaves_it_free),
    T(what_is_announced_cannot_be_released_but_doubted),
    T(a_node_counts_instead_of_its_parts), T(the_loss_is_added_along_the_tree),
    T(held_out_losses_are_added_in_the_order_of_the_slices),
    T(members_are_ordered_and_found), T(cuts_follow_the_speeds_but_not_the_noise))
