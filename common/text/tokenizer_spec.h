/* tokenizer_spec.h - how people name a tokenizer:
 *
 *      byte          a token per byte
 *      char          a token per character of the text
 *      gpt2:DIR      GPT-2's, from encoder.json and vocab.bpe in DIR
 *      bpe:SIZE      a BPE of SIZE tokens learned from the text
 *      subword:N     subwords by N merges learned from the text, as subword-nmt does
 *      subword:FILE  subwords by the merges of a file of subword-nmt's codes; a file
 * whose name is a number is ./NAME
 */
#ifndef TEXT_TOKENIZER_SPEC_H
#define TEXT_TOKENIZER_SPEC_H

#include <stddef.h>

enum tokenizer_spec_kind { SPEC_BYTE, SPEC_CHAR, SPEC_GPT2, SPEC_BPE, SPEC_SUBWORD };

struct tokenizer_spec {
    enum tokenizer_spec_kind kind;
    const char *dir;   /* gpt2; borrowed from the text that was parsed */
    size_t vocab;      /* bpe */
    const char *codes; /* subword: the file, borrowed as dir; NULL: learn so many */
    size_t merges;
};

/* ERR_INVALID, ERR_RANGE; logged. */
int tokenizer_spec_parse(const char *text, struct tokenizer_spec *spec);

#endif
