/* Threads that translate. */
#include "support/test.h"

#include "base/err.h"
#include "decode/pool.h"
#include "support/models.h"
#include "tensor/gemm.h"
#include "tensor/rows.h"

enum { JOBS = 23, SENTENCES = 3, LENGTH = 7, V = 29, END = 1 };

struct world {
    struct transformer t;
    float *theta;
    uint32_t tokens[JOBS * SENTENCES][LENGTH];
    struct sentence sources[JOBS * SENTENCES];
    struct translations out[JOBS * SENTENCES];
    struct pool_job jobs[JOBS];
};

static struct world *world_open(void)
{
    struct world *o = calloc(1, sizeof *o);
    const struct conf_model conf = model_conf(&model_cases[MODEL_CASES - 1]);
    assert_int_equal(0, transformer_init(&o->t, &conf, V));
    o->theta = calloc(o->t.count, sizeof *o->theta);
    model_scatter(&o->t, o->theta, 0.4, 3);
    for (uint32_t i = 0; i < JOBS * SENTENCES; i++) {
        model_tokens(o->tokens[i], LENGTH, V, i);
        o->sources[i] = (struct sentence){o->tokens[i], 1 + i % LENGTH};
    }
    for (size_t j = 0; j < JOBS; j++)
        o->jobs[j] = (struct pool_job){.sources = o->sources + j * SENTENCES,
                                       .n = SENTENCES,
                                       .out = o->out + j * SENTENCES};
    return o;
}

static void world_close(struct world *o)
{
    transformer_fini(&o->t);
    free(o->theta);
    free(o);
}

static struct pool *pool(const struct world *o, unsigned threads)
{
    return pool_new(&(struct pool_options){.model = &o->t,
                                           .theta = o->theta,
                                           .translate = translate_defaults(END),
                                           .sentences = SENTENCES,
                                           .rows = SENTENCES * (LENGTH + 1),
                                           .threads = threads});
}

static void wait_for(struct pool *p, struct pool_job *job)
{
    while (!pool_wait(p, job, 1000))
        ;
}

/* Bits of all scores, one after the other; and lengths. */
struct scores {
    double score[JOBS * SENTENCES];
    size_t n[JOBS * SENTENCES];
};

static void translate_all(struct world *o, unsigned threads, struct scores *s)
{
    struct pool *p = pool(o, threads);
    for (size_t j = 0; j < JOBS; j++)
        pool_start(p, &o->jobs[j]);
    for (size_t j = 0; j < JOBS; j++) {
        wait_for(p, &o->jobs[j]);
        assert_int_equal(0, o->jobs[j].err);
    }
    for (size_t i = 0; i < JOBS * SENTENCES; i++) {
        s->score[i] = o->out[i].at->score;
        s->n[i] = o->out[i].at->n;
        translations_fini(&o->out[i]);
    }
    pool_free(p);
}

static void any_number_of_threads_says_the_same(void **state)
{
    (void)state;
    struct world *o = world_open();
    static struct scores one, many;
    translate_all(o, 1, &one);
    for (unsigned threads = 2; threads <= 5; threads++) {
        translate_all(o, threads, &many);
        assert_memory_equal(&one, &many, sizeof one);
    }
    world_close(o);
}

static void jobs_that_were_not_begun_can_be_stopped(void **state)
{
    (void)state;
    struct world *o = world_open();
    struct pool *p = pool(o, 1);
    for (size_t j = 0; j < JOBS; j++)
        pool_start(p, &o->jobs[j]);
    wait_for(p, &o->jobs[0]);
    pool_stop(p);
    bool stopped = false;
    for (size_t j = 0; j < JOBS; j++) {
        wait_for(p, &o->jobs[j]);
        assert_true(o->jobs[j].err == 0 || o->jobs[j].err == ERR_STOPPED);
        assert_true(o->jobs[j].err != 0 || !stopped); /* begun in order */
        stopped = o->jobs[j].err == ERR_STOPPED;
        for (size_t i = 0; i < SENTENCES && !stopped; i++)
            translations_fini(&o->jobs[j].out[i]);
    }
    assert_int_equal(0, o->jobs[0].err);
    pool_start(p, &o->jobs[JOBS - 1]); /* and it goes on */
    wait_for(p, &o->jobs[JOBS - 1]);
    assert_int_equal(0, o->jobs[JOBS - 1].err);
    for (size_t i = 0; i < SENTENCES; i++)
        translations_fini(&o->jobs[JOBS - 1].out[i]);
    pool_free(p);
    world_close(o);
}

static void waiting_has_an_end(void **state)
{
    (void)state;
    struct world *o = world_open();
    struct pool *p = pool(o, 1);
    struct pool_job never = {.n = 1};
    assert_false(pool_wait(p, &never, 5));
    pool_free(p);
    world_close(o);
}

static void an_error_is_told_by_its_job(void **state)
{
    (void)state;
    struct world *o = world_open();
    for (size_t i = 0; i < o->t.count; i++)
        o->theta[i] = NAN;
    struct pool *p = pool(o, 1);
    pool_start(p, &o->jobs[0]);
    wait_for(p, &o->jobs[0]);
    assert_int_equal(ERR_DATA, o->jobs[0].err);
    pool_free(p);
    world_close(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(any_number_of_threads_says_the_same),
        T(jobs_that_were_not_begun_can_be_stopped),
        T(waiting_has_an_end),
        T(an_error_is_told_by_its_job),
    };
    const char *name;
    if (gemm_start(NULL, &name) || rows_start(NULL, &name))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
