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

/* What a slice needs: rows of targets and of sources, and the longest sequence. */
struct size {
    size_t N, M, longest;
};

static void place_block(struct workspace *w, struct block_cache *c, size_t N)
{
    const struct shape *s = &w->t->shape;
    for (int kind = 0; kind < PARTS; kind++) {
        if (kind == PART_CROSS)
            continue;
        c->part[kind].normed = push(w, N * s->C);
        c->part[kind].sum = push(w, N * s->C);
        place_norm(w, &c->part[kind].norm, N);
    }
    c->attention = (struct attention_cache){.qkv = push(w, N * (s->H + 2 * s->G) * s->D),
                                            .mixed = push(w, N * s->C)};
    c->mlp.up = push(w, N * mlp_up(&w->t->conf, s));
    c->mlp.hidden = push(w, N * s->F);
}

static void place_cross(struct workspace *w, struct block_cache *c, struct size size)
{
    const struct shape *s = &w->t->shape;
    struct part_cache *part = &c->part[PART_CROSS];
    part->normed = push(w, size.N * s->C);
    part->sum = push(w, size.N * s->C);
    place_norm(w, &part->norm, size.N);
    c->cross = (struct cross_cache){.q = push(w, size.N * s->H * s->D),
                                    .kv = push(w, size.M * 2 * s->G * s->D),
                                    .mixed = push(w, size.N * s->C)};
}

/* What the parts of a block need is needed at different times. */
static void place_backward(struct workspace *w, struct size size)
{
    const struct shape *s = &w->t->shape;
    const size_t up = mlp_up(&w->t->conf, s), rows = size.N > size.M ? size.N : size.M;
    struct attention_scratch *a = &w->scratch.attention;
    struct cross_scratch *c = &w->scratch.cross;
    w->decoder.dx = push(w, size.N * s->C);
    w->encoder.dx = push(w, size.M * s->C);
    w->scratch.a = push(w, rows * s->C);
    w->scratch.b = push(w, rows * s->C);
    w->head.dnormed = w->scratch.a;
    c->dmemory = push(w, size.M * s->C);
    const size_t mark = arena_mark(&w->arena);
    a->dweights = c->dweights = push(w, attend_weights(size.longest, size.longest));
    a->dmixed = c->dmixed = push(w, rows * s->C);
    const size_t attention = arena_mark(&w->arena);
    a->dqkv = push(w, rows * (s->H + 2 * s->G) * s->D);
    arena_release(&w->arena, attention);
    c->dq = push(w, size.N * s->H * s->D);
    c->dkv = push(w, size.M * 2 * s->G * s->D);
    c->share = push(w, size.M * s->C);
    arena_release(&w->arena, mark);
    w->scratch.mlp.dup = push(w, rows * up);
    w->scratch.mlp.dhidden = up == s->F ? w->scratch.mlp.dup : push(w, rows * s->F);
}

bool workspace_recomputes(const struct workspace *w)
{
    return w->backward && w->t->recompute;
}

/* All blocks have caches of their own. */
static bool keeps_all(const struct workspace *w)
{
    return w->backward && !w->t->recompute;
}

/* Caches of a stack of @layers blocks. */
static size_t caches(const struct workspace *w, size_t layers)
{
    return keeps_all(w) || layers == 0 ? layers : 1;
}

static void place_stack(struct workspace *w, struct stack *stack, size_t layers, size_t N)
{
    stack->tokens = arena_push(&w->arena, N * sizeof *stack->tokens);
    stack->x = push(w, N * w->t->shape.C);
    if (workspace_recomputes(w))
        stack->inputs = push(w, (layers - 1) * N * w->t->shape.C);
    for (size_t l = 0; l < caches(w, layers); l++)
        place_block(w, &stack->blocks[l], N);
}

