#include "text/pair_heap.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

static int compare_pieces(const struct intern *pieces, uint32_t a, uint32_t b)
{
    size_t n, m;
    const char *x = intern_get(pieces, a, &n), *y = intern_get(pieces, b, &m);
    const int order = memcmp(x, y, n < m ? n : m);
    return order ? order : (n > m) - (n < m);
}

static bool greater(const struct pair_heap *h, struct pair_entry a, struct pair_entry b)
{
    if (a.count != b.count)
        return a.count > b.count;
    const struct pair p = pairs_get(h->pairs, a.number),
                      q = pairs_get(h->pairs, b.number);
    const int left = p.left == q.left ? 0 : compare_pieces(h->pieces, p.left, q.left);
    return (left ? left : compare_pieces(h->pieces, p.right, q.right)) > 0;
}

void pair_heap_push(struct pair_heap *h, struct pair_entry e)
{
    if (h->n == h->room) {
        h->room = 2 * h->room + 1024;
        h->all = mem_resize(h->all, mem_mul(h->room, sizeof *h->all));
    }
    size_t i = h->n++;
    for (; i > 0 && greater(h, e, h->all[(i - 1) / 2]); i = (i - 1) / 2)
        h->all[i] = h->all[(i - 1) / 2];
    h->all[i] = e;
}

struct pair_entry pair_heap_pop(struct pair_heap *h)
{
    assert(h->n > 0);
    const struct pair_entry top = h->all[0], last = h->all[--h->n];
    size_t i = 0;
    for (size_t k; (k = 2 * i + 1) < h->n; i = k) {
        if (k + 1 < h->n && greater(h, h->all[k + 1], h->all[k]))
            k++;
        if (!greater(h, h->all[k], last))
            break;
        h->all[i] = h->all[k];
    }
    h->all[i] = last;
    return top;
}

void pair_heap_fini(struct pair_heap *h)
{
    mem_free(h->all);
    h->all = NULL;
    h->n = h->room = 0;
}
