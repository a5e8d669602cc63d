#include "score/chrf.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "score/ngrams.h"
#include "score/split.h"
#include "text/intern.h"
#include "text/lower.h"

/* A sentence as characters and as words. */
struct sentence {
    uint32_t *codes, *words;
    size_t codes_n, words_n;
};

static bool punctuation(const char *c)
{
    return *c && strchr("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", *c);
}

/* Bytes of the first of the two parts of a word; all when it is one. */
static size_t first_part(struct span w)
{
    uint32_t code;
    if (split_next(w.text, w.bytes, &code) == w.bytes)
        return w.bytes; /* a single character */
    if (punctuation(w.text + w.bytes - 1))
        return w.bytes - 1;
    return punctuation(w.text) ? 1 : w.bytes;
}

static uint32_t *number_words(struct span text, struct intern *m, size_t *n)
{
    size_t words_n;
    struct span *words = split_words(text, &words_n);
    uint32_t *ids = mem_alloc(2 * words_n * sizeof *ids);
    *n = 0;
    for (size_t i = 0; i < words_n; i++) {
        const struct span w = words[i];
        const size_t part = first_part(w);
        ids[(*n)++] = intern_add(m, w.text, part);
        if (part < w.bytes)
            ids[(*n)++] = intern_add(m, w.text + part, w.bytes - part);
    }
    mem_free(words);
    return ids;
}

static struct sentence sentence_of(const struct chrf_options *o, struct span text,
                                   struct intern *m)
{
    char *lower = NULL;
    if (o->lowercase)
        text.text = lower = lower_text(text.text, text.bytes, &text.bytes);
    struct sentence s = {0};
    s.codes = split_characters(text, &s.codes_n);
    if (o->words)
        s.words = number_words(text, m, &s.words_n);
    mem_free(lower);
    return s;
}

static void sentence_free(struct sentence s)
{
    mem_free(s.codes);
    mem_free(s.words);
}

/* Where the reference has no k-gram, those of the hypothesis do not count: so it is in
 * sacreBLEU, and it matters for a sentence shorter than k among longer ones. */
static void count(struct sequence hypothesis, struct sequence reference, size_t orders,
                  struct chrf_sums *c, size_t first)
{
    const struct sequence both[] = {hypothesis, reference};
    ngrams_match(both, 2, orders, c->match + first);
    for (size_t k = 0; k < orders; k++) {
        const size_t there = ngrams_count(reference.n, k + 1);
        c->reference[first + k] = there;
        c->hypothesis[first + k] = there ? ngrams_count(hypothesis.n, k + 1) : 0;
    }
}

static struct chrf_sums compare(struct sentence h, struct sentence r)
{
    struct chrf_sums c = {0};
    count((struct sequence){h.codes, h.codes_n}, (struct sequence){r.codes, r.codes_n},
          CHRF_CHARACTERS, &c, 0);
    count((struct sequence){h.words, h.words_n}, (struct sequence){r.words, r.words_n},
          CHRF_WORDS, &c, CHRF_CHARACTERS);
    return c;
}

void chrf_add(struct chrf_sums *sums, const struct chrf_options *o,
              struct span hypothesis, const struct span *references, size_t n)
{
    assert(n >= 1);
    struct intern *m = intern_new();
    const struct sentence h = sentence_of(o, hypothesis, m);
    struct chrf_sums best = {0};
    double best_score = -1;
    for (size_t i = 0; i < n; i++) {
        const struct sentence r = sentence_of(o, references[i], m);
        const struct chrf_sums c = compare(h, r);
        const double score = chrf_score(&c);
        if (score > best_score) {
            best_score = score;
            best = c;
        }
        sentence_free(r);
    }
    chrf_merge(sums, &best);
    sentence_free(h);
    intern_free(m);
}

void chrf_merge(struct chrf_sums *sums, const struct chrf_sums *more)
{
    for (size_t k = 0; k < CHRF_ORDERS; k++) {
        sums->hypothesis[k] += more->hypothesis[k];
        sums->reference[k] += more->reference[k];
        sums->match[k] += more->match[k];
    }
}

double chrf_score(const struct chrf_sums *sums)
{
    const double beta2 = 2 * 2;
    double precision = 0, recall = 0;
    size_t orders = 0;
    for (size_t k = 0; k < CHRF_ORDERS; k++) {
        assert(sums->match[k] <= sums->hypothesis[k]);
        assert(sums->match[k] <= sums->reference[k]);
        if (sums->hypothesis[k] == 0 || sums->reference[k] == 0)
            continue;
        precision += (double)sums->match[k] / (double)sums->hypothesis[k];
        recall += (double)sums->match[k] / (double)sums->reference[k];
        orders++;
    }
    if (precision + recall == 0)
        return 0;
    precision /= (double)orders;
    recall /= (double)orders;
    return 100 * (1 + beta2) * precision * recall / (beta2 * precision + recall);
}

const char *chrf_name(const struct chrf_options *o)
{
    return o->words ? "chrF2++" : "chrF2";
}

char *chrf_signature(char text[SCORE_SIGNATURE], const struct chrf_options *o,
                     size_t references)
{
    const int n = snprintf(text, SCORE_SIGNATURE,
                           "nrefs:%zu|case:%s|eff:yes|nc:%d|nw:%d|space:no|version:"
                           "lockstep-" LOCKSTEP_VERSION,
                           references, o->lowercase ? "lc" : "mixed", CHRF_CHARACTERS,
                           o->words ? CHRF_WORDS : 0);
    assert(n < SCORE_SIGNATURE);
    (void)n;
    return text;
}
