/* tokenizer_dropout.c - one text, many ways to say it: BPE-dropout, on text and on
 * tokens.
 */
#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "text/tokenizer_parts.h"
#include "text/utf8.h"

static struct merge_dropout begin(const struct tokenizer_dropout *dropout)
{
    assert(dropout->p >= 0);
    assert(dropout->p <= 1);
    return (struct merge_dropout){.p = dropout->p,
                                  .key = philox_key(dropout->seed, PHILOX_MERGES),
                                  .epoch = dropout->epoch,
                                  .sample = dropout->sample};
}

static int give(struct ids *out, int err, uint32_t **ids, size_t *n)
{
    if (err) {
        ids_fini(out);
        return err;
    }
    *ids = out->at;
    *n = out->n;
    return ERR_OK;
}

int tokenizer_encode_dropout(struct tokenizer *t, const char *text, size_t bytes,
                             const struct tokenizer_dropout *dropout, uint32_t **ids,
                             size_t *n)
{
    struct merge_dropout d = begin(dropout);
    struct ids out = {0};
    return give(&out, tokenizer_encode_words(t, text, bytes, &d, &out), ids, n);
}

/* --- tokens as text and back ----------------------------------------------------------
 */

struct run {
    const uint32_t *ids;
    size_t n;
};

static void keep(struct ids *out, struct run r)
{
    if (r.n)
        memcpy(ids_reserve(out, r.n), r.ids, r.n * sizeof *r.ids);
    out->n += r.n;
}

static char *join(const struct tokenizer *t, struct run r, size_t *bytes)
{
    size_t room = 64, used = 0;
    char *text = mem_alloc(room);
    for (size_t i = 0; i < r.n; i++) {
        const char *piece;
        size_t n;
        tokenizer_piece(t, r.ids[i], &piece, &n);
        if (room - used < n)
            text = mem_resize(text, room = 2 * room + n);
        memcpy(text + used, piece, n);
        used += n;
    }
    *bytes = used;
    return text;
}

static char edge(const struct tokenizer *t, uint32_t id, bool last)
{
    const char *piece;
    size_t n;
    tokenizer_piece(t, id, &piece, &n);
    return piece[last ? n - 1 : 0];
}

/* How many tokens at the beginning only end a character. */
static size_t count_before(const struct tokenizer *t, struct run r)
{
    size_t n = 0;
    while (t->kind == TOKENIZER_BPE && n < r.n &&
           ((unsigned char)edge(t, r.ids[n], false) & 0xC0) == 0x80)
        n++;
    return n;
}

/* How many tokens at the end begin a word, or a character, that does not end. */
static size_t count_behind(const struct tokenizer *t, struct run r)
{
    size_t n = 0, bytes;
    if (t->kind == TOKENIZER_SUBWORD) {
        while (n < r.n && edge(t, r.ids[r.n - n - 1], true) != ' ' &&
               edge(t, r.ids[r.n - n - 1], true) != '\n')
            n++;
        return n;
    }
    for (; n < UTF8_BYTES && n < r.n; n++) {
        char *text = join(t, (struct run){r.ids, r.n - n}, &bytes);
        const int err = utf8_check(text, bytes, NULL);
        mem_free(text);
        if (!err)
            return n;
    }
    return r.n; /* no text at all */
}

/* Tokens without a special one among them. */
static int resegment_run(struct tokenizer *t, struct run r, struct merge_dropout *d,
                         struct ids *out)
{
    const size_t before = count_before(t, r);
    keep(out, (struct run){r.ids, before});
    r = (struct run){r.ids + before, r.n - before};
    const size_t behind = count_behind(t, r);
    size_t bytes;
    char *text = join(t, (struct run){r.ids, r.n - behind}, &bytes);
    const int err = tokenizer_encode_words(t, text, bytes, d, out);
    mem_free(text);
    keep(out, (struct run){r.ids + r.n - behind, behind});
    return err;
}

static int resegment(struct tokenizer *t, struct run all, struct merge_dropout *d,
                     struct ids *out)
{
    for (size_t at = 0, n; at < all.n; at += n) {
        for (n = 0; at + n < all.n && !t->special[all.ids[at + n]]; n++)
            ;
        TRY(resegment_run(t, (struct run){all.ids + at, n}, d, out));
        if (at + n < all.n)
            keep(out, (struct run){all.ids + at + n++, 1});
    }
    return ERR_OK;
}

int tokenizer_resegment(struct tokenizer *t, const uint32_t *ids, size_t n,
                        const struct tokenizer_dropout *dropout, uint32_t **again,
                        size_t *again_n)
{
    struct merge_dropout d = begin(dropout);
    const struct run all = {ids, n};
    struct ids out = {0};
    int err = ERR_OK;
    ids_reserve(&out, n);
    if (t->bpe || t->subword)
        err = resegment(t, all, &d, &out);
    else
        keep(&out, all);
    return give(&out, err, again, again_n);
}
