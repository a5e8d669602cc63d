#include "nn/transformer.h"

#include <assert.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "nn/view.h"
#include "nn/workspace.h"

/* --- the plan ----------------------------------------------------------------------- */

/* Philox counts the elements of a tensor in fours and in 32 bits; products take 31-bit
 * dimensions. */
static const size_t COUNT_MAX = (size_t)1 << 34, DIMENSION_MAX = INT32_MAX;

static int check_size(const struct param_info *info)
{
    const size_t cols = info->cols ? info->cols : 1;
    if (info->rows <= DIMENSION_MAX && cols <= DIMENSION_MAX &&
        info->rows <= COUNT_MAX / cols)
        return 0;
    log_error("model: tensor %s with %zu x %zu elements is too large, at most %zu fit; "
              "use a smaller vocabulary, width or ffn",
              info->name, info->rows, cols, COUNT_MAX);
    return ERR_CONFIG;
}

static struct shape shape_of(const struct conf_model *c, size_t vocab)
{
    assert(c->layers >= 1 && c->width >= 1 && c->context >= 1);
    assert(c->heads >= 1 && c->width % c->heads == 0);
    assert(c->kv_heads >= 1 && c->heads % c->kv_heads == 0);
    assert(c->ffn >= 1 && c->dropout_embed >= 0 && c->dropout_attention >= 0 &&
           c->dropout_residual >= 0 && "autos are resolved");
    assert(c->positions != POSITIONS_ROTARY || c->width / c->heads % 2 == 0);
    return (struct shape){.L = c->layers,
                          .H = c->heads,
                          .G = c->kv_heads,
                          .C = c->width,
                          .D = c->width / c->heads,
                          .F = c->ffn,
                          .V = vocab,
                          .T = c->context};
}

int transformer_init(struct transformer *t, const struct conf_model *conf, size_t vocab)
{
    if (vocab < 1 || vocab > DIMENSION_MAX) {
        log_error("model: a vocabulary of %zu words, expected 1 to %zu", vocab,
                  DIMENSION_MAX);
        return ERR_CONFIG;
    }
    struct transformer made = {.conf = *conf, .shape = shape_of(conf, vocab)};
    made.tensors = params_list(NULL, conf, &made.shape);
    made.info = mem_alloc(mem_mul(made.tensors, sizeof *made.info));
    params_list(made.info, conf, &made.shape);
    for (size_t i = 0; i < made.tensors; i++) {
        const int err = check_size(&made.info[i]);
        if (err) {
            mem_free(made.info);
            return err;
        }
        assert(made.info[i].first == made.count);
        made.count += made.info[i].count;
    }
    *t = made;
    return 0;
}

void transformer_fini(struct transformer *t)
{
    mem_free(t->info);
    *t = (struct transformer){0};
}

double transformer_flops_per_token(const struct transformer *t, size_t length)
{
    const struct shape *s = &t->shape;
    double products = (double)s->V * (double)s->C; /* the head, tied or not */
    for (size_t i = 0; i < t->tensors; i++)
        if (t->info[i].cols && t->info[i].layer >= 1 && t->info[i].layer <= s->L)
            products += (double)t->info[i].count;
    return 6 * products + 12.0 * (double)s->L * (double)s->C * (double)length;
}

/* --- forward and backward ------------------------------------------------------------
 */

static struct pass pass_of(const struct workspace *w, const struct slice *slice)
{
    const struct sequences of = sequences_of(slice->sequences, slice->length);
    return (struct pass){
        .conf = &w->t->conf,
        .s = w->t->shape,
        .of = of,
        .N = of.N,
        .dropout = {.on = slice->dropout,
                    .key = philox_key(slice->seed, PHILOX_DROPOUT),
                    .step = (uint32_t)slice->step,
                    .samples = slice->samples},
        .smoothing = (real)slice->smoothing,
        .waves = w->waves,
        .angles = w->angles,
    };
}

/* tokens [N], targets [N]  <-  slice->tokens [N + B] */
static void split_tokens(struct workspace *w, const struct slice *slice)
{
    FOR_EACH_ROW(sequences_of(slice->sequences, slice->length), b, t, n)
    {
        w->tokens[n] = slice->tokens[n + b];
        w->targets[n] = slice->tokens[n + b + 1];
        assert(w->targets[n] < w->t->shape.V);
    }
}

/* Returns the residual stream [N,C] behind the last block. */
static const real *forward(struct workspace *w, const real *theta,
                           const struct slice *slice, const struct pass *pass)
{
    const struct transformer *t = w->t;
    workspace_place(w, &pass->of);
    split_tokens(w, slice);
    embed_forward(w->x, w->tokens, view_embed(&t->conf, &t->shape, theta), pass);
    const real *x = w->x;
    for (size_t l = 0; l < t->shape.L; l++) {
        const struct block block = view_block(&t->conf, &t->shape, theta, l);
        x = block_forward(workspace_block(w, l), x, &block, &w->scratch, pass, l);
    }
    return x;
}

struct listener {
    transformer_range_done *done; /* or NULL */
    void *ctx;
};

static void tell(const struct transformer *t, struct listener to, size_t layer)
{
    const struct param_range r = params_range(&t->conf, &t->shape, layer);
    if (to.done && r.count)
        to.done(to.ctx, r.first, r.count);
}

/* From the head, which is done, down to the embedding. */
static void backward(struct workspace *w, const real *theta, real *grad,
                     const struct pass *pass, struct listener to)
{
    const struct transformer *t = w->t;
    const struct shape *s = &t->shape;
    tell(t, to, s->L + 1);
    for (size_t l = s->L; l-- > 0;) {
        const struct block block = view_block(&t->conf, s, theta, l);
        const struct block dblock = view_block(&t->conf, s, grad, l);
        block_backward(w->dx, &dblock, workspace_block(w, l), &block, &w->scratch, pass,
                       l);
        tell(t, to, l + 1);
    }
    embed_backward(view_embed(&t->conf, s, grad), w->dx, w->tokens, t->conf.tied, pass);
    tell(t, to, 0);
}

void transformer_slice(const struct transformer *t, struct workspace *w,
                       const real *theta, real *grad, const struct slice *slice,
                       struct slice_result *result, transformer_range_done *done,
                       void *ctx)
{
    assert(w->t == t && w->backward);
    const struct pass pass = pass_of(w, slice);
    const real *x = forward(w, theta, slice, &pass);
    const double loss =
        head_backward(w->dx, view_head(&t->conf, &t->shape, grad), w->head, x, w->targets,
                      view_head(&t->conf, &t->shape, theta), &pass);
    backward(w, theta, grad, &pass, (struct listener){done, ctx});
    *result = (struct slice_result){.loss = loss, .targets = pass.N};
}

void transformer_loss(const struct transformer *t, struct workspace *w, const real *theta,
                      const struct slice *slice, struct slice_result *result)
{
    assert(w->t == t);
    struct pass pass = pass_of(w, slice);
    pass.dropout.on = false;
    pass.smoothing = 0;
    const real *x = forward(w, theta, slice, &pass);
    result->loss =
        head_loss(w->head, x, w->targets, view_head(&t->conf, &t->shape, theta), &pass);
    result->targets = pass.N;
}

void transformer_logits(const struct transformer *t, struct workspace *w,
                        const real *theta, const struct slice *slice, real *logits)
{
    assert(w->t == t);
    struct pass pass = pass_of(w, slice);
    pass.dropout.on = false;
    pass.smoothing = 0;
    const real *x = forward(w, theta, slice, &pass);
    head_logits(logits, w->head, x, view_head(&t->conf, &t->shape, theta), &pass);
}
