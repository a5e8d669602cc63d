/* Slices of a text and of pairs, augmented or not: what they have, the same in any order
 * of asking, and as many targets as are counted. */
#include "support/test.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/philox.h"
#include "coordinator/supply.h"
#include "data/prepare_pairs.h"

enum { PAIRS = 300, SLICES = 4, CONTEXT = 24, STEPS = 12 };

#define OFF ((struct conf_augment){0})
#define EVERY                                                                            \
    ((struct conf_augment){.source_bpe = 0.3,                                            \
                           .target_bpe = 0.2,                                            \
                           .source_swap = 2,                                             \
                           .source_switch = 1,                                           \
                           .target_switch = 0.7,                                         \
                           .source_mask = 0.1,                                           \
                           .source_drop = 0.1,                                           \
                           .join = 0.5})

/* --- data */

static uint32_t draw(uint32_t i, uint32_t j, uint32_t below)
{
    return philox(philox_key(3, PHILOX_TEST), (struct philox_block){{i, j}}).word[0] %
           below;
}

static void write_sentence(FILE *out, uint32_t i, uint32_t side)
{
    static const char *const words[] = {"the",  "dogs", "run",   "there", "other",
                                        "cats", "and",  "never", "saw",   "houses"};
    const uint32_t n = 1 + draw(i, side, 8);
    for (uint32_t j = 0; j < n; j++)
        fprintf(out, "%s%s", j ? " " : "", words[draw(i, 10 * side + j + 2, 10)]);
}

static int make_data(void **state)
{
    (void)state;
    log_silence(true);
    FILE *out = fopen("pairs.tsv", "w");
    for (uint32_t i = 0; out && i < PAIRS; i++) {
        write_sentence(out, i, 0);
        fputc('\t', out);
        write_sentence(out, i, 1);
        fputc('\n', out);
    }
    if (!out || fclose(out))
        return 1;
    const char *const file = "pairs.tsv"; /* its lines are a text, too */
    struct prepare_options text = {.files = &file,
                                   .files_n = 1,
                                   .dir = "text",
                                   .tokenizer = "bpe:290",
                                   .held_out = 0.1};
    const struct sentences_input input = {"pairs.tsv", NULL};
    struct prepare_pairs_options pairs = {
        .common = text, .inputs = &input, .inputs_n = 1, .max_length = CONTEXT - 1};
    pairs.common.dir = "pairs";
    if (prepare(&text) || prepare_pairs(&pairs))
        return 1;
    pairs.common.dir = "subwords";
    pairs.common.tokenizer = "subword:20";
    return prepare_pairs(&pairs);
}

static const char *const folders[] = {"text", "pairs", "subwords"};
enum { FOLDERS = sizeof folders / sizeof *folders };

static struct supply start(const char *folder, struct conf_augment how)
{
    struct conf c;
    struct supply s;
    conf_init(&c);
    c.data.dir = folder;
    c.model.context = CONTEXT;
    c.model.encoder_layers = strcmp(folder, "text") != 0;
    c.train.slices = SLICES;
    c.train.batch = 10;
    c.train.batch_tokens = 256;
    c.augment = how;
    assert_int_equal(supply_open(&s, &c), ERR_OK);
    return s;
}

/* --- slices that are kept */

struct kept {
    uint32_t sequences;
    uint32_t *lengths, *tokens, *source_lengths, *source;
    uint64_t *samples;
};

static void *copy(const void *from, size_t bytes)
{
    return from ? memcpy(mem_alloc(bytes), from, bytes) : NULL;
}

static struct kept keep(const struct message_slice *s)
{
    const size_t words = s->sequences * sizeof(uint32_t);
    return (struct kept){
        .sequences = s->sequences,
        .lengths = copy(s->lengths, words),
        .tokens = copy(s->tokens, message_slice_tokens(s) * sizeof(uint32_t)),
        .source_lengths = copy(s->source_lengths, words),
        .source = copy(s->source, message_slice_source(s) * sizeof(uint32_t)),
        .samples = copy(s->samples, s->sequences * sizeof(uint64_t))};
}

