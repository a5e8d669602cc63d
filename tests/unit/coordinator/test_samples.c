/* What a step is made of: samples by number, of a text and of pairs. */
#include "support/test.h"

#include "base/err.h"
#include "conf/conf.h"
#include "coordinator/supply.h"
#include "data/prepare.h"
#include "data/prepare_pairs.h"

enum { LINES = 60, SLICES = 3 };

/* Lines of one to seven words. */
static void put(const char *path, const char *word)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    for (int i = 0; i < LINES; i++)
        for (int n = 1 + i * 5 % 7; n > 0; n--)
            fprintf(out, "%s%c", word, n > 1 ? ' ' : '\n');
    fclose(out);
}

static struct conf conf_of(const char *dir)
{
    struct conf c;
    conf_init(&c);
    c.data.dir = dir;
    c.model.context = 32;
    c.train.batch = 4;
    c.train.slices = SLICES;
    return c;
}

static void steps_of_a_text_have_a_batch_of_samples_each(void **state)
{
    (void)state;
    put("text", "word");
    const char *const files[] = {"text"};
    const struct prepare_options o = {.files = files,
                                      .files_n = 1,
                                      .dir = "text-set",
                                      .tokenizer = "byte",
                                      .held_out = 0.2};
    assert_int_equal(prepare(&o), ERR_OK);
    const struct conf conf = conf_of("text-set");
    struct supply s;
    uint64_t first, last;
    assert_int_equal(supply_open(&s, &conf), ERR_OK);
    supply_samples(&s, 7, &first, &last);
    assert_true(first == 28 && last == 31);
    supply_close(&s);
}

/* As many as there are, one after the other, and counted as they are: each step its own,
 * whatever was asked for before. */
static void check_step(struct supply *s, uint64_t step)
{
    uint64_t first, last, targets = 0;
    supply_samples(s, step, &first, &last);
    const uint64_t counted = supply_targets(s, step, 0, SLICES);
    const struct message_slice *slice = supply_slices(s, step, false, 0, SLICES);
    for (size_t v = 0; v < SLICES; v++)
        for (size_t i = 0; i < slice[v].sequences; i++) {
            assert_int_equal(slice[v].samples[i], first++);
            targets += slice[v].lengths[i];
        }
    assert_int_equal(first, last + 1);
    assert_int_equal(counted, targets);
}

static void steps_of_pairs_have_the_samples_of_their_slices(void **state)
{
    (void)state;
    put("source", "word");
    put("target", "Wort");
    const struct sentences_input input = {"source", "target"};
    const struct prepare_pairs_options o = {
        .common = {.dir = "pairs-set", .tokenizer = "bpe:300", .held_out = 0.2},
        .inputs = &input,
        .inputs_n = 1,
        .max_length = 31};
    assert_int_equal(prepare_pairs(&o), ERR_OK);
    struct conf conf = conf_of("pairs-set");
    conf.model.encoder_layers = 1;
    conf.train.batch_tokens = 60;
    conf.train.length_pool = 20;
    struct supply s;
    assert_int_equal(supply_open(&s, &conf), ERR_OK);
    const uint64_t steps = s.batches.steps_per_epoch;
    assert_true(steps > 1);
    for (uint64_t step = 0; step < 2 * steps; step++)
        check_step(&s, step);
    check_step(&s, 0);
    supply_close(&s);
}

RUN(T(steps_of_a_text_have_a_batch_of_samples_each),
    T(steps_of_pairs_have_the_samples_of_their_slices))
