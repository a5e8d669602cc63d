#include "support/test.h"

#include "base/hash.h"
#include "score/ngrams.h"

static void kgrams_of_short_sequences(void **state)
{
    (void)state;
    assert_int_equal(ngrams_count(5, 1), 5);
    assert_int_equal(ngrams_count(5, 5), 1);
    assert_int_equal(ngrams_count(5, 6), 0);
    assert_int_equal(ngrams_count(0, 1), 0);
}

static void matches_are_clipped_by_the_richest_reference(void **state)
{
    (void)state;
    const uint32_t h[] = {7, 7, 7, 7}, one[] = {7, 7, 9}, other[] = {7, 9, 7, 9, 7};
    const struct sequence s[] = {{h, 4}, {one, 3}, {other, 5}};
    uint64_t match[3];
    ngrams_match(s, 3, 3, match);
    assert_int_equal(match[0], 3); /* of the second, not 2 + 3 */
    assert_int_equal(match[1], 1); /* of the first */
    assert_int_equal(match[2], 0);
    ngrams_match(s, 2, 3, match);
    assert_int_equal(match[0], 2);
}

static void ids_of_any_size_and_empty_sequences(void **state)
{
    (void)state;
    const uint32_t h[] = {UINT32_MAX, 0, UINT32_MAX};
    const struct sequence same[] = {{h, 3}, {h, 3}}, none[] = {{h, 3}, {NULL, 0}},
                          nothing[] = {{NULL, 0}, {NULL, 0}};
    uint64_t match[4];
    ngrams_match(same, 2, 4, match);
    for (size_t k = 0; k < 4; k++)
        assert_int_equal(match[k], 3 - k);
    ngrams_match(none, 2, 4, match);
    assert_int_equal(match[0], 0);
    ngrams_match(nothing, 2, 4, match);
    assert_int_equal(match[3], 0);
}

/* The definition: each k-gram of s[0], at its first place, counted everywhere. */
static uint64_t counted(const struct sequence *s, size_t at, size_t k, struct sequence in)
{
    uint64_t n = 0;
    for (size_t i = 0; i < ngrams_count(in.n, k); i++)
        n += memcmp(in.ids + i, s[0].ids + at, k * sizeof *in.ids) == 0;
    return n;
}

static uint64_t defined(const struct sequence *s, size_t n, size_t k)
{
    uint64_t sum = 0;
    for (size_t at = 0; at < ngrams_count(s[0].n, k); at++) {
        const struct sequence before = {s[0].ids, at + k - 1};
        if (counted(s, at, k, before) > 0)
            continue;
        uint64_t most = 0;
        for (size_t i = 1; i < n; i++) {
            const uint64_t c = counted(s, at, k, s[i]);
            most = c > most ? c : most;
        }
        const uint64_t own = counted(s, at, k, s[0]);
        sum += own < most ? own : most;
    }
    return sum;
}

static uint32_t draw(uint64_t *counter)
{
    ++*counter;
    return (uint32_t)hash64(counter, sizeof *counter);
}

static void random_sequences_match_as_defined(void **state)
{
    (void)state;
    enum { ROUNDS = 300, LENGTH = 40, SEQUENCES = 4, ORDERS = 6 };
    uint32_t ids[SEQUENCES][LENGTH];
    uint64_t counter = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct sequence s[SEQUENCES];
        for (size_t i = 0; i < SEQUENCES; i++) {
            for (size_t j = 0; j < LENGTH; j++)
                ids[i][j] = draw(&counter) % 4;
            s[i] = (struct sequence){ids[i], draw(&counter) % LENGTH};
        }
        uint64_t match[ORDERS];
        ngrams_match(s, SEQUENCES, ORDERS, match);
        for (size_t k = 1; k <= ORDERS; k++)
            assert_int_equal(match[k - 1], defined(s, SEQUENCES, k));
    }
}

RUN(T(kgrams_of_short_sequences), T(matches_are_clipped_by_the_richest_reference),
    T(ids_of_any_size_and_empty_sequences), T(random_sequences_match_as_defined))
