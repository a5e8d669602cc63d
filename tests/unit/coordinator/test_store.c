#include "support/test.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "coordinator/sampler.h"
#include "coordinator/store.h"
#include "tensor/rows.h"

static struct transformer model;
static struct conf conf;

static int prepare(void **state)
{
    (void)state;
    const char *name;
    conf_init(&conf);
    for (const char *const *w =
             (const char *const[]){"model.layers=1", "model.heads=2", "model.width=8",
                                   "model.context=4", "optim.clip=0.5", NULL};
         *w; w++)
        if (conf_load_word(&conf, *w))
            return 1;
    return conf_check(&conf) || rows_start(NULL, &name) ||
           transformer_init(&model, &conf.model, 5);
}

static int clean(void **state)
{
    (void)state;
    transformer_fini(&model);
    return 0;
}

/* The first step of AdamW by hand: m / (1 - beta1) = g and v / (1 - beta2) = g^2, so
 * theta moves by rate * g / (|g| + eps) after it shrank by rate * decay, matrices only.
 */
static void an_update_is_the_mean_clipped_gradient_through_adamw(void **state)
{
    (void)state;
    struct store s;
    store_init(&s, &model, &conf.optim);
    float *gradient = mem_alloc(s.count * sizeof *gradient);
    double squares = 0;
    for (size_t i = 0; i < s.count; i++) {
        s.theta[i] = 1;
        gradient[i] = i % 2 ? 3.f : -6.f;
        squares += (double)(gradient[i] * gradient[i]);
    }
    struct store_update u = {
        .rate = 0.1, .limit = INFINITY, .targets = 30, .into = store_room(&s)};
    assert_ptr_equal(u.into, s.theta); /* nobody reads: in place */
    store_update(&s, gradient, &u);
    assert_true(fabs(u.norm - sqrt(squares) / 30) < 1e-9 * u.norm);
    assert_true(fabs(u.clip - 0.5 / u.norm) < 1e-12);
    assert_int_equal(s.version, 1);
    for (size_t k = 0; k < model.tensors; k++) {
        const struct param_info *p = &model.info[k];
        const double shrunk = p->decay ? 1 - 0.1 * conf.optim.decay : 1;
        for (size_t i = p->first; i < p->first + p->count; i++) {
            const double expected = shrunk - (i % 2 ? 0.1 : -0.1);
            assert_true(fabs((double)s.theta[i] - expected) < 1e-4);
        }
    }
    mem_free(gradient);
    store_fini(&s);
}

/* The first step keeps a tenth of what was there before (optim/ema.h). */
static void an_average_follows_the_updates_and_nothing_else(void **state)
{
    (void)state;
    struct store s;
    struct conf_optim o = conf.optim;
    o.ema = 0.999;
    store_init(&s, &model, &o);
    assert_int_equal(store_bytes(&model, &o), 4 * s.count * sizeof(float));
    float *gradient = mem_zalloc(s.count * sizeof *gradient);
    for (size_t i = 0; i < s.count; i++)
        s.theta[i] = (float)i;
    store_begin(&s);
    assert_memory_equal(s.ema, s.theta, s.count * sizeof(float));
    store_hold(&s, s.theta); /* the update is beside it, the average in place */
    const float *before = s.theta;
    gradient[1] = 1;
    struct store_update u = {
        .rate = 0.5, .limit = INFINITY, .targets = 1, .into = store_room(&s)};
    store_update(&s, gradient, &u);
    for (size_t i = 0; i < s.count; i++) {
        const double want = 0.1 * (double)before[i] + 0.9 * (double)s.theta[i];
        assert_true(fabs((double)s.ema[i] - want) <= 1e-6 * fabs(want));
    }
    assert_true(s.ema[1] != before[1]);
    const float reached = s.ema[1];
    store_skip(&s);
    gradient[0] = NAN;
    u.into = store_room(&s);
    store_update(&s, gradient, &u);
    assert_true(s.ema[1] == reached);
    store_release(&s, before);
    mem_free(gradient);
    store_fini(&s);
}

