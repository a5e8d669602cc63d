#include "nn/transformer.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "nn/stack.h"
#include "nn/view.h"
#include "nn/watch.h"
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
    return (struct shape){.E = c->encoder_layers,
                          .L = c->layers,
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
    for (size_t i = 0; i < t->tensors; i++) {
        const enum section of = t->info[i].of.section;
        if (t->info[i].cols && (of == SECTION_ENCODER || of == SECTION_DECODER))
            products += (double)t->info[i].count;
    }
    const size_t looks = s->E ? s->E + 2 * s->L : s->L; /* attentions */
    return 6 * products + 12.0 * (double)looks * (double)s->C * (double)length;
}

/* --- forward and backward ------------------------------------------------------------
 */

/* What a call computes: the decoder's way, and the encoder's when there is one. */
struct passes {
    struct pass decoder, encoder;
};

static void passes_of(struct passes *p, const struct workspace *w,
                      const struct slice *slice, bool training,
                      const struct transformer_watch *watch)
{
    const struct sequences of = sequences_of(slice->sequences, slice->length);
    p->decoder = (struct pass){
        .conf = &w->t->conf,
        .gemm = &w->gemm,
        .s = w->t->shape,
        .of = of,
        .N = of.N,
        .dropout = {.on = training && slice->dropout,
                    .key = philox_key(slice->seed, PHILOX_DROPOUT),
                    .step = (uint32_t)slice->step,
                    .samples = slice->samples},
        .smoothing = training ? (real)slice->smoothing : 0,
        .statistics = training ? slice->statistics : NULL,
        .waves = w->waves,
        .angles = w->angles,
        .watch = watch,
    };
    p->encoder = p->decoder;
    if (!p->decoder.s.E)
        return;
    p->encoder.encoder = true;
    p->encoder.of = sequences_of(slice->sequences, slice->source_length);
    p->encoder.N = p->encoder.of.N;
    p->decoder.source = &p->encoder.of;
}

/* tokens [N], targets [N]  <-  slice->tokens [N + B] */
static void split_tokens(struct workspace *w, const struct slice *slice,
                         const struct sequences *of)
{
    FOR_EACH_ROW(*of, b, t, n)
    {
        w->decoder.tokens[n] = slice->tokens[n + b];
        w->targets[n] = slice->tokens[n + b + 1];
        assert(w->targets[n] < w->t->shape.V);
    }
}

/* Returns the residual stream [N,C] behind the decoder's last block. */
static const real *forward(struct workspace *w, const real *theta,
                           const struct slice *slice, struct passes *p)
{
    const struct transformer *t = w->t;
    workspace_place(w, &p->decoder.of, p->decoder.source);
    split_tokens(w, slice, &p->decoder.of);
    watch_needed(&p->decoder, SECTION_EMBED, 0);
    if (t->shape.E)
        p->decoder.memory = stack_encode(w, theta, slice->source, &p->encoder);
    embed_forward(w->decoder.x, w->decoder.tokens,
                  view_embed(&t->conf, &t->shape, theta), &p->decoder);
    const real *x = stack_forward(w, theta, w->decoder.x, &p->decoder);
    watch_needed(&p->decoder, SECTION_HEAD, 0);
    return x;
}

/* The gradient of a stack's output becomes that of its embedding, in stack->dx. */
static void backward_blocks(const struct workspace *w, const real *theta, real *grad,
                            const struct pass *pass)
{
    const struct transformer *t = w->t;
    const struct shape *s = &t->shape;
    const enum section stack = pass_stack(pass);
    real *dx = pass->encoder ? w->encoder.dx : w->decoder.dx;
    for (size_t l = pass->encoder ? s->E : s->L; l-- > 0;) {
        const struct block block = view_block(&t->conf, s, theta, stack, l);
        const struct block dblock = view_block(&t->conf, s, grad, stack, l);
        stack_again(w, theta, pass, l);
        block_backward(dx, &dblock, workspace_block(w, stack, l), &block, &w->scratch,
                       pass, l);
        watch_done(pass, stack, l);
    }
}