static struct message_slice slice_of(const struct kept *k)
{
    return (struct message_slice){.sequences = k->sequences,
                                  .lengths = k->lengths,
                                  .tokens = k->tokens,
                                  .source_lengths = k->source_lengths,
                                  .source = k->source,
                                  .samples = k->samples};
}

static void kept_fini(struct kept *k)
{
    mem_free(k->lengths);
    mem_free(k->tokens);
    mem_free(k->source_lengths);
    mem_free(k->source);
    mem_free(k->samples);
}

static bool same_words(const uint32_t *a, const uint32_t *b, size_t n)
{
    return (!a && !b) || memcmp(a, b, n * sizeof *a) == 0;
}

static bool same(const struct message_slice *a, const struct message_slice *b)
{
    return a->sequences == b->sequences &&
           same_words(a->lengths, b->lengths, a->sequences) &&
           same_words(a->source_lengths, b->source_lengths, a->sequences) &&
           same_words(a->tokens, b->tokens, message_slice_tokens(a)) &&
           same_words(a->source, b->source, message_slice_source(a)) &&
           memcmp(a->samples, b->samples, a->sequences * sizeof *a->samples) == 0;
}

static struct kept slice_at(struct supply *s, uint64_t step, bool held_out, uint32_t v)
{
    return keep(supply_slices(s, step, held_out, v, v + 1));
}

static uint64_t targets_of(const struct message_slice *s)
{
    return message_slice_tokens(s) - s->sequences;
}

/* --- what is always true */

static void check_bounds(const struct supply *s, const struct message_slice *slice)
{
    assert_true(slice->sequences > 0);
    assert_true(targets_of(slice) <= plan_rows(s->plan));
    assert_true(message_slice_source(slice) <= plan_rows(s->plan));
    for (uint32_t i = 0; i < slice->sequences; i++) {
        assert_in_range(slice->lengths[i], 1, CONTEXT);
        if (slice->source_lengths)
            assert_in_range(slice->source_lengths[i], 2, CONTEXT);
    }
    for (size_t i = 0; i < message_slice_tokens(slice); i++)
        assert_true(slice->tokens[i] < s->vocab);
    for (size_t i = 0; i < message_slice_source(slice); i++)
        assert_true(slice->source[i] < s->vocab);
}

/* Asked for alone, in pieces and as a whole step, in another order of the steps, by one
 * that has counted before it made any and by one that counts afterwards. */
static void slices_and_their_targets_do_not_depend_on_who_asks(void **state)
{
    (void)state;
    for (int i = 0; i < FOLDERS; i++)
        for (int augmented = 0; augmented < 2; augmented++) {
            struct supply one = start(folders[i], augmented ? EVERY : OFF),
                          two = start(folders[i], augmented ? EVERY : OFF);
            for (uint64_t k = 0; k < STEPS; k++) {
                const uint64_t step = k * 7 % STEPS;
                uint64_t sum = 0;
                if (k % 2)
                    sum = supply_targets(&two, step, 0, SLICES);
                for (uint32_t v = 0; v < SLICES; v++) {
                    struct kept alone = slice_at(&one, step, false, v);
                    const struct message_slice a = slice_of(&alone);
                    const struct message_slice *all =
                        supply_slices(&two, step, false, v / 2, SLICES);
                    check_bounds(&one, &a);
                    assert_true(same(&a, &all[v - v / 2]));
                    const uint64_t targets = targets_of(&a);
                    supply_slices(&two, step, true, 0, two.held_out_slices);
                    assert_int_equal(supply_targets(&one, step, v, v + 1), targets);
                    assert_int_equal(supply_targets(&two, step, v, v + 1), targets);
                    sum -= k % 2 ? targets : 0;
                    kept_fini(&alone);
                }
                assert_int_equal(sum, 0);
            }
            supply_close(&one);
            supply_close(&two);
        }
}

