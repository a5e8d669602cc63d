/* sampler.h - draws a token from logits: temperature, top-k (Fan 2018), top-p (Holtzman
 * 2020).  The same (seed, position) and logits give the same token. */
#ifndef COORDINATOR_SAMPLER_H
#define COORDINATOR_SAMPLER_H

#include <stddef.h>
#include <stdint.h>

struct sampler {
    double temperature; /* 0: the likeliest token */
    uint32_t top_k;     /* 0: all */
    double top_p;       /* 1: all */
    uint64_t seed;
    struct sampler_item *item; /* private, [V] */
};

void sampler_init(struct sampler *s, size_t V);
void sampler_fini(struct sampler *s);

/* logits [V] -> a token; @sample and @position number the draw. */
uint32_t sampler_draw(struct sampler *s, const float *logits, size_t V, uint32_t sample,
                      uint64_t position);

#endif
