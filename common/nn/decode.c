/* Generation: the blocks of training with one row, and keys and values kept per layer. */
#include <assert.h>

#include "base/mem.h"
#include "nn/view.h"
#include "nn/workspace.h"

struct decoder {
    const struct transformer *t; /* borrowed */
    struct workspace *w;         /* of one row */
    real *keys, *values;         /* [L, s.T, G D] each */
    real *weights;               /* [s.T] */
    real *logits;                /* [V] */
    size_t length;
};

struct decoder *decoder_new(const struct transformer *t)
{
    const struct shape *s = &t->shape;
    const size_t past = mem_mul(mem_mul(s->L, s->T), s->G * s->D * sizeof(real));
    struct decoder *d = mem_alloc(sizeof *d);
    *d = (struct decoder){.t = t,
                          .w = workspace_new(t, 1, false),
                          .keys = mem_alloc(past),
                          .values = mem_alloc(past),
                          .weights = mem_alloc(mem_mul(s->T, sizeof(real))),
                          .logits = mem_alloc(mem_mul(s->V, sizeof(real)))};
    return d;
}

void decoder_free(struct decoder *d)
{
    if (!d)
        return;
    workspace_free(d->w);
    mem_free(d->keys);
    mem_free(d->values);
    mem_free(d->weights);
    mem_free(d->logits);
    mem_free(d);
}

void decoder_reset(struct decoder *d)
{
    d->length = 0;
}

size_t decoder_length(const struct decoder *d)
{
    return d->length;
}

/* The shared caches of the blocks, with the past of block @l. */
static struct block_cache cache_of(const struct decoder *d, size_t l)
{
    const size_t past = d->t->shape.T * d->t->shape.G * d->t->shape.D;
    struct block_cache cache = *workspace_block(d->w, SECTION_DECODER, l);
    cache.attention.keys = d->keys + l * past;
    cache.attention.values = d->values + l * past;
    return cache;
}

const real *decoder_step(struct decoder *d, const real *theta, uint32_t token)
{
    const struct transformer *t = d->t;
    const struct shape *s = &t->shape;
    static const uint32_t one = 1;
    assert(d->length < s->T && "the caller resets a full context");
    assert(token < s->V);
    const struct pass pass = {.conf = &t->conf,
                              .s = *s,
                              .of = sequences_of(1, &one),
                              .N = 1,
                              .start = d->length,
                              .waves = d->w->waves,
                              .angles = d->w->angles};
    workspace_place(d->w, &pass.of, NULL);
    struct block_scratch scratch = d->w->scratch;
    scratch.attention.weights = d->weights;
    embed_forward(d->w->decoder.x, &token, view_embed(&t->conf, s, theta), &pass);
    const real *x = d->w->decoder.x;
    for (size_t l = 0; l < s->L; l++) {
        const struct block block = view_block(&t->conf, s, theta, SECTION_DECODER, l);
        struct block_cache cache = cache_of(d, l);
        x = block_forward(&cache, x, &block, &scratch, &pass, l);
    }
    head_logits(d->logits, d->w->head, x, view_head(&t->conf, s, theta), &pass);
    d->length++;
    return d->logits;
}