static void what_is_held_out_is_never_augmented(void **state)
{
    (void)state;
    struct conf_augment how = EVERY;
    how.source_bpe = how.target_bpe = 0; /* which make room for larger slices */
    for (int i = 0; i < FOLDERS; i++) {
        struct supply plain = start(folders[i], OFF), augmented = start(folders[i], how);
        assert_int_equal(plain.held_out_slices, augmented.held_out_slices);
        for (uint32_t v = 0; v < plain.held_out_slices; v++) {
            struct kept was = slice_at(&plain, 0, true, v);
            const struct message_slice a = slice_of(&was);
            assert_true(same(&a, supply_slices(&augmented, 0, true, v, v + 1)));
            kept_fini(&was);
        }
        supply_close(&plain);
        supply_close(&augmented);
    }
}

/* Another epoch, another noise. */
static void what_trains_is_augmented_and_anew_each_time(void **state)
{
    (void)state;
    struct supply plain = start("pairs", OFF), augmented = start("pairs", EVERY);
    int other = 0;
    for (uint64_t step = 0; step < STEPS; step++) {
        struct kept was = slice_at(&plain, step, false, 0);
        const struct message_slice a = slice_of(&was);
        other += !same(&a, supply_slices(&augmented, step, false, 0, 1));
        kept_fini(&was);
    }
    assert_int_equal(other, STEPS);
    supply_close(&plain);
    supply_close(&augmented);

    struct conf_augment how = {.target_switch = 3};
    struct supply text = start("text", how);
    plain = start("text", OFF);
    int places[CONTEXT + 1] = {0}; /* of the first window of each step */
    other = 0;
    for (uint64_t step = 0; step < STEPS; step++) {
        struct kept was = slice_at(&plain, step, false, 1);
        const struct message_slice a = slice_of(&was);
        const struct message_slice *b = supply_slices(&text, step, false, 1, 2);
        assert_int_equal(targets_of(&a), targets_of(b));
        for (size_t i = 0; i < message_slice_tokens(&a); i++) {
            other += a.tokens[i] != b->tokens[i];
            if (i <= CONTEXT)
                places[i] += a.tokens[i] != b->tokens[i];
        }
        kept_fini(&was);
    }
    for (size_t i = 0; i <= CONTEXT; i++)
        assert_true(places[i] < STEPS); /* not the same ones in each */
    /* at temperature 3 of a window's 25 tokens 2.5 on average, 2 or 3 windows a slice */
    assert_in_range(other, STEPS * 2, STEPS * 12);
    supply_close(&text);
    supply_close(&plain);
}

/* The sequences @a of a slice without ends are those of @b, some of them joined. */
static int check_joined(const struct supply *s, const struct message_slice *a,
                        const struct message_slice *b)
{
    const uint32_t *source[2] = {a->source, b->source};
    const uint32_t *tokens[2] = {a->tokens, b->tokens};
    int joined = 0;
    for (uint32_t i = 0, j = 0; j < b->sequences; j++) {
        uint32_t at[2] = {0}; /* of the joined source and target */
        assert_int_equal(a->samples[i], b->samples[j]);
        for (int more = 0;; more++, i++) {
            assert_true(i < a->sequences);
            const uint32_t n[2] = {a->source_lengths[i] - 1, a->lengths[i] - 1};
            assert_true(same_words(source[0], source[1] + at[0], n[0]));
            assert_true(same_words(tokens[0] + 1, tokens[1] + 1 + at[1], n[1]));
            at[0] += n[0];
            at[1] += n[1];
            source[0] += n[0] + 1;
            tokens[0] += n[1] + 2;
            joined += more;
            assert_true(more < 2);
            if (source[1][at[0]] == s->end)
                break;
            if (s->gap.exists) {
                assert_int_equal(source[1][at[0]++], s->gap.token);
                assert_int_equal(tokens[1][1 + at[1]++], s->gap.token);
            }
        }
        i++;
        assert_int_equal(tokens[1][0], s->end);
        assert_int_equal(tokens[1][1 + at[1]], s->end);
        assert_int_equal(b->source_lengths[j], at[0] + 1);
        assert_int_equal(b->lengths[j], at[1] + 1);
        source[1] += at[0] + 1;
        tokens[1] += at[1] + 2;
        if (j + 1 == b->sequences)
            assert_int_equal(i, a->sequences);
    }
    return joined;
}

