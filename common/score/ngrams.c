#include "score/ngrams.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* A k-gram: the number of the (k-1)-gram at its place, and the id behind that. */
struct gram {
    uint32_t name, last;
    uint32_t sequence;
    uint32_t at; /* of its first id, counted through all sequences */
};

size_t ngrams_count(size_t n, size_t order)
{
    assert(order > 0);
    return n < order ? 0 : n - order + 1;
}

static int compare_words(const struct gram *a, const struct gram *b)
{
    if (a->name != b->name)
        return a->name < b->name ? -1 : 1;
    return a->last != b->last ? (a->last < b->last ? -1 : 1) : 0;
}

static int compare(const void *a, const void *b)
{
    const struct gram *x = a, *y = b;
    const int order = compare_words(x, y);
    return order ? order : (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

static size_t collect(struct gram *grams, const uint32_t *names, const struct sequence *s,
                      size_t n, size_t order)
{
    size_t count = 0, first = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < ngrams_count(s[i].n, order); k++)
            grams[count++] = (struct gram){.name = order == 1 ? 0 : names[first + k],
                                           .last = s[i].ids[k + order - 1],
                                           .sequence = (uint32_t)i,
                                           .at = (uint32_t)(first + k)};
        first += s[i].n;
    }
    return count;
}

/* Equal grams lie together, in the order of their sequences: takes all that are like the
 * first, gives them their name, returns how many they are. */
static size_t take_equal(const struct gram *g, size_t count, uint32_t name,
                         uint32_t *names, uint64_t *match)
{
    size_t used = 0, own = 0, most = 0;
    while (used < count && compare_words(g, g + used) == 0) {
        const size_t from = used;
        for (; used < count && compare(g + from, g + used) == 0; used++)
            names[g[used].at] = name;
        if (g[from].sequence == 0)
            own = used - from;
        else if (used - from > most)
            most = used - from;
    }
    *match += own < most ? own : most;
    return used;
}

void ngrams_match(const struct sequence *s, size_t n, size_t orders, uint64_t *match)
{
    assert(n >= 2);
    size_t all = 0;
    for (size_t i = 0; i < n; i++)
        all += s[i].n;
    assert(all < UINT32_MAX);
    memset(match, 0, orders * sizeof *match);
    struct gram *grams = mem_alloc(mem_mul(all, sizeof *grams));
    uint32_t *names = mem_alloc(mem_mul(all, sizeof *names));
    for (size_t k = 1; k <= orders; k++) {
        const size_t count = collect(grams, names, s, n, k);
        qsort(grams, count, sizeof *grams, compare);
        uint32_t name = 0;
        for (size_t i = 0; i < count; name++)
            i += take_equal(grams + i, count - i, name, names, &match[k - 1]);
        if (match[k - 1] == 0) /* then no longer one has a match */
            break;
    }
    mem_free(names);
    mem_free(grams);
}
