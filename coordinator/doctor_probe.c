#include "coordinator/doctor_probe.h"

#include <math.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "checkpoint/checkpoint.h"
#include "coordinator/trained.h"

enum { PAIRS = 128 };

struct probing {
    struct trained trained;
    struct workspace *workspace;
    const struct parallel *pairs;
    uint32_t end;              /* of text */
    uint32_t *tokens, *source; /* [context + 1], [context] */
};

/* With its end a side must fit the context. */
static bool fits(const struct probing *p, uint64_t pair)
{
    uint32_t source, target;
    parallel_lengths(p->pairs, pair, &source, &target);
    return source < p->trained.model.shape.T && target < p->trained.model.shape.T;
}

/* The target of one pair with the source of another: as supply_pairs.c makes samples. */
static struct slice_result loss_of(struct probing *p, uint64_t target_of,
                                   uint64_t source_of)
{
    uint32_t source_n, target_n;
    parallel_lengths(p->pairs, source_of, &source_n, &target_n);
    uint32_t *unused = mem_alloc(mem_mul(target_n, sizeof *unused));
    parallel_get(p->pairs, source_of, p->source, unused);
    mem_free(unused);
    p->source[source_n++] = p->end;
    uint32_t other_n;
    parallel_lengths(p->pairs, target_of, &other_n, &target_n);
    unused = mem_alloc(mem_mul(other_n, sizeof *unused));
    parallel_get(p->pairs, target_of, unused, p->tokens + 1);
    mem_free(unused);
    p->tokens[0] = p->tokens[target_n + 1] = p->end;
    const uint32_t length = target_n + 1;
    const struct slice slice = {.sequences = 1,
                                .length = &length,
                                .tokens = p->tokens,
                                .source_length = &source_n,
                                .source = p->source};
    struct slice_result result;
    transformer_loss(&p->trained.model, p->workspace, p->trained.theta, &slice, &result);
    return result;
}

/* Each target with the source of the pair that is @shift further. */
static double mean_loss(struct probing *p, const uint64_t *pair, size_t n, size_t shift)
{
    double loss = 0, targets = 0;
    for (size_t i = 0; i < n; i++) {
        const struct slice_result r = loss_of(p, pair[i], pair[(i + shift) % n]);
        loss += r.loss;
        targets += (double)r.targets;
    }
    return n > 0 ? loss / targets : NAN;
}

static void ask(struct probing *p, struct probe *out)
{
    uint64_t pair[PAIRS];
    size_t n = 0;
    for (uint64_t i = 0; i < parallel_info(p->pairs)->count && n < PAIRS; i++)
        if (fits(p, i))
            pair[n++] = i;
    *out = (struct probe){mean_loss(p, pair, n, 0), mean_loss(p, pair, n, 1), n};
}

static int ask_model(struct probing *p, struct probe *out, const struct dataset *data)
{
    const size_t T = p->trained.model.shape.T, vocab = p->trained.model.shape.V;
    if (vocab != parallel_info(p->pairs)->vocab ||
        !tokenizer_end_of_text(data->tokenizer, &p->end)) {
        log_warn("%s: its vocabulary has %zu tokens and that of the data %llu; the model "
                 "is not asked",
                 p->trained.dir, vocab,
                 (unsigned long long)parallel_info(p->pairs)->vocab);
        return ERR_DATA;
    }
    p->workspace = workspace_new(&p->trained.model, T, false);
    p->tokens = mem_alloc(mem_mul(T + 1, sizeof *p->tokens));
    p->source = mem_alloc(mem_mul(T, sizeof *p->source));
    ask(p, out);
    workspace_free(p->workspace);
    mem_free(p->tokens);
    mem_free(p->source);
    return ERR_OK;
}

static bool has_checkpoint(const char *run_dir)
{
    uint64_t *steps;
    size_t n;
    if (checkpoint_list(run_dir, &steps, &n) != ERR_OK)
        return false;
    mem_free(steps);
    return n > 0;
}

int doctor_probe(struct probe *out, const char *run_dir, const struct dataset *data)
{
    const struct trained_from from = {
        .path = run_dir, .step = UINT64_MAX, .encoder = true};
    struct probing p = {.pairs = data->held_out_pairs};
    if (!p.pairs || !has_checkpoint(run_dir))
        return ERR_NO_FILE;
    TRY(trained_open(&p.trained, &from));
    const int err = ask_model(&p, out, data);
    trained_close(&p.trained);
    return err;
}
