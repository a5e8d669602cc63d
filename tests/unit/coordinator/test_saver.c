/* Checkpoints of a run: what must be on disk before one has its name. */
#include "support/test.h"

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "coordinator/saver.h"
#include "coordinator/tensors.h"
#include "tensor/rows.h"

static struct transformer model;
static struct conf conf;

struct stage {
    struct loop *loop;
    unsigned before, done;
    size_t named_before; /* checkpoints when before() was called */
    int err;
};

static int prepare(void **state)
{
    (void)state;
    const char *name;
    log_silence(true);
    conf_init(&conf);
    for (const char *const *w =
             (const char *const[]){"model.layers=1", "model.heads=2", "model.width=8",
                                   "model.context=4", NULL};
         *w; w++)
        if (conf_load_word(&conf, *w))
            return 1;
    return conf_check(&conf) || rows_start(NULL, &name) ||
           transformer_init(&model, &conf.model, 5) || file_remove_tree("run") ||
           file_make_dirs("run") || file_write_atomic("tokenizer.json", "{}", 2);
}

static int clean(void **state)
{
    (void)state;
    transformer_fini(&model);
    return 0;
}

static size_t named(void)
{
    uint64_t *steps;
    size_t n;
    assert_int_equal(checkpoint_list("run", &steps, &n), ERR_OK);
    mem_free(steps);
    return n;
}

static void before(void *ctx) /* on the saver's thread */
{
    struct stage *s = ctx;
    s->before++;
    s->named_before = named();
}

static void done(void *ctx, uint64_t step, int err, double seconds)
{
    struct stage *s = ctx;
    (void)step;
    (void)seconds;
    s->done++;
    s->err = err;
    loop_stop(s->loop);
}

static struct saver *begin(struct stage *s, const struct store *store)
{
    *s = (struct stage){.loop = loop_new()};
    const struct saver_options o = {.run_dir = "run",
                                    .model = &model,
                                    .store = store,
                                    .run_yaml = "train:\n",
                                    .tokenizer_path = "tokenizer.json",
                                    .keep = {.last = 5},
                                    .before = before,
                                    .done = done,
                                    .ctx = s};
    struct saver *saver;
    assert_int_equal(saver_new(s->loop, &o, &saver), ERR_OK);
    return saver;
}

/* A checkpoint of a version vouches for the journal up to it. */
static void the_journal_is_synced_before_a_checkpoint_has_its_name(void **state)
{
    (void)state;
    struct store store;
    store_init(&store, &model, &conf.optim);
    struct stage s;
    struct saver *saver = begin(&s, &store);
    for (unsigned i = 1; i <= 3; i++) {
        const struct checkpoint_state st = {.step = i, .term = 1, .vocab = 5};
        saver_start(saver, &st, false);
        loop_run(s.loop);
        assert_int_equal(s.done, i);
        assert_int_equal(s.err, ERR_OK);
        assert_int_equal(s.before, i);
        assert_int_equal(s.named_before, i - 1);
        assert_int_equal(named(), i);
    }
    saver_free(saver);
    loop_free(s.loop);
    store_fini(&store);
}

/* Training goes on beside the disk: what is written is the version it began with. */
static void a_checkpoint_is_of_the_moment_it_was_asked_for(void **state)
{
    (void)state;
    struct store store, again;
    store_init(&store, &model, &conf.optim);
    store_init(&again, &model, &conf.optim);
    struct stage s;
    struct saver *saver = begin(&s, &store);
    for (size_t i = 0; i < store.count; i++)
        store.theta[i] = (float)i;
    const struct checkpoint_state st = {.step = 9, .term = 1, .vocab = 5};
    saver_start(saver, &st, false);
    saver_wait(saver); /* as every update does */
    for (size_t i = 0; i < store.count; i++)
        store.theta[i] = store.moment[0][i] = -1;
    loop_run(s.loop);
    char *dir = checkpoint_path("run", 9);
    assert_int_equal(checkpoint_verify(dir), ERR_OK);
    assert_int_equal(saver_load(dir, &model, &again), ERR_OK);
    for (size_t i = 0; i < store.count; i++)
        assert_true(again.theta[i] == (float)i && again.moment[0][i] == 0);
    mem_free(dir);
    saver_free(saver);
    loop_free(s.loop);
    store_fini(&again);
    store_fini(&store);
}

/* A run that keeps an average goes on with it; one that does not has none to offer. */
static void an_average_is_saved_beside_the_parameters(void **state)
{
    (void)state;
    struct store store, again;
    struct conf_optim o = conf.optim;
    o.ema = 0.9;
    store_init(&store, &model, &o);
    store_init(&again, &model, &o);
    struct stage s;
    struct saver *saver = begin(&s, &store);
    for (size_t i = 0; i < store.count; i++) {
        store.theta[i] = (float)i;
        store.ema[i] = -(float)i;
    }
    const struct checkpoint_state st = {.step = 11, .term = 1, .vocab = 5};
    saver_start(saver, &st, false);
    saver_wait(saver);
    store.ema[3] = 7;
    loop_run(s.loop);
    char *dir = checkpoint_path("run", 11), *older = checkpoint_path("run", 9);
    assert_int_equal(checkpoint_verify(dir), ERR_OK);
    assert_int_equal(saver_load(dir, &model, &again), ERR_OK);
    for (size_t i = 0; i < store.count; i++)
        assert_true(again.theta[i] == (float)i && again.ema[i] == -(float)i);
    assert_int_equal(tensors_load_model(dir, &model, true, store.theta), ERR_OK);
    assert_true(store.theta[3] == -3);
    assert_int_equal(tensors_load_model(older, &model, true, store.theta), ERR_NO_FILE);
    mem_free(older);
    mem_free(dir);
    saver_free(saver);
    loop_free(s.loop);
    store_fini(&again);
    store_fini(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_journal_is_synced_before_a_checkpoint_has_its_name),
        T(a_checkpoint_is_of_the_moment_it_was_asked_for),
        T(an_average_is_saved_beside_the_parameters)};
    return cmocka_run_group_tests(tests, prepare, clean);
}
