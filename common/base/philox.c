#include "base/philox.h"

#include <math.h>

struct philox_key philox_key(uint64_t seed, enum philox_stream stream)
{
    /* One round of the generator itself keyed by the seed: streams are counters. */
    const struct philox_block x =
        philox((struct philox_key){{(uint32_t)seed, (uint32_t)(seed >> 32)}},
               (struct philox_block){{(uint32_t)stream, 0, 0, 0}});
    return (struct philox_key){{x.word[0], x.word[1]}};
}

void philox_normal(uint32_t w0, uint32_t w1, double out[2])
{
    const double u = (philox_uniform(w0) + 0x1p-25), v = philox_uniform(w1); /* u > 0 */
    const double radius = sqrt(-2 * log(u)), angle = 2 * M_PI * v;
    out[0] = radius * cos(angle);
    out[1] = radius * sin(angle);
}
