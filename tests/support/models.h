/* models.h - small Transformers in all flavours, and things to feed them with. */
#ifndef SUPPORT_MODELS_H
#define SUPPORT_MODELS_H

#include <stdint.h>
#include <stdlib.h>

#include "base/philox.h"
#include "nn/transformer.h"

struct model_case {
    const char *name;
    enum conf_norm norm;
    enum conf_place place;
    enum conf_activation activation;
    enum conf_positions positions;
    unsigned kv_heads; /* of 4 */
    bool tied, bias;
    double dropout; /* of all kinds */
    unsigned encoder; /* blocks of it */
    bool shared_source;
};

/* clang-format off */
static const struct model_case model_cases[] = {
    {"gpt2",        NORM_LAYER, PLACE_PRE,  ACTIVATION_GELU_TANH, POSITIONS_LEARNED,    4, true,  true,  0, 0, true},
    {"nanogpt",     NORM_LAYER, PLACE_PRE,  ACTIVATION_GELU,      POSITIONS_LEARNED,    4, true,  false, 0, 0, true},
    {"llama",       NORM_RMS,   PLACE_PRE,  ACTIVATION_SWIGLU,    POSITIONS_ROTARY,     2, false, false, 0, 0, true},
    {"vaswani",     NORM_LAYER, PLACE_POST, ACTIVATION_RELU,      POSITIONS_SINUSOIDAL, 4, true,  true,  0, 0, true},
    {"post-untied", NORM_LAYER, PLACE_POST, ACTIVATION_GELU,      POSITIONS_LEARNED,    4, false, false, 0, 0, true},
    {"post-rms",    NORM_RMS,   PLACE_POST, ACTIVATION_SWIGLU,    POSITIONS_ROTARY,     1, true,  true,  0, 0, true},
    {"blind",       NORM_RMS,   PLACE_PRE,  ACTIVATION_RELU,      POSITIONS_NONE,       1, true,  true,  0, 0, true},
    {"waves-rms",   NORM_RMS,   PLACE_PRE,  ACTIVATION_GELU_TANH, POSITIONS_SINUSOIDAL, 2, false, true,  0, 0, true},
    {"gpt2-drop",   NORM_LAYER, PLACE_PRE,  ACTIVATION_GELU,      POSITIONS_LEARNED,    4, true,  true,  0.2, 0, true},
    {"llama-drop",  NORM_RMS,   PLACE_PRE,  ACTIVATION_SWIGLU,    POSITIONS_ROTARY,     2, false, false, 0.3, 0, true},
    {"deep",        NORM_LAYER, PLACE_DEEP, ACTIVATION_GELU,      POSITIONS_LEARNED,    4, true,  true,  0, 0, true},
    {"deep-drop",   NORM_RMS,   PLACE_DEEP, ACTIVATION_SWIGLU,    POSITIONS_ROTARY,     2, false, false, 0.2, 0, true},
    {"post-drop",   NORM_LAYER, PLACE_POST, ACTIVATION_GELU_TANH, POSITIONS_SINUSOIDAL, 2, true,  true,  0.1, 0, true},
    {"bare",        NORM_LAYER, PLACE_NONE, ACTIVATION_GELU,      POSITIONS_LEARNED,    4, true,  true,  0, 0, true},
    {"translate",   NORM_LAYER, PLACE_POST, ACTIVATION_RELU,      POSITIONS_HALVES,     4, true,  true,  0, 2, true},
    {"enc-post",    NORM_LAYER, PLACE_POST, ACTIVATION_GELU,      POSITIONS_HALVES,     4, true,  true,  0, 1, true},
    {"enc-pre",     NORM_LAYER, PLACE_PRE,  ACTIVATION_GELU,      POSITIONS_LEARNED,    4, false, false, 0, 1, false},
    {"enc-llama",   NORM_RMS,   PLACE_PRE,  ACTIVATION_SWIGLU,    POSITIONS_ROTARY,     2, true,  true,  0, 3, false},
    {"enc-deep",    NORM_LAYER, PLACE_DEEP, ACTIVATION_GELU_TANH, POSITIONS_SINUSOIDAL, 1, false, true,  0, 2, true},
    {"enc-bare",    NORM_LAYER, PLACE_NONE, ACTIVATION_GELU,      POSITIONS_LEARNED,    4, true,  true,  0, 2, true},
    {"enc-drop",    NORM_LAYER, PLACE_POST, ACTIVATION_GELU,      POSITIONS_HALVES,     4, true,  true,  0.2, 2, true},
    {"enc-dropped", NORM_RMS,   PLACE_PRE,  ACTIVATION_SWIGLU,    POSITIONS_LEARNED,    2, false, true,  0.2, 2, false},
};
/* clang-format on */
enum { MODEL_CASES = sizeof model_cases / sizeof *model_cases };

/* 2 layers, 4 heads of 4, context 12. */
static inline struct conf_model model_conf(const struct model_case *c)
{
    return (struct conf_model){.layers = 2,
                               .encoder_layers = c->encoder,
                               .shared_source = c->shared_source,
                               .heads = 4,
                               .kv_heads = c->kv_heads,
                               .width = 16,
                               .ffn = 24,
                               .context = 12,
                               .norm = c->norm,
                               .norm_place = c->place,
                               .norm_eps = 1e-5,
                               .activation = c->activation,
                               .positions = c->positions,
                               .rope_theta = 10000,
                               .tied = c->tied,
                               .bias = c->bias,
                               .dropout = c->dropout,
                               .dropout_embed = c->dropout,
                               .dropout_attention = c->dropout,
                               .dropout_residual = c->dropout,
                               .dropout_hidden = c->dropout,
                               .dropout_word = c->dropout / 2,
                               .init = INIT_GPT2,
                               .init_std = 0.02};
}

/* Heads of 16, whose attention takes the products of tensor/rows.h, not of gemm.h. */
static inline struct conf_model model_wide(struct conf_model conf)
{
    conf.width = 16 * conf.heads;
    return conf;
}

static inline double model_uniform(uint32_t i, uint32_t seed)
{
    const struct philox_key key = philox_key(seed, PHILOX_TEST);
    return 2 * philox_uniform(philox(key, (struct philox_block){{i}}).word[0]) - 1;
}

/* theta <- scattered around 0, gains around 1: nothing is small, all terms matter. */
static inline void model_scatter(const struct transformer *t, real *theta, double spread,
                                 uint32_t seed)
{
    for (size_t n = 0; n < t->tensors; n++)
        for (size_t i = t->info[n].first; i < t->info[n].first + t->info[n].count; i++)
            theta[i] = (real)((t->info[n].init == PARAM_ONE) +
                              spread * model_uniform((uint32_t)i, seed));
}

static inline void model_tokens(uint32_t *tokens, size_t n, size_t V, uint32_t seed)
{
    const struct philox_key key = philox_key(seed, PHILOX_TEST);
    for (size_t i = 0; i < n; i++)
        tokens[i] =
            philox(key, (struct philox_block){{(uint32_t)i, 1}}).word[0] % (uint32_t)V;
}

#endif
