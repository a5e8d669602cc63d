#include "text/tokenizer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "text/tokenizer_parts.h"
#include "text/utf8.h"
#include "text/words.h"

struct tokenizer *tokenizer_byte(void)
{
    struct tokenizer *t = mem_zalloc(sizeof *t);
    t->kind = TOKENIZER_BYTE;
    t->end = INTERN_NONE;
    t->pieces = intern_new();
    for (int byte = 0; byte < 256; byte++)
        intern_add(t->pieces, &(char){(char)byte}, 1);
    return t;
}

int tokenizer_from_chars(struct intern *pieces, const char *origin, struct tokenizer **t)
{
    assert(intern_count(pieces) > 0);
    uint32_t *char_id = mem_alloc(UTF8_CODES * sizeof *char_id);
    memset(char_id, 0xFF, UTF8_CODES * sizeof *char_id);
    for (uint32_t id = 0; id < intern_count(pieces); id++) {
        size_t n;
        uint32_t code;
        const char *piece = intern_get(pieces, id, &n);
        if (utf8_next(piece, n, &code) != n) {
            log_error("%s: token %u is not a single character, as a tokenizer of "
                      "characters needs",
                      origin, id);
            mem_free(char_id);
            intern_free(pieces);
            return ERR_DATA;
        }
        char_id[code] = id;
    }
    *t = mem_zalloc(sizeof **t);
    **t = (struct tokenizer){
        .kind = TOKENIZER_CHAR, .pieces = pieces, .char_id = char_id, .end = INTERN_NONE};
    return ERR_OK;
}

static int mark_chars(struct span span, unsigned char *seen)
{
    uint32_t code;
    for (size_t at = 0, n; at < span.bytes; at += n) {
        n = utf8_next(span.text + at, span.bytes - at, &code);
        assert(n > 0);
        seen[code] = 1;
        if (code == 0) {
            log_error("could not make a tokenizer of characters: there is a zero byte at "
                      "byte %zu, line %zu: is this text?  The tokenizers byte, gpt2 and "
                      "bpe take it",
                      at, utf8_line(span.text, at));
            return ERR_DATA;
        }
    }
    return ERR_OK;
}

int tokenizer_char(const struct span *spans, size_t n, struct tokenizer **t)
{
    unsigned char *seen = mem_zalloc(UTF8_CODES);
    int err = ERR_OK;
    for (size_t i = 0; i < n && !err; i++)
        err = mark_chars(spans[i], seen);
    struct intern *pieces = intern_new();
    for (uint32_t code = 0; code < UTF8_CODES && !err; code++)
        if (seen[code]) {
            char piece[UTF8_BYTES];
            intern_add(pieces, piece, utf8_encode(code, piece));
        }
    mem_free(seen);
    if (!err && intern_count(pieces) == 0) {
        log_error("could not make a tokenizer of characters: the text is empty");
        err = ERR_DATA;
    }
    if (err) {
        intern_free(pieces);
        return err;
    }
    return tokenizer_from_chars(pieces, "the text", t);
}

/* An ordinary token may have the bytes of a special one only by being it. */
static uint32_t find_end(const struct intern *pieces, const bool *special)
{
    const uint32_t id = intern_find(pieces, END_OF_TEXT, strlen(END_OF_TEXT));
    return id != INTERN_NONE && special[id] ? id : INTERN_NONE;
}

int tokenizer_from_merges(struct intern *pieces, bool *special,
                          const struct bpe_merge *merges, size_t n, const char *origin,
                          struct tokenizer **t)
{
    uint32_t byte_id[256];
    for (int byte = 0; byte < 256; byte++) {
        byte_id[byte] = intern_find(pieces, &(char){(char)byte}, 1);
        if (byte_id[byte] == INTERN_NONE || special[byte_id[byte]]) {
            log_error("%s: byte %d has no token; expected a byte-level vocabulary with a "
                      "token for each of the 256 bytes",
                      origin, byte);
            intern_free(pieces);
            mem_free(special);
            return ERR_DATA;
        }
    }
    *t = mem_zalloc(sizeof **t);
    **t = (struct tokenizer){.kind = TOKENIZER_BPE,
                             .pieces = pieces,
                             .special = special,
                             .end = find_end(pieces, special),
                             .bpe = bpe_new(byte_id, merges, n)};
    return ERR_OK;
}

void tokenizer_free(struct tokenizer *t)
{
    if (!t)
        return;
    bpe_free(t->bpe);
    subword_free(t->subword);
    intern_free(t->symbols);
    mem_free(t->char_id);
    mem_free(t->special);
    intern_free(t->pieces);
    mem_free(t);
}

