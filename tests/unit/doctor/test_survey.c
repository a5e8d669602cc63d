/* Data with known troubles, and without. */
#include "support/test.h"

#include "base/err.h"
#include "base/philox.h"
#include "doctor/survey.h"
#include "doctor/tally.h"

enum { VOCAB = 16, TOKENS = 8000, PAIRS = 600 };

static uint32_t draw(uint64_t i, uint32_t below)
{
    const struct philox_block r =
        philox(philox_key(7, PHILOX_GENERATE),
               (struct philox_block){{(uint32_t)i, (uint32_t)(i >> 32), 0, 0}});
    return r.word[0] % below;
}

static void a_tally_counts(void **state)
{
    (void)state;
    struct tally t = {0};
    assert_int_equal(tally_of(&t, 5), 0);
    for (uint64_t round = 0; round < 3; round++)
        for (uint64_t key = 0; key < 5000; key++)
            assert_int_equal(tally_add(&t, key << 32), round);
    assert_int_equal(t.n, 5000);
    assert_int_equal(tally_of(&t, 4999ull << 32), 3);
    assert_int_equal(tally_of(&t, 5000ull << 32), 0);
    tally_fini(&t);
}

/* --- texts --- */

static struct tokens *text_of(const char *path, const uint32_t *token, size_t n)
{
    const struct tokens_info info = {.vocab = VOCAB,
                                     .tokenizer = "0123456789abcdef0123456789abcdef"};
    struct tokens_writer *w;
    struct tokens *t;
    assert_int_equal(tokens_writer_open(path, &info, &w), ERR_OK);
    assert_int_equal(tokens_writer_add(w, token, n), ERR_OK);
    assert_int_equal(tokens_writer_seal(w, 1, n), ERR_OK);
    assert_int_equal(tokens_writer_publish(w), ERR_OK);
    assert_int_equal(tokens_open(path, &t), ERR_OK);
    return t;
}

static struct survey survey_of_text(const uint32_t *train, const uint32_t *held_out)
{
    struct tokens *a = text_of("a.tokens", train, TOKENS),
                  *b = text_of("b.tokens", held_out, TOKENS / 8);
    struct survey s;
    survey_text(&s, a, b);
    tokens_close(a);
    tokens_close(b);
    return s;
}

static void a_text_without_order_is_told_from_one_with(void **state)
{
    (void)state;
    static uint32_t loose[2 * TOKENS], tied[2 * TOKENS];
    for (size_t i = 0; i < 2 * TOKENS; i++) {
        loose[i] = draw(i, VOCAB);
        /* half of the time the next of its predecessor */
        tied[i] =
            i > 0 && draw(i, 2) ? (tied[i - 1] + 1) % VOCAB : draw(i + 1000000, VOCAB);
    }
    struct survey s = survey_of_text(loose, loose + TOKENS);
    assert_true(fabs(s.unigram - log(VOCAB)) < 0.01);
    assert_true(s.bigram < 0.02);
    assert_true(s.repeated == 0 && s.known == 0 && !s.pairs && s.count == TOKENS);
    s = survey_of_text(tied, tied + TOKENS);
    /* p = 1/2 + 1/32 for the next one, 1/32 for each other: 1.76 nats of ln 16 */
    assert_true(fabs(s.bigram - (log(VOCAB) - 1.961)) < 0.1);
}

static void windows_that_come_again_are_found_wherever_they_stand(void **state)
{
    (void)state;
    static uint32_t token[TOKENS];
    for (size_t i = 0; i < TOKENS; i++)
        token[i] = i < TOKENS / 2 ? draw(i, VOCAB) : 0;
    for (size_t i = TOKENS / 2; i < TOKENS; i++) /* the first half, moved by three */
        token[i] = i < TOKENS / 2 + 3 ? 1 : token[i - TOKENS / 2 - 3];
    const struct survey s = survey_of_text(token, token + TOKENS / 4);
    assert_true(fabs(s.repeated - 0.5) < 0.05);
    assert_true(s.known == 1);
}

/* --- pairs --- */

enum how { FITTING, ROTATED, COPIED, WITHIN, TWICE };

static struct parallel *pairs_of(const char *path, enum how how, uint64_t from, size_t n)
{
    const struct parallel_info info = {.vocab = VOCAB,
                                       .tokenizer = "0123456789abcdef0123456789abcdef"};
    struct parallel_writer *w;
    struct parallel *p;
    assert_int_equal(parallel_writer_open(path, &info, &w), ERR_OK);
    for (size_t i = 0; i < n; i++) {
        uint32_t source[64], target[64];
        const uint64_t key = from + (how == TWICE ? i / 2 : i);
        const uint32_t a = 4 + draw(key, 20),
                       b = how == ROTATED ? 4 + draw(key + 1, 20) : a;
        for (uint32_t k = 0; k < 64; k++)
            source[k] = draw(key * 1000 + k, VOCAB);
        for (uint32_t k = 0; k < 64; k++)
            target[k] = how == COPIED   ? source[k]
                        : how == WITHIN ? source[k < 62 ? k + 2 : k]
                                        : draw(key * 1000 + 500 + k, VOCAB);
        parallel_writer_add(w, source, how == WITHIN ? a + 5 : a, target, b);
    }
    assert_int_equal(parallel_writer_seal(w, 1), ERR_OK);
    assert_int_equal(parallel_writer_publish(w), ERR_OK);
    assert_int_equal(parallel_open(path, &p), ERR_OK);
    return p;
}

static struct survey survey_of_pairs(enum how how, uint64_t held_out_from)
{
    struct parallel *a = pairs_of("a.pairs", how, 0, PAIRS),
                    *b = pairs_of("b.pairs", how, held_out_from, PAIRS / 10);
    struct survey s;
    survey_pairs(&s, a, b);
    parallel_close(a);
    parallel_close(b);
    return s;
}

static void pairs_tell_their_troubles(void **state)
{
    (void)state;
    struct survey s = survey_of_pairs(FITTING, 100000);
    assert_true(s.pairs && s.count == PAIRS && s.vocab == VOCAB);
    assert_true(s.lengths > 0.99 && s.same == 0 && s.contained == 0);
    assert_true(s.repeated == 0 && s.known == 0 && isnan(s.bigram));
    assert_true(s.unigram > log(VOCAB) && s.unigram < log(VOCAB + 1)); /* and ends */
    s = survey_of_pairs(FITTING, 0);
    assert_true(s.known == 1);
    assert_true(fabs(survey_of_pairs(ROTATED, 100000).lengths) < 0.15);
    assert_true(survey_of_pairs(COPIED, 100000).same == 1);
    s = survey_of_pairs(WITHIN, 100000);
    assert_true(s.same == 0 && s.contained == 1);
    assert_true(survey_of_pairs(TWICE, 100000).repeated == 0.5);
}

RUN(T(a_tally_counts), T(a_text_without_order_is_told_from_one_with),
    T(windows_that_come_again_are_found_wherever_they_stand),
    T(pairs_tell_their_troubles))
