/* Leases come from outside: whatever would reach the compute threads is checked. */
#include "support/test.h"

#include "base/err.h"
#include "base/log.h"
#include "data/plan.h"
#include "worker/lease.h"

enum { VOCAB = 11, T = 8, V = 6, B = 12 };

static struct transformer model;
static struct conf conf;
static uint32_t tokens[4096];
static uint64_t samples[1024];

static int prepare(void **state)
{
    (void)state;
    log_init("", LOG_ERROR);
    conf_init(&conf);
    for (const char *const *w =
             (const char *const[]){"model.layers=1", "model.heads=2", "model.width=8",
                                   "model.context=8", "train.batch=12", "train.slices=6",
                                   "train.seed=5", NULL};
         *w; w++)
        if (conf_load_word(&conf, *w))
            return 1;
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++)
        tokens[i] = i % VOCAB;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        samples[i] = i;
    return conf_check(&conf) || transformer_init(&model, &conf.model, VOCAB);
}

static int clean(void **state)
{
    (void)state;
    transformer_fini(&model);
    return 0;
}

/* Slices 2 and 3 of step 9, two sequences each. */
static void good(struct message *m, struct message_slice slice[2])
{
    for (int i = 0; i < 2; i++)
        slice[i] =
            (struct message_slice){2, T, tokens + 2 * i * (T + 1), samples + 2 * i};
    *m = (struct message){.kind = MESSAGE_LEASE};
    m->lease.lease = 33;
    m->lease.step = m->lease.version = 9;
    m->lease.level = 1;
    m->lease.index = 1;
    m->lease.slices = 2;
    m->lease.slice = slice;
}

static void a_good_lease_is_copied_whole(void **state)
{
    (void)state;
    struct kept_leases kept = {0};
    struct message m;
    struct message_slice slice[2];
    for (int evaluation = 0; evaluation < 2; evaluation++) {
        uint32_t mine[4 * (T + 1)];
        uint64_t numbers[4];
        memcpy(mine, tokens, sizeof mine);
        memcpy(numbers, samples, sizeof numbers);
        good(&m, slice);
        m.lease.evaluation = evaluation;
        for (int i = 0; i < 2; i++) {
            slice[i].tokens = mine + 2 * i * (T + 1);
            slice[i].samples = numbers + 2 * i;
        }
        assert_int_equal(kept_leases_add(&kept, &m, &model, &conf), ERR_OK);
        memset(mine, 0xFF, sizeof mine); /* the message is gone */
        memset(numbers, 0xFF, sizeof numbers);
        memset(slice, 0xFF, sizeof slice);

        const struct compute_job *job = kept_leases_job(&kept, 33);
        assert_int_equal(job->id, 33);
        assert_int_equal(job->evaluation, evaluation);
        assert_int_equal(job->node.level, 1);
        assert_int_equal(job->node.index, 1);
        assert_int_equal(job->slices, 2);
        for (size_t i = 0; i < 2; i++) {
            const struct slice *s = &job->slice[i];
            assert_int_equal(s->sequences, 2);
            assert_int_equal(s->length, T);
            assert_int_equal(s->seed, 5);
            assert_int_equal(s->step, 9);
            assert_int_equal(s->dropout, !evaluation);
            assert_memory_equal(s->tokens, tokens + 2 * i * (T + 1),
                                2 * (T + 1) * sizeof *tokens);
            assert_memory_equal(s->samples, samples + 2 * i, 2 * sizeof *samples);
        }
        kept_leases_drop(&kept, 33);
        assert_int_equal(kept.n, 0);
    }
    kept_leases_fini(&kept);
}

static void refuse(const char *what, const struct message *m)
{
    struct kept_leases kept = {0};
    print_message("%s\n", what);
    assert_int_equal(kept_leases_add(&kept, m, &model, &conf), ERR_MALFORMED);
    assert_int_equal(kept.n, 0);
    kept_leases_fini(&kept);
}

