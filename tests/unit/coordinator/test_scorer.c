/* What held-out sources were translated into: what is taken from a worker, and its BLEU.
 */
#include "support/test.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "coordinator/serve_parts.h"
#include "data/prepare_pairs.h"

/* Of about twenty tokens each: two in a slice. */
enum { PAIRS = 4, PER_SLICE = 2, SLICES = PAIRS / PER_SLICE, CONTEXT = 24 };

static const char *const references[PAIRS] = {
    "the cat is here now", "a dog runs fast today", "the cat is here now",
    "a dog runs fast today"};

static int make_data(void **state)
{
    (void)state;
    log_silence(true);
    FILE *out = fopen("pairs.tsv", "w");
    for (size_t i = 0; out && i < PAIRS; i++)
        fprintf(out, "%zu\t%s\n", i, references[i]);
    if (!out || fclose(out))
        return 1;
    const char *const file = "pairs.tsv";
    struct prepare_options text = {.files = &file,
                                   .files_n = 1,
                                   .dir = "text",
                                   .tokenizer = "bpe:258",
                                   .held_out = 0.3};
    const struct sentences_input input = {"pairs.tsv", NULL};
    struct prepare_pairs_options pairs = {.common = text,
                                          .inputs = &input,
                                          .inputs_n = 1,
                                          .held_out = &input,
                                          .held_out_n = 1,
                                          .max_length = CONTEXT - 1};
    pairs.common.dir = "pairs";
    pairs.common.held_out = 0;
    return prepare(&text) || prepare_pairs(&pairs);
}

static void configure(struct conf *c, const char *dir)
{
    conf_init(c);
    c->data.dir = dir;
    c->model.context = CONTEXT;
    c->model.encoder_layers = strcmp(dir, "pairs") == 0;
    c->train.slices = 1;
    c->train.batch = 1;
    c->train.batch_tokens = 30; /* the pairs have 84 */
}

/* @texts as the model would have said them. */
static void take(struct scorer *s, struct supply *supply, uint32_t v,
                 const char *const texts[PER_SLICE])
{
    uint32_t lengths[PER_SLICE], all[PER_SLICE * CONTEXT], *tokens;
    size_t words = 0;
    for (size_t i = 0; i < PER_SLICE; i++) {
        size_t n;
        assert_int_equal(tokenizer_encode(supply->data.tokenizer, texts[i],
                                          strlen(texts[i]), &tokens, &n),
                         ERR_OK);
        assert_true(n <= CONTEXT);
        for (size_t k = 0; k < n; k++)
            all[words++] = tokens[k];
        lengths[i] = (uint32_t)n;
        mem_free(tokens);
    }
    scorer_take(s, v, lengths, all);
}

static const char *const nothing[PER_SLICE] = {"", ""}, *const nearly[PER_SLICE] = {
                                                            "the cat is here now",
                                                            "a dog runs today"};

/* By hand, @nearly in one of two slices: 19 of 19, 14 of 15, 10 of 11 and 6 of 7 n-grams,
 * and 19 words for 20: (14/15 * 10/11 * 6/7)^(1/4) * exp(1 - 20/19) = 0.876126. */
static void a_score_is_that_of_all_sentences_in_any_order_and_begins_anew(void **state)
{
    (void)state;
    struct conf c;
    struct supply supply;
    configure(&c, "pairs");
    assert_int_equal(supply_open(&supply, &c), ERR_OK);
    assert_int_equal(supply.held_out_slices, SLICES);
    struct scorer *s = scorer_new(&supply, &c.translate);
    for (uint32_t first = 0; first < SLICES; first++) {
        scorer_begin(s);
        for (uint32_t i = 0; i < SLICES; i++)
            take(s, &supply, (first + i) % SLICES,
                 (first + i) % SLICES ? nearly : references);
        assert_true(fabs(scorer_bleu(s) - 87.6126) < 1e-4);
    }
    const struct {
        const char *const *texts;
        double bleu;
    } ends[] = {{references, 100}, {nothing, 0}};
    for (size_t k = 0; k < 2; k++) {
        scorer_begin(s);
        for (uint32_t v = 0; v < SLICES; v++)
            take(s, &supply, v, ends[k].texts);
        assert_true(fabs(scorer_bleu(s) - ends[k].bleu) < 1e-9);
    }
    scorer_free(s);
    supply_close(&supply);
}

static void translations_must_be_of_the_slice_that_they_name(void **state)
{
    (void)state;
    struct conf c;
    struct serve s = {0};
    const struct peer p = {.name = "somebody"};
    configure(&c, "pairs");
    assert_int_equal(supply_open(&s.supply, &c), ERR_OK);
    s.scorer = scorer_new(&s.supply, &c.translate);
    const uint32_t vocab = s.supply.vocab;
    const struct {
        uint32_t first, token;
        size_t sentences;
        int err;
    } cases[] = {{0, 1, PER_SLICE, ERR_OK},
                 {SLICES - 1, vocab - 1, PER_SLICE, ERR_OK},
                 {0, vocab, 0, ERR_OK}, /* a loss */
                 {SLICES, 1, PER_SLICE, ERR_MALFORMED},
                 {UINT32_MAX, 1, PER_SLICE, ERR_MALFORMED},
                 {0, 1, PER_SLICE - 1, ERR_MALFORMED},
                 {0, 1, PER_SLICE + 1, ERR_MALFORMED},
                 {0, vocab, PER_SLICE, ERR_MALFORMED}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const uint32_t lengths[PER_SLICE + 1] = {1};
        struct message m = {.kind = MESSAGE_EVALUATED};
        m.evaluated.first = cases[i].first;
        m.evaluated.slices = 1;
        m.evaluated.sentences = cases[i].sentences;
        m.evaluated.words = 1;
        m.evaluated.lengths = lengths;
        m.evaluated.tokens = &cases[i].token;
        assert_int_equal(serve_check_translated(&s, &p, &m), cases[i].err);
    }
    scorer_free(s.scorer);
    supply_close(&s.supply);
}

/* A run of a text has no pairs to compare them with; its core refuses them. */
static void translations_that_nobody_asked_for_are_not_looked_at(void **state)
{
    (void)state;
    struct conf c;
    struct serve s = {0};
    const struct peer p = {.name = "somebody"};
    const uint32_t length = 1, token = 0;
    struct message m = {.kind = MESSAGE_EVALUATED};
    configure(&c, "text");
    assert_int_equal(supply_open(&s.supply, &c), ERR_OK);
    m.evaluated.slices = m.evaluated.sentences = m.evaluated.words = 1;
    m.evaluated.lengths = &length;
    m.evaluated.tokens = &token;
    assert_true(s.supply.held_out_slices > 0);
    assert_int_equal(serve_check_translated(&s, &p, &m), ERR_OK);
    supply_close(&s.supply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_score_is_that_of_all_sentences_in_any_order_and_begins_anew),
        T(translations_must_be_of_the_slice_that_they_name),
        T(translations_that_nobody_asked_for_are_not_looked_at)};
    return cmocka_run_group_tests(tests, make_data, NULL);
}
