#include "flat/range.h"

#include <assert.h>

#include "base/mem.h"
#include "flat/wire.h"

/* The first border of blocks from @at on. */
static size_t block_end(size_t at)
{
    return (at + WIRE_BLOCK - 1) / WIRE_BLOCK * WIRE_BLOCK;
}

static void cut(struct ranges *r, size_t first, size_t end)
{
    const size_t pieces = (end - first + RANGE_LARGE - 1) / RANGE_LARGE;
    const size_t even = block_end((end - first + pieces - 1) / pieces);
    r->list = mem_resize(r->list, (r->n + pieces) * sizeof *r->list);
    for (size_t at = first; at < end; at += even)
        r->list[r->n++] = (struct range){at, at + even < end ? even : end - at};
}

void ranges_init(struct ranges *r, const size_t *borders, size_t n, size_t count)
{
    assert(n > 0 && borders[0] == 0 && count > 0);
    *r = (struct ranges){0};
    size_t first = 0;
    for (size_t i = 1; i <= n; i++) {
        const size_t behind = i < n ? block_end(borders[i]) : count,
                     end = behind < count ? behind : count;
        assert(end >= first && (i == n || borders[i] <= count));
        if (end > first && (end - first >= RANGE_SMALL || i == n)) {
            cut(r, first, end);
            first = end;
        }
    }
    assert(first == count);
}

void ranges_whole(struct ranges *r, size_t count)
{
    *r = (struct ranges){1, mem_alloc(sizeof *r->list)};
    r->list[0] = (struct range){0, count};
}

void ranges_fini(struct ranges *r)
{
    mem_free(r->list);
    *r = (struct ranges){0};
}

size_t ranges_longest(const struct ranges *r)
{
    size_t longest = 0;
    for (size_t i = 0; i < r->n; i++)
        if (r->list[i].count > longest)
            longest = r->list[i].count;
    return longest;
}