enum tokenizer_kind tokenizer_kind(const struct tokenizer *t)
{
    return t->kind;
}

size_t tokenizer_vocab(const struct tokenizer *t)
{
    return intern_count(t->pieces);
}

bool tokenizer_end_of_text(const struct tokenizer *t, uint32_t *id)
{
    if (t->end == INTERN_NONE)
        return false;
    *id = t->end;
    return true;
}

void tokenizer_hash(const struct tokenizer *t, char hex[HASH_HEX])
{
    size_t bytes;
    char *json = tokenizer_write(t, &bytes);
    hash128_hex(json, bytes, hex);
    free(json);
}

int tokenizer_save(const struct tokenizer *t, const char *path)
{
    size_t bytes;
    char *json = tokenizer_write(t, &bytes);
    const int err = file_write_atomic(path, json, bytes);
    free(json);
    return err;
}

static void encode_bytes(const char *text, size_t bytes, struct ids *out)
{
    uint32_t *to = ids_reserve(out, bytes);
    for (size_t i = 0; i < bytes; i++)
        to[i] = (unsigned char)text[i];
    out->n += bytes;
}

static int encode_chars(const struct tokenizer *t, const char *text, size_t bytes,
                        struct ids *out)
{
    uint32_t code;
    for (size_t at = 0, n; at < bytes; at += n) {
        n = utf8_next(text + at, bytes - at, &code);
        if (t->char_id[code] == INTERN_NONE) {
            log_error("could not encode the text: the character U+%04X at byte %zu, line "
                      "%zu, is not one of the %zu of this tokenizer",
                      code, at, utf8_line(text, at), tokenizer_vocab(t));
            return ERR_DATA;
        }
        ids_push(out, t->char_id[code]);
    }
    return ERR_OK;
}

static int check_text(const struct tokenizer *t, const char *text, size_t bytes)
{
    struct utf8_error where;
    if (bytes >= UINT32_MAX / 2 && (t->bpe || t->subword)) {
        log_error(
            "could not encode the text: it has %zu bytes, the limit is %u at a time",
            bytes, UINT32_MAX / 2);
        return ERR_TOO_BIG;
    }
    if (t->kind != TOKENIZER_BYTE && utf8_check(text, bytes, &where) != 0) {
        log_error(
            "could not encode the text: byte %zu, line %zu, is 0x%02x, which is not "
            "valid UTF-8",
            where.offset, where.line, (unsigned char)text[where.offset]);
        return ERR_DATA;
    }
    return ERR_OK;
}

int tokenizer_encode_words(struct tokenizer *t, const char *text, size_t bytes,
                           struct merge_dropout *dropout, struct ids *out)
{
    TRY(check_text(t, text, bytes));
    ids_reserve(out, 0); /* no text is a list, too */
    switch (t->kind) {
    case TOKENIZER_BYTE:
        encode_bytes(text, bytes, out);
        break;
    case TOKENIZER_CHAR:
        return encode_chars(t, text, bytes, out);
    case TOKENIZER_BPE:
        return bpe_encode(t->bpe, text, bytes, dropout, out);
    case TOKENIZER_SUBWORD:
        subword_encode(t->subword, text, bytes, dropout, out);
        break;
    }
    return ERR_OK;
}

int tokenizer_encode(struct tokenizer *t, const char *text, size_t bytes, uint32_t **ids,
                     size_t *n)
{
    struct ids out = {0};
    const int err = tokenizer_encode_words(t, text, bytes, NULL, &out);
    if (err) {
        ids_fini(&out);
        return err;
    }
    *ids = out.at;
    *n = out.n;
    return ERR_OK;
}

bool tokenizer_unknown_token(const struct tokenizer *t, uint32_t *id)
{
    if (t->kind != TOKENIZER_SUBWORD)
        return false;
    *id = t->unknown;
    return true;
}

size_t tokenizer_unknown(const struct tokenizer *t, const uint32_t *ids, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n && t->kind == TOKENIZER_SUBWORD; i++)
        count += ids[i] == t->unknown;
    return count;
}

size_t tokenizer_cut(const struct tokenizer *t, const char *text, size_t bytes,
                     size_t from)
{
    return t->kind == TOKENIZER_BYTE      ? from
           : t->kind == TOKENIZER_SUBWORD ? words_spaced_cut(text, bytes, from)
                                          : words_cut(text, bytes, from);
}

void tokenizer_piece(const struct tokenizer *t, uint32_t id, const char **bytes,
                     size_t *n)
{
    *bytes = intern_get(t->pieces, id, n);
}