/* A worker that lags behind gets the version it was promised, whole. */
static void what_somebody_reads_stays_as_it_is(void **state)
{
    (void)state;
    struct store s;
    store_init(&s, &model, &conf.optim);
    const size_t bytes = s.count * sizeof(float);
    float *gradient = mem_zalloc(bytes), *before = mem_alloc(bytes);
    gradient[0] = 1;
    const float *read[2];
    for (int version = 0; version < 2; version++) {
        read[version] = s.theta;
        store_hold(&s, read[version]);
        memcpy(before, read[version], bytes);
        struct store_update u = {
            .rate = 0.1, .limit = INFINITY, .targets = 30, .into = store_room(&s)};
        store_update(&s, gradient, &u);
        assert_ptr_not_equal(s.theta, read[version]);
        assert_memory_equal(read[version], before, bytes);
    }
    assert_ptr_not_equal(read[0], read[1]);
    store_release(&s, read[0]);
    assert_ptr_equal(store_room(&s), s.theta); /* nobody reads the newest */
    store_release(&s, read[1]);
    store_skip(&s);
    assert_int_equal(s.version, 3);
    mem_free(before);
    mem_free(gradient);
    store_fini(&s);
}

/* Whoever goes back: what is still sent stays, and of the rest nothing. */
static void a_store_that_is_left_keeps_what_is_read_and_nothing_else(void **state)
{
    (void)state;
    struct store s;
    struct conf_optim o = conf.optim;
    o.ema = 0.999;
    store_init(&s, &model, &o);
    float *gradient = mem_zalloc(s.count * sizeof *gradient);
    gradient[1] = 1;
    struct store_update u = {
        .rate = 0.5, .limit = INFINITY, .targets = 1, .into = store_room(&s)};
    store_update(&s, gradient, &u);
    const float *sent = s.theta, reached = s.theta[1];
    store_hold(&s, sent);
    store_leave(&s);
    store_clear(&s);
    assert_int_equal(s.version, 0);
    assert_true(sent != s.theta && sent[1] == reached && reached != 0);
    for (size_t i = 0; i < s.count; i++)
        assert_true(s.theta[i] == 0 && s.moment[0][i] == 0 && s.moment[1][i] == 0 &&
                    s.ema[i] == 0);
    store_release(&s, sent);
    mem_free(gradient);
    store_fini(&s);
}

static void a_gradient_that_is_not_finite_changes_nothing(void **state)
{
    (void)state;
    struct store s;
    store_init(&s, &model, &conf.optim);
    float *gradient = mem_zalloc(s.count * sizeof *gradient);
    gradient[s.count / 2] = NAN;
    struct store_update u = {
        .rate = 0.1, .limit = INFINITY, .targets = 30, .into = store_room(&s)};
    store_update(&s, gradient, &u);
    assert_false(isfinite(u.norm));
    assert_int_equal(s.version, 0);
    for (size_t i = 0; i < s.count; i++)
        assert_true(s.theta[i] == 0 && s.moment[0][i] == 0 && s.moment[1][i] == 0);
    mem_free(gradient);
    store_fini(&s);
}

/* A tensor's numbers by their definition; that of mlp.up is examined in several pieces.
 */
static void assert_examined(const struct tensor_statistics *s, const struct param_info *p,
                            const float *before, const float *after,
                            const float *gradient, double targets)
{
    double weight = 0, mean = 0, update = 0, largest = 0;
    for (size_t i = p->first; i < p->first + p->count; i++) {
        const double move = (double)after[i] - (double)before[i];
        weight += (double)before[i] * (double)before[i];
        mean += (double)gradient[i] / targets * (double)gradient[i] / targets;
        update += move * move;
        largest = fmax(largest, fabs((double)before[i]));
    }
    const double n = (double)p->count;
    assert_true(fabs(s->weight - sqrt(weight / n)) <= 1e-9 * s->weight);
    assert_true(fabs(s->gradient - sqrt(mean / n)) <= 1e-9 * s->gradient);
    assert_true(fabs(s->update - sqrt(update / n)) <= 1e-6 * s->update && s->update > 0);
    assert_true(s->largest == largest);
}

static void
an_update_that_is_examined_has_the_same_bits_and_the_numbers_of_each_tensor(void **state)
{
    (void)state;
    struct transformer large;
    struct conf_model c = conf.model;
    c.width = 96;
    c.ffn = 200;
    assert_int_equal(transformer_init(&large, &c, 5), 0);
    struct store plain, examined;
    store_init(&plain, &large, &conf.optim);
    store_init(&examined, &large, &conf.optim);
    const size_t bytes = large.count * sizeof(float);
    float *gradient = mem_alloc(bytes), *before = mem_alloc(bytes);
    struct tensor_statistics *s = mem_alloc(large.tensors * sizeof *s);
    for (size_t i = 0; i < large.count; i++) {
        examined.theta[i] = plain.theta[i] = (float)(i % 1009) * 1e-3f - 0.7f;
        gradient[i] = (float)(i % 37) - 17.5f;
    }
    for (int step = 0; step < 3; step++) {
        memcpy(before, examined.theta, bytes);
        struct store_update u = {.rate = 0.01, .limit = INFINITY, .targets = 30, .into = store_room(&plain)};
        store_update(&plain, gradient, &u);
        u.into = store_room(&examined);
        u.tensors = s;
        store_update(&examined, gradient, &u);
        assert_memory_equal(examined.theta, plain.theta, bytes);
        assert_memory_equal(examined.moment[0], plain.moment[0], bytes);
        assert_memory_equal(examined.moment[1], plain.moment[1], bytes);
        for (size_t i = 0; i < large.tensors; i++)
            assert_examined(&s[i], &large.info[i], before, examined.theta, gradient, 30);
    }
    mem_free(gradient);
    mem_free(before);
    mem_free(s);
    store_fini(&plain);
    store_fini(&examined);
    transformer_fini(&large);
}

