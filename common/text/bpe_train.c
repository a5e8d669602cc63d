#include "text/bpe_train.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "text/pair_heap.h"
#include "text/symbol.h"
#include "text/words.h"

enum { SYMBOLS_MAX = 1 << 30, PROGRESS_EVERY = 256 };

#define NOWHERE UINT32_MAX

/* The distinct words, one behind the other. A symbol is a token at its first byte. */
struct symbol {
    uint32_t id;         /* NOWHERE: part of the symbol before */
    uint32_t prev, next; /* places, NOWHERE at the ends of the word */
    uint32_t word;
};

struct place {
    uint32_t at; /* where the pair stood when this was noted */
    uint32_t older;
};

struct pair_state {
    uint64_t count;   /* exact */
    uint32_t places;  /* newest first; stale ones included */
    uint32_t touched; /* the number of the merge in which it last became more frequent */
    bool merged;      /* learned before: it can come back through tokens of equal bytes */
};

struct bpe_train {
    enum bpe_units units;
    struct words *words;  /* BPE_BYTES */
    struct intern *table; /* the distinct words */
    uint64_t *counts;     /* [word] */
    size_t counts_room, symbols_n;

    struct symbol *symbols; /* [symbols_n] */
    struct pairs *pairs;
    struct pair_state *state; /* [pair] */
    size_t state_room;
    struct place *places;
    size_t places_n, places_room;
    struct pair_heap heap;
    struct ids touched, found; /* of this merge: pairs that grew; places of its pair */
};

struct bpe_train *bpe_train_new(enum bpe_units units)
{
    struct bpe_train *t = mem_zalloc(sizeof *t);
    t->units = units;
    if (units == BPE_BYTES)
        t->words = words_new();
    t->table = intern_new();
    t->pairs = pairs_new();
    return t;
}

void bpe_train_free(struct bpe_train *t)
{
    if (!t)
        return;
    words_free(t->words);
    intern_free(t->table);
    pairs_free(t->pairs);
    mem_free(t->counts);
    mem_free(t->symbols);
    mem_free(t->state);
    mem_free(t->places);
    pair_heap_fini(&t->heap);
    ids_fini(&t->touched);
    ids_fini(&t->found);
    mem_free(t);
}

static int count_word(struct bpe_train *t, const char *word, size_t n)
{
    const size_t before = intern_count(t->table);
    if (n > SYMBOLS_MAX - t->symbols_n) {
        log_error("could not train a tokenizer: the distinct words of the text have more "
                  "than %d bytes; train on a part of it",
                  SYMBOLS_MAX);
        return ERR_TOO_BIG;
    }
    const uint32_t number = intern_add(t->table, word, n);
    if (number == before) {
        t->symbols_n += n;
        if (number == t->counts_room) {
            t->counts_room = t->counts_room ? 2 * t->counts_room : 4096;
            t->counts = mem_resize(t->counts, mem_mul(t->counts_room, sizeof *t->counts));
        }
        t->counts[number] = 0;
    }
    t->counts[number]++;
    return ERR_OK;
}

static int count_spaced_words(struct bpe_train *t, const char *text, size_t bytes)
{
    for (size_t at = 0, n; words_spaced(text, bytes, &at, &n); at += n)
        if (text[at] != '\n')
            TRY(count_word(t, text + at, n));
    return ERR_OK;
}

int bpe_train_add(struct bpe_train *t, const char *text, size_t bytes)
{
    assert(!t->symbols);
    if (t->units == BPE_CHARACTERS)
        return count_spaced_words(t, text, bytes);
    for (size_t at = 0, n; at < bytes; at += n) {
        TRY(words_next(t->words, text, bytes, at, &n));
        TRY(count_word(t, text + at, n));
    }
    return ERR_OK;
}

static struct pair_state *state_of(struct bpe_train *t, uint32_t number)
{
    if (number >= t->state_room) {
        const size_t room = 2 * (size_t)number + 1024;
        t->state = mem_resize(t->state, mem_mul(room, sizeof *t->state));
        for (size_t i = t->state_room; i < room; i++)
            t->state[i] = (struct pair_state){0, NOWHERE, NOWHERE, false};
        t->state_room = room;
    }
    return &t->state[number];
}

static uint64_t weight(const struct bpe_train *t, uint32_t at)
{
    return t->counts[t->symbols[at].word];
}