/* From the gradient of the memory down to the embedding of the source. */
static void backward_encoder(struct workspace *w, const real *theta, real *grad,
                             const struct pass *pass)
{
    const struct transformer *t = w->t;
    const struct shape *s = &t->shape;
    const real *dmemory = w->scratch.cross.dmemory;
    const struct norm norm = view_memory(&t->conf, s, theta);
    const real *x = block_output(workspace_block(w, SECTION_ENCODER, s->E - 1), pass);
    if (norm.gain)
        norm_backward(w->encoder.dx, view_memory(&t->conf, s, grad), dmemory,
                      w->memory_norm, x, norm, &t->conf, pass->N, s->C);
    else
        memcpy(w->encoder.dx, dmemory, pass->N * s->C * sizeof *dmemory);
    watch_done(pass, SECTION_MEMORY, 0);
    backward_blocks(w, theta, grad, pass);
    embed_backward(view_source(&t->conf, s, grad), w->encoder.dx, w->encoder.tokens,
                   t->conf.shared_source, pass);
    watch_done(pass, SECTION_SOURCE, 0);
}

/* From the head, which is done, down to the embeddings. */
static void backward(struct workspace *w, const real *theta, real *grad,
                     const struct passes *p)
{
    const struct transformer *t = w->t;
    const struct shape *s = &t->shape;
    const struct embed dembed = view_embed(&t->conf, s, grad);
    watch_done(&p->decoder, SECTION_HEAD, 0);
    if (s->E)
        memset(w->scratch.cross.dmemory, 0, p->encoder.N * s->C * sizeof(real));
    backward_blocks(w, theta, grad, &p->decoder);
    embed_backward(dembed, w->decoder.dx, w->decoder.tokens, t->conf.tied, &p->decoder);
    if (s->E)
        backward_encoder(w, theta, grad, &p->encoder);
    watch_done(&p->decoder, SECTION_EMBED, 0);
}

static void forget_statistics(const struct transformer *t, struct slice_statistics *s)
{
    for (size_t l = 0; s && l < t->shape.E + t->shape.L; l++)
        block_statistics_unknown(&s->block[l]);
}

void transformer_slice(const struct transformer *t, struct workspace *w,
                       const real *theta, real *grad, const struct slice *slice,
                       struct slice_result *result, const struct transformer_watch *watch)
{
    assert(w->t == t && w->backward);
    struct passes p;
    passes_of(&p, w, slice, true, watch);
    forget_statistics(t, slice->statistics);
    const real *x = forward(w, theta, slice, &p);
    const double loss = head_backward(
        w->decoder.dx, view_head(&t->conf, &t->shape, grad), w->head, x, w->targets,
        view_head(&t->conf, &t->shape, theta), &p.decoder);
    backward(w, theta, grad, &p);
    *result = (struct slice_result){.loss = loss, .targets = p.decoder.N};
}

void transformer_loss(const struct transformer *t, struct workspace *w, const real *theta,
                      const struct slice *slice, struct slice_result *result)
{
    assert(w->t == t);
    struct passes p;
    passes_of(&p, w, slice, false, NULL);
    const real *x = forward(w, theta, slice, &p);
    result->loss = head_loss(w->head, x, w->targets,
                             view_head(&t->conf, &t->shape, theta), &p.decoder);
    result->targets = p.decoder.N;
}

void transformer_logits(const struct transformer *t, struct workspace *w,
                        const real *theta, const struct slice *slice, real *logits)
{
    assert(w->t == t);
    struct passes p;
    passes_of(&p, w, slice, false, NULL);
    const real *x = forward(w, theta, slice, &p);
    head_logits(logits, w->head, x, view_head(&t->conf, &t->shape, theta), &p.decoder);
}
