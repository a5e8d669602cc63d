/* bench_translate - sentences a second by beam search.
 *
 *      bench_translate [--threads N] [--beam K] [--tokens N]
 *
 * 1000 sentences of 3 to 30 tokens, 13 on average, through a random model of the size
 * that is used for Multi30k: 4 + 4 blocks, width 128, 4 heads, 9712 words.  A model that
 * knows nothing never ends a sentence: each translation is as long as its source.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "decode/bundle.h"
#include "decode/pool.h"
#include "support/models.h"
#include "tensor/gemm.h"
#include "tensor/rows.h"

enum { SENTENCES = 1000, V = 9712, LONGEST = 30, END = 1 };

struct bench {
    struct transformer t;
    float *theta;
    uint32_t tokens[SENTENCES][LONGEST], length[SENTENCES];
    struct sentence sources[SENTENCES]; /* in the order of bundles */
    struct translations out[SENTENCES];
    struct bundles bundles;
    size_t source_tokens;
};

static struct conf_model conf(void)
{
    struct conf_model c = model_conf(&(struct model_case){.norm = NORM_LAYER,
                                                          .place = PLACE_POST,
                                                          .activation = ACTIVATION_RELU,
                                                          .positions = POSITIONS_HALVES,
                                                          .kv_heads = 4,
                                                          .tied = true,
                                                          .bias = true,
                                                          .encoder = 4,
                                                          .shared_source = true});
    c.layers = 4;
    c.width = 128;
    c.ffn = 256;
    c.context = 256;
    return c;
}

/* The sum of three draws: few are very short or very long. */
static uint32_t draw_length(uint32_t i)
{
    double sum = 0;
    for (uint32_t k = 0; k < 3; k++)
        sum += model_uniform(3 * i + k, 1);
    return (uint32_t)(13.5 + 5 * sum);
}

static void prepare(struct bench *b, size_t tokens)
{
    const struct conf_model c = conf();
    if (transformer_init(&b->t, &c, V))
        exit(1);
    b->theta = calloc(b->t.count, sizeof *b->theta);
    transformer_init_params(&b->t, b->theta, 1);
    for (uint32_t i = 0; i < SENTENCES; i++) {
        const uint32_t drawn = draw_length(i);
        b->length[i] = drawn < 3 ? 3 : drawn > LONGEST ? LONGEST : drawn;
        b->source_tokens += b->length[i]++; /* and the end */
        model_tokens(b->tokens[i], LONGEST, V, i);
    }
    bundles_make(&b->bundles, b->length, SENTENCES, tokens / 8, tokens);
    for (size_t i = 0; i < SENTENCES; i++) {
        const uint32_t s = b->bundles.order[i];
        b->sources[i] = (struct sentence){b->tokens[s], b->length[s] - 1};
    }
}

static double run(struct bench *b, unsigned threads, size_t beam, size_t tokens)
{
    struct translate_options o = translate_defaults(END);
    o.beam.beam = beam;
    o.ratio = 1;
    o.longest = 0;
    struct pool_job *jobs = calloc(b->bundles.n, sizeof *jobs);
    const double start = clock_seconds();
    struct pool *p = pool_new(&(struct pool_options){.model = &b->t,
                                                     .theta = b->theta,
                                                     .translate = o,
                                                     .sentences = tokens / 8,
                                                     .rows = tokens,
                                                     .threads = threads});
    for (size_t i = 0; i < b->bundles.n; i++) {
        const size_t first = b->bundles.first[i];
        jobs[i] = (struct pool_job){.sources = b->sources + first,
                                    .n = b->bundles.first[i + 1] - first,
                                    .out = b->out + first};
        pool_start(p, &jobs[i]);
    }
    for (size_t i = 0; i < b->bundles.n; i++)
        while (!pool_wait(p, &jobs[i], 1000))
            ;
    const double seconds = clock_seconds() - start;
    pool_free(p);
    free(jobs);
    for (size_t i = 0; i < SENTENCES; i++)
        translations_fini(&b->out[i]);
    return seconds;
}

int main(int argc, char **argv)
{
    unsigned threads = 1;
    size_t beam = 5, tokens = 1024;
    static const struct option options[] = {{"threads", required_argument, NULL, 't'},
                                            {"beam", required_argument, NULL, 'b'},
                                            {"tokens", required_argument, NULL, 'n'},
                                            {0}};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) >= 0;)
        switch (c) {
        case 't':
            threads = (unsigned)atoi(optarg);
            break;
        case 'b':
            beam = (size_t)atoi(optarg);
            break;
        case 'n':
            tokens = (size_t)atoi(optarg);
            break;
        default:
            return 64;
        }
    if (threads < 1 || beam < 1 || tokens < 64)
        return 64;
    const char *name;
    static struct bench b;
    if (gemm_start(NULL, &name) || rows_start(NULL, &name))
        return 1;
    prepare(&b, tokens);
    double best = 1e9;
    for (int i = 0; i < 3; i++) {
        const double seconds = run(&b, threads, beam, tokens);
        best = seconds < best ? seconds : best;
    }
    printf("%d sentences, %zu tokens, beam %zu, %u threads, batches of %zu tokens: "
           "%.0f sentences/s, %.0f tokens/s\n",
           SENTENCES, b.source_tokens, beam, threads, tokens, SENTENCES / best,
           (double)b.source_tokens / best);
    return 0;
}
