#include "decode/bundle.h"

#include <stdlib.h>

#include "base/mem.h"

struct measured {
    uint32_t number, length;
};

static int longest_first(const void *a, const void *b)
{
    const struct measured *x = a, *y = b;
    if (x->length != y->length)
        return x->length < y->length ? 1 : -1;
    return x->number < y->number ? -1 : 1;
}

static void order(uint32_t *numbers, const uint32_t *length, size_t N)
{
    struct measured *all = mem_alloc(mem_mul(N, sizeof *all));
    for (size_t i = 0; i < N; i++)
        all[i] = (struct measured){(uint32_t)i, length[i]};
    qsort(all, N, sizeof *all, longest_first);
    for (size_t i = 0; i < N; i++)
        numbers[i] = all[i].number;
    mem_free(all);
}

void bundles_make(struct bundles *b, const uint32_t *length, size_t N, size_t most,
                  size_t tokens)
{
    *b = (struct bundles){.order = mem_alloc(mem_mul(N, sizeof *b->order)),
                          .first = mem_alloc(mem_mul(N + 1, sizeof *b->first))};
    order(b->order, length, N);
    size_t sum = 0;
    for (size_t i = 0; i < N; i++) {
        const size_t more = length[b->order[i]];
        if (b->n == 0 || i - b->first[b->n - 1] == most || sum + more > tokens) {
            b->first[b->n++] = i;
            sum = 0;
        }
        sum += more;
    }
    b->first[b->n] = N;
}

void bundles_fini(struct bundles *b)
{
    mem_free(b->order);
    mem_free(b->first);
    *b = (struct bundles){0};
}
