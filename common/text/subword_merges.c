#include "text/subword_merges.h"

#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "text/symbol.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

#define VERSION "#version: 0.2"

void subword_merges_init(struct subword_merges *m)
{
    *m = (struct subword_merges){.symbols = intern_new(), .pairs = pairs_new()};
}

void subword_merges_fini(struct subword_merges *m)
{
    intern_free(m->symbols);
    pairs_free(m->pairs);
    mem_free(m->list);
    *m = (struct subword_merges){0};
}

static void push(struct subword_merges *m, struct bpe_merge merge)
{
    if (m->n == m->room) {
        m->room = 2 * m->room + 256;
        m->list = mem_resize(m->list, mem_mul(m->room, sizeof *m->list));
    }
    m->list[m->n++] = merge;
}

/* @joined: left and right in one. */
static const char *objection(const char *joined, size_t left, size_t n)
{
    if (!symbol_valid(joined, left) || !symbol_valid(joined + left, n - left))
        return "a part of it is no text";
    if (symbol_is_last(joined, left))
        return "the end of a word, " SYMBOL_END ", is in its left part";
    if (symbol_is_last(joined, n) && !symbol_is_last(joined + left, n - left))
        return "its parts make up " SYMBOL_END ", which only the end of a word has";
    return NULL;
}

int subword_merges_add(struct subword_merges *m, const char *origin, size_t number,
                       const char *text, size_t bytes)
{
    const char *space = memchr(text, ' ', bytes);
    const size_t left = space ? (size_t)(space - text) : 0;
    if (!space || memchr(space + 1, ' ', bytes - left - 1)) {
        log_error("%s: merge %zu is not two symbols with one space between them", origin,
                  number);
        return ERR_DATA;
    }
    const size_t n = bytes - 1;
    char *joined = mem_alloc(n + 1);
    memcpy(joined, text, left);
    memcpy(joined + left, space + 1, n - left);
    const char *wrong = objection(joined, left, n);
    if (wrong) {
        log_error("%s: merge %zu: %s", origin, number, wrong);
        mem_free(joined);
        return ERR_DATA;
    }
    struct bpe_merge merge;
    merge.pair.left = intern_add(m->symbols, joined, left);
    merge.pair.right = intern_add(m->symbols, joined + left, n - left);
    merge.result = intern_add(m->symbols, joined, n);
    mem_free(joined);
    if (pairs_add(m->pairs, merge.pair) == m->n)
        push(m, merge);
    return ERR_OK;
}

static int check_file(const char *path, const char *text, size_t bytes)
{
    struct utf8_error where;
    if (utf8_check(text, bytes, &where) != 0) {
        log_error("%s:%zu: not valid UTF-8", path, where.line);
        return ERR_DATA;
    }
    const char *zero = memchr(text, '\0', bytes);
    if (zero) {
        log_error("%s:%zu: a zero byte; expected text", path,
                  utf8_line(text, (size_t)(zero - text)));
        return ERR_DATA;
    }
    return ERR_OK;
}

static int check_version(const char *path, const char *line, size_t n)
{
    if (n == strlen(VERSION) && memcmp(line, VERSION, n) == 0)
        return ERR_OK;
    log_error("%s:1: expected the line `%s`; give a file of codes as subword-nmt's "
              "learn-bpe writes it since its version 0.2",
              path, VERSION);
    return ERR_DATA;
}

static int read_lines(struct subword_merges *m, const char *path, const char *text,
                      size_t bytes)
{
    size_t number = 0;
    for (size_t at = 0, n; at < bytes || number == 0; at += n + 1, number++) {
        const char *line = text + at, *feed = memchr(line, '\n', bytes - at);
        n = feed ? (size_t)(feed - line) : bytes - at;
        size_t length = n;
        while (length && (line[length - 1] == ' ' || line[length - 1] == '\r'))
            length--;
        if (number == 0)
            TRY(check_version(path, line, length));
        else
            TRY(subword_merges_add(m, path, number, line, length));
    }
    return ERR_OK;
}

int subword_merges_read(struct subword_merges *m, const char *path)
{
    char *text;
    size_t bytes;
    TRY(file_read(path, TOKENIZER_FILE_MAX, &text, &bytes));
    int err = check_file(path, text, bytes);
    if (!err)
        err = read_lines(m, path, text, bytes);
    mem_free(text);
    return err;
}
