/* Each transform against its definition, how often it does what it does, and that it does
 * the same whoever asks. */
#include "support/test.h"

#include "base/err.h"
#include "base/mem.h"
#include "data/augment.h"

enum { N = 40, SEED = 5 };

static struct tokenizer *bytes(void)
{
    static struct tokenizer *t;
    if (!t)
        t = tokenizer_byte();
    return t;
}

static const char text[] = "the dogs run and the other dogs run there, the cats do not; "
                           "another dog runs there, and then the other cat";

static struct tokenizer *bpe(void)
{
    static struct tokenizer *t;
    const struct span span = {text, strlen(text)};
    const struct tokenizer_training how = {.vocab = 290};
    if (!t)
        assert_int_equal(tokenizer_train(&span, 1, &how, &t), ERR_OK);
    return t;
}

static struct augment start(struct conf_augment how, struct tokenizer *t)
{
    struct conf c;
    struct augment a;
    conf_init(&c);
    c.train.seed = SEED;
    c.augment = how;
    assert_int_equal(augment_init(&a, &c, t), ERR_OK);
    return a;
}

/* 0 .. n - 1: tokens that tell where they stood. */
static struct ids count_to(size_t n)
{
    struct ids ids = {0};
    for (uint32_t i = 0; i < n; i++)
        ids_push(&ids, i);
    return ids;
}

static struct ids encoded(void)
{
    struct ids ids = {0};
    assert_int_equal(tokenizer_encode(bpe(), text, strlen(text), &ids.at, &ids.n),
                     ERR_OK);
    ids.room = ids.n;
    return ids;
}

static bool equal(const struct ids *a, const struct ids *b)
{
    return a->n == b->n && memcmp(a->at, b->at, a->n * sizeof *a->at) == 0;
}

static double number(const struct augment *a, uint32_t site, uint64_t sample, size_t i)
{
    const struct philox_block at = {
        {(uint32_t)i, site, (uint32_t)sample, (uint32_t)(sample >> 32)}};
    return philox_uniform(philox(a->key, at).word[0]);
}

#define HOW(...) ((struct conf_augment){__VA_ARGS__})
#define EVERY                                                                            \
    HOW(.source_bpe = 0.2, .target_bpe = 0.2, .source_swap = 3, .source_switch = 2,      \
        .target_switch = 2, .source_mask = 0.2, .source_drop = 0.2, .join = 0.2)

static void what_is_off_changes_nothing(void **state)
{
    (void)state;
    struct augment a = start(HOW(0), bpe());
    for (uint64_t sample = 0; sample < 100; sample++) {
        struct ids ids = count_to(N), was = count_to(N);
        augment_words(&a, AUGMENT_SOURCE, sample, 1000, &ids);
        augment_words(&a, AUGMENT_TARGET, sample, 1000, &ids);
        assert_true(equal(&ids, &was));
        assert_false(augment_joins(&a, sample));
        ids_fini(&ids);
        ids_fini(&was);
    }
}

static void targets_get_merges_and_other_tokens_alone(void **state)
{
    (void)state;
    struct conf_augment how = EVERY;
    how.target_bpe = how.target_switch = 0;
    struct augment a = start(how, bpe());
    struct ids ids = encoded(), was = encoded();
    augment_words(&a, AUGMENT_TARGET, 7, 1000, &ids);
    assert_true(equal(&ids, &was));
    ids_fini(&ids);
    ids_fini(&was);
}

/* --- each by its definition */

static void shuffled_tokens_stand_as_their_sum_says_and_near_their_place(void **state)
{
    (void)state;
    for (int k = 1; k <= 5; k += 2) {
        struct augment a = start(HOW(.source_swap = k), bytes());
        bool far = false;
        for (uint64_t sample = 0; sample < 300; sample++) {
            struct ids ids = count_to(N);
            double sum[N];
            augment_words(&a, AUGMENT_SOURCE, sample, 0, &ids);
            assert_int_equal(ids.n, N);
            for (int i = 0; i < N; i++)
                sum[i] = i + (k + 1) * number(&a, 3, sample, (size_t)i);
            for (int i = 0; i < N; i++) {
                const int from = (int)ids.at[i];
                assert_true(abs(from - i) <= k);
                far = far || abs(from - i) == k;
                if (i > 0)
                    assert_true(
                        sum[ids.at[i - 1]] < sum[from] ||
                        (sum[ids.at[i - 1]] == sum[from] && (int)ids.at[i - 1] < from));
            }
            ids_fini(&ids);
        }
        assert_true(far);
    }
}

