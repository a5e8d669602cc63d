/* scratch.h - a small checkpoint, and damage done to files. */
#ifndef CHECKPOINT_SCRATCH_H
#define CHECKPOINT_SCRATCH_H

#include "support/test.h"

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "checkpoint/checkpoint.h"

static float scratch_model[10] = {0.5f, -1, 2, 3.25f, 4, -5, 6, 7, 8, 9};
static float scratch_moment[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

static const struct validation scratch_validation = {
    .step = 1100,
    .mark = {{.last = 1.875, .best = NAN, .best_step = UINT64_MAX, .stale = 4}}};

static inline struct checkpoint_content scratch_content(uint64_t step)
{
    static struct safetensor model[2], moments[2];
    model[0] = (struct safetensor){"embed.weight", 2, {2, 4}, scratch_model};
    model[1] = (struct safetensor){"norm.weight", 1, {2}, scratch_model + 8};
    moments[0] = (struct safetensor){"moment1.embed.weight", 2, {2, 4}, scratch_moment};
    moments[1] = (struct safetensor){"moment1.norm.weight", 1, {2}, scratch_moment + 8};
    return (struct checkpoint_content){.state = {.step = step,
                                                 .term = 3,
                                                 .fingerprint = 0xfedcba9876543210u,
                                                 .vocab = 65,
                                                 .validation = scratch_validation,
                                                 .version = "9.9"},
                                       .model = model,
                                       .models = 2,
                                       .moments = moments,
                                       .moments_n = 2,
                                       .tokenizer = "{\"a\": 1}",
                                       .run_yaml = "train:\n  steps: 3\n"};
}

/* The same of a run that keeps an average. */
static inline struct checkpoint_content scratch_content_ema(uint64_t step)
{
    struct checkpoint_content c = scratch_content(step);
    c.ema = c.model;
    c.emas = c.models;
    return c;
}

static inline void scratch_write(const char *run, uint64_t step)
{
    const struct checkpoint_content c = scratch_content(step);
    assert_int_equal(checkpoint_write(&disk_real, run, &c), ERR_OK);
}

static inline void overwrite(const char *path, const char *data, size_t bytes)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, bytes, f), bytes);
    fclose(f);
}

#endif