static void check_checksums(struct store *s)
{
    const uint64_t *sums = store_checksums(s);
    for (size_t r = 0; r < s->ranges.n; r++) {
        const struct range at = s->ranges.list[r];
        assert_true(sums[r] == hash64(s->theta + at.first, at.count * sizeof(float)));
    }
}

/* Several ranges, frozen tensors, an average, readers of older versions. */
struct twins {
    struct transformer model;
    struct store s[2]; /* the second with a crew */
    float *gradient;
};

static void make_twins(struct twins *t)
{
    struct conf_model c = conf.model;
    struct conf_optim o = conf.optim;
    c.layers = 3;
    c.width = 96;
    c.ffn = 400;
    o.ema = 0.99;
    assert_int_equal(transformer_init(&t->model, &c, 700), 0);
    t->gradient = mem_alloc(t->model.count * sizeof *t->gradient);
    for (int i = 0; i < 2; i++) {
        store_init(&t->s[i], &t->model, &o);
        assert_int_equal(store_freeze(&t->s[i], t->model.info[5].name), 0);
        for (size_t k = 0; k < t->model.count; k++)
            t->s[i].theta[k] = (float)(k % 1009) * 1e-3f - 0.7f;
        store_begin(&t->s[i]);
    }
    t->s[1].crew = crew_new(4, rows_thread_start);
    assert_true(t->s[1].ranges.n > 3);
}

static void update_twin(struct store *s, const float *gradient, bool beside)
{
    check_checksums(s);
    if (beside)
        store_hold(s, s->theta);
    struct store_update u = {
        .rate = 0.01, .limit = INFINITY, .targets = 30, .into = store_room(s)};
    assert_true((u.into != s->theta) == beside);
    store_update(s, gradient, &u);
    check_checksums(s);
}

static void a_crew_changes_no_bit_and_checksums_are_of_the_newest_version(void **state)
{
    (void)state;
    struct twins t;
    make_twins(&t);
    const size_t bytes = t.model.count * sizeof(float);
    for (size_t step = 0; step < 4; step++) {
        for (size_t k = 0; k < t.model.count; k++)
            t.gradient[k] = (float)((k + step) % 37) - 17.5f;
        for (int i = 0; i < 2; i++)
            update_twin(&t.s[i], t.gradient, step % 2);
        assert_memory_equal(t.s[0].theta, t.s[1].theta, bytes);
        assert_memory_equal(t.s[0].ema, t.s[1].ema, bytes);
        assert_memory_equal(t.s[0].moment[1], t.s[1].moment[1], bytes);
    }
    store_leave(&t.s[1]);
    t.s[1].theta[0]++;
    check_checksums(&t.s[1]);
    store_clear(&t.s[1]);
    check_checksums(&t.s[1]);
    mem_free(t.gradient);
    crew_free(t.s[1].crew);
    store_fini(&t.s[0]);
    store_fini(&t.s[1]);
    transformer_fini(&t.model);
}

static void a_gradient_above_its_limit_changes_nothing(void **state)
{
    (void)state;
    struct store s;
    store_init(&s, &model, &conf.optim);
    float *gradient = mem_zalloc(s.count * sizeof *gradient);
    gradient[s.count / 2] = 60;
    struct store_update u = {
        .rate = 0.1, .limit = 1.99, .targets = 30, .into = store_room(&s)};
    store_update(&s, gradient, &u);
    assert_true(u.norm == 2);
    assert_true(s.version == 0 && s.theta[s.count / 2] == 0);
    u.limit = 2; /* which it does not exceed */
    store_update(&s, gradient, &u);
    assert_true(s.version == 1 && s.theta[s.count / 2] < 0);
    mem_free(gradient);
    store_fini(&s);
}

