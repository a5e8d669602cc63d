/* The initial parameters, tensor by tensor (enum param_init, params.def).
 *
 *   gpt2     N(0, init_std); what adds to the residual stream 1/sqrt(2L) of it, because
 *            2L terms are summed there (Radford 2019); 2E in an encoder, 3L in a decoder
 *            that looks at one
 *   xavier   uniform with variance 2 / (in + out) (Glorot, Bengio 2010); queries, keys and
 *            values count as one tensor
 *   he       N(0, sqrt(2 / in)) (He 2015)
 *   tfixup   xavier; then values, outputs and the feed-forward part times f, the
 *            embeddings times (9L)^(-1/4) (Huang 2020, section 3.2); values have the
 *            variance of a tensor of their own.  f is 0.67 E^(-1/4)
 *            in an encoder, (9L)^(-1/4) in a decoder that looks at one; a decoder alone
 *            has, like an encoder, two parts in a block and takes 0.67 L^(-1/4) for both.
 *
 * norm_place deep makes values, attention's output and the feed-forward part smaller by
 * b: (8L)^(-1/4) without an encoder, with one 0.87 (E^4 L)^(-1/16) in it and (12L)^(-1/4)
 * in the decoder (Wang 2022, table 1).  zero_residual starts what adds to the residual
 * stream as zero.  init_depth_scale makes the weights of block l (from 0) of its stack
 * smaller by 1/sqrt(l+1) (Zhang 2019, arXiv:1908.11365) under xavier and he.  Token and
 * position embeddings and an output projection of its own are N(0, init_std): logits
 * start near zero, the loss near ln V.  Element i of tensor n takes word i % 4 of philox
 * (i / 4, n).
 */
#include "nn/transformer.h"

#include <assert.h>
#include <math.h>

#include "base/philox.h"
#include "tensor/rows.h"

/* How one tensor is drawn: normal with deviation @spread, or uniform in +-@spread. */
struct draw {
    bool uniform;
    double spread;
};

/* Parts that add to the residual stream of a stack. */
static double terms(const struct shape *s, enum section stack)
{
    if (stack == SECTION_ENCODER)
        return 2.0 * (double)s->E;
    return (s->E ? 3.0 : 2.0) * (double)s->L;
}

static struct draw draw_of(const struct transformer *t, const struct param_info *info)
{
    const struct conf_model *c = &t->conf;
    const struct shape *s = &t->shape;
    const bool attention = info->init == PARAM_QUERY || info->init == PARAM_VALUE;
    const size_t rows = attention ? (s->H + 2 * s->G) * s->D : info->rows;
    const double in = (double)info->cols, out = (double)rows;
    const double depth = c->init_depth_scale ? 1 / sqrt((double)info->of.block + 1) : 1;
    if (info->init == PARAM_EMBEDDING)
        return (struct draw){false, c->init_std};
    switch (c->init) {
    case INIT_GPT2:
        return (struct draw){false, info->init == PARAM_RESIDUAL
                                        ? c->init_std / sqrt(terms(s, info->of.section))
                                        : c->init_std};
    case INIT_XAVIER:
    case INIT_TFIXUP:
        return (struct draw){true, depth * sqrt(6 / (in + out))};
    case INIT_HE:
        return (struct draw){false, depth * sqrt(2 / in)};
    }
    assert(!"init is one of its choices");
    return (struct draw){0};
}

/* --- depth: what deep norms and T-Fixup want smaller ---------------------------------- */

static double root(double x, double degree)
{
    return pow(x, 1 / degree);
}

static double deep_factor(const struct shape *s, enum section stack)
{
    const double E = (double)s->E, L = (double)s->L;
    if (!s->E)
        return 1 / root(8 * L, 4);
    return stack == SECTION_ENCODER ? 0.87 / root(E * E * E * E * L, 16)
                                    : 1 / root(12 * L, 4);
}

static double tfixup_factor(const struct shape *s, enum section stack)
{
    if (!s->E)
        return 0.67 / root((double)s->L, 4);
    return stack == SECTION_ENCODER ? 0.67 / root((double)s->E, 4)
                                    : 1 / root(9 * (double)s->L, 4);
}

/* By what rows [*first, rows) of a tensor are made smaller. */
static double shrink(const struct transformer *t, const struct param_info *info,
                     size_t *first)
{
    const struct shape *s = &t->shape;
    const bool deep = t->conf.norm_place == PLACE_DEEP,
               tfixup = t->conf.init == INIT_TFIXUP;
    double factor = 1;
    *first = info->init == PARAM_VALUE ? info->rows - s->G * s->D : 0;
    if (info->init == PARAM_QUERY)
        return factor;
    if (info->init == PARAM_EMBEDDING)
        return tfixup && info->of.section <= SECTION_SOURCE
                   ? tfixup_factor(s, SECTION_DECODER)
                   : factor;
    if (deep)
        factor *= deep_factor(s, info->of.section);
    if (tfixup) /* the values' share of "one tensor" is undone */
        factor *= tfixup_factor(s, info->of.section) *
                  (info->init == PARAM_VALUE ? sqrt(2) : 1);
    return factor;
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

static void fill_matrix(const struct transformer *t, real *x, size_t tensor,
                        struct philox_key key)
{
    const struct param_info *info = &t->info[tensor];
    size_t first;
    fill_random(x, info->count, draw_of(t, info), key, tensor);
    const real factor = (real)shrink(t, info, &first);
    if (factor != 1)
        rows_scale(x + first * info->cols, factor, info->count - first * info->cols);
}

void transformer_init_params(const struct transformer *t, real *theta, uint64_t seed)
{
    const struct philox_key key = philox_key(seed, PHILOX_INIT);
    for (size_t n = 0; n < t->tensors; n++) {
        const struct param_info *info = &t->info[n];
        real *x = theta + info->first;
        const bool zero = info->init == PARAM_ZERO ||
                          (info->init == PARAM_RESIDUAL && t->conf.zero_residual);
        if (info->init != PARAM_ONE && !zero)
            fill_matrix(t, x, n, key);
        else
            for (size_t i = 0; i < info->count; i++)
                x[i] = zero ? 0 : 1;
    }
}
