/* All layers, all options, dropout included: the gradient of the loss with respect to
 * every parameter. */
#include "grad/layer.h"

#include "nn/transformer.h"
#include "support/models.h"

enum { V = 11, B = 2, LENGTH = 9, ROWS = LENGTH + 4 };

static const uint32_t lengths[B] = {LENGTH, ROWS - LENGTH}, source_lengths[B] = {3, 7};

struct ctx {
    struct transformer t;
    struct workspace *w;
    struct slice slice;
    real *theta, *grad;
};

/* From uniform numbers to parameters that leave softmax where it is curved: smaller for
 * wider rows, whose sums would bend more than the step of a difference can follow. */
static double spread(const struct ctx *c)
{
    return 0.3 * sqrt(16 / (double)c->t.shape.C);
}

static double run(const real *x, struct ctx *c)
{
    struct slice_result r;
    for (size_t n = 0; n < c->t.tensors; n++) {
        const struct param_info *info = &c->t.info[n];
        for (size_t i = info->first; i < info->first + info->count; i++)
            c->theta[i] = (real)((info->init == PARAM_ONE) + spread(c) * (double)x[i]);
    }
    transformer_slice(&c->t, c->w, c->theta, c->grad, &c->slice, &r, NULL);
    return r.loss;
}

static void forward(real *y, const real *x, void *ctx)
{
    *y = (real)run(x, ctx);
}

static void backward(real *dx, const real *dy, const real *x, void *ctx)
{
    struct ctx *c = ctx;
    run(x, c);
    for (size_t i = 0; i < c->t.count; i++)
        dx[i] = (real)(spread(c) * (double)(*dy * c->grad[i]));
}

static void check(const struct conf_model *conf, double smoothing)
{
    static const uint64_t samples[B] = {3, 1u << 30};
    uint32_t tokens[ROWS + B], source[10];
    model_tokens(tokens, ROWS + B, V, 1);
    model_tokens(source, 10, V, 2);
    struct ctx c = {.slice = {.sequences = B,
                              .length = lengths,
                              .tokens = tokens,
                              .samples = samples,
                              .seed = 1,
                              .step = 2,
                              .dropout = conf->dropout > 0,
                              .smoothing = smoothing}};
    if (conf->encoder_layers) {
        c.slice.source_length = source_lengths;
        c.slice.source = source;
    }
    assert_int_equal(0, transformer_init(&c.t, conf, V));
    c.w = workspace_new(&c.t, ROWS, true);
    c.theta = calloc(2 * c.t.count, sizeof(real));
    c.grad = c.theta + c.t.count;
    assert_derivative(c.t.count, 1, forward, backward, &c);
    workspace_free(c.w);
    transformer_fini(&c.t);
    free(c.theta);
}

static void the_gradient_is_the_derivative_of_the_loss(void **state)
{
    (void)state;
    for (size_t i = 0; i < MODEL_CASES; i++) {
        const struct conf_model conf = model_conf(&model_cases[i]),
                                wide = model_wide(conf);
        if (!difference_works(conf.activation))
            continue;
        print_message("           %s\n", model_cases[i].name);
        check(&conf, i % 2 ? 0.1 : 0);
        if (conf.activation != ACTIVATION_RELU) /* one of so many is at its corner */
            check(&wide, i % 2 ? 0.1 : 0);
    }
}

RUN_LAYER(T(the_gradient_is_the_derivative_of_the_loss))
