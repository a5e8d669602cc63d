/* tokenizer_gpt2.c - GPT-2's own files (openai/gpt-2, encoder.py).
 *
 *      encoder.json   {"token": id, ...}
 *      vocab.bpe      "#version: 0.2", then one merge "left right" per line, best first
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "text/tokenizer_draft.h"

static int read_vocab(struct draft *d, json_t *vocab)
{
    json_t *end = json_object_get(vocab, END_OF_TEXT);
    if (end)
        TRY(draft_special(d, END_OF_TEXT, strlen(END_OF_TEXT), end));
    TRY(draft_vocab(d, vocab, true));
    return draft_pieces(d);
}

static int read_merges(struct draft *d, const char *text, size_t bytes)
{
    size_t number = 0;
    for (size_t at = 0, n; at < bytes; at += n + 1) {
        const char *line = text + at, *feed = memchr(line, '\n', bytes - at);
        n = feed ? (size_t)(feed - line) : bytes - at;
        const size_t length = n && line[n - 1] == '\r' ? n - 1 : n;
        if (length == 0 || (at == 0 && length >= 8 && memcmp(line, "#version", 8) == 0))
            continue;
        TRY(draft_merge(d, ++number, line, length));
    }
    return ERR_OK;
}

static int read_both(const char *vocab_path, json_t *vocab, const char *merges_path,
                     struct tokenizer **t)
{
    struct draft d;
    char *text = NULL;
    size_t bytes;
    int err = draft_init(&d, json_object_size(vocab), vocab_path);
    if (!err)
        err = read_vocab(&d, vocab);
    if (!err)
        err = file_read(merges_path, TOKENIZER_FILE_MAX, &text, &bytes);
    d.path = merges_path;
    if (!err)
        err = read_merges(&d, text, bytes);
    if (!err)
        err = draft_take_bpe(&d, t);
    mem_free(text);
    draft_fini(&d);
    return err;
}

static int load_pair(const char *vocab_path, const char *merges_path,
                     struct tokenizer **t)
{
    char *text;
    size_t bytes;
    TRY(file_read(vocab_path, TOKENIZER_FILE_MAX, &text, &bytes));
    json_error_t e;
    json_t *vocab = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &e);
    mem_free(text);
    int err = ERR_DATA;
    if (!vocab)
        log_error("%s:%d: %s", vocab_path, e.line, e.text);
    else if (!json_is_object(vocab))
        log_error("%s: expected a JSON object of tokens and their ids", vocab_path);
    else
        err = read_both(vocab_path, vocab, merges_path, t);
    json_decref(vocab);
    return err;
}

int tokenizer_gpt2(const char *dir, struct tokenizer **t)
{
    static const char *const names[][2] = {{"encoder.json", "vocab.bpe"},
                                           {"vocab.json", "merges.txt"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *vocab = file_join(dir, names[i][0]), *merges = file_join(dir, names[i][1]);
        const bool there = file_exists(vocab) && file_exists(merges);
        const int err = there ? load_pair(vocab, merges, t) : ERR_NO_FILE;
        mem_free(vocab);
        mem_free(merges);
        if (there)
            return err;
    }
    log_error(
        "could not load GPT-2's tokenizer: %s has neither encoder.json and vocab.bpe "
        "nor vocab.json and merges.txt; name the folder that holds them",
        dir);
    return ERR_NO_FILE;
}
