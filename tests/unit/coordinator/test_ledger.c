#include "support/test.h"

#include "coordinator/ledger.h"
#include "coordinator/members.h"

static void a_step_is_complete_when_every_slice_came_once(void **state)
{
    (void)state;
    struct ledger l;
    ledger_init(&l);
    ledger_begin(&l, 6);
    const uint64_t a = ledger_grant_node(&l, 1, (struct tree_node){2, 0})->id;
    const uint64_t b = ledger_grant_node(&l, 2, (struct tree_node){1, 2})->id;
    assert_true(a != b && a != 0);
    uint32_t first, end;
    assert_false(ledger_free_run(&l, &first, &end));

    assert_null(ledger_find(&l, a, 2)); /* not yours */
    assert_null(ledger_find(&l, 99, 1));
    ledger_finish_node(&l, ledger_find(&l, b, 2), (struct ledger_sum){0.5, 20});
    assert_false(ledger_complete(&l));
    assert_null(ledger_find(&l, b, 2)); /* done */
    ledger_finish_node(&l, ledger_find(&l, a, 1), (struct ledger_sum){0.25, 40});
    assert_true(ledger_complete(&l));
    const struct ledger_sum sum = ledger_tree_sum(&l);
    assert_true(sum.loss == 0.75 && sum.targets == 60);
    ledger_fini(&l);
}

/* The loss has the same bits whichever nodes it came in. */
static void the_loss_is_added_along_the_tree(void **state)
{
    (void)state;
    const double loss[7] = {0.1, 1e16, -1e16, 0.3, 1e-9, 7e7, 0.7};
    struct ledger l;
    ledger_init(&l);
    ledger_begin(&l, 7);
    for (uint32_t v = 0; v < 7; v++)
        ledger_finish_node(&l, ledger_grant_node(&l, 1, (struct tree_node){0, v}),
                           (struct ledger_sum){loss[v], 1});
    const double leaves = ledger_tree_sum(&l).loss;

    ledger_begin(&l, 7);
    const double left = (loss[0] + loss[1]) + (loss[2] + loss[3]),
                 right = (loss[4] + loss[5]) + loss[6];
    ledger_finish_node(&l, ledger_grant_node(&l, 2, (struct tree_node){2, 1}),
                       (struct ledger_sum){right, 3});
    ledger_finish_node(&l, ledger_grant_node(&l, 1, (struct tree_node){2, 0}),
                       (struct ledger_sum){left, 4});
    assert_true(ledger_tree_sum(&l).loss == leaves);
    assert_true(leaves == left + right);
    ledger_fini(&l);
}

static void held_out_losses_are_added_in_the_order_of_the_slices(void **state)
{
    (void)state;
    struct ledger l;
    ledger_init(&l);
    ledger_begin(&l, 3);
    struct lease *late = ledger_grant(&l, 1, 1, 3);
    const uint64_t id = late->id;
    ledger_finish_slices(&l, ledger_grant(&l, 2, 0, 1), (double[]){1e16},
                         (uint64_t[]){5});
    ledger_finish_slices(&l, ledger_find(&l, id, 1), (double[]){1.0, -1e16},
                         (uint64_t[]){6, 7});
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
    assert_int_equal(members_unused_number(&m), 2);
    members_add(&m, 60, 2);
    assert_int_equal(m.list[0].peer, 50);
    assert_int_equal(m.list[1].peer, 60);
    assert_int_equal(members_by_worker(&m, 3)->peer, 70);
    assert_null(members_by_peer(&m, 1));
    members_remove(&m, 2);
    assert_int_equal(m.n, 2);
    assert_int_equal(m.list[1].worker, 3);
    assert_int_equal(members_unused_number(&m), 2);
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
        members_cut(&m, 12, cut);
        assert_memory_equal(cut, cases[i].cut, sizeof cut);
        members_fini(&m);
    }
}

RUN(T(a_step_is_complete_when_every_slice_came_once), T(the_loss_is_added_along_the_tree),
    T(held_out_losses_are_added_in_the_order_of_the_slices),
    T(members_are_ordered_and_found), T(cuts_follow_the_speeds_but_not_the_noise))