static void joined_pairs_are_two_in_a_row_that_fit(void **state)
{
    (void)state;
    static const bool spaces[] = {true, false}; /* of bytes; at the end of subwords */
    for (int i = 1; i < FOLDERS; i++) {
        struct supply plain = start(folders[i], OFF),
                      joining = start(folders[i], (struct conf_augment){.join = 0.9});
        int joined = 0;
        assert_int_equal(joining.gap.exists, spaces[i - 1]);
        for (uint64_t step = 0; step < STEPS; step++)
            for (uint32_t v = 0; v < SLICES; v++) {
                struct kept was = slice_at(&plain, step, false, v);
                const struct message_slice a = slice_of(&was);
                const struct message_slice *b =
                    supply_slices(&joining, step, false, v, v + 1);
                check_bounds(&joining, b);
                joined += check_joined(&joining, &a, b);
                kept_fini(&was);
            }
        assert_true(joined > 50);
        supply_close(&plain);
        supply_close(&joining);
    }
}

/* With every merge left out most sentences do not fit: what does not stays as it was. */
static void merges_left_out_keep_to_the_rows_and_to_the_context(void **state)
{
    (void)state;
    struct conf_augment how = {.source_bpe = 0.9, .target_bpe = 0.9};
    struct supply plain = start("pairs", OFF), longer = start("pairs", how);
    uint64_t targets[2] = {0};
    longer.plan.merges_dropped = 0.01; /* room for a few only */
    for (uint64_t step = 0; step < STEPS; step++)
        for (uint32_t v = 0; v < SLICES; v++) {
            check_bounds(&longer, supply_slices(&longer, step, false, v, v + 1));
            targets[0] += supply_targets(&plain, step, v, v + 1);
            targets[1] += supply_targets(&longer, step, v, v + 1);
        }
    assert_true(targets[1] > targets[0] + targets[0] / 20);
    supply_close(&plain);
    supply_close(&longer);
}

/* A batch that grows goes through the same slices, one after the other. */
static void a_ramp_has_the_slices_of_whole_steps_in_their_order(void **state)
{
    (void)state;
    for (size_t f = 0; f < FOLDERS; f++) {
        struct conf_augment how = f == 0 ? OFF : EVERY;
        struct supply whole = start(folders[f], how), grows = start(folders[f], how);
        uint64_t next = 0;
        grows.plan.ramp = (struct ramp){.steps = STEPS - 2, .from = 1};
        for (uint64_t step = 0; step < STEPS; step++) {
            const uint32_t slices = supply_step_slices(&grows, step);
            uint64_t first, last, targets = 0;
            assert_true(slices >= 1 && (step < STEPS - 2 || slices == SLICES));
            supply_samples(&grows, step, &first, &last);
            for (uint32_t v = 0; v < slices; v++, next++) {
                const uint32_t w = (uint32_t)(next % SLICES);
                struct kept k = slice_at(&grows, step, false, v);
                const struct message_slice a = slice_of(&k);
                assert_true(
                    same(&a, supply_slices(&whole, next / SLICES, false, w, w + 1)));
                const uint64_t sample =
                    a.samples[0] + (f == 0 ? next / SLICES * grows.plan.batch : 0);
                assert_true(sample >= first && sample <= last);
                targets += targets_of(&a);
                kept_fini(&k);
            }
            assert_int_equal(supply_targets(&grows, step, 0, slices), targets);
        }
        assert_int_equal(next, ramp_before(grows.plan.ramp, SLICES, STEPS));
        supply_close(&whole);
        supply_close(&grows);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(slices_and_their_targets_do_not_depend_on_who_asks),
        T(what_is_held_out_is_never_augmented),
        T(what_trains_is_augmented_and_anew_each_time),
        T(joined_pairs_are_two_in_a_row_that_fit),
        T(merges_left_out_keep_to_the_rows_and_to_the_context),
        T(a_ramp_has_the_slices_of_whole_steps_in_their_order)};
    return cmocka_run_group_tests(tests, make_data, NULL);
}
