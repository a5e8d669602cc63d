#include "support/test.h"

#include "score/chrf.h"

#define assert_near(got, expected) assert_true(fabs((got) - (expected)) < 1e-7)

static const struct chrf_options characters = {0}, words = {.words = true};

static struct span span(const char *text)
{
    return (struct span){text, strlen(text)};
}

static void add(struct chrf_sums *sums, const struct chrf_options *o,
                const char *hypothesis, const char *reference)
{
    const struct span r = span(reference);
    chrf_add(sums, o, span(hypothesis), &r, 1);
}

static double score(const struct chrf_options *o, const char *hypothesis,
                    const char *reference)
{
    struct chrf_sums sums = {0};
    add(&sums, o, hypothesis, reference);
    return chrf_score(&sums);
}

static void scores_computed_by_hand(void **state)
{
    (void)state;
    static const struct {
        const char *hypothesis, *reference;
        double score;
    } cases[] = {
        {"", "", 0},
        {"", "reference", 0},
        {"a", "", 0},
        {"a", "b", 0},
        {"abcdefg", "hijklmnop", 0},
        {"a", "a", 100},          /* of one length only, which counts alone */
        {"a b c", "abc", 100},    /* white space does not count */
        {"aa", "ab", 25},         /* 1 of 2, 0 of 1 */
        {"abc de", "abd de", 26}, /* abcde, abdde: 4 of 5, 2 of 4, 0 of 3, of 2, of 1 */
        /* lengths 1 and 2 count: P (2/2 + 1/1) / 2, R (2/4 + 1/3) / 2 = 5/12;
         * 5 P R / (4 P + R) = (25/12) / (53/12) */
        {"ab", "abcd", 2500. / 53},
        {"abcd", "ab", 2500. / 32},  /* P 5/12, R 1: (25/12) / (20/12 + 1) */
        {"\xC3\xA4", "\xC3\xB6", 0}, /* share a byte, not a character */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_near(score(&characters, cases[i].hypothesis, cases[i].reference),
                    cases[i].score);
}

static void words_count_in_chrf_plus_plus(void **state)
{
    (void)state;
    /* in addition 1 word of 2 and 0 pairs of 1: (.8 + .5 + .5) / 7 */
    assert_near(score(&words, "abc de", "abd de"), 180. / 7);
    /* one mark is cut off a word, at its end or, if there is none, at its beginning:
     *      (hi | ) | " | b | , | . | x | -
     *      ( | hi | ) | " | b | , | . | x | - */
    struct chrf_sums sums = {0};
    add(&sums, &words, "(hi) \"b , .x -", "(hi ) \" b , . x -");
    assert_int_equal(sums.hypothesis[CHRF_CHARACTERS], 8);
    assert_int_equal(sums.reference[CHRF_CHARACTERS], 9);
    assert_int_equal(sums.match[CHRF_CHARACTERS], 7);
    assert_int_equal(sums.match[CHRF_CHARACTERS + 1], 6);
    assert_int_equal(sums.match[0], sums.reference[0]); /* of characters all */
}

/* The example of sacreBLEU's README, computed by sacreBLEU: for each sentence the one of
 * two references counts that scores best. */
static void the_best_reference_counts(void **state)
{
    (void)state;
    static const char *const hypotheses[] = {
        "The dog bit the man.", "It wasn't surprising.", "The man had just bitten him."};
    static const char *const references[][2] = {
        {"The dog bit the man.", "The dog had bit the man."},
        {"It was not unexpected.", "No one was surprised."},
        {"The man bit him first.", "The man had bitten the dog."}};
    struct chrf_sums plain = {0}, plus = {0};
    for (size_t i = 0; i < 3; i++) {
        const struct span r[] = {span(references[i][0]), span(references[i][1])};
        chrf_add(&plain, &characters, span(hypotheses[i]), r, 2);
        chrf_add(&plus, &words, span(hypotheses[i]), r, 2);
    }
    assert_near(chrf_score(&plain), 59.72751782684763);
    assert_near(chrf_score(&plus), 59.15310444399262);
}

/* "a" for "a" and "b" for "c": 1 of 2 characters. */
static void sums_of_workers_are_the_sums_of_the_whole(void **state)
{
    (void)state;
    struct chrf_sums whole = {0}, first = {0}, second = {0};
    add(&whole, &words, "a", "a");
    add(&whole, &words, "b", "c");
    add(&second, &words, "b", "c");
    add(&first, &words, "a", "a");
    chrf_merge(&second, &first);
    assert_memory_equal(&whole, &second, sizeof whole);
    assert_near(chrf_score(&whole), 50);
}

static void what_the_reference_is_too_short_for_does_not_count(void **state)
{
    (void)state;
    struct chrf_sums sums = {0};
    add(&sums, &characters, "abc", "a");
    assert_int_equal(sums.hypothesis[0], 3);
    assert_int_equal(sums.hypothesis[1], 0);
    assert_int_equal(sums.hypothesis[2], 0);
}

static void case_counts_unless_told_otherwise(void **state)
{
    (void)state;
    const struct chrf_options lower = {.lowercase = true};
    assert_near(score(&characters, "\xC3\x84", "\xC3\xA4"), 0);
    assert_near(score(&lower, "\xC3\x84", "\xC3\xA4"), 100);
}

static void a_signature_says_what_a_score_depends_on(void **state)
{
    (void)state;
    char text[SCORE_SIGNATURE];
    const struct chrf_options both = {.words = true, .lowercase = true};
    assert_string_equal(chrf_signature(text, &characters, 1),
                        "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:"
                        "lockstep-" LOCKSTEP_VERSION);
    assert_string_equal(
        chrf_signature(text, &both, 3),
        "nrefs:3|case:lc|eff:yes|nc:6|nw:2|space:no|version:lockstep-" LOCKSTEP_VERSION);
    assert_string_equal(chrf_name(&characters), "chrF2");
    assert_string_equal(chrf_name(&both), "chrF2++");
}

RUN(T(scores_computed_by_hand), T(words_count_in_chrf_plus_plus),
    T(the_best_reference_counts), T(sums_of_workers_are_the_sums_of_the_whole),
    T(what_the_reference_is_too_short_for_does_not_count),
    T(case_counts_unless_told_otherwise), T(a_signature_says_what_a_score_depends_on))