static struct pair pair_at(const struct bpe_train *t, uint32_t at)
{
    return (struct pair){t->symbols[at].id, t->symbols[t->symbols[at].next].id};
}

/* A pair now stands at @at, made by merge number @merge. */
static void gain(struct bpe_train *t, uint32_t at, uint32_t merge)
{
    const uint32_t number = pairs_add(t->pairs, pair_at(t, at));
    struct pair_state *s = state_of(t, number);
    if (t->places_n == t->places_room) {
        t->places_room = 2 * t->places_room + 4096;
        t->places = mem_resize(t->places, mem_mul(t->places_room, sizeof *t->places));
    }
    assert(t->places_n < NOWHERE);
    t->places[t->places_n] = (struct place){at, s->places};
    s->places = (uint32_t)t->places_n++;
    s->count += weight(t, at);
    if (s->touched != merge) {
        s->touched = merge;
        ids_push(&t->touched, number);
    }
}

/* The pair that stands at @at is about to go. */
static void lose(struct bpe_train *t, uint32_t at)
{
    const uint32_t number = pairs_find(t->pairs, pair_at(t, at));
    assert(number != PAIRS_NONE);
    struct pair_state *s = &t->state[number];
    assert(s->count >= weight(t, at));
    s->count -= weight(t, at);
}

/* Pairs that grew go back to the heap, with the count they have when all is done. Those
 * that shrank are corrected when they come to the top. */
static void raise_touched(struct bpe_train *t)
{
    for (size_t i = 0; i < t->touched.n; i++) {
        const uint32_t number = t->touched.at[i];
        if (t->state[number].count)
            pair_heap_push(&t->heap, (struct pair_entry){t->state[number].count, number});
    }
    t->touched.n = 0;
}

/* The symbol at the beginning of @text; *bytes: how many of the @left bytes it takes. */
static uint32_t first_symbol(const struct bpe_train *t, struct intern *pieces,
                             const char *text, size_t left, size_t *bytes)
{
    if (t->units == BPE_BYTES) {
        *bytes = 1;
        return (unsigned char)*text;
    }
    uint32_t code;
    char symbol[SYMBOL_CHARACTER];
    *bytes = utf8_next(text, left, &code);
    assert(*bytes > 0);
    return intern_add(pieces, symbol,
                      symbol_character(text, *bytes, *bytes == left, symbol));
}

static void place_symbols(struct bpe_train *t, struct intern *pieces)
{
    t->symbols = mem_alloc(mem_mul(t->symbols_n + 1, sizeof *t->symbols));
    uint32_t at = 0;
    for (uint32_t word = 0; word < intern_count(t->table); word++) {
        size_t n, k;
        const char *text = intern_get(t->table, word, &n);
        for (size_t i = 0; i < n; i += k, at++) {
            const uint32_t id = first_symbol(t, pieces, text + i, n - i, &k);
            t->symbols[at] = (struct symbol){id, i ? at - 1 : NOWHERE,
                                             i + k < n ? at + 1 : NOWHERE, word};
        }
    }
    assert(at <= t->symbols_n);
    t->symbols_n = at;
    for (at = 0; at < t->symbols_n; at++)
        if (t->symbols[at].next != NOWHERE)
            gain(t, at, 0);
    raise_touched(t);
}

