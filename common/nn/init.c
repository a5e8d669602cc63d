/* The initial parameters, tensor by tensor (enum param_init, params.def).
 *
 *   gpt2     N(0, init_std); what adds to the residual stream 1/sqrt(2L) of it, because
 * 2L terms are summed there (Radford 2019) xavier   uniform with variance 2 / (in + out)
 * (Glorot, Bengio 2010); in and out are those of the tensor as it is stored, query, key
 * and value together he       N(0, sqrt(2 / in)) (He 2015)
 *
 * norm_place deep makes values, attention's output and the feed-forward part smaller by
 * (8L)^(-1/4) (Wang 2022, section 2.2, decoder only).  zero_residual starts what
 * adds to the residual stream as zero.  init_depth_scale makes the weights of block l
 * (from 0) smaller by 1/sqrt(l+1) (Zhang 2019, arXiv:1908.11365) under xavier and he.
 * Token and position embeddings and an output projection of its own are N(0, init_std)
 * always: logits start near zero, the loss near ln V.  Element i of tensor n takes word i
 * % 4 of philox (i / 4, n).
 */
#include "nn/transformer.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/philox.h"

/* How one tensor is drawn: normal with deviation @spread, or uniform in +-@spread. */
struct draw {
    bool uniform;
    double spread;
};

static struct draw draw_of(const struct transformer *t, const struct param_info *info)
{
    const struct conf_model *c = &t->conf;
    const double in = (double)info->cols, out = (double)info->rows;
    const double depth = c->init_depth_scale ? 1 / sqrt((double)info->layer) : 1;
    if (info->init == PARAM_EMBEDDING)
        return (struct draw){false, c->init_std};
    switch (c->init) {
    case INIT_GPT2:
        return (struct draw){false, info->init == PARAM_RESIDUAL
                                        ? c->init_std / sqrt(2.0 * (double)t->shape.L)
                                        : c->init_std};
    case INIT_XAVIER:
        return (struct draw){true, depth * sqrt(6 / (in + out))};
    case INIT_HE:
        return (struct draw){false, depth * sqrt(2 / in)};
    }
    assert(!"init is one of its choices");
    return (struct draw){0};
}

/* The rows of a block's tensor that deep norms want smaller. */
static void shrink(const struct transformer *t, const struct param_info *info, real *x)
{
    const struct shape *s = &t->shape;
    const real factor = (real)pow(8 * (double)s->L, -0.25);
    const bool qkv = strstr(info->name, "attention.qkv") != NULL;
    const size_t first = qkv ? info->rows - s->G * s->D : 0; /* the values */
    for (size_t i = first * info->cols; i < info->count; i++)
        x[i] *= factor;
}

/* Four numbers of the distribution. */
static void numbers(double x[4], struct draw draw, struct philox_block bits)
{
    if (draw.uniform) {
        for (int j = 0; j < 4; j++)
            x[j] = 2 * philox_uniform(bits.word[j]) - 1;
    } else {
        philox_normal(bits.word[0], bits.word[1], x);
        philox_normal(bits.word[2], bits.word[3], x + 2);
    }
    for (int j = 0; j < 4; j++)
        x[j] *= draw.spread;
}

static void fill_random(real *x, size_t n, struct draw draw, struct philox_key key,
                        size_t tensor)
{
    for (size_t i = 0; i < n; i += 4) {
        const struct philox_block counter = {{(uint32_t)(i / 4), (uint32_t)tensor}};
        double four[4];
        numbers(four, draw, philox(key, counter));
        for (size_t j = 0; j < 4 && i + j < n; j++)
            x[i + j] = (real)four[j];
    }
}

void transformer_init_params(const struct transformer *t, real *theta, uint64_t seed)
{
    const struct philox_key key = philox_key(seed, PHILOX_INIT);
    for (size_t n = 0; n < t->tensors; n++) {
        const struct param_info *info = &t->info[n];
        real *x = theta + info->first;
        const bool matrix = info->init == PARAM_MATRIX || info->init == PARAM_RESIDUAL;
        const bool zero = info->init == PARAM_ZERO ||
                          (info->init == PARAM_RESIDUAL && t->conf.zero_residual);
        if (info->init == PARAM_ONE || zero)
            for (size_t i = 0; i < info->count; i++)
                x[i] = zero ? 0 : 1;
        else
            fill_random(x, info->count, draw_of(t, info), key, n);
        if (matrix && !zero && t->conf.norm_place == PLACE_DEEP)
            shrink(t, info, x);
    }
}
