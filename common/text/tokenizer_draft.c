#include "text/tokenizer_draft.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "text/bytemap.h"

int draft_init(struct draft *d, size_t vocab, const char *path)
{
    *d = (struct draft){.path = path};
    if (vocab == 0 || vocab > TOKENIZER_VOCAB_MAX) {
        log_error("%s: the vocabulary has %zu tokens; expected 1 to %d", path, vocab,
                  TOKENIZER_VOCAB_MAX);
        return ERR_DATA;
    }
    d->vocab = vocab;
    d->by_id = mem_zalloc(mem_mul(vocab, sizeof *d->by_id));
    d->pairs = pairs_new();
    return ERR_OK;
}

void draft_fini(struct draft *d)
{
    for (size_t i = 0; i < d->vocab; i++)
        mem_free(d->by_id[i].bytes);
    mem_free(d->by_id);
    intern_free(d->pieces);
    pairs_free(d->pairs);
    mem_free(d->merges);
}

/* The slot of the token that says it is number @id. */
static int slot(struct draft *d, const json_t *id, struct draft_piece **piece)
{
    if (!json_is_integer(id)) {
        log_error("%s: the id of a token is not an integer", d->path);
        return ERR_DATA;
    }
    const json_int_t i = json_integer_value(id);
    if (i < 0 || (size_t)i >= d->vocab) {
        log_error(
            "%s: token id %lld in a vocabulary of %zu; expected 0 to %zu, each once",
            d->path, (long long)i, d->vocab, d->vocab - 1);
        return ERR_DATA;
    }
    *piece = &d->by_id[i];
    return ERR_OK;
}

static int fill(struct draft *d, struct draft_piece *piece, const char *bytes, size_t n,
                bool special)
{
    const size_t id = (size_t)(piece - d->by_id);
    if (piece->bytes) {
        log_error("%s: two tokens have the id %zu; ids must differ", d->path, id);
        return ERR_DATA;
    }
    if (n == 0 || n > UINT32_MAX) {
        log_error("%s: token %zu is empty or too long", d->path, id);
        return ERR_DATA;
    }
    *piece = (struct draft_piece){memcpy(mem_alloc(n), bytes, n), n, special};
    return ERR_OK;
}

int draft_special(struct draft *d, const char *content, size_t n, const json_t *id)
{
    struct draft_piece *piece;
    TRY(slot(d, id, &piece));
    return fill(d, piece, content, n, true);
}

static int add_mapped(struct draft *d, struct draft_piece *piece, const char *text,
                      size_t n)
{
    char *bytes = mem_alloc(n);
    const size_t count = bytemap_read(text, n, bytes);
    int err = ERR_DATA;
    if (count == SIZE_MAX)
        log_error("%s: token %zu has a character that stands for no byte; expected the "
                  "256 characters of a byte-level vocabulary",
                  d->path, (size_t)(piece - d->by_id));
    else
        err = fill(d, piece, bytes, count, false);
    mem_free(bytes);
    return err;
}

int draft_vocab(struct draft *d, json_t *vocab, bool mapped)
{
    const char *key;
    json_t *id;
    json_object_foreach(vocab, key, id)
    {
        struct draft_piece *piece;
        const size_t n = strlen(key);
        TRY(slot(d, id, &piece));
        if (piece->special && piece->n == n && memcmp(piece->bytes, key, n) == 0)
            continue;
        TRY(mapped ? add_mapped(d, piece, key, n) : fill(d, piece, key, n, false));
    }
    return ERR_OK;
}

int draft_pieces(struct draft *d)
{
    d->pieces = intern_new();
    for (size_t id = 0; id < d->vocab; id++) {
        if (!d->by_id[id].bytes) {
            log_error("%s: no token has the id %zu; expected every id below %zu", d->path,
                      id, d->vocab);
            return ERR_DATA;
        }
        const uint32_t number = intern_add(d->pieces, d->by_id[id].bytes, d->by_id[id].n);
        if (number != id) {
            log_error("%s: tokens %u and %zu stand for the same bytes", d->path, number,
                      id);
            return ERR_DATA;
        }
    }
    return ERR_OK;
}

/* The ordinary token with these bytes. */
static int find(struct draft *d, size_t number, const char *bytes, size_t n, uint32_t *id)
{
    *id = n == SIZE_MAX ? INTERN_NONE : intern_find(d->pieces, bytes, n);
    if (*id != INTERN_NONE && !d->by_id[*id].special)
        return ERR_OK;
    log_error("%s: merge %zu: a part of it, or the whole, is not in the vocabulary; the "
              "merges belong to another vocabulary, or the file is damaged",
              d->path, number);
    return ERR_DATA;
}

static int merge_parts(struct draft *d, size_t number, const char *left, size_t left_n,
                       const char *right, size_t right_n)
{
    struct bpe_merge m;
    char *bytes = mem_alloc(left_n + right_n);
    const size_t n = bytemap_read(left, left_n, bytes);
    int err = find(d, number, bytes, n, &m.pair.left);
    size_t k = 0;
    if (!err) {
        k = bytemap_read(right, right_n, bytes + n);
        err = find(d, number, bytes + n, k, &m.pair.right);
    }
    if (!err)
        err = find(d, number, bytes, n + k, &m.result);
    mem_free(bytes);
    TRY(err);
    if (pairs_add(d->pairs, m.pair) != d->merges_n) {
        log_error("%s: merge %zu was there before; merges must differ", d->path, number);
        return ERR_DATA;
    }
    if (d->merges_n == d->merges_room) {
        d->merges_room = 2 * d->merges_room + 256;
        d->merges = mem_resize(d->merges, mem_mul(d->merges_room, sizeof *d->merges));
    }
    d->merges[d->merges_n++] = m;
    return ERR_OK;
}

int draft_merge(struct draft *d, size_t number, const char *text, size_t n)
{
    const char *space = memchr(text, ' ', n);
    if (!space || memchr(space + 1, ' ', n - (size_t)(space + 1 - text))) {
        log_error("%s: merge %zu is not two tokens with one space between them", d->path,
                  number);
        return ERR_DATA;
    }
    const size_t left = (size_t)(space - text);
    return merge_parts(d, number, text, left, space + 1, n - left - 1);
}

bool *draft_special_flags(const struct draft *d)
{
    bool *special = mem_alloc(d->vocab * sizeof *special);
    for (size_t i = 0; i < d->vocab; i++)
        special[i] = d->by_id[i].special;
    return special;
}

int draft_take_bpe(struct draft *d, struct tokenizer **t)
{
    bool *special = draft_special_flags(d);
    struct intern *pieces = d->pieces;
    d->pieces = NULL;
    return tokenizer_from_merges(pieces, special, d->merges, d->merges_n, d->path, t);
}
