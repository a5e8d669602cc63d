#include "grad/layer.h"

#include "nn/embed.h"
#include "nn/positions.h"

enum { B = 2, N = 6, V = 5, C = 6, CONTEXT = 4 };

static const uint32_t lengths[B] = {4, 2};

static const uint32_t tokens[N] = {1, 4, 1, 0, 1, 2}; /* 1 adds up, 3 is never read */

struct ctx {
    struct conf_model conf;
    struct pass pass;
    real waves[CONTEXT * C];
};

static struct embed weights(const real *x, const struct ctx *c)
{
    real *at = (real *)x;
    const bool learned = c->conf.positions == POSITIONS_LEARNED;
    return (struct embed){at, learned ? at + V * C : NULL};
}

static void forward(real *y, const real *x, void *ctx)
{
    struct ctx *c = ctx;
    embed_forward(y, tokens, weights(x, c), &c->pass);
}

static void backward(real *dx, const real *dy, const real *x, void *ctx)
{
    struct ctx *c = ctx;
    real copy[N * C];
    (void)x;
    memcpy(copy, dy, sizeof copy);
    embed_backward(weights(dx, c), copy, tokens, false, &c->pass);
}

static void backward_is_the_derivative(void **state)
{
    (void)state;
    static const uint64_t samples[B] = {5, 9};
    for (int positions = POSITIONS_LEARNED; positions <= POSITIONS_NONE; positions++)
        for (int drop = 0; drop < 2; drop++) {
            struct ctx c = {.conf = {.positions = (enum conf_positions)positions,
                                     .dropout_embed = 0.3 * drop}};
            c.pass = (struct pass){.conf = &c.conf,
                                   .gemm = &layer_gemm,
                                   .s = {.C = C, .V = V, .T = CONTEXT},
                                   .of = sequences_of(B, lengths),
                                   .N = N,
                                   .dropout = {.on = true, .samples = samples}};
            positions_waves(c.waves, CONTEXT, C, positions == POSITIONS_HALVES);
            if (positions == POSITIONS_SINUSOIDAL || positions == POSITIONS_HALVES)
                c.pass.waves = c.waves;
            const size_t learned = positions == POSITIONS_LEARNED ? CONTEXT * C : 0;
            assert_derivative(V * C + learned, N * C, forward, backward, &c);
        }
}

static void the_gradient_is_added_to_the_one_of_a_tied_projection(void **state)
{
    (void)state;
    struct conf_model conf = {.positions = POSITIONS_NONE};
    const struct pass pass = {.conf = &conf,
                              .s = {.C = C, .V = V, .T = CONTEXT},
                              .of = sequences_of(B, lengths),
                              .N = N};
    real grad[V * C], dx[N * C];
    for (size_t i = 0; i < V * C; i++)
        grad[i] = 100;
    for (size_t i = 0; i < N * C; i++)
        dx[i] = 1;
    embed_backward((struct embed){.token = grad}, dx, tokens, true, &pass);
    for (size_t v = 0; v < V; v++) {
        static const real times[V] = {1, 3, 1, 0, 1};
        assert_true(grad[v * C] == 100 + times[v]);
    }
}

RUN_LAYER(T(backward_is_the_derivative),
          T(the_gradient_is_added_to_the_one_of_a_tied_projection))
