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

static int parse_vocab(const char *text, const char *size, struct tokenizer_spec *spec)
{
    const size_t digits = strspn(size, "0123456789");
    const bool number = digits > 0 && size[digits] == '\0';
    const unsigned long vocab = number && digits < 10 ? strtoul(size, NULL, 10) : 0;
    if (vocab < VOCAB_MIN || vocab > TOKENIZER_VOCAB_MAX) {
        log_error("--tokenizer %s: expected a number of tokens from %d to %d after bpe:, "
                  "for example bpe:8192",
                  text, VOCAB_MIN, TOKENIZER_VOCAB_MAX);
        return number ? ERR_RANGE : ERR_INVALID;
    }
    *spec = (struct tokenizer_spec){.kind = SPEC_BPE, .vocab = vocab};
    return ERR_OK;
}

int tokenizer_spec_parse(const char *text, struct tokenizer_spec *spec)
{
    const char *dir = after(text, "gpt2:"), *size = after(text, "bpe:");
    if (strcmp(text, "byte") == 0)
        *spec = (struct tokenizer_spec){.kind = SPEC_BYTE};
    else if (strcmp(text, "char") == 0)
        *spec = (struct tokenizer_spec){.kind = SPEC_CHAR};
    else if (dir && *dir)
        *spec = (struct tokenizer_spec){.kind = SPEC_GPT2, .dir = dir};
    else if (size)
        return parse_vocab(text, size, spec);
    else {
        log_error(
            "--tokenizer %s: expected byte, char, gpt2:DIR (the folder of encoder.json "
            "and vocab.bpe) or bpe:SIZE (a number of tokens)",
            text);
        return ERR_INVALID;
    }
    return ERR_OK;
}