static void masks_and_gaps_are_where_their_number_says(void **state)
{
    (void)state;
    enum { SAMPLES = 2000 };
    struct augment mask = start(HOW(.source_mask = 0.3, .mask_id = 200), bytes()),
                   drop = start(HOW(.source_drop = 0.3), bytes());
    int masked = 0, dropped = 0;
    for (uint64_t sample = 0; sample < SAMPLES; sample++) {
        struct ids m = count_to(N), d = count_to(N);
        augment_words(&mask, AUGMENT_SOURCE, sample, 0, &m);
        augment_words(&drop, AUGMENT_SOURCE, sample, 0, &d);
        assert_int_equal(m.n, N);
        size_t kept = 0;
        for (uint32_t i = 0; i < N; i++) {
            const bool hidden = number(&mask, 6, sample, i) < 0.3;
            masked += hidden;
            assert_int_equal(m.at[i], hidden ? 200 : i);
            if (number(&drop, 7, sample, i) < 0.3)
                dropped++;
            else
                assert_int_equal(d.at[kept++], i);
        }
        assert_int_equal(d.n, kept);
        ids_fini(&m);
        ids_fini(&d);
    }
    /* 24,000, and five times its standard deviation of 130 */
    assert_in_range(masked, 24000 - 650, 24000 + 650);
    assert_in_range(dropped, 24000 - 650, 24000 + 650);
}

static void one_token_always_stays_the_one_of_the_largest_number(void **state)
{
    (void)state;
    struct augment a = start(HOW(.source_drop = 1), bytes());
    for (uint64_t sample = 0; sample < 200; sample++) {
        const size_t n = 1 + sample % 5;
        struct ids ids = count_to(n);
        size_t largest = 0;
        for (size_t i = 1; i < n; i++)
            if (number(&a, 7, sample, i) > number(&a, 7, sample, largest))
                largest = i;
        augment_words(&a, AUGMENT_SOURCE, sample, 0, &ids);
        assert_int_equal(ids.n, 1);
        assert_int_equal(ids.at[0], largest);
        ids_fini(&ids);
    }
    a.how.source_mask = 1; /* before the gaps, and of everything */
    struct ids ids = count_to(N), none = {0};
    augment_words(&a, AUGMENT_SOURCE, 1, 0, &ids);
    assert_true(ids.n == 1 && ids.at[0] == a.mask);
    augment_words(&a, AUGMENT_SOURCE, 1, 0, &none);
    assert_int_equal(none.n, 0);
    ids_fini(&ids);
}

/* How many tokens differ from 0 .. n - 1; counts where, and what by. */
static size_t count_switched(const struct ids *ids, int *where, int *what)
{
    size_t switched = 0;
    for (size_t i = 0; i < ids->n; i++)
        if (ids->at[i] != i) {
            switched++;
            where[i]++;
            what[ids->at[i]]++;
        }
    return switched;
}

static void as_many_are_switched_as_the_temperature_says(void **state)
{
    (void)state;
    enum { SAMPLES = 20000, SHORT = 6 };
    static const double temperatures[] = {0.01, 0.5, 2, 100};
    for (size_t k = 0; k < 4; k++) {
        struct augment a = start(HOW(.source_switch = temperatures[k]), bytes());
        int counts[SHORT + 1] = {0}, where[SHORT] = {0}, what[256] = {0};
        double sum = 0, mean = 0;
        for (uint64_t sample = 0; sample < SAMPLES; sample++) {
            struct ids ids = count_to(SHORT);
            augment_words(&a, AUGMENT_SOURCE, sample, 0, &ids);
            assert_int_equal(ids.n, SHORT);
            counts[count_switched(&ids, where, what)]++;
            ids_fini(&ids);
        }
        for (int n = 0; n <= SHORT; n++)
            sum += exp(-n / temperatures[k]);
        for (int n = 0; n <= SHORT; n++) {
            const double p = exp(-n / temperatures[k]) / sum;
            mean += n * p;
            assert_true(fabs(counts[n] - SAMPLES * p) <=
                        5 * sqrt(SAMPLES * p * (1 - p)) + 1e-9);
        }
        for (int i = 0; i < SHORT; i++)
            assert_true(fabs(where[i] - SAMPLES * mean / SHORT) <=
                        5 * sqrt(SAMPLES * mean / SHORT));
        if (k == 3)
            for (int i = 0; i < 256; i++) /* 20,000 * 3 / 255: 231 */
                assert_in_range(what[i], 231 - 5 * 16, 231 + 5 * 16);
    }
}

