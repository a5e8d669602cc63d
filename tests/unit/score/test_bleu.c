#include "support/test.h"

#include "score/bleu.h"

#define assert_near(got, expected) assert_true(fabs((got) - (expected)) < 1e-7)

enum { REFERENCES = 3 };

static struct span span(const char *text)
{
    return (struct span){text, strlen(text)};
}

static void add(struct bleu_sums *sums, const struct bleu_options *o,
                const char *hypothesis, const char *const *references, size_t n)
{
    struct span all[REFERENCES];
    for (size_t i = 0; i < n; i++)
        all[i] = span(references[i]);
    bleu_add(sums, o, span(hypothesis), all, n);
}

static const struct bleu_options plain = {.tokens = BLEU_TOKENS_NONE,
                                          .smooth = BLEU_SMOOTH_NONE};

/* One sentence, one reference, words as they are. */
static struct bleu_sums sums_of(const char *hypothesis, const char *reference)
{
    struct bleu_sums sums = {0};
    add(&sums, &plain, hypothesis, &reference, 1);
    return sums;
}

static void assert_score(struct bleu_sums sums, enum bleu_smooth smooth, double expected)
{
    assert_near(bleu_score(&sums, smooth).score, expected);
}

/* Papineni et al. 2002, sections 2.1 and 2.1.1: the counts printed there. */
static void the_examples_of_the_paper(void **state)
{
    (void)state;
    static const char *const guide[] = {
        "It is a guide to action that ensures that the military will forever heed Party "
        "commands",
        "It is the guiding principle which guarantees the military forces always being "
        "under the command of the Party",
        "It is the practical guide for the army always to heed the directions of the "
        "party"};
    static const char *const cat[] = {"The cat is on the mat",
                                      "There is a cat on the mat"};
    const struct bleu_options o = {.tokens = BLEU_TOKENS_NONE, .lowercase = true};

    struct bleu_sums one = {0}, two = {0}, the = {0};
    add(&one, &o,
        "It is a guide to action which ensures that the military always obeys the "
        "commands "
        "of the party",
        guide, 3);
    assert_int_equal(one.match[0], 17);
    assert_int_equal(one.total[0], 18);
    assert_int_equal(one.match[1], 10);
    assert_int_equal(one.total[1], 17);
    add(&two, &o,
        "It is to insure the troops forever hearing the activity guidebook that party "
        "direct",
        guide, 3);
    assert_int_equal(two.match[0], 8);
    assert_int_equal(two.total[0], 14);
    assert_int_equal(two.match[1], 1);
    assert_int_equal(two.total[1], 13);
    add(&the, &o, "the the the the the the the", cat, 2);
    assert_int_equal(the.match[0], 2);
    assert_int_equal(the.total[0], 7);
}

/* The example of sacreBLEU's README, and what its tests ask for with it. */
static void the_example_of_sacrebleu(void **state)
{
    (void)state;
    static const char *const hypotheses[] = {
        "The dog bit the man.", "It wasn't surprising.", "The man had just bitten him."};
    static const char *const references[][2] = {
        {"The dog bit the man.", "The dog had bit the man."},
        {"It was not unexpected.", "No one was surprised."},
        {"The man bit him first.", "The man had bitten the dog."}};
    static const struct {
        struct bleu_options o;
        double score;
    } cases[] = {{{BLEU_TOKENS_13A, BLEU_SMOOTH_EXP, false}, 48.530827},
                 {{BLEU_TOKENS_13A, BLEU_SMOOTH_NONE, false}, 48.530827},
                 {{BLEU_TOKENS_NONE, BLEU_SMOOTH_EXP, false}, 49.1919566}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct bleu_sums sums = {0};
        for (size_t i = 0; i < 3; i++)
            add(&sums, &cases[c].o, hypotheses[i], references[i], 2);
        assert_near(bleu_score(&sums, cases[c].o.smooth).score, cases[c].score);
    }
    struct bleu_sums sums = {0};
    for (size_t i = 0; i < 3; i++)
        add(&sums, &cases[0].o, hypotheses[i], references[i], 2);
    /* "82.4/50.0/45.5/37.5 (BP = 0.943 ratio = 0.944 hyp_len = 17 ref_len = 18)" */
    const struct bleu b = bleu_score(&sums, BLEU_SMOOTH_EXP);
    assert_int_equal(sums.hypothesis, 17);
    assert_int_equal(sums.reference, 18);
    assert_near(b.precision[0], 1400. / 17);
    assert_near(b.precision[3], 300. / 8);
    assert_near(b.brevity, exp(-1. / 17));
    assert_near(b.ratio, 17. / 18);
}

