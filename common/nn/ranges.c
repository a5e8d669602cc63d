#include "nn/ranges.h"

#include "base/mem.h"

void transformer_ranges(const struct transformer *t, struct ranges *r)
{
    size_t *borders = mem_alloc((t->tensors + 1) * sizeof *borders), n = 0;
    for (size_t i = 0; i < t->tensors; i++)
        if (i == 0 || t->info[i].layer != t->info[i - 1].layer)
            borders[n++] = t->info[i].first;
    ranges_init(r, borders, n, t->count);
    mem_free(borders);
}