static void no_token_is_switched_to_itself_or_to_the_end_of_text(void **state)
{
    (void)state;
    struct augment a = start(HOW(.target_switch = 100), bpe());
    uint32_t end, seen = 0;
    assert_true(tokenizer_end_of_text(bpe(), &end));
    const uint32_t cases[] = {0, end - 1, end}, V = (uint32_t)tokenizer_vocab(bpe());
    for (size_t k = 0; k < 3; k++)
        for (uint64_t sample = 0; sample < 3000; sample++) {
            struct ids ids = {0};
            ids_push(&ids, cases[k]);
            augment_words(&a, AUGMENT_TARGET, sample, 0, &ids);
            assert_true(ids.at[0] < V);
            assert_true(ids.at[0] == cases[k] || ids.at[0] != end);
            seen += ids.at[0] == (cases[k] ? 0 : end - 1);
            ids_fini(&ids);
        }
    assert_true(seen > 0); /* the first and the last are among what is drawn */
    a.vocab = 2;
    a.end = 1;
    struct ids ids = count_to(1);
    for (uint64_t sample = 0; sample < 50; sample++)
        augment_words(&a, AUGMENT_TARGET, sample, 0, &ids);
    assert_int_equal(ids.at[0], 0); /* there is no other */
    ids_fini(&ids);
}

static void merges_left_out_say_the_same_in_more_tokens_or_it_stays(void **state)
{
    (void)state;
    struct augment a = start(HOW(.source_bpe = 0.3, .target_bpe = 0.3), bpe());
    struct ids was = encoded();
    size_t longest = 0, longer = 0;
    for (uint64_t sample = 0; sample < 200; sample++) {
        struct ids ids = encoded();
        char said[sizeof text] = "";
        size_t at = 0;
        augment_words(&a, (enum augment_side)(sample & 1), sample, 1000, &ids);
        for (size_t i = 0; i < ids.n; i++) {
            const char *piece;
            size_t n;
            tokenizer_piece(bpe(), ids.at[i], &piece, &n);
            assert_true(at + n < sizeof said);
            memcpy(said + at, piece, n);
            at += n;
        }
        assert_string_equal(said, text);
        assert_true(ids.n >= was.n);
        longest = ids.n > longest ? ids.n : longest;
        longer += ids.n > was.n;
        ids_fini(&ids);
    }
    assert_true(longer > 190);
    for (uint64_t sample = 0; sample < 200; sample++) {
        struct ids ids = encoded();
        augment_words(&a, (enum augment_side)(sample & 1), sample, longest - 1, &ids);
        assert_true(ids.n < longest);
        ids_fini(&ids);
        ids = encoded();
        augment_words(&a, AUGMENT_SOURCE, sample, was.n - 1, &ids);
        assert_true(equal(&ids, &was));
        ids_fini(&ids);
    }
    ids_fini(&was);
}

static void pairs_are_joined_as_often_as_asked(void **state)
{
    (void)state;
    struct augment a = start(HOW(.join = 0.2), bytes());
    int joined = 0;
    for (uint64_t sample = 0; sample < 10000; sample++)
        joined += augment_joins(&a, sample);
    assert_in_range(joined, 2000 - 200, 2000 + 200);
}

/* --- together */

/* One after the other, in the order of the head of augment.h. */
static void all_of_them_are_each_of_them_in_the_order_that_is_documented(void **state)
{
    (void)state;
    const struct conf_augment all = EVERY;
    struct augment every = start(all, bpe());
    struct augment source[] = {start(HOW(.source_bpe = all.source_bpe), bpe()),
                               start(HOW(.source_swap = all.source_swap), bpe()),
                               start(HOW(.source_switch = all.source_switch), bpe()),
                               start(HOW(.source_mask = all.source_mask), bpe()),
                               start(HOW(.source_drop = all.source_drop), bpe())};
    struct augment target[] = {start(HOW(.target_bpe = all.target_bpe), bpe()),
                               start(HOW(.target_switch = all.target_switch), bpe())};
    for (uint64_t sample = 0; sample < 100; sample++) {
        struct ids ids[4] = {encoded(), encoded(), encoded(), encoded()};
        augment_words(&every, AUGMENT_SOURCE, sample, 1000, &ids[0]);
        augment_words(&every, AUGMENT_TARGET, sample, 1000, &ids[1]);
        for (size_t i = 0; i < 5; i++)
            augment_words(&source[i], AUGMENT_SOURCE, sample, 1000, &ids[2]);
        for (size_t i = 0; i < 2; i++)
            augment_words(&target[i], AUGMENT_TARGET, sample, 1000, &ids[3]);
        assert_true(equal(&ids[0], &ids[2]));
        assert_true(equal(&ids[1], &ids[3]));
        for (size_t i = 0; i < 4; i++)
            ids_fini(&ids[i]);
    }
}

/* Merges left out on either side, other tokens on either side, in samples that have the
 * lower or the higher 32 bits in common, of another seed. */