static void what_does_not_match_is_smoothed(void **state)
{
    (void)state;
    /* matches 4 2 1 0 of 6 5 4 3, 6 words for 8: BP exp(-1/3), products below */
    const struct bleu_sums am =
        sums_of("am I am a character sequence", "I am a symbol string sequence a a");
    static const uint64_t match[] = {4, 2, 1, 0}, total[] = {6, 5, 4, 3};
    assert_memory_equal(am.match, match, sizeof match);
    assert_memory_equal(am.total, total, sizeof total);
    assert_score(am, BLEU_SMOOTH_NONE, 0);
    assert_score(am, BLEU_SMOOTH_FLOOR, 15.55722182); /* asked for by sacreBLEU's tests */
    const double three = 4. / 6 * 2 / 5 * 1 / 4;
    assert_score(am, BLEU_SMOOTH_FLOOR, 100 * exp(-1. / 3) * pow(three * .1 / 3, .25));
    assert_score(am, BLEU_SMOOTH_EXP, 100 * exp(-1. / 3) * pow(three / 2 / 3, .25));

    /* matches 3 1 0 0 of 5 4 3 2: a half of a trigram, a quarter of a 4-gram */
    const struct bleu_sums two = sums_of("a b x c d", "a b y c z");
    assert_score(two, BLEU_SMOOTH_EXP,
                 100 * pow(3. / 5 * 1 / 4 * 1 / 2 / 3 * 1 / 4 / 2, .25));
    const struct bleu b = bleu_score(&two, BLEU_SMOOTH_EXP);
    assert_near(b.precision[2], 50. / 3);
    assert_near(b.precision[3], 25. / 2);

    /* of numbers, in sacreBLEU's tests */
    assert_score((struct bleu_sums){11, 11, {9, 7, 5, 3}, {10, 8, 6, 4}},
                 BLEU_SMOOTH_NONE, 83.75922397);
}

