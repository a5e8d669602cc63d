/* What is concluded from the words of several workers about one slice. */
#include "support/test.h"

#include "coordinator/audit.h"

enum { SLICES = 1000, TRUTH = 5, LIE = 6 };

static struct audit audit;
static struct ledger ledger; /* in which nobody holds anything */

static void begin(uint32_t slices, double share, uint64_t step)
{
    audit_begin(&audit, slices, share, 42, step);
    ledger_begin(&ledger, slices);
}

static enum audit_verdict say(uint32_t worker, uint64_t hash, uint32_t *liar)
{
    *liar = 0;
    return audit_opinion(&audit, worker, 0, hash, liar);
}

static bool lease(uint32_t worker, size_t members)
{
    uint32_t first, end;
    const bool found = audit_lease(&audit, &ledger, worker, members, &first, &end);
    if (found)
        audit_release(&audit, worker, first);
    return found;
}

static uint32_t chosen(double share, uint64_t step)
{
    uint32_t n = 0;
    begin(SLICES, share, step);
    for (uint32_t v = 0; v < SLICES; v++)
        n += audit.slice[v].chosen;
    return n;
}

static void the_share_that_is_chosen_is_the_one_asked_for(void **state)
{
    (void)state;
    uint32_t n = 0;
    assert_int_equal(chosen(0, 0), 0);
    assert_int_equal(chosen(1, 0), SLICES);
    for (uint64_t step = 0; step < 100; step++)
        n += chosen(0.1, step);
    print_message("of 100000 slices %u are chosen, expected 10000 +- 95\n", n);
    assert_true(n > 10000 - 5 * 95 && n < 10000 + 5 * 95);
    const bool before = (chosen(0.5, 1), audit.slice[3].chosen);
    chosen(0.5, 2);
    chosen(0.5, 1);
    assert_int_equal(audit.slice[3].chosen, before); /* of the step, not of chance */
}

static void two_who_agree_settle_it(void **state)
{
    (void)state;
    uint32_t liar;
    begin(1, 1, 0);
    assert_false(audit_complete(&audit, 2));
    assert_int_equal(say(1, TRUTH, &liar), AUDIT_OPEN);
    assert_int_equal(say(1, TRUTH, &liar), AUDIT_OPEN); /* nobody vouches for himself */
    assert_false(audit_complete(&audit, 2));
    assert_true(audit_complete(&audit, 1));
    assert_false(lease(1, 3));
    assert_true(lease(2, 3));
    assert_int_equal(say(2, TRUTH, &liar), AUDIT_OPEN);
    assert_true(audit_complete(&audit, 2));
}

static void of_three_the_one_is_wrong_whenever_he_spoke(void **state)
{
    (void)state;
    for (uint32_t lies = 1; lies <= 3; lies++) {
        uint32_t liar;
        begin(1, 0, 0); /* not even chosen */
        assert_int_equal(say(1, lies == 1 ? LIE : TRUTH, &liar), AUDIT_OPEN);
        assert_int_equal(say(2, lies == 2 ? LIE : TRUTH, &liar), AUDIT_OPEN);
        assert_int_equal(audit_complete(&audit, 3), lies == 3);
        assert_int_equal(say(3, lies == 3 ? LIE : TRUTH, &liar), AUDIT_CONVICTS);
        assert_int_equal(liar, lies);
    }
}

static void of_two_it_is_who_contradicts_himself(void **state)
{
    (void)state;
    uint32_t liar;
    begin(1, 1, 0);
    say(1, LIE, &liar);
    assert_int_equal(say(2, TRUTH, &liar), AUDIT_OPEN);
    assert_true(lease(1, 2) && lease(2, 2)); /* once more */
    assert_int_equal(say(1, TRUTH, &liar), AUDIT_OPEN);
    assert_int_equal(say(2, TRUTH, &liar), AUDIT_CONVICTS);
    assert_int_equal(liar, 1);
}

static void two_who_insist_cannot_be_judged(void **state)
{
    (void)state;
    uint32_t liar;
    begin(1, 1, 0);
    say(1, LIE, &liar);
    say(2, TRUTH, &liar);
    say(1, LIE, &liar);
    assert_int_equal(say(2, TRUTH, &liar), AUDIT_UNDECIDED);
    assert_int_equal(liar, 0);
}

static void a_lie_after_all_have_agreed_is_found_too(void **state)
{
    (void)state;
    uint32_t liar;
    begin(1, 1, 0);
    for (uint32_t worker = 1; worker <= AUDIT_OPINIONS; worker++)
        say(worker, TRUTH, &liar);
    assert_int_equal(say(9, LIE, &liar), AUDIT_CONVICTS);
    assert_int_equal(liar, 9);
}

static void who_owes_a_slice_does_not_audit_it_and_few_do_not_take_all(void **state)
{
    (void)state;
    uint32_t first, end;
    begin(8, 1, 0);
    ledger_grant(&ledger, 1, 0, 4);
    assert_true(audit_lease(&audit, &ledger, 1, 2, &first, &end));
    assert_int_equal(first, 4);
    assert_int_equal(end, 7); /* 1 + 8 / 4 */
    assert_true(audit_leased(&audit, 1, 5) && !audit_leased(&audit, 2, 5));
    assert_true(audit_lease(&audit, &ledger, 2, 2, &first, &end));
    assert_int_equal(first, 0);
    audit_forget(&audit, 1);
    assert_false(audit_leased(&audit, 1, 5));
}

static int clean(void **state)
{
    (void)state;
    audit_fini(&audit);
    ledger_fini(&ledger);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_share_that_is_chosen_is_the_one_asked_for),
        T(two_who_agree_settle_it),
        T(of_three_the_one_is_wrong_whenever_he_spoke),
        T(of_two_it_is_who_contradicts_himself),
        T(two_who_insist_cannot_be_judged),
        T(a_lie_after_all_have_agreed_is_found_too),
        T(who_owes_a_slice_does_not_audit_it_and_few_do_not_take_all)};
    return cmocka_run_group_tests(tests, NULL, clean);
}
