/* Leases come from outside: whatever would reach the compute threads is checked. */
#include "support/test.h"

#include "base/err.h"
#include "base/log.h"
#include "data/plan.h"
#include "worker/lease.h"

enum { VOCAB = 11, T = 8, V = 6, B = 12 };

static struct transformer model;
static struct conf conf;
static uint32_t tokens[4096], lengths[1024];
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
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        lengths[i] = T;
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
        slice[i] = (struct message_slice){.sequences = 2,
                                          .lengths = lengths,
                                          .tokens = tokens + 2 * i * (T + 1),
                                          .samples = samples + 2 * i};
    *m = (struct message){.kind = MESSAGE_LEASE};
    m->lease.step = m->lease.version = 9;
    m->lease.first = 2;
    m->lease.slices = 2;
    m->lease.slice = slice;
}

static void a_good_lease_is_copied_whole(void **state)
{
    (void)state;
    struct kept_slices kept = {0};
    struct message m;
    struct message_slice slice[2];
    for (enum lease_kind kind = LEASE_TRAIN; kind <= LEASE_AUDIT; kind++) {
        uint32_t mine[4 * (T + 1)], two[2] = {T, T};
        uint64_t numbers[4];
        memcpy(mine, tokens, sizeof mine);
        memcpy(numbers, samples, sizeof numbers);
        good(&m, slice);
        m.lease.kind = kind;
        for (int i = 0; i < 2; i++) {
            slice[i].lengths = two;
            slice[i].tokens = mine + 2 * i * (T + 1);
            slice[i].samples = numbers + 2 * i;
        }
        assert_int_equal(kept_slices_add(&kept, &m, &model, &conf), ERR_OK);
        memset(mine, 0xFF, sizeof mine); /* the message is gone */
        memset(numbers, 0xFF, sizeof numbers);
        memset(two, 0xFF, sizeof two);
        memset(slice, 0xFF, sizeof slice);

        for (uint32_t i = 0; i < 2; i++) {
            const struct compute_job *job = kept_slices_job(&kept, kind, 2 + i);
            assert_int_equal(job->lease, kind);
            assert_int_equal(job->number, 2 + i);
            const struct slice *s = &job->slice;
            assert_int_equal(s->sequences, 2);
            assert_memory_equal(s->length, lengths, 2 * sizeof *lengths);
            assert_int_equal(s->seed, 5);
            assert_int_equal(s->step, 9);
            assert_int_equal(s->dropout, kind != LEASE_HELD_OUT);
            assert_memory_equal(s->tokens, tokens + 2 * i * (T + 1),
                                2 * (T + 1) * sizeof *tokens);
            assert_memory_equal(s->samples, samples + 2 * i, 2 * sizeof *samples);
        }
        kept_slices_drop(&kept, kind, 2);
        kept_slices_drop(&kept, kind, 3);
        assert_int_equal(kept.n, 0);
    }
    kept_slices_fini(&kept);
}

static void a_step_that_is_examined_wants_noise_of_all_slices_and_blocks_of_one(void **state)
{
    (void)state;
    for (enum lease_kind kind = LEASE_TRAIN; kind <= LEASE_AUDIT; kind++)
        for (int asked = 0; asked < 2; asked++) {
            struct kept_slices kept = {0};
            struct message m;
            struct message_slice slice[2];
            good(&m, slice);
            m.lease.kind = kind;
            m.lease.statistics = asked;
            m.lease.examined = 3;
            assert_int_equal(kept_slices_add(&kept, &m, &model, &conf), ERR_OK);
            for (uint32_t v = 2; v < 4; v++) {
                const struct compute_job *job = kept_slices_job(&kept, kind, v);
                const bool wanted = asked && kind == LEASE_TRAIN;
                assert_int_equal(job->statistics, wanted);
                assert_int_equal(job->slice.statistics != NULL, wanted && v == 3);
                if (job->slice.statistics)
                    job->slice.statistics->block[0].stream = 1; /* there is room */
            }
            kept_slices_fini(&kept);
        }
}