static void sides_samples_and_seeds_have_numbers_of_their_own(void **state)
{
    (void)state;
    static const struct {
        enum augment_side side;
        uint64_t sample, seed;
    } cases[] = {{AUGMENT_SOURCE, 3, 1},
                 {AUGMENT_TARGET, 3, 1},
                 {AUGMENT_SOURCE, 4, 1},
                 {AUGMENT_SOURCE, 3 + (1ull << 32), 1},
                 {AUGMENT_SOURCE, 3 + (1ull << 62), 1},
                 {AUGMENT_SOURCE, 3, 2},
                 {AUGMENT_SOURCE, 3, 1 + (1ull << 32)}};
    enum { CASES = sizeof cases / sizeof *cases };
    for (int kind = 0; kind < 2; kind++) {
        struct ids made[CASES];
        for (int again = 0; again < 2; again++)
            for (int i = 0; i < CASES; i++) {
                struct augment a =
                    start(kind ? HOW(.source_bpe = 0.5, .target_bpe = 0.5)
                               : HOW(.source_switch = 100, .target_switch = 100),
                          bpe());
                a.seed = cases[i].seed;
                a.key = philox_key(a.seed, PHILOX_AUGMENT);
                struct ids ids = encoded();
                augment_words(&a, cases[i].side, cases[i].sample, 1000, &ids);
                if (again) {
                    assert_true(equal(&ids, &made[i]));
                    ids_fini(&ids);
                } else {
                    made[i] = ids;
                }
            }
        for (int i = 0; i < CASES; i++)
            for (int j = 0; j < i; j++)
                assert_false(equal(&made[i], &made[j]));
        for (int i = 0; i < CASES; i++)
            ids_fini(&made[i]);
    }
}

/* Runs that resume depend on it: a change here is a change of the format.  The numbers
 * are those of the definitions, computed elsewhere. */
static void what_becomes_of_a_sample_never_changes(void **state)
{
    (void)state;
    static const struct {
        size_t n;
        uint32_t ids[20];
    } expected[] = {
        {16, {1, 2, 0, 3, 4, 5, 7, 238, 9, 104, 13, 14, 13, 16, 0, 18}},
        {20, {0, 1, 2, 3, 88, 5, 6, 7, 8, 31, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19}}};
    struct conf_augment how = EVERY;
    how.source_switch = how.target_switch = 20;
    struct augment a = start(how, bytes());
    for (int side = 0; side < 2; side++) {
        struct ids ids = count_to(20);
        augment_words(&a, (enum augment_side)side, 9, 20, &ids);
        assert_int_equal(ids.n, expected[side].n);
        assert_memory_equal(ids.at, expected[side].ids, ids.n * sizeof *ids.at);
        ids_fini(&ids);
    }
}

static void the_mask_is_unknown_or_the_end_of_text_or_what_is_asked_for(void **state)
{
    (void)state;
    const struct span span = {text, strlen(text)};
    struct tokenizer *subword;
    assert_int_equal(tokenizer_subwords(
                         &span, 1, &(struct tokenizer_subwords){.merges = 20}, &subword),
                     ERR_OK);
    uint32_t unknown, end;
    assert_true(tokenizer_unknown_token(subword, &unknown));
    assert_false(tokenizer_unknown_token(bpe(), &end));
    assert_true(tokenizer_end_of_text(bpe(), &end));
    assert_int_equal(start(HOW(0), subword).mask, unknown);
    assert_int_equal(start(HOW(0), bpe()).mask, end);
    assert_int_equal(start(HOW(.mask_id = 255), bytes()).mask, 255);
    struct conf c;
    struct augment a;
    conf_init(&c);
    c.augment.mask_id = 256;
    assert_int_equal(augment_init(&a, &c, bytes()), ERR_CONFIG);
    tokenizer_free(subword);
}

static int free_tokenizers(void **state)
{
    (void)state;
    tokenizer_free(bytes());
    tokenizer_free(bpe());
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_is_off_changes_nothing),
        T(targets_get_merges_and_other_tokens_alone),
        T(shuffled_tokens_stand_as_their_sum_says_and_near_their_place),
        T(masks_and_gaps_are_where_their_number_says),
        T(one_token_always_stays_the_one_of_the_largest_number),
        T(as_many_are_switched_as_the_temperature_says),
        T(no_token_is_switched_to_itself_or_to_the_end_of_text),
        T(merges_left_out_say_the_same_in_more_tokens_or_it_stays),
        T(pairs_are_joined_as_often_as_asked),
        T(all_of_them_are_each_of_them_in_the_order_that_is_documented),
        T(sides_samples_and_seeds_have_numbers_of_their_own),
        T(what_becomes_of_a_sample_never_changes),
        T(the_mask_is_unknown_or_the_end_of_text_or_what_is_asked_for)};
    return cmocka_run_group_tests(tests, NULL, free_tokenizers);
}
