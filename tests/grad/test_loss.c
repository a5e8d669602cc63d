#include "grad/layer.h"

#include "nn/loss.h"

/* rows for two blocks of logits, the last cut: of so many words a block has 128 rows */
enum {
    C = 16,
    V = 25088 * sizeof(float) / sizeof(real),
    N = 130,
    OUTPUT = N * C,
    GAIN = OUTPUT + V * C,
    BIAS = GAIN + C
};

struct ctx {
    struct conf_model conf;
    struct pass pass;
    struct head_cache cache;
    uint32_t targets[N];
};

static struct head weights(const real *x, const struct ctx *c)
{
    real *at = (real *)x;
    struct head w = {.output = at + OUTPUT};
    if (c->conf.norm_place == PLACE_PRE)
        w.norm = (struct norm){at + GAIN, at + BIAS};
    return w;
}

static void forward(real *y, const real *x, void *ctx)
{
    struct ctx *c = ctx;
    *y = (real)head_loss(c->cache, x, c->targets, weights(x, c), &c->pass);
}

static void backward(real *dx, const real *dy, const real *x, void *ctx)
{
    struct ctx *c = ctx;
    const size_t nx = c->conf.norm_place == PLACE_PRE ? BIAS + C : GAIN;
    const real loss = (real)head_backward(dx, weights(dx, c), c->cache, x, c->targets,
                                          weights(x, c), &c->pass);
    real again;
    forward(&again, x, ctx);
    assert_true(loss == again);
    for (size_t i = 0; i < nx; i++)
        dx[i] *= *dy;
}

static void backward_is_the_derivative(void **state)
{
    (void)state;
    assert_true(head_rows(V) < N);
    real *mem = calloc(head_rows(V) * V + 2 * N * C + 2 * N, sizeof *mem);
    for (int place = PLACE_PRE; place <= PLACE_POST; place++) {
        struct ctx c = {.conf = {.norm_place = (enum conf_place)place, .norm_eps = 1e-5}};
        c.pass = (struct pass){
            .conf = &c.conf, .gemm = &layer_gemm, .s = {.C = C, .V = V}, .N = N};
        c.cache.logits = mem;
        c.cache.normed = mem + head_rows(V) * V;
        c.cache.dnormed = c.cache.normed + N * C;
        c.cache.norm.mean = c.cache.dnormed + N * C;
        c.cache.norm.rstd = c.cache.norm.mean + N;
        for (size_t n = 0; n < N; n++)
            c.targets[n] = (uint32_t)(n * 7919 % V);
        assert_derivative(place == PLACE_PRE ? BIAS + C : GAIN, 1, forward, backward, &c);
    }
    free(mem);
}

RUN_LAYER(T(backward_is_the_derivative))