static int ascending(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The places of a pair from left to right. They were noted so, except when one token has
 * come out of several merges. */
static void find_places(struct bpe_train *t, const struct pair_state *s)
{
    t->found.n = 0;
    for (uint32_t p = s->places; p != NOWHERE; p = t->places[p].older)
        ids_push(&t->found, t->places[p].at);
    bool sorted = true;
    for (size_t i = 0, j = t->found.n; i + 1 < j; i++) {
        const uint32_t swap = t->found.at[i];
        t->found.at[i] = t->found.at[--j];
        t->found.at[j] = swap;
    }
    for (size_t i = 1; i < t->found.n; i++)
        sorted = sorted && t->found.at[i - 1] <= t->found.at[i];
    if (!sorted)
        qsort(t->found.at, t->found.n, sizeof *t->found.at, ascending);
}

/* x (left right) y  ->  x result y */
static void merge_at(struct bpe_train *t, uint32_t at, uint32_t result, uint32_t merge)
{
    struct symbol *const s = t->symbols;
    const uint32_t before = s[at].prev, gone = s[at].next, behind = s[gone].next;
    lose(t, at);
    if (before != NOWHERE)
        lose(t, before);
    if (behind != NOWHERE)
        lose(t, gone);
    s[at].id = result;
    s[at].next = behind;
    s[gone].id = NOWHERE;
    if (behind != NOWHERE) {
        s[behind].prev = at;
        gain(t, at, merge);
    }
    if (before != NOWHERE)
        gain(t, before, merge);
}

static void merge_everywhere(struct bpe_train *t, uint32_t number, uint32_t result,
                             uint32_t merge)
{
    const struct pair pair = pairs_get(t->pairs, number);
    find_places(t, &t->state[number]);
    t->state[number].places = NOWHERE;
    for (size_t i = 0; i < t->found.n; i++) {
        const uint32_t at = t->found.at[i];
        if (t->symbols[at].id != pair.left || t->symbols[at].next == NOWHERE ||
            pair_at(t, at).right != pair.right)
            continue;
        merge_at(t, at, result, merge);
    }
    raise_touched(t);
}

/* The most frequent pair, or PAIRS_NONE when none is frequent enough. */
static uint32_t best_pair(struct bpe_train *t, uint64_t min_count)
{
    while (t->heap.n) {
        const struct pair_entry top = pair_heap_pop(&t->heap);
        const uint64_t now = t->state[top.number].count;
        if (now == top.count)
            return now >= min_count ? top.number : PAIRS_NONE;
        if (now && now < top.count)
            pair_heap_push(&t->heap, (struct pair_entry){now, top.number});
    }
    return PAIRS_NONE;
}

/* What the pair becomes; NOWHERE when it has to stay apart. */
static uint32_t add_piece(const struct bpe_train *t, struct intern *pieces,
                          struct pair pair)
{
    size_t n, m;
    const char *left = intern_get(pieces, pair.left, &n);
    const char *right = intern_get(pieces, pair.right, &m);
    const bool last = symbol_is_last(right, m);
    char *joined = mem_alloc(n + m);
    memcpy(joined, left, n);
    memcpy(joined + n, right, m);
    const bool apart =
        t->units == BPE_CHARACTERS && !last && symbol_is_last(joined, n + m);
    const uint32_t id = apart ? NOWHERE : intern_add(pieces, joined, n + m);
    mem_free(joined);
    return id;
}

struct learned {
    struct bpe_merge *at;
    size_t n, room;
};

static void push_merge(struct learned *l, struct bpe_merge merge)
{
    if (l->n == l->room) {
        l->room = 2 * l->room + 256;
        l->at = mem_resize(l->at, mem_mul(l->room, sizeof *l->at));
    }
    l->at[l->n++] = merge;
}

static void report(const struct bpe_train_options *o, size_t tokens, size_t merges)
{
    if (o->progress && o->merges)
        o->progress(o->progress_ctx, merges, o->merges);
    else if (o->progress)
        o->progress(o->progress_ctx, tokens, o->tokens);
}

void bpe_train_run(struct bpe_train *t, const struct bpe_train_options *o,
                   struct intern *pieces, struct bpe_merge **merges, size_t *n)
{
    assert(!t->symbols);
    assert(intern_count(pieces) == 0);
    for (int byte = 0; byte < 256 && t->units == BPE_BYTES; byte++)
        intern_add(pieces, &(char){(char)byte}, 1);
    t->heap = (struct pair_heap){.pairs = t->pairs, .pieces = pieces};
    place_symbols(t, pieces);

    struct learned learned = {0};
    uint32_t step = 0;
    while ((!o->tokens || intern_count(pieces) < o->tokens) &&
           (!o->merges || learned.n < o->merges)) {
        const uint32_t number = best_pair(t, o->min_count ? o->min_count : 1);
        if (number == PAIRS_NONE)
            break;
        const struct pair pair = pairs_get(t->pairs, number);
        const uint32_t id = add_piece(t, pieces, pair);
        if (id == NOWHERE)
            continue;
        if (!t->state[number].merged)
            push_merge(&learned, (struct bpe_merge){pair, id});
        t->state[number].merged = true;
        merge_everywhere(t, number, id, ++step);
        if (step % PROGRESS_EVERY == 0)
            report(o, intern_count(pieces), learned.n);
    }
    *merges = learned.at;
    *n = learned.n;
}
