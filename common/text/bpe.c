#include "text/bpe.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "text/intern.h"
#include "text/words.h"

enum { CACHE_WORDS = 1 << 19, CACHE_WORD_BYTES = 64 };

#define JOINED UINT32_MAX /* a place whose token is now part of the one before it */

/* A word while it is merged: a list of tokens, linked by place, and a heap of the pairs
 * that may be joined, lowest (rank, place) first, as rank << 32 | place.  A heap entry
 * whose pair no longer stands at its place is stale, and skipped. */
struct chain {
    uint32_t *id, *prev, *next; /* [room]; prev of the first and next of the last: n */
    uint32_t n, room;
    uint64_t *heap; /* [2 room]: n - 1 at first, and one more with each merge */
    size_t heap_n;
};

struct bpe {
    uint32_t byte_id[256];
    struct pairs *pairs; /* number = rank */
    uint32_t *result;    /* [rank] */
    struct words *words;
    struct chain chain;
    struct intern *cache;
    size_t *cache_end; /* [CACHE_WORDS] where the ids of a word end in cache_ids */
    struct ids cache_ids;
};

struct bpe *bpe_new(const uint32_t byte_id[256], const struct bpe_merge *merges, size_t n)
{
    struct bpe *b = mem_zalloc(sizeof *b);
    memcpy(b->byte_id, byte_id, sizeof b->byte_id);
    b->pairs = pairs_new();
    b->result = mem_alloc(mem_mul(n, sizeof *b->result));
    for (size_t i = 0; i < n; i++) {
        const uint32_t rank = pairs_add(b->pairs, merges[i].pair);
        assert(rank == i);
        b->result[rank] = merges[i].result;
    }
    b->words = words_new();
    b->cache = intern_new();
    b->cache_end = mem_alloc(CACHE_WORDS * sizeof *b->cache_end);
    return b;
}

void bpe_free(struct bpe *b)
{
    if (!b)
        return;
    mem_free(b->chain.id);
    mem_free(b->chain.prev);
    mem_free(b->chain.next);
    mem_free(b->chain.heap);
    pairs_free(b->pairs);
    mem_free(b->result);
    words_free(b->words);
    intern_free(b->cache);
    mem_free(b->cache_end);
    ids_fini(&b->cache_ids);
    mem_free(b);
}

static void heap_push(struct chain *c, uint64_t entry)
{
    assert(c->heap_n < 2 * (size_t)c->room);
    size_t i = c->heap_n++;
    for (; i > 0 && c->heap[(i - 1) / 2] > entry; i = (i - 1) / 2)
        c->heap[i] = c->heap[(i - 1) / 2];
    c->heap[i] = entry;
}

static uint64_t heap_pop(struct chain *c)
{
    assert(c->heap_n > 0);
    const uint64_t top = c->heap[0], last = c->heap[--c->heap_n];
    size_t i = 0;
    for (size_t k; (k = 2 * i + 1) < c->heap_n; i = k) {
        if (k + 1 < c->heap_n && c->heap[k + 1] < c->heap[k])
            k++;
        if (last <= c->heap[k])
            break;
        c->heap[i] = c->heap[k];
    }
    c->heap[i] = last;
    return top;
}

static void chain_init(struct bpe *b, const char *word, uint32_t n)
{
    struct chain *c = &b->chain;
    if (n > c->room) {
        c->room = n + 64 + n / 2;
        c->id = mem_resize(c->id, mem_mul(c->room, sizeof *c->id));
        c->prev = mem_resize(c->prev, mem_mul(c->room, sizeof *c->prev));
        c->next = mem_resize(c->next, mem_mul(c->room, sizeof *c->next));
        c->heap = mem_resize(c->heap, mem_mul(2 * (size_t)c->room, sizeof *c->heap));
    }
    c->n = n;
    c->heap_n = 0;
    for (uint32_t i = 0; i < n; i++) {
        c->id[i] = b->byte_id[(unsigned char)word[i]];
        c->prev[i] = i ? i - 1 : n;
        c->next[i] = i + 1;
    }
}

/* The rank of the pair that stands at @at and behind it, or PAIRS_NONE. */
static uint32_t rank_at(const struct bpe *b, uint32_t at)
{
    const struct chain *c = &b->chain;
    if (at >= c->n || c->id[at] == JOINED || c->next[at] >= c->n)
        return PAIRS_NONE;
    return pairs_find(b->pairs, (struct pair){c->id[at], c->id[c->next[at]]});
}

static void consider(struct bpe *b, uint32_t at)
{
    const uint32_t rank = rank_at(b, at);
    if (rank != PAIRS_NONE)
        heap_push(&b->chain, (uint64_t)rank << 32 | at);
}

static void join(struct chain *c, uint32_t at, uint32_t result)
{
    const uint32_t gone = c->next[at], behind = c->next[gone];
    c->id[at] = result;
    c->id[gone] = JOINED;
    c->next[at] = behind;
    if (behind < c->n)
        c->prev[behind] = at;
}

void bpe_encode_word(struct bpe *b, const char *word, size_t bytes, struct ids *out)
{
    assert(bytes < UINT32_MAX / 2);
    struct chain *c = &b->chain;
    chain_init(b, word, (uint32_t)bytes);
    for (uint32_t at = 0; at < c->n; at++)
        consider(b, at);
    while (c->heap_n) {
        const uint64_t top = heap_pop(c);
        const uint32_t rank = (uint32_t)(top >> 32), at = (uint32_t)top;
        if (rank_at(b, at) != rank)
            continue;
        join(c, at, b->result[rank]);
        consider(b, c->prev[at]);
        consider(b, at);
    }
    for (uint32_t at = 0; at < c->n; at = c->next[at])
        ids_push(out, c->id[at]);
}

/* The tokens of the word, from the cache or into it. */
static void encode_cached(struct bpe *b, const char *word, size_t bytes, struct ids *out)
{
    const uint32_t known = intern_find(b->cache, word, bytes);
    if (known != INTERN_NONE) {
        const size_t first = known ? b->cache_end[known - 1] : 0;
        const size_t n = b->cache_end[known] - first;
        memcpy(ids_reserve(out, n), b->cache_ids.at + first, n * sizeof *out->at);
        out->n += n;
        return;
    }
    const size_t before = out->n;
    bpe_encode_word(b, word, bytes, out);
    if (intern_count(b->cache) == CACHE_WORDS)
        return;
    const uint32_t number = intern_add(b->cache, word, bytes);
    for (size_t i = before; i < out->n; i++)
        ids_push(&b->cache_ids, out->at[i]);
    b->cache_end[number] = b->cache_ids.n;
}

int bpe_encode(struct bpe *b, const char *text, size_t bytes, struct ids *out)
{
    for (size_t at = 0, n; at < bytes; at += n) {
        TRY(words_next(b->words, text, bytes, at, &n));
        if (n <= CACHE_WORD_BYTES)
            encode_cached(b, text + at, n, out);
        else
            bpe_encode_word(b, text + at, n, out);
    }
    return ERR_OK;
}

size_t bpe_merges(const struct bpe *b)
{
    return pairs_count(b->pairs);
}

struct pair bpe_pair(const struct bpe *b, size_t rank)
{
    return pairs_get(b->pairs, (uint32_t)rank);
}