static void place(struct workspace *w, struct size size)
{
    const struct shape *s = &w->t->shape;
    const size_t N = size.N;
    arena_release(&w->arena, 0);
    place_stack(w, &w->decoder, s->L, N);
    w->targets = arena_push(&w->arena, N * sizeof *w->targets);
    if (s->E) {
        place_stack(w, &w->encoder, s->E, size.M);
        for (size_t l = 0; l < caches(w, s->L); l++)
            place_cross(w, &w->decoder.blocks[l], size);
        w->memory = push(w, size.M * s->C);
        place_norm(w, &w->memory_norm, size.M);
    }
    w->head.normed = push(w, N * s->C);
    place_norm(w, &w->head.norm, N);
    w->head.logits = push(w, (head_rows(s->V) < N ? head_rows(s->V) : N) * s->V);
    w->scratch.attention.weights = w->scratch.cross.weights =
        push(w, attend_weights(size.longest, size.longest));
    if (w->backward)
        place_backward(w, size);
}

void workspace_place(struct workspace *w, const struct sequences *of,
                     const struct sequences *source)
{
    struct size size = {.N = of->N, .longest = of->longest};
    assert(of->B >= 1 && of->N <= w->rows);
    assert((source != NULL) == (w->t->shape.E > 0));
    if (source) {
        assert(source->B == of->B && source->N <= w->rows);
        size.M = source->N;
        if (source->longest > size.longest)
            size.longest = source->longest;
    }
    assert(size.longest <= w->t->shape.T);
    place(w, size);
}

static const struct stack *stack_of(const struct workspace *w, enum section stack)
{
    return stack == SECTION_ENCODER ? &w->encoder : &w->decoder;
}

struct block_cache *workspace_block(const struct workspace *w, enum section stack,
                                    size_t l)
{
    assert(l < (stack == SECTION_ENCODER ? w->t->shape.E : w->t->shape.L));
    return &stack_of(w, stack)->blocks[keeps_all(w) ? l : 0];
}

real *workspace_input(const struct workspace *w, enum section stack, size_t l, size_t N)
{
    const struct stack *s = stack_of(w, stack);
    assert(workspace_recomputes(w));
    return l == 0 ? s->x : s->inputs + (l - 1) * N * w->t->shape.C;
}

static struct block_cache *blocks_new(const struct workspace *w, size_t layers)
{
    return layers ? mem_zalloc(mem_mul(caches(w, layers), sizeof(struct block_cache)))
                  : NULL;
}

static void blocks_free(struct workspace *w)
{
    mem_free(w->decoder.blocks);
    mem_free(w->encoder.blocks);
}

/* Fills in all of *w but memory that only a real one has. */
static void measure(struct workspace *w, const struct transformer *t, size_t rows,
                    bool backward)
{
    const size_t longest = rows < t->shape.T ? rows : t->shape.T;
    *w = (struct workspace){.t = t, .rows = rows, .backward = backward};
    w->decoder.blocks = blocks_new(w, t->shape.L);
    w->encoder.blocks = blocks_new(w, t->shape.E);
    place(w, (struct size){rows, t->shape.E ? rows : 0, longest});
}

size_t workspace_bytes(const struct transformer *t, size_t rows, bool backward)
{
    struct workspace w;
    measure(&w, t, rows, backward);
    blocks_free(&w);
    return w.arena.peak + gemm_room_bytes();
}

struct workspace *workspace_new(const struct transformer *t, size_t rows, bool backward)
{
    const struct shape *s = &t->shape;
    struct workspace *w = mem_alloc(sizeof *w);
    assert(rows >= 1);
    measure(w, t, rows, backward);
    w->arena.size = w->arena.peak;
    w->arena.base = mem_slab(w->arena.size);
    w->gemm = gemm_new(t->precision);
    const bool halves = t->conf.positions == POSITIONS_HALVES;
    if (halves || t->conf.positions == POSITIONS_SINUSOIDAL) {
        w->waves = mem_alloc(mem_mul(s->T * s->C, sizeof *w->waves));
        positions_waves(w->waves, s->T, s->C, halves);
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
    gemm_free(&w->gemm);
    mem_free(w->waves);
    mem_free(w->angles);
    blocks_free(w);
    mem_free(w);
}