static void tokens_beyond_the_vocabulary_are_refused_wherever_they_stand(void **state)
{
    (void)state;
    static const uint32_t beyond[] = {VOCAB, VOCAB + 1, UINT32_MAX};
    for (size_t at = 0; at < 4 * (T + 1); at++) { /* the last is a target only */
        struct message m;
        struct message_slice slice[2];
        good(&m, slice);
        const uint32_t before = tokens[at];
        tokens[at] = beyond[at % 3];
        refuse("token", &m);
        tokens[at] = before;
    }
}

static void sequences_and_rows_beyond_the_model_are_refused(void **state)
{
    (void)state;
    const uint64_t rows =
        plan_rows((struct plan){conf.train.batch, conf.train.slices, conf.model.context});
    const struct {
        const char *what;
        uint32_t sequences, length;
    } cases[] = {
        {"length 0", 1, 0},
        {"length above the context", 1, T + 1},
        {"largest length", 1, UINT32_MAX},
        {"no sequences", 0, T},
        {"a row too many", (uint32_t)(rows / T + 1), T},
        {"product that does not fit 32 bits", UINT32_MAX, T},
        {"product that is 0 in 32 bits", 1u << 29, T},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int which = 0; which < 2; which++)
            for (int evaluation = 0; evaluation < 2; evaluation++) {
                struct message m;
                struct message_slice slice[2];
                good(&m, slice);
                m.lease.evaluation = evaluation;
                slice[which].sequences = cases[i].sequences;
                slice[which].length = cases[i].length;
                refuse(cases[i].what, &m);
            }
}

static void as_many_rows_as_fit_and_shorter_sequences_are_taken(void **state)
{
    (void)state;
    const uint64_t rows =
        plan_rows((struct plan){conf.train.batch, conf.train.slices, conf.model.context});
    struct kept_leases kept = {0};
    struct message m;
    struct message_slice slice[2];
    good(&m, slice);
    m.lease.evaluation = true;
    slice[0] = (struct message_slice){(uint32_t)(rows / T), T, tokens, samples};
    slice[1] = (struct message_slice){1, 1, tokens, samples};
    assert_int_equal(kept_leases_add(&kept, &m, &model, &conf), ERR_OK);
    kept_leases_fini(&kept); /* also what was not dropped */
}

static void slices_that_are_not_the_nodes_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint32_t level, index;
    } cases[] = {
        {"one slice", 0, 2},
        {"four slices", 2, 0},
        {"no canonical name", 2, 1}, /* of slices 4 and 5, which is (1,2) */
        {"begins beyond V", 1, 3},
        {"begins far beyond V", 1, UINT32_MAX},
        {"level beyond the tree", 32, 0},
        {"largest level", UINT32_MAX, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct message m;
        struct message_slice slice[2];
        good(&m, slice);
        m.lease.level = cases[i].level;
        m.lease.index = cases[i].index;
        refuse(cases[i].what, &m);
    }
}

static void leases_are_found_by_number_in_any_order(void **state)
{
    (void)state;
    struct kept_leases kept = {0};
    for (uint64_t i = 0; i < 40; i++) {
        struct message m;
        struct message_slice slice[2];
        good(&m, slice);
        m.lease.lease = 100 + i;
        assert_int_equal(kept_leases_add(&kept, &m, &model, &conf), ERR_OK);
    }
    for (uint64_t i = 0; i < 40; i++) {
        const uint64_t lease = 100 + i * 7 % 40;
        assert_int_equal(kept_leases_job(&kept, lease)->id, lease);
        kept_leases_drop(&kept, lease);
    }
    assert_int_equal(kept.n, 0);
    kept_leases_fini(&kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(tokens_beyond_the_vocabulary_are_refused_wherever_they_stand),
        T(sequences_and_rows_beyond_the_model_are_refused),
        T(slices_that_are_not_the_nodes_are_refused),
        T(a_good_lease_is_copied_whole),
        T(as_many_rows_as_fit_and_shorter_sequences_are_taken),
        T(leases_are_found_by_number_in_any_order)};
    return cmocka_run_group_tests(tests, prepare, clean);
}
