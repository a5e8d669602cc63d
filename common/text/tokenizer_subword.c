/* tokenizer_subword.c - a tokenizer of subwords from its merges and its tokens. */
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "text/subword_merges.h"
#include "text/symbol.h"
#include "text/tokenizer_parts.h"

/* What a token stands for, as text: a space ends a word. */
static uint32_t add_piece(struct intern *pieces, const char *token, size_t n, bool symbol)
{
    if (!symbol || !symbol_is_last(token, n))
        return intern_add(pieces, token, n);
    const size_t text = symbol_text(token, n);
    char *piece = mem_alloc(text + 1);
    memcpy(piece, token, text);
    piece[text] = ' ';
    const bool line = text == 1 && *token == '\n';
    const uint32_t id = intern_add(pieces, piece, line ? 1 : text + 1);
    mem_free(piece);
    return id;
}

static int check_token(const char *origin, uint32_t id, const char *token, size_t n)
{
    const bool line =
        n == strlen(SYMBOL_LINE) && memcmp(token, SYMBOL_LINE, strlen(SYMBOL_LINE)) == 0;
    if (line || symbol_valid(token, n))
        return ERR_OK;
    log_error("%s: token %u cannot stand in a text that is split at spaces and line ends",
              origin, id);
    return ERR_DATA;
}

static int make_pieces(const struct intern *tokens, const bool *special,
                       const char *origin, struct intern *pieces)
{
    for (uint32_t id = 0; id < intern_count(tokens); id++) {
        size_t n;
        const char *token = intern_get(tokens, id, &n);
        if (!special[id])
            TRY(check_token(origin, id, token, n));
        const uint32_t first = add_piece(pieces, token, n, !special[id]);
        if (first != id) {
            log_error("%s: tokens %u and %u stand for the same text", origin, first, id);
            return ERR_DATA;
        }
    }
    return ERR_OK;
}

static uint32_t find_special(const struct intern *tokens, const bool *special,
                             const char *token)
{
    const uint32_t id = intern_find(tokens, token, strlen(token));
    return id != INTERN_NONE && special[id] ? id : INTERN_NONE;
}

/* Tokens of one character may be new among the symbols. */
static struct subword *make_subword(struct subword_merges *m, const struct intern *tokens,
                                    const bool *special, uint32_t unknown)
{
    uint32_t *symbols = mem_alloc(mem_mul(intern_count(tokens), sizeof *symbols));
    for (uint32_t id = 0; id < intern_count(tokens); id++) {
        size_t n;
        const char *token = intern_get(tokens, id, &n);
        symbols[id] = special[id] ? INTERN_NONE : intern_add(m->symbols, token, n);
    }
    struct subword *s = subword_new(m->symbols, m->list, m->n, unknown);
    for (uint32_t id = 0; id < intern_count(tokens); id++)
        if (!special[id])
            subword_name(s, symbols[id], id);
    mem_free(symbols);
    return s;
}

int tokenizer_from_subwords(struct subword_merges *m, const struct intern *tokens,
                            bool *special, const char *origin, struct tokenizer **t)
{
    const uint32_t unknown = find_special(tokens, special, UNKNOWN);
    struct intern *pieces = intern_new();
    int err = make_pieces(tokens, special, origin, pieces);
    if (!err && unknown == INTERN_NONE) {
        log_error("%s: a tokenizer of subwords needs the special token " UNKNOWN, origin);
        err = ERR_DATA;
    }
    if (err) {
        intern_free(pieces);
        mem_free(special);
        return err;
    }
    *t = mem_zalloc(sizeof **t);
    **t = (struct tokenizer){.kind = TOKENIZER_SUBWORD,
                             .pieces = pieces,
                             .special = special,
                             .unknown = unknown,
                             .end = find_special(tokens, special, END_OF_TEXT),
                             .symbols = m->symbols,
                             .subword = make_subword(m, tokens, special, unknown)};
    m->symbols = NULL;
    return ERR_OK;
}
