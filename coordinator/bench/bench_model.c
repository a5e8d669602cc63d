#include "coordinator/bench/bench_model.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/philox.h"
#include "coordinator/supply.h"
#include "data/plan.h"

enum { PAIR_LENGTH = 16 }; /* where there is no data to tell */

/* Vocabulary and mean length of the data. */
static int ask_data(const struct conf *conf, uint32_t *vocab, double *length)
{
    struct supply s;
    TRY(supply_open(&s, conf));
    *vocab = s.vocab;
    *length = s.length;
    supply_close(&s);
    return ERR_OK;
}

static uint32_t *tokens_new(size_t n, uint32_t vocab, uint32_t seed)
{
    const struct philox_key key = philox_key(seed, PHILOX_TEST);
    uint32_t *tokens = mem_alloc(n * sizeof *tokens);
    for (size_t i = 0; i < n; i++)
        tokens[i] = philox(key, (struct philox_block){{(uint32_t)i}}).word[0] % vocab;
    return tokens;
}

static void make_slice(struct bench_model *m, uint32_t vocab, size_t sequences,
                       size_t length)
{
    const struct conf_train *train = &m->conf->train;
    m->rows = sequences * length;
    m->lengths = mem_alloc(sequences * sizeof *m->lengths);
    m->samples = mem_alloc(sequences * sizeof *m->samples);
    for (size_t i = 0; i < sequences; i++) {
        m->lengths[i] = (uint32_t)length;
        m->samples[i] = i;
    }
    m->tokens = tokens_new(m->rows + sequences, vocab, 1);
    m->slice = (struct slice){.sequences = sequences,
                              .length = m->lengths,
                              .tokens = m->tokens,
                              .samples = m->samples,
                              .seed = train->seed,
                              .dropout = true,
                              .smoothing = train->label_smoothing};
    if (m->t.shape.E == 0)
        return;
    m->source = tokens_new(m->rows, vocab, 2);
    m->slice.source = m->source;
    m->slice.source_length = m->lengths;
}

/* Sequences of the largest slice, and their length. */
static void size_slice(const struct conf *conf, double mean, size_t *sequences,
                       size_t *length)
{
    const struct plan p = plan_of(conf);
    *length = p.context;
    *sequences = (p.batch + p.slices - 1) / p.slices;
    if (!p.pairs)
        return;
    *length = (size_t)fmin(fmax(round(mean), 1), p.context);
    *sequences = p.batch_tokens / p.slices / *length;
    if (*sequences == 0)
        *sequences = 1;
}

int bench_model_init(struct bench_model *m, const struct conf *conf, uint32_t vocab)
{
    double mean = PAIR_LENGTH;
    size_t sequences, length;
    *m = (struct bench_model){.conf = conf};
    if (*conf->data.dir)
        TRY(ask_data(conf, &vocab, &mean));
    TRY(transformer_init(&m->t, &conf->model, vocab));
    if (conf->train.compute == COMPUTE_BFLOAT16)
        m->t.precision = GEMM_BFLOAT16;
    m->t.recompute = conf->train.recompute;
    size_slice(conf, mean, &sequences, &length);
    make_slice(m, vocab, sequences, length);
    m->theta = mem_slab(mem_mul(m->t.count, sizeof *m->theta));
    transformer_init_params(&m->t, m->theta, conf->train.seed);
    return ERR_OK;
}

void bench_model_fini(struct bench_model *m)
{
    if (m->theta)
        mem_slab_free(m->theta, m->t.count * sizeof *m->theta);
    mem_free(m->lengths);
    mem_free(m->samples);
    mem_free(m->tokens);
    mem_free(m->source);
    transformer_fini(&m->t);
}