static void refuse(const char *what, const struct message *m)
{
    struct kept_slices kept = {0};
    print_message("%s\n", what);
    assert_int_equal(kept_slices_add(&kept, m, &model, &conf), ERR_MALFORMED);
    assert_int_equal(kept.n, 0);
    kept_slices_fini(&kept);
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
        plan_rows(plan_of(&conf));
    const struct {
        const char *what;
        uint32_t sequences, first;
    } cases[] = {
        {"length 0", 1, 0},
        {"length above the context", 1, T + 1},
        {"largest length", 1, UINT32_MAX},
        {"no sequences", 0, T},
        {"a row too many", (uint32_t)(rows / T + 1), T},
        {"later lengths", 2, T - 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int which = 0; which < 2; which++)
            for (int evaluation = 0; evaluation < 2; evaluation++) {
                struct message m;
                struct message_slice slice[2];
                uint32_t mine[sizeof lengths / sizeof *lengths];
                memcpy(mine, lengths, sizeof mine);
                mine[0] = cases[i].first;
                mine[1] = i == 5 ? T + 1 : T;
                good(&m, slice);
                m.lease.kind = evaluation ? LEASE_HELD_OUT : LEASE_TRAIN;
                slice[which].sequences = cases[i].sequences;
                slice[which].lengths = mine;
                refuse(cases[i].what, &m);
            }
}

static void a_source_is_refused_by_a_model_without_an_encoder(void **state)
{
    (void)state;
    struct message m;
    struct message_slice slice[2];
    good(&m, slice);
    slice[1].source_lengths = lengths;
    slice[1].source = tokens;
    refuse("a source", &m);
}

static void as_many_rows_as_fit_and_shorter_sequences_are_taken(void **state)
{
    (void)state;
    const uint64_t rows =
        plan_rows(plan_of(&conf));
    struct kept_slices kept = {0};
    struct message m;
    struct message_slice slice[2];
    good(&m, slice);
    m.lease.kind = LEASE_HELD_OUT;
    static const uint32_t one = 1;
    slice[0] = (struct message_slice){(uint32_t)(rows / T), lengths, tokens, samples, NULL, NULL};
    slice[1] = (struct message_slice){1, &one, tokens, samples, NULL, NULL};
    assert_int_equal(kept_slices_add(&kept, &m, &model, &conf), ERR_OK);
    kept_slices_fini(&kept); /* also what was not dropped */
}

static void slices_beyond_the_step_are_refused_but_not_of_the_held_out_text(void **state)
{
    (void)state;
    static const uint32_t first[] = {V - 1, V, 1u << 30};
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
        struct kept_slices kept = {0};
        struct message m;
        struct message_slice slice[2];
        good(&m, slice);
        m.lease.first = first[i];
        refuse("slices beyond the step", &m);
        m.lease.kind = LEASE_AUDIT;
        refuse("slices beyond the step", &m);
        m.lease.kind = LEASE_HELD_OUT;
        assert_int_equal(kept_slices_add(&kept, &m, &model, &conf), ERR_OK);
        kept_slices_fini(&kept);
    }
}

static void slices_are_found_by_kind_and_number_in_any_order(void **state)
{
    (void)state;
    struct kept_slices kept = {0};
    for (uint32_t i = 0; i < 40; i += 2) {
        struct message m;
        struct message_slice slice[2];
        good(&m, slice);
        m.lease.kind = LEASE_HELD_OUT;
        m.lease.first = i;
        assert_int_equal(kept_slices_add(&kept, &m, &model, &conf), ERR_OK);
    }
    for (uint32_t i = 0; i < 40; i++) {
        const uint32_t number = i * 7 % 40;
        assert_int_equal(kept_slices_job(&kept, LEASE_HELD_OUT, number)->number, number);
        kept_slices_drop(&kept, LEASE_HELD_OUT, number);
    }
    assert_int_equal(kept.n, 0);
    kept_slices_fini(&kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(tokens_beyond_the_vocabulary_are_refused_wherever_they_stand),
        T(sequences_and_rows_beyond_the_model_are_refused),
        T(a_source_is_refused_by_a_model_without_an_encoder),
        T(slices_beyond_the_step_are_refused_but_not_of_the_held_out_text),
        T(a_good_lease_is_copied_whole),
        T(a_step_that_is_examined_wants_noise_of_all_slices_and_blocks_of_one),
        T(as_many_rows_as_fit_and_shorter_sequences_are_taken),
        T(slices_are_found_by_kind_and_number_in_any_order)};
    return cmocka_run_group_tests(tests, prepare, clean);
}
