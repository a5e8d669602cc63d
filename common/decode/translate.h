/* translate.h - sentences of one language as token ids into those of another, several at
 * a time: a model with an encoder (nn/decode.h) and a beam search for each (beam.h).
 *
 *      struct translator *tr = translator_new(&t, &options, sentences, rows);
 *      TRY(translate(tr, theta, sources, B, results));
 *
 * A translation is a function of theta and of the sentences of its batch, in their order:
 * to rounding, of its own sentence alone.  Neither threads nor what was translated before
 * matter.
 *
 * One thread at a time; a translator each.
 */
#ifndef DECODE_TRANSLATE_H
#define DECODE_TRANSLATE_H

#include <stddef.h>
#include <stdint.h>

#include "decode/beam.h"
#include "nn/transformer.h"

struct translate_options {
    struct beam_options beam; /* end: starts translations, ends them and sources */
    /* a translation has at most ratio * (tokens of the source and its end) + longest
     * tokens, and one less than the context */
    double ratio;
    size_t longest;
    size_t best; /* translations of each sentence, 1 to beam.beam */
};

/* fairseq's: beam 5, per token, up to 200 tokens, not empty, one. */
struct translate_options translate_defaults(uint32_t end);

struct sentence { /* without the end; borrowed */
    const uint32_t *tokens;
    size_t n; /* 1 to the context less one; asserted, as tokens below the vocabulary */
};

struct translation {
    uint32_t *tokens; /* [n], without the end; owned */
    size_t n;
    double score; /* as beam.h judges it */
};

struct translations { /* of one sentence, best first */
    struct translation *at;
    size_t n; /* 1 to best: fewer when no more were found */
};

/* That are translated together, by whoever: more gain little. */
enum { TRANSLATE_SENTENCES = 64 };

struct translator;

/* For up to @sentences at a time with @rows tokens, ends included, in all.  @t is
 * borrowed; it has an encoder. */
struct translator *translator_new(const struct transformer *t,
                                  const struct translate_options *o, size_t sentences,
                                  size_t rows);
void translator_free(struct translator *tr);

/* out [B]  <-  sources [B], 1 to @sentences; to be freed with translations_fini().
 * ERR_DATA (logged): the model says what is no number; then there is nothing to free. */
int translate(struct translator *tr, const real *theta, const struct sentence *sources,
              size_t B, struct translations *out);

void translations_fini(struct translations *t);

#endif
