#include "nn/workspace.h"

#include <assert.h>

#include "base/mem.h"
#include "nn/attend.h"
#include "nn/positions.h"

static real *push(struct workspace *w, size_t n)
{
    return arena_push(&w->arena, n * sizeof(real));
}

static void place_norm(struct workspace *w, struct norm_cache *c, size_t N)
{
    c->mean = push(w, N);
    c->rstd = push(w, N);
}

static void place_block(struct workspace *w, struct block_cache *c, size_t N)
{
    const struct shape *s = &w->t->shape;
    for (int kind = 0; kind < PARTS; kind++) {
        c->part[kind].normed = push(w, N * s->C);
        c->part[kind].sum = push(w, N * s->C);
        place_norm(w, &c->part[kind].norm, N);
    }
    c->attention = (struct attention_cache){.qkv = push(w, N * (s->H + 2 * s->G) * s->D),
                                            .mixed = push(w, N * s->C)};
    c->mlp.up = push(w, N * mlp_up(&w->t->conf, s));
    c->mlp.hidden = push(w, N * s->F);
}

/* What attention and the feed-forward part need is needed at different times. */
static void place_backward(struct workspace *w, size_t N, size_t longest)
{
    const struct shape *s = &w->t->shape;
    const size_t up = mlp_up(&w->t->conf, s);
    w->dx = push(w, N * s->C);
    w->scratch.a = push(w, N * s->C);
    w->scratch.b = push(w, N * s->C);
    w->head.dnormed = w->scratch.a;
    const size_t mark = arena_mark(&w->arena);
    w->scratch.attention.dweights = push(w, attend_weights(longest, longest));
    w->scratch.attention.dqkv = push(w, N * (s->H + 2 * s->G) * s->D);
    w->scratch.attention.dmixed = push(w, N * s->C);
    arena_release(&w->arena, mark);
    w->scratch.mlp.dup = push(w, N * up);
    w->scratch.mlp.dhidden = up == s->F ? w->scratch.mlp.dup : push(w, N * s->F);
}

static size_t blocks(const struct workspace *w)
{
    return w->backward ? w->t->shape.L : 1;
}

static void place(struct workspace *w, size_t N, size_t longest)
{
    const struct shape *s = &w->t->shape;
    arena_release(&w->arena, 0);
    w->tokens = arena_push(&w->arena, N * sizeof *w->tokens);
    w->targets = arena_push(&w->arena, N * sizeof *w->targets);
    w->x = push(w, N * s->C);
    for (size_t l = 0; l < blocks(w); l++)
        place_block(w, &w->blocks[l], N);
    w->head.normed = push(w, N * s->C);
    place_norm(w, &w->head.norm, N);
    w->head.logits = push(w, (head_rows(s->V) < N ? head_rows(s->V) : N) * s->V);
    w->scratch.attention.weights = push(w, attend_weights(longest, longest));
    if (w->backward)
        place_backward(w, N, longest);
}

void workspace_place(struct workspace *w, const struct sequences *of)
{
    assert(of->B >= 1 && of->longest <= w->t->shape.T && of->N <= w->rows);
    place(w, of->N, of->longest);
}

struct block_cache *workspace_block(const struct workspace *w, size_t l)
{
    assert(l < w->t->shape.L);
    return &w->blocks[w->backward ? l : 0];
}

/* Fills in all of *w but memory that only a real one has. */
static void measure(struct workspace *w, const struct transformer *t, size_t rows,
                    bool backward)
{
    *w = (struct workspace){.t = t, .rows = rows, .backward = backward};
    w->blocks = mem_zalloc(mem_mul(blocks(w), sizeof *w->blocks));
    place(w, rows, rows < t->shape.T ? rows : t->shape.T);
}

size_t workspace_bytes(const struct transformer *t, size_t rows, bool backward)
{
    struct workspace w;
    measure(&w, t, rows, backward);
    mem_free(w.blocks);
    return w.arena.peak;
}

struct workspace *workspace_new(const struct transformer *t, size_t rows, bool backward)
{
    const struct shape *s = &t->shape;
    struct workspace *w = mem_alloc(sizeof *w);
    assert(rows >= 1);
    measure(w, t, rows, backward);
    w->arena.size = w->arena.peak;
    w->arena.base = mem_slab(w->arena.size);
    if (t->conf.positions == POSITIONS_SINUSOIDAL) {
        w->waves = mem_alloc(mem_mul(s->T * s->C, sizeof *w->waves));
        positions_waves(w->waves, s->T, s->C);
    }
    if (t->conf.positions == POSITIONS_ROTARY) {
        w->angles = mem_alloc(mem_mul(s->T * s->D, sizeof *w->angles));
        positions_angles(w->angles, s->T, s->D, t->conf.rope_theta);
    }
    return w;
}

void workspace_free(struct workspace *w)
{
    if (!w)
        return;
    mem_slab_free(w->arena.base, w->arena.size);
    mem_free(w->waves);
    mem_free(w->angles);
    mem_free(w->blocks);
    mem_free(w);
}
