#include "nn/stack.h"

#include <string.h>

#include "nn/view.h"

const real *stack_forward(const struct workspace *w, const real *theta, const real *x,
                          const struct pass *pass)
{
    const struct transformer *t = w->t;
    const enum section stack = pass_stack(pass);
    for (size_t l = 0; l < (pass->encoder ? t->shape.E : t->shape.L); l++) {
        const struct block block = view_block(&t->conf, &t->shape, theta, stack, l);
        x = block_forward(workspace_block(w, stack, l), x, &block, &w->scratch, pass, l);
    }
    return x;
}

const real *stack_encode(struct workspace *w, const real *theta, const uint32_t *source,
                         const struct pass *pass)
{
    const struct transformer *t = w->t;
    memcpy(w->encoder.tokens, source, pass->N * sizeof *source);
    embed_forward(w->encoder.x, source, view_source(&t->conf, &t->shape, theta), pass);
    const real *x = stack_forward(w, theta, w->encoder.x, pass);
    const struct norm norm = view_memory(&t->conf, &t->shape, theta);
    if (!norm.gain)
        return memcpy(w->memory, x, pass->N * t->shape.C * sizeof *x);
    norm_forward(w->memory, w->memory_norm, x, norm, &t->conf, pass->N, t->shape.C);
    return w->memory;
}
