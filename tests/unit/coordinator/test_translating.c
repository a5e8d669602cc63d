/* An evaluation that translates: first the losses, then slice by slice what the sources
 * became, then the score; or a document alone. */
#include "unit/coordinator/stage.h"

static struct coordinator_conf translating(enum translate what)
{
    struct coordinator_conf conf = default_conf(1);
    conf.eval_only = true;
    conf.translate = what;
    return conf;
}

/* One worker with so many threads. */
static void start(struct stage *s, enum translate what, uint32_t threads)
{
    struct message join = good_join(1);
    join.join.threads = threads;
    begin(s, translating(what));
    assert_int_equal(say(s, 1, join), ERR_OK);
}

/* Of @slices from @first, of the unit at hand. */
static int answer(struct stage *s, uint32_t first, uint32_t slices, size_t sentences)
{
    static const double losses[HELD_OUT] = {2, 2, 2, 2, 2, 2, 2, 2};
    static const uint64_t targets[HELD_OUT] = {1, 1, 1, 1, 1, 1, 1, 1};
    static const uint32_t lengths[1] = {0};
    struct message m = of_member(1, MESSAGE_EVALUATED);
    m.evaluated.unit = s->c.unit;
    m.evaluated.first = first;
    m.evaluated.slices = slices;
    m.evaluated.losses = losses;
    m.evaluated.targets = targets;
    m.evaluated.sentences = sentences;
    m.evaluated.lengths = sentences ? lengths : NULL;
    return say(s, 1, m);
}

/* Leases that came last, into @queue behind the @n that are there. */
static size_t take_leases(const struct stage *s, enum lease_kind kind,
                          struct action queue[HELD_OUT], size_t n)
{
    for (size_t i = 0; i < s->out.n; i++)
        if (s->out.list[i].kind == ACTION_LEASE) {
            assert_int_equal(s->out.list[i].lease, kind);
            assert_true(n < HELD_OUT);
            queue[n++] = s->out.list[i];
        }
    return n;
}

/* All losses; then the leases of translations are in s->out. */
static void lose(struct stage *s)
{
    struct action queue[HELD_OUT];
    const uint64_t unit = s->c.unit;
    for (size_t n = 0; s->c.unit == unit;) {
        n = take_leases(s, LEASE_HELD_OUT, queue, n);
        const struct action lease = queue[--n];
        pull(s, &lease);
        assert_int_equal(answer(s, lease.first, lease.end - lease.first, 0), ERR_OK);
    }
}

/* All translations, each asked for and told once. */
static void translate(struct stage *s)
{
    struct action queue[HELD_OUT];
    bool told[HELD_OUT] = {false};
    size_t n = 0;
    for (uint32_t done = 0; done < HELD_OUT; done++) {
        n = take_leases(s, LEASE_TRANSLATE, queue, n);
        const struct action lease = queue[--n];
        assert_int_equal(lease.end - lease.first, 1);
        pull(s, &lease);
        assert_int_equal(answer(s, lease.first, 1, 1), ERR_OK);
        const struct action *a = find(s, ACTION_TRANSLATED);
        assert_non_null(a);
        assert_int_equal(a->first, lease.first);
        assert_false(told[a->first]);
        told[a->first] = true;
    }
    assert_int_equal(n, 0);
}

static void translations_follow_the_losses_and_the_score_follows_them(void **state)
{
    (void)state;
    struct stage s;
    start(&s, TRANSLATE_TO_SCORE, 1);
    lose(&s);
    assert_null(find(&s, ACTION_EVALUATED));
    translate(&s);
    assert_non_null(find(&s, ACTION_SCORE));
    assert_null(find(&s, ACTION_EVALUATED));
    feed(&s, (struct event){.kind = EVENT_SCORED, .bleu = 12.5});
    const struct action *a = find(&s, ACTION_EVALUATED);
    assert_non_null(a);
    assert_true(a->bleu == 12.5 && a->loss == 2 && a->targets == HELD_OUT);
    assert_int_equal(find(&s, ACTION_FINISH)->err, ERR_OK);
    end(&s);
}

static void a_document_is_translated_and_nothing_else(void **state)
{
    (void)state;
    struct stage s;
    start(&s, TRANSLATE_ONLY, 1);
    translate(&s);
    assert_null(find(&s, ACTION_SCORE));
    assert_null(find(&s, ACTION_EVALUATED));
    assert_int_equal(find(&s, ACTION_FINISH)->err, ERR_OK);
    end(&s);
}

static void what_does_not_fit_the_unit_is_malformed_and_changes_nothing(void **state)
{
    (void)state;
    struct stage s;
    struct action queue[HELD_OUT];
    start(&s, TRANSLATE_TO_SCORE, 1);
    take_leases(&s, LEASE_HELD_OUT, queue, 0);
    pull(&s, &queue[0]);
    assert_int_equal(answer(&s, queue[0].first, 1, 1), ERR_MALFORMED); /* no losses */
    assert_int_equal(s.c.ledger.slices_done, 0);
    assert_int_equal(answer(&s, queue[0].first, queue[0].end - queue[0].first, 0),
                     ERR_OK);
    end(&s);

    start(&s, TRANSLATE_ONLY, 1);
    assert_int_equal(take_leases(&s, LEASE_TRANSLATE, queue, 0), 2);
    pull(&s, &queue[0]);
    assert_int_equal(answer(&s, queue[0].first, 1, 0), ERR_MALFORMED); /* losses */
    assert_int_equal(answer(&s, queue[0].first, 2, 1), ERR_MALFORMED);
    assert_int_equal(answer(&s, HELD_OUT - 1, 1, 1), ERR_MALFORMED); /* not its own */
    assert_int_equal(s.c.ledger.slices_done, 0);
    assert_null(find(&s, ACTION_TRANSLATED));
    assert_int_equal(answer(&s, queue[0].first, 1, 1), ERR_OK);
    assert_int_equal(answer(&s, queue[0].first, 1, 1), ERR_MALFORMED); /* again */
    assert_int_equal(s.c.ledger.slices_done, 1);
    end(&s);
}

/* One more than it has threads: none of them waits for the next. */
static void a_worker_holds_as_many_as_keep_its_threads_at_work(void **state)
{
    (void)state;
    static const uint32_t cases[][2] = {{0, 2}, {1, 2}, {3, 4}, {100, HELD_OUT}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stage s;
        struct action queue[HELD_OUT];
        start(&s, TRANSLATE_ONLY, cases[i][0]);
        assert_int_equal(take_leases(&s, LEASE_TRANSLATE, queue, 0), cases[i][1]);
        end(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(translations_follow_the_losses_and_the_score_follows_them),
        T(a_document_is_translated_and_nothing_else),
        T(what_does_not_fit_the_unit_is_malformed_and_changes_nothing),
        T(a_worker_holds_as_many_as_keep_its_threads_at_work)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
