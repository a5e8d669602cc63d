/* Sentences that are scored.  The first line of an input is the hypothesis, the others
 * are its references.  True of all bytes: tokenizing parts text and, but for what it
 * replaces, keeps all that is visible; lower case stays; the matching n-grams are those
 * that comparing each with each finds; sums add up; the references have no order; a score
 * is from 0 to 100, and a long enough sentence that is its own reference has 100. */
#include "fuzz/fuzz.h"

#include <math.h>
#include <stdbool.h>

#include "base/mem.h"
#include "score/bleu.h"
#include "score/chrf.h"
#include "score/ngrams.h"
#include "score/split.h"
#include "score/tokenize.h"
#include "text/lower.h"

enum {
    LINES = 5,
    LONG = 200 /* characters: comparing each with each takes their square */
};

static size_t cut(struct span text, struct span *lines)
{
    size_t n = 0;
    for (const char *at = text.text, *end = at + text.bytes; n < LINES; n++) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        lines[n] = (struct span){at, (size_t)((feed ? feed : end) - at)};
        if (!feed)
            return n + 1;
        at = feed + 1;
    }
    return n;
}

static bool same(const uint32_t *a, size_t a_n, const uint32_t *b, size_t b_n)
{
    return a_n == b_n && (a_n == 0 || memcmp(a, b, a_n * sizeof *a) == 0);
}

static void check_tokens(struct span text)
{
    size_t bytes, before_n, after_n;
    char *parted = tokenize_13a(text, &bytes);
    uint32_t *before = split_characters(text, &before_n);
    uint32_t *after = split_characters((struct span){parted, bytes}, &after_n);
    const bool replaces = text.bytes && (memchr(text.text, '&', text.bytes) ||
                                         memchr(text.text, '<', text.bytes));
    CHECK(replaces ? after_n <= before_n : same(before, before_n, after, after_n));
    mem_free(after);
    mem_free(before);
    mem_free(parted);
}

static void check_lower(struct span text)
{
    size_t once_n, twice_n;
    char *once = lower_text(text.text, text.bytes, &once_n);
    char *twice = lower_text(once, once_n, &twice_n);
    CHECK(once_n == twice_n && memcmp(once, twice, once_n) == 0);
    mem_free(twice);
    mem_free(once);
}

/* --- n-grams ----------------------------------------------------------------------- */

static uint64_t count(struct sequence s, const uint32_t *gram, size_t k)
{
    uint64_t n = 0;
    for (size_t i = 0; i < ngrams_count(s.n, k); i++)
        n += memcmp(s.ids + i, gram, k * sizeof *gram) == 0;
    return n;
}

static uint64_t matches(const struct sequence *s, size_t n, size_t k)
{
    uint64_t sum = 0;
    for (size_t at = 0; at < ngrams_count(s[0].n, k); at++) {
        const uint32_t *gram = s[0].ids + at;
        if (count((struct sequence){s[0].ids, at + k - 1}, gram, k) > 0)
            continue; /* counted where it stood first */
        const uint64_t own = count(s[0], gram, k);
        uint64_t most = 0;
        for (size_t i = 1; i < n; i++)
            most = count(s[i], gram, k) > most ? count(s[i], gram, k) : most;
        sum += own < most ? own : most;
    }
    return sum;
}

static void check_ngrams(const struct span *lines, size_t n)
{
    uint64_t match[CHRF_CHARACTERS];
    struct sequence s[LINES];
    for (size_t i = 0; i < n; i++) {
        s[i].ids = split_characters(lines[i], &s[i].n);
        s[i].n = s[i].n < LONG ? s[i].n : LONG;
    }
    ngrams_match(s, n, CHRF_CHARACTERS, match);
    for (size_t k = 1; k <= CHRF_CHARACTERS; k++)
        CHECK(match[k - 1] == matches(s, n, k));
    for (size_t i = 0; i < n; i++)
        mem_free((void *)s[i].ids);
}

/* --- scores ------------------------------------------------------------------------ */

static void check_score(double score)
{
    CHECK(score >= 0 && score <= 100 + 1e-9); /* false of NaN */
}

static struct bleu_sums bleu_of(const struct span *lines, size_t n,
                                const struct bleu_options *o)
{
    struct bleu_sums sums = {0};
    bleu_add(&sums, o, lines[0], lines + 1, n - 1);
    for (size_t k = 0; k < BLEU_ORDERS; k++)
        CHECK(sums.match[k] <= sums.total[k]);
    for (enum bleu_smooth s = 0; bleu_smooth_name(s); s++)
        check_score(bleu_score(&sums, s).score);
    return sums;
}

static void check_bleu(const struct span *lines, size_t n, const struct bleu_options *o)
{
    const struct bleu_sums one = bleu_of(lines, n, o);
    struct span turned[LINES] = {lines[0]};
    for (size_t i = 1; i < n; i++)
        turned[i] = lines[n - i];
    const struct bleu_sums again = bleu_of(turned, n, o);
    CHECK(memcmp(&one, &again, sizeof one) == 0);

    struct bleu_sums added = one, merged = one;
    bleu_add(&added, o, lines[0], lines + 1, n - 1);
    bleu_merge(&merged, &one);
    CHECK(memcmp(&added, &merged, sizeof added) == 0);

    const struct span self[] = {lines[0], lines[0]};
    const struct bleu_sums full = bleu_of(self, 2, o);
    CHECK(full.hypothesis < BLEU_ORDERS ||
          fabs(bleu_score(&full, BLEU_SMOOTH_NONE).score - 100) < 1e-9);
}

static void check_chrf(const struct span *lines, size_t n, const struct chrf_options *o)
{
    double best = 0;
    struct chrf_sums all = {0};
    chrf_add(&all, o, lines[0], lines + 1, n - 1);
    for (size_t i = 1; i < n; i++) {
        struct chrf_sums one = {0};
        chrf_add(&one, o, lines[0], lines + i, 1);
        check_score(chrf_score(&one));
        best = fmax(best, chrf_score(&one));
    }
    CHECK(chrf_score(&all) == best);
    struct chrf_sums self = {0};
    chrf_add(&self, o, lines[0], lines, 1);
    CHECK(self.match[0] == 0 || fabs(chrf_score(&self) - 100) < 1e-9);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct span lines[LINES];
    char *text = fuzz_text(data, bytes);
    const size_t n = cut((struct span){text, bytes}, lines);
    for (size_t i = 0; i < n; i++) {
        check_tokens(lines[i]);
        check_lower(lines[i]);
    }
    if (n >= 2) {
        check_ngrams(lines, n);
        for (int how = 0; how < 4; how++) {
            check_bleu(lines, n,
                       &(struct bleu_options){.tokens = how & 1, .lowercase = how & 2});
            check_chrf(lines, n,
                       &(struct chrf_options){.words = how & 1, .lowercase = how & 2});
        }
    }
    free(text);
    return 0;
}
