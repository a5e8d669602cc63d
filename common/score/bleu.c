#include "score/bleu.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "score/ngrams.h"
#include "score/split.h"
#include "score/tokenize.h"
#include "text/intern.h"
#include "text/lower.h"

static const char *const tokens_names[] = {"13a", "none"};
static const char *const smooth_names[] = {"exp", "none", "floor"};
static const double floor_match = 0.1; /* of Chen and Cherry's method 1 */

enum {
    TOKENS_NAMES = sizeof tokens_names / sizeof *tokens_names,
    SMOOTH_NAMES = sizeof smooth_names / sizeof *smooth_names
};

const char *bleu_tokens_name(enum bleu_tokens tokens)
{
    return (size_t)tokens < TOKENS_NAMES ? tokens_names[tokens] : NULL;
}

const char *bleu_smooth_name(enum bleu_smooth smooth)
{
    return (size_t)smooth < SMOOTH_NAMES ? smooth_names[smooth] : NULL;
}

/* --- sentences ---------------------------------------------------------------------- */

/* The tokens as numbers; to be freed. */
static uint32_t *number(const struct bleu_options *o, struct span text, struct intern *m,
                        size_t *n)
{
    char *lower = NULL, *parted = NULL;
    if (o->lowercase)
        text.text = lower = lower_text(text.text, text.bytes, &text.bytes);
    if (o->tokens == BLEU_TOKENS_13A)
        text.text = parted = tokenize_13a(text, &text.bytes);
    struct span *words = split_words(text, n);
    uint32_t *ids = mem_alloc(*n * sizeof *ids);
    for (size_t i = 0; i < *n; i++)
        ids[i] = intern_add(m, words[i].text, words[i].bytes);
    mem_free(words);
    mem_free(parted);
    mem_free(lower);
    return ids;
}

static size_t distance(size_t a, size_t b)
{
    return a < b ? b - a : a - b;
}

static size_t nearest_length(const struct sequence *s, size_t n)
{
    size_t best = s[1].n;
    for (size_t i = 2; i < n; i++) {
        const size_t d = distance(s[i].n, s[0].n), least = distance(best, s[0].n);
        if (d < least || (d == least && s[i].n < best))
            best = s[i].n;
    }
    return best;
}

void bleu_add(struct bleu_sums *sums, const struct bleu_options *o,
              struct span hypothesis, const struct span *references, size_t n)
{
    assert(n >= 1);
    struct intern *m = intern_new();
    struct sequence *s = mem_alloc(mem_mul(n + 1, sizeof *s));
    for (size_t i = 0; i <= n; i++)
        s[i].ids = number(o, i ? references[i - 1] : hypothesis, m, &s[i].n);
    uint64_t match[BLEU_ORDERS];
    ngrams_match(s, n + 1, BLEU_ORDERS, match);
    for (size_t k = 0; k < BLEU_ORDERS; k++) {
        sums->match[k] += match[k];
        sums->total[k] += ngrams_count(s[0].n, k + 1);
    }
    sums->hypothesis += s[0].n;
    sums->reference += nearest_length(s, n + 1);
    for (size_t i = 0; i <= n; i++)
        mem_free((void *)s[i].ids);
    mem_free(s);
    intern_free(m);
}

void bleu_merge(struct bleu_sums *sums, const struct bleu_sums *more)
{
    sums->hypothesis += more->hypothesis;
    sums->reference += more->reference;
    for (size_t k = 0; k < BLEU_ORDERS; k++) {
        sums->match[k] += more->match[k];
        sums->total[k] += more->total[k];
    }
}

/* --- the score ---------------------------------------------------------------------- */

static double brevity(uint64_t hypothesis, uint64_t reference)
{
    if (hypothesis >= reference)
        return 1;
    return hypothesis ? exp(1 - (double)reference / (double)hypothesis) : 0;
}

/* What counts as matching where nothing does. */
static double smoothed(enum bleu_smooth smooth, double *half)
{
    switch (smooth) {
    case BLEU_SMOOTH_EXP:
        return *half /= 2;
    case BLEU_SMOOTH_FLOOR:
        return floor_match;
    case BLEU_SMOOTH_NONE:
        break;
    }
    return 0;
}

struct bleu bleu_score(const struct bleu_sums *sums, enum bleu_smooth smooth)
{
    struct bleu b = {.brevity = brevity(sums->hypothesis, sums->reference)};
    if (sums->reference)
        b.ratio = (double)sums->hypothesis / (double)sums->reference;
    if (sums->match[0] == 0) /* then none of the longer ones matches either */
        return b;
    double logs = 0, half = 1;
    for (size_t k = 0; k < BLEU_ORDERS; k++) {
        assert(sums->match[k] <= sums->total[k]);
        if (sums->total[k] == 0)
            return b;
        const double match =
            sums->match[k] ? (double)sums->match[k] : smoothed(smooth, &half);
        b.precision[k] = 100 * match / (double)sums->total[k];
        logs += log(b.precision[k]); /* of 0: minus infinity, and the score is 0 */
    }
    b.score = b.brevity * exp(logs / BLEU_ORDERS);
    return b;
}

char *bleu_signature(char text[SCORE_SIGNATURE], const struct bleu_options *o,
                     size_t references)
{
    const int n = snprintf(
        text, SCORE_SIGNATURE,
        "nrefs:%zu|case:%s|eff:no|tok:%s|smooth:%s%s|version:lockstep-" LOCKSTEP_VERSION,
        references, o->lowercase ? "lc" : "mixed", bleu_tokens_name(o->tokens),
        bleu_smooth_name(o->smooth), o->smooth == BLEU_SMOOTH_FLOOR ? "[0.10]" : "");
    assert(n < SCORE_SIGNATURE);
    (void)n;
    return text;
}
