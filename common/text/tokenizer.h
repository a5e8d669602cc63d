/* tokenizer.h - text to token ids and back.
 *
 *      byte    a token per byte, V = 256, no end of text; any bytes, also invalid UTF-8
 *      char    a token per code point that occurs in the text, ascending (as nanoGPT),
 *              no end of text; U+0000 is refused
 *      bpe     byte-level BPE: GPT-2's (V = 50,257), or one learned from the text
 *              (tokenizer_train: bytes 0-255, then merges, <|endoftext|> last)
 *      subword parts of words, of text that has been split into words before: what
 *              subword-nmt makes of it (subword.h).  <unk>, <|endoftext|>, then every
 *              subword of the text it was made from, most frequent first, and the
 *              characters that occur in longer ones only; U+0000 is refused there.
 *              Tokens joined are the text with one space behind each word and none
 *              elsewhere, and "<unk>" for each character that has no token.
 *
 * Encoding gives ordinary tokens only: "<|endoftext|>" in the text is thirteen
 * characters, not the end of the text, so that nobody can write control tokens into data.
 *
 * On disk: tokenizer.json of Hugging Face's tokenizers, in the part of it that says
 * exactly what we do; see tokenizer_json.c for the numbered conditions.
 *
 * A tokenizer does not change, but encoding uses a cache of it: one thread at a time.
 * Errors are logged: ERR_DATA for bad text or files, ERR_TOO_BIG past a limit.
 */
#ifndef TEXT_TOKENIZER_H
#define TEXT_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

enum {
    TOKENIZER_VOCAB_MAX = 1 << 20,
    TOKENIZER_FILE_MAX = 256 << 20 /* bytes */
};

enum tokenizer_kind { TOKENIZER_BYTE, TOKENIZER_CHAR, TOKENIZER_BPE, TOKENIZER_SUBWORD };

/* Borrowed text; a corpus is an array of them. */
struct span {
    const char *text;
    size_t bytes;
};

struct tokenizer;

struct tokenizer *tokenizer_byte(void);

/* The code points of all @spans, valid UTF-8. ERR_DATA: no text at all, or U+0000. */
int tokenizer_char(const struct span *spans, size_t n, struct tokenizer **t);

struct tokenizer_training {
    size_t vocab; /* wanted, 257 to TOKENIZER_VOCAB_MAX; fewer when the text has no more
                     pairs that occur twice, with a warning */
    /* called every now and then; may be NULL */
    void (*progress)(void *ctx, size_t tokens, size_t wanted);
    void *progress_ctx;
};
int tokenizer_train(const struct span *spans, size_t n,
                    const struct tokenizer_training *how, struct tokenizer **t);

struct tokenizer_subwords {
    const char *codes; /* the merges, a file as of subword_merges.h; NULL: learn them */
    size_t merges; /* so many, fewer when no other pair occurs twice, with a warning */
    /* called every now and then while learning; may be NULL */
    void (*progress)(void *ctx, size_t merges, size_t wanted);
    void *progress_ctx;
};
/* The vocabulary is that of all @spans, valid UTF-8.  No word reaches across spans. */
int tokenizer_subwords(const struct span *spans, size_t n,
                       const struct tokenizer_subwords *how, struct tokenizer **t);

/* GPT-2's files: encoder.json and vocab.bpe in @dir, or, under the names that Hugging
 * Face gives them, vocab.json and merges.txt. */
int tokenizer_gpt2(const char *dir, struct tokenizer **t);

int tokenizer_load(const char *path, struct tokenizer **t);
int tokenizer_save(const struct tokenizer *t, const char *path);
void tokenizer_free(struct tokenizer *t);

enum tokenizer_kind tokenizer_kind(const struct tokenizer *t);
size_t tokenizer_vocab(const struct tokenizer *t); /* V: ids are 0 to V - 1 */
bool tokenizer_end_of_text(const struct tokenizer *t, uint32_t *id);
bool tokenizer_unknown_token(const struct tokenizer *t, uint32_t *id); /* <unk> */

/* The 128-bit hash of what tokenizer_save() writes: equal for tokenizers that do the
 * same.  Token files carry it. */
void tokenizer_hash(const struct tokenizer *t, char hex[HASH_HEX]);

/* *ids, to be freed with mem_free(), also when *n is 0. bpe, subword: below 2 GiB. */
int tokenizer_encode(struct tokenizer *t, const char *text, size_t bytes, uint32_t **ids,
                     size_t *n);

/* How many of the tokens are <unk>: characters of the text that have no token. Only
 * subword has it. */
size_t tokenizer_unknown(const struct tokenizer *t, const uint32_t *ids, size_t n);

/* BPE-dropout (merger.h): which merges are passed over is a function of all of these.
 * byte and char merge nothing and encode as ever. */
struct tokenizer_dropout {
    double p; /* of a merge, each time it could be made: 0 to 1 */
    uint64_t seed;
    uint32_t epoch, sample;
};

int tokenizer_encode_dropout(struct tokenizer *t, const char *text, size_t bytes,
                             const struct tokenizer_dropout *dropout, uint32_t **ids,
                             size_t *n);

/* Other tokens for the same text: @ids, each below V, as text and encoded with dropout.
 * Special tokens stay, and so does a piece of a word or character at an end of what is
 * between them, which is no text.  What tokenizer_encode() gave for a text becomes what
 * tokenizer_encode_dropout() gives for it, except that next to <unk> the beginning of its
 * word stays.  *again is to be freed with mem_free(). */
int tokenizer_resegment(struct tokenizer *t, const uint32_t *ids, size_t n,
                        const struct tokenizer_dropout *dropout, uint32_t **again,
                        size_t *again_n);

/* The first place at or behind @from where the text can be cut in two that encode to the
 * same tokens as the whole; @bytes when none is found. */
size_t tokenizer_cut(const struct tokenizer *t, const char *text, size_t bytes,
                     size_t from);

/* The bytes of a token, @id < V; borrowed for the tokenizer's life. Pieces of a BPE need
 * not be whole characters: joined, they are the text. */
void tokenizer_piece(const struct tokenizer *t, uint32_t id, const char **bytes,
                     size_t *n);

#endif
