#include "nn/stack.h"

#include <string.h>

#include "nn/view.h"
#include "nn/watch.h"

static size_t blocks(const struct workspace *w, const struct pass *pass)
{
    return pass->encoder ? w->t->shape.E : w->t->shape.L;
}

/* x [N,C] goes into block @l; to keep it, it is moved. */
static const real *keep(const struct workspace *w, const real *x, const struct pass *pass,
                        size_t l)
{
    if (!workspace_recomputes(w) || l == 0)
        return x;
    return memcpy(workspace_input(w, pass_stack(pass), l, pass->N), x,
                  pass->N * pass->s.C * sizeof *x);
}

const real *stack_forward(const struct workspace *w, const real *theta, const real *x,
                          const struct pass *pass)
{
    const struct transformer *t = w->t;
    const enum section stack = pass_stack(pass);
    for (size_t l = 0; l < blocks(w, pass); l++) {
        const struct block block = view_block(&t->conf, &t->shape, theta, stack, l);
        x = keep(w, x, pass, l);
        watch_needed(pass, stack, l);
        x = block_forward(workspace_block(w, stack, l), x, &block, &w->scratch, pass, l);
    }
    return x;
}

void stack_again(const struct workspace *w, const real *theta, const struct pass *pass,
                 size_t l)
{
    const struct transformer *t = w->t;
    const enum section stack = pass_stack(pass);
    if (!workspace_recomputes(w) || l + 1 == blocks(w, pass))
        return;
    struct pass again = *pass;
    again.statistics = NULL; /* it was examined then */
    const struct block block = view_block(&t->conf, &t->shape, theta, stack, l);
    block_forward(workspace_block(w, stack, l), workspace_input(w, stack, l, pass->N),
                  &block, &w->scratch, &again, l);
}

const real *stack_encode(struct workspace *w, const real *theta, const uint32_t *source,
                         const struct pass *pass)
{
    const struct transformer *t = w->t;
    memcpy(w->encoder.tokens, source, pass->N * sizeof *source);
    watch_needed(pass, SECTION_SOURCE, 0);
    embed_forward(w->encoder.x, source, view_source(&t->conf, &t->shape, theta), pass);
    const real *x = stack_forward(w, theta, w->encoder.x, pass);
    const struct norm norm = view_memory(&t->conf, &t->shape, theta);
    watch_needed(pass, SECTION_MEMORY, 0);
    if (!norm.gain)
        return memcpy(w->memory, x, pass->N * t->shape.C * sizeof *x);
    norm_forward(w->memory, w->memory_norm, x, norm, &t->conf, pass->N, t->shape.C);
    return w->memory;
}