static void sampling_follows_its_options(void **state)
{
    (void)state;
    const float logits[5] = {0, 3, 1, 2.9f, -1};
    struct sampler s = {.temperature = 0, .top_p = 1, .seed = 1};
    sampler_init(&s, 5);
    assert_int_equal(sampler_draw(&s, logits, 5, 0, 0), 1); /* the likeliest */

    s.temperature = 1;
    unsigned seen[5] = {0}, again = 0;
    enum { DRAWS = 4000 };
    for (uint64_t i = 0; i < DRAWS; i++) {
        const uint32_t token = sampler_draw(&s, logits, 5, 0, i);
        seen[token]++;
        again += token == sampler_draw(&s, logits, 5, 0, i);
    }
    assert_int_equal(again, DRAWS); /* the same seed and place, the same token */
    double total = 0;
    for (int v = 0; v < 5; v++)
        total += exp((double)logits[v]);
    for (int v = 0; v < 5; v++) { /* within five standard deviations */
        const double p = exp((double)logits[v]) / total;
        assert_true(fabs(seen[v] - DRAWS * p) < 5 * sqrt(DRAWS * p * (1 - p)));
    }

    s.top_k = 2;
    for (uint64_t i = 0; i < 200; i++) {
        const uint32_t token = sampler_draw(&s, logits, 5, 0, i);
        assert_true(token == 1 || token == 3);
    }
    s.top_k = 0;
    s.top_p = 0.3; /* the likeliest alone has more */
    for (uint64_t i = 0; i < 200; i++)
        assert_int_equal(sampler_draw(&s, logits, 5, 0, i), 1);
    sampler_fini(&s);
}

/* With and without being examined; the others move as they would without. */
static void frozen_tensors_stay_and_others_do_not_notice(void **state)
{
    (void)state;
    struct tensor_statistics tensors[64];
    assert_true(model.tensors <= 64);
    for (int examined = 0; examined < 2; examined++) {
        struct store s, plain;
        store_init(&s, &model, &conf.optim);
        store_init(&plain, &model, &conf.optim);
        assert_int_equal(store_freeze(&s, "embedding,layers.0.mlp.up,"), ERR_OK);
        float *gradient = mem_alloc(s.count * sizeof *gradient);
        for (size_t i = 0; i < s.count; i++)
            gradient[i] = s.theta[i] = plain.theta[i] = (float)(i % 7) - 2;
        struct store_update u = {.rate = 0.1,
                                 .limit = INFINITY,
                                 .targets = 30,
                                 .into = store_room(&s),
                                 .tensors = examined ? tensors : NULL};
        store_update(&s, gradient, &u);
        u.into = store_room(&plain);
        u.tensors = NULL;
        store_update(&plain, gradient, &u);
        for (size_t k = 0; k < model.tensors; k++) {
            const struct param_info *p = &model.info[k];
            const bool frozen = strncmp(p->name, "embedding", 9) == 0 ||
                                strncmp(p->name, "layers.0.mlp.up", 15) == 0;
            for (size_t i = p->first; i < p->first + p->count; i++)
                assert_true(s.theta[i] == (frozen ? (float)(i % 7) - 2 : plain.theta[i]));
            if (examined)
                assert_true((tensors[k].update > 0) == !frozen && tensors[k].weight > 0);
        }
        mem_free(gradient);
        store_fini(&plain);
        store_fini(&s);
    }
}

static void what_is_to_be_frozen_must_be_there(void **state)
{
    (void)state;
    struct store s;
    log_silence(true);
    store_init(&s, &model, &conf.optim);
    assert_int_equal(store_freeze(&s, "embedding,layers.7."), ERR_UNKNOWN);
    assert_int_equal(store_freeze(&s, ""), ERR_OK);
    log_silence(false);
    store_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_update_is_the_mean_clipped_gradient_through_adamw),
        T(an_average_follows_the_updates_and_nothing_else),
        T(what_somebody_reads_stays_as_it_is),
        T(a_store_that_is_left_keeps_what_is_read_and_nothing_else),
        T(a_gradient_that_is_not_finite_changes_nothing),
        T(an_update_that_is_examined_has_the_same_bits_and_the_numbers_of_each_tensor),
        T(a_crew_changes_no_bit_and_checksums_are_of_the_newest_version),
        T(a_gradient_above_its_limit_changes_nothing),
        T(frozen_tensors_stay_and_others_do_not_notice),
        T(what_is_to_be_frozen_must_be_there),
        T(sampling_follows_its_options)};
    return cmocka_run_group_tests(tests, prepare, clean);
}
