/* Where a run went back: which data and rate hold at which version, and which checkpoints
 * are of a way that was left. */
#include "support/test.h"

#include "guard/turns.h"

/* Diverged at 300, back to 200; at 250, back to 100; at 420, back to 400. */
static struct turns three(void)
{
    struct turns t = {0};
    assert_true(turns_add(&t, (struct turn){200, 100, 0.5}));
    assert_true(turns_add(&t, (struct turn){100, 250, 0.25}));
    assert_true(turns_add(&t, (struct turn){400, 270, 0.125}));
    return t;
}

static void the_newest_that_does_not_begin_later_is_in_force(void **state)
{
    (void)state;
    const struct {
        uint64_t version, offset;
    } cases[] = {{0, 0},     {99, 0},    {100, 250}, {200, 250},
                 {399, 250}, {400, 270}, {9999, 270}};
    const struct turns t = three();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(turns_at(&t, cases[i].version).offset, cases[i].offset);
    assert_true(turns_at(&t, 99).rate == 1 && turns_at(&t, 100).rate == 0.25);
    assert_int_equal(turns_newest(&t).offset, 270);
    const struct turns none = {0};
    assert_true(turns_at(&none, 7).rate == 1 && turns_newest(&none).offset == 0);
}

static void the_way_back_is_to_a_multiple_far_enough_before(void **state)
{
    (void)state;
    const struct {
        uint64_t version, steps, every, back;
    } cases[] = {{340, 100, 100, 200}, {300, 100, 100, 200}, {299, 100, 100, 100},
                 {340, 100, 0, 240},   {99, 100, 10, 0},     {100, 100, 10, 0},
                 {110, 100, 10, 10},   {5, 1, 1, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(turns_back(cases[i].version, cases[i].steps, cases[i].every),
                         cases[i].back);
}

static void offsets_only_grow_and_room_is_limited(void **state)
{
    (void)state;
    struct turns t = three();
    assert_false(turns_add(&t, (struct turn){500, 270, 1}));
    assert_false(turns_add(&t, (struct turn){500, 100, 1}));
    while (t.n < TURNS_MAX)
        assert_true(turns_add(&t, (struct turn){500, 271 + t.n, 1}));
    assert_false(turns_add(&t, (struct turn){500, 100000, 1}));
}

static void what_is_known_is_not_learned_again(void **state)
{
    (void)state;
    const struct turns all = three();
    for (uint32_t known = 0; known <= all.n; known++) {
        struct turns t = all;
        t.n = known;
        turns_learn(&t, &all);
        assert_int_equal(t.n, all.n);
        assert_memory_equal(t.list, all.list, all.n * sizeof *all.list);
    }
}

static void a_version_is_abandoned_by_a_turn_that_it_did_not_know(void **state)
{
    (void)state;
    const struct {
        uint64_t version, offset;
        bool abandoned;
    } cases[] = {
        {100, 0, false},   {101, 0, true},    /* the second goes back to 100 */
        {250, 100, true},  {100, 100, false}, /* knew the first */
        {250, 250, false}, {400, 250, false}, /* knew two: the third goes back to 400 */
        {401, 250, true},  {401, 270, false},
    };
    const struct turns t = three();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(turns_abandon(&t, cases[i].version, cases[i].offset),
                         cases[i].abandoned);
}

RUN(T(the_way_back_is_to_a_multiple_far_enough_before),
    T(the_newest_that_does_not_begin_later_is_in_force),
    T(offsets_only_grow_and_room_is_limited), T(what_is_known_is_not_learned_again),
    T(a_version_is_abandoned_by_a_turn_that_it_did_not_know))
