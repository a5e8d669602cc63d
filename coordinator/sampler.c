#include "coordinator/sampler.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/philox.h"

struct sampler_item {
    uint32_t token;
    double weight;
};

void sampler_init(struct sampler *s, size_t V)
{
    s->item = mem_alloc(V * sizeof *s->item);
}

void sampler_fini(struct sampler *s)
{
    mem_free(s->item);
    s->item = NULL;
}

/* Likeliest first; equals in the order of their numbers, so that nothing depends on
 * qsort. */
static int compare(const void *a, const void *b)
{
    const struct sampler_item *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    return x->token < y->token ? -1 : 1;
}

/* The fewest likeliest tokens whose probabilities reach p. */
static size_t nucleus(const struct sampler_item *item, size_t n, double p)
{
    double total = 0, sum = 0;
    for (size_t i = 0; i < n; i++)
        total += item[i].weight;
    for (size_t i = 0; i < n; i++) {
        sum += item[i].weight;
        if (sum >= p * total)
            return i + 1;
    }
    return n;
}

uint32_t sampler_draw(struct sampler *s, const float *logits, size_t V, uint32_t sample,
                      uint64_t position)
{
    uint32_t best = 0;
    for (uint32_t v = 1; v < V; v++)
        if (logits[v] > logits[best])
            best = v;
    if (s->temperature <= 0)
        return best;

    for (uint32_t v = 0; v < V; v++)
        s->item[v] = (struct sampler_item){
            v, exp(((double)logits[v] - (double)logits[best]) / s->temperature)};
    size_t n = V;
    if (s->top_k > 0 || s->top_p < 1) {
        qsort(s->item, V, sizeof *s->item, compare);
        n = s->top_k > 0 && s->top_k < V ? s->top_k : V;
        n = nucleus(s->item, n, s->top_p);
    }

    double total = 0;
    for (size_t i = 0; i < n; i++)
        total += s->item[i].weight;
    const struct philox_block r =
        philox(philox_key(s->seed, PHILOX_GENERATE),
               (struct philox_block){
                   {(uint32_t)position, (uint32_t)(position >> 32), sample, 0}});
    double left = philox_uniform(r.word[0]) * total;
    for (size_t i = 0; i < n; i++) {
        left -= s->item[i].weight;
        if (left < 0)
            return s->item[i].token;
    }
    return s->item[n - 1].token;
}