static void nothing_at_all_scores_nothing(void **state)
{
    (void)state;
    static const struct bleu_sums cases[] = {
        {0, 0, {0}, {0}},
        {0, 1, {0}, {4, 4, 2, 1}},
        {14, 10, {0}, {10, 11, 12, 0}},
        {3, 3, {3, 2, 1, 0}, {3, 2, 1, 0}}, /* too short for a 4-gram */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (enum bleu_smooth s = 0; bleu_smooth_name(s); s++)
            assert_score(cases[i], s, 0);
}

static void short_translations_pay(void **state)
{
    (void)state;
    const char *const reference = "a b c d e f g h";
    static const struct {
        const char *hypothesis;
        double brevity, ratio;
    } cases[] = {{"a b c d e f g h i", 1, 9. / 8},
                 {"a b c d e f g h", 1, 1},
                 {"a b c d e f g", 0.8668778997501816, 7. / 8}, /* exp(-1/7) */
                 {"a b c d", 0.36787944117144233, 4. / 8},      /* exp(-1) */
                 {"a", 0.0009118819655545162, 1. / 8},          /* exp(-7) */
                 {"", 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct bleu_sums sums = sums_of(cases[i].hypothesis, reference);
        const struct bleu b = bleu_score(&sums, BLEU_SMOOTH_NONE);
        assert_near(b.brevity, cases[i].brevity);
        assert_near(b.ratio, cases[i].ratio);
    }
    assert_score(sums_of("a b c d", reference), BLEU_SMOOTH_NONE, 36.787944117);
    assert_score(sums_of(reference, reference), BLEU_SMOOTH_NONE, 100);
    const struct bleu_sums empty = sums_of("", "");
    assert_near(bleu_score(&empty, BLEU_SMOOTH_EXP).brevity, 1);
    assert_near(bleu_score(&empty, BLEU_SMOOTH_EXP).ratio, 0);
}

static void the_nearest_length_counts_and_the_shorter_of_two(void **state)
{
    (void)state;
    static const struct {
        const char *references[REFERENCES];
        uint64_t length;
    } cases[] = {{{"a b c", "a b c d e f g h", "a"}, 3},
                 {{"a b c d e f", "a b c", "a b c d e f g"}, 3}, /* 1 away, not 2 */
                 {{"a b c d e", "a b c", "a b"}, 3},             /* both 1 away */
                 {{"a b c", "a b c d e", "a"}, 3},
                 {{"", "a b c d e f g h i", ""}, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bleu_sums sums = {0};
        add(&sums, &plain, "a b c d", cases[i].references, REFERENCES);
        assert_int_equal(sums.reference, cases[i].length);
    }
}

/* BLEU is of the corpus: an empty line costs its reference's length, and the score of two
 * sentences is not the mean of their scores. */
static void sums_of_workers_are_the_sums_of_the_whole(void **state)
{
    (void)state;
    struct bleu_sums whole = {0}, first = {0}, second = {0};
    const char *const a = "a b c d e", *const b = "x y", *const c = "p q r s";
    add(&whole, &plain, "a b c d f", &a, 1);
    add(&whole, &plain, "", &b, 1);
    add(&whole, &plain, "p q r s", &c, 1);
    add(&second, &plain, "p q r s", &c, 1);
    add(&second, &plain, "", &b, 1);
    add(&first, &plain, "a b c d f", &a, 1);
    bleu_merge(&second, &first);
    assert_memory_equal(&whole, &second, sizeof whole);
    /* 8 of 9, 6 of 7, 4 of 5, 2 of 3; 9 words for 11 */
    assert_score(whole, BLEU_SMOOTH_NONE,
                 100 * exp(1 - 11. / 9) * pow(8. / 9 * 6 / 7 * 4 / 5 * 2 / 3, .25));
}

static void case_counts_unless_told_otherwise(void **state)
{
    (void)state;
    const char *const reference = "\xC3\x84rger im B\xC3\xBCro.";
    struct bleu_options o = {0};
    struct bleu_sums mixed = {0}, lower = {0};
    add(&mixed, &o, "\xC3\xA4rger IM B\xC3\xBCro.", &reference, 1);
    assert_int_equal(mixed.match[0], 2);
    o.lowercase = true;
    add(&lower, &o, "\xC3\xA4rger IM B\xC3\xBCro.", &reference, 1);
    assert_int_equal(lower.match[0], 4);
    assert_score(lower, BLEU_SMOOTH_NONE, 100);
}

static void a_signature_says_what_a_score_depends_on(void **state)
{
    (void)state;
    char text[SCORE_SIGNATURE];
    const struct bleu_options o = {0},
                              other = {BLEU_TOKENS_NONE, BLEU_SMOOTH_FLOOR, true};
    assert_string_equal(bleu_signature(text, &o, 1),
                        "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:"
                        "lockstep-" LOCKSTEP_VERSION);
    assert_string_equal(bleu_signature(text, &other, 12),
                        "nrefs:12|case:lc|eff:no|tok:none|smooth:floor[0.10]|version:"
                        "lockstep-" LOCKSTEP_VERSION);
    assert_non_null(bleu_signature(text, &other, SIZE_MAX));
    assert_null(bleu_tokens_name(2));
    assert_null(bleu_smooth_name(3));
}

RUN(T(the_examples_of_the_paper), T(the_example_of_sacrebleu),
    T(what_does_not_match_is_smoothed), T(nothing_at_all_scores_nothing),
    T(short_translations_pay), T(the_nearest_length_counts_and_the_shorter_of_two),
    T(sums_of_workers_are_the_sums_of_the_whole), T(case_counts_unless_told_otherwise),
    T(a_signature_says_what_a_score_depends_on))
