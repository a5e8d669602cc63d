#include "text/tokenizer_spec.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "text/tokenizer.h"

enum { VOCAB_MIN = 257 /* 256 bytes and the end of text */ };

/* What follows "name:" in @text, or NULL. */
static const char *after(const char *text, const char *name)
{
    const size_t n = strlen(name);
    return strncmp(text, name, n) == 0 ? text + n : NULL;
}

static bool is_number(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == '\0';
}

/* The number, or 0 when there is none or it is too long. */
static unsigned long number(const char *text)
{
    return is_number(text) && strlen(text) < 10 ? strtoul(text, NULL, 10) : 0;
}

static int parse_vocab(const char *text, const char *size, struct tokenizer_spec *spec)
{
    const unsigned long vocab = number(size);
    if (vocab < VOCAB_MIN || vocab > TOKENIZER_VOCAB_MAX) {
        log_error("--tokenizer %s: expected a number of tokens from %d to %d after bpe:, "
                  "for example bpe:8192",
                  text, VOCAB_MIN, TOKENIZER_VOCAB_MAX);
        return is_number(size) ? ERR_RANGE : ERR_INVALID;
    }
    *spec = (struct tokenizer_spec){.kind = SPEC_BPE, .vocab = vocab};
    return ERR_OK;
}

static int parse_subword(const char *text, const char *what, struct tokenizer_spec *spec)
{
    const unsigned long merges = number(what);
    if (is_number(what) && (merges < 1 || merges > TOKENIZER_VOCAB_MAX)) {
        log_error("--tokenizer %s: expected a number of merges from 1 to %d after "
                  "subword:, for example subword:10000; or a file of codes",
                  text, TOKENIZER_VOCAB_MAX);
        return ERR_RANGE;
    }
    *spec = (struct tokenizer_spec){
        .kind = SPEC_SUBWORD, .codes = merges ? NULL : what, .merges = merges};
    return ERR_OK;
}

int tokenizer_spec_parse(const char *text, struct tokenizer_spec *spec)
{
    const char *dir = after(text, "gpt2:"), *size = after(text, "bpe:"),
               *subword = after(text, "subword:");
    if (strcmp(text, "byte") == 0)
        *spec = (struct tokenizer_spec){.kind = SPEC_BYTE};
    else if (strcmp(text, "char") == 0)
        *spec = (struct tokenizer_spec){.kind = SPEC_CHAR};
    else if (dir && *dir)
        *spec = (struct tokenizer_spec){.kind = SPEC_GPT2, .dir = dir};
    else if (size)
        return parse_vocab(text, size, spec);
    else if (subword && *subword)
        return parse_subword(text, subword, spec);
    else {
        log_error(
            "--tokenizer %s: expected byte, char, gpt2:DIR (the folder of encoder.json "
            "and vocab.bpe), bpe:SIZE (a number of tokens), subword:N (a number of "
            "merges) or subword:FILE (codes of subword-nmt)",
            text);
        return ERR_INVALID;
    }
    return ERR_OK;
}
