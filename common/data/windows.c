#include "data/windows.h"

#include <assert.h>

#include "base/err.h"
#include "base/log.h"
#include "base/philox.h"
#include "data/order.h"

/* In the place of order.h's Feistel round; its rounds are few, so they never meet. */
#define OFFSET_ROUND UINT32_MAX

int windows_init(struct windows *w, const struct tokens *tokens, size_t T, uint64_t seed)
{
    assert(T > 0);
    assert(T <= UINT32_MAX);
    if (!tokens) {
        log_error("data.dir has a parallel text, which this model does not read; give it "
                  "one that `lockstep prepare FILE...` made");
        return ERR_DATA;
    }
    const uint64_t N = tokens_info(tokens)->count;
    if (N / 2 < T) {
        log_error(
            "%s is too short for the context: it has %llu tokens, expected at least "
            "%zu, twice model.context; prepare more text or choose a context of at "
            "most %llu",
            tokens_path(tokens), (unsigned long long)N, 2 * T,
            (unsigned long long)(N / 2));
        return ERR_DATA;
    }
    *w = (struct windows){.tokens = tokens, .seed = seed, .T = T, .n = (N - T) / T};
    assert(w->n >= 1);
    return ERR_OK;
}

/* floor(T * u) with u of 32 random bits in [0, 1): no bias that 2^32 samples could show
 */
static uint64_t offset(const struct windows *w, uint64_t epoch)
{
    const struct philox_block r =
        philox(philox_key(w->seed, PHILOX_ORDER),
               (struct philox_block){
                   {0, OFFSET_ROUND, (uint32_t)epoch, (uint32_t)(epoch >> 32)}});
    return (uint64_t)r.word[0] * w->T >> 32;
}

uint64_t windows_start(const struct windows *w, uint64_t g)
{
    const uint64_t epoch = g / w->n;
    struct order order;
    order_init(&order, w->seed, epoch, w->n);
    return offset(w, epoch) + order_at(&order, g % w->n) * w->T;
}

void windows_get(const struct windows *w, uint64_t g, uint32_t *out)
{
    tokens_get(w->tokens, windows_start(w, g), w->T + 1, out);
}

int held_out_count(const struct tokens *tokens, size_t T, uint64_t *count)
{
    assert(T > 0);
    const uint64_t N = tokens_info(tokens)->count;
    if (N < 2) {
        log_error("%s is too short to evaluate: it has %llu tokens, expected at least 2; "
                  "prepare more text or hold out a larger share",
                  tokens_path(tokens), (unsigned long long)N);
        return ERR_DATA;
    }
    *count = (N - 2) / T + 1;
    return ERR_OK;
}

void held_out_get(const struct tokens *tokens, size_t T, uint64_t i, uint32_t *out,
                  size_t *length)
{
    const uint64_t N = tokens_info(tokens)->count;
    assert(N >= 2);
    assert(i <= (N - 2) / T);
    const uint64_t left = N - 1 - i * T;
    *length = left < T ? (size_t)left : T;
    tokens_get(tokens, i * T, *length + 1, out);
}
