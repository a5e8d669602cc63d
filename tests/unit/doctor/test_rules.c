/* Every rule on courses that nobody trained: with its trouble, and with what looks like
 * it and is none. */
#include "support/test.h"

#include "base/err.h"
#include "base/philox.h"
#include "doctor/rules.h"

enum { STEPS = 400, EVERY = 10, EXAMINED = STEPS / EVERY, BLOCKS = 4, TENSORS = 6 };

/* A healthy run: a small GPT that learns from 4.17 to about 2.4. */
struct scene {
    struct course course;
    struct course_step step[STEPS];
    struct course_evaluation evaluation[8];
    struct course_statistics statistics[EXAMINED];
    struct tensor_statistics tensor[EXAMINED][TENSORS];
    struct block_statistics block[EXAMINED][BLOCKS];
    struct course_block at[BLOCKS];
    struct conf conf;
    struct survey survey;
    struct probe probe;
    struct signs signs;
    struct patient patient;
    struct findings found;
};

static struct scene s;
static char name[TENSORS][32] = {"embedding.token.weight", "layers.0.mlp.up.weight",
                                 "layers.1.mlp.up.weight", "layers.2.mlp.up.weight",
                                 "layers.3.mlp.up.weight", "layers.0.norm1.bias"};
static char *names[TENSORS] = {name[0], name[1], name[2], name[3], name[4], name[5]};

static double noise(size_t i)
{
    return philox_uniform(philox(philox_key(3, PHILOX_GENERATE),
                                 (struct philox_block){{(uint32_t)i, 0, 0, 0}})
                              .word[0]) -
           0.5;
}

static void make_steps(void)
{
    for (size_t i = 0; i < STEPS; i++)
        s.step[i] = (struct course_step){.step = i + 1,
                                         .loss = 2.4 + 1.77 * exp(-(double)i / 60) +
                                                 0.1 * noise(i),
                                         .rate = 3e-3,
                                         .norm = 0.7 + 0.2 * noise(i + STEPS),
                                         .clip = 1,
                                         .tokens = 512};
    s.step[0].loss = 4.17;
}

static void make_statistics(void)
{
    for (size_t i = 0; i < EXAMINED; i++) {
        s.statistics[i] =
            (struct course_statistics){.step = i * EVERY + 1,
                                       .accuracy = 0.3,
                                       .noise = {.signal = 1, .variance = 1000},
                                       .tensor = s.tensor[i],
                                       .block = s.block[i]};
        for (size_t t = 0; t < TENSORS; t++)
            s.tensor[i][t] = (struct tensor_statistics){0.1, 1e-3, 2e-3, 0.5};
        s.tensor[i][TENSORS - 1].weight = 0; /* a bias that starts as zero */
        for (size_t b = 0; b < BLOCKS; b++)
            s.block[i][b] = (struct block_statistics){.stream = 1,
                                                      .gradient = 0.1,
                                                      .attention = 0.1,
                                                      .cross = NAN,
                                                      .mlp = 0.2,
                                                      .dead = 0.02,
                                                      .zero = 0.5,
                                                      .entropy = 0.7,
                                                      .cross_entropy = NAN};
    }
}

static void healthy(void)
{
    memset(&s, 0, sizeof s);
    make_steps();
    make_statistics();
    for (size_t i = 0; i < 8; i++)
        s.evaluation[i] = (struct course_evaluation){50 * (i + 1), 3.2 - 0.1 * (double)i};
    for (size_t b = 0; b < BLOCKS; b++)
        s.at[b] = (struct course_block){"decoder", b};
    s.course = (struct course){.step = s.step,
                               .steps = STEPS,
                               .evaluation = s.evaluation,
                               .evaluations = 8,
                               .statistics = s.statistics,
                               .examined = EXAMINED,
                               .name = names,
                               .tensors = TENSORS,
                               .at = s.at,
                               .blocks = BLOCKS};
    conf_init(&s.conf);
    assert_int_equal(conf_load_word(&s.conf, "train.steps=400"), ERR_OK);
    assert_int_equal(conf_check(&s.conf), ERR_OK);
    s.survey = (struct survey){.vocab = 65,
                               .count = 100000,
                               .unigram = 3.3,
                               .bigram = 0.85,
                               .repeated = 0.001,
                               .known = 0.001,
                               .lengths = NAN,
                               .same = NAN,
                               .contained = NAN};
    s.patient = (struct patient){.course = &s.course,
                                 .signs = &s.signs,
                                 .conf = &s.conf,
                                 .survey = &s.survey,
                                 .vocab = 65};
}

static void pairs(void)
{
    s.survey.pairs = true;
    s.survey.lengths = 0.9;
    s.survey.same = s.survey.contained = 0.001;
    s.survey.bigram = NAN;
    s.conf.model.encoder_layers = 2;
    s.probe = (struct probe){2.5, 3.5, 100};
    s.patient.probe = &s.probe;
}

static void examine(void)
{
    signs_take(&s.signs, &s.course);
    rules_apply(&s.found, &s.patient);
    signs_fini(&s.signs);
}

static const struct finding *finding(const char *rule)
{
    for (size_t i = 0; i < s.found.n; i++)
        if (strcmp(s.found.list[i].rule->name, rule) == 0)
            return &s.found.list[i];
    return NULL;
}

static void expect_none(void)
{
    examine();
    if (s.found.n > 0)
        print_error("%s: %s\n", s.found.list[0].rule->name, s.found.list[0].seen);
    assert_int_equal(s.found.n, 0);
}

static void expect(enum severity severity, const char *rule, const char *words)
{
    examine();
    assert_true(s.found.n > 0);
    const struct finding *f = finding(rule);
    if (!f || s.found.list[0].rule != f->rule)
        print_error("expected %s, found %s: %s\n", rule, s.found.list[0].rule->name,
                    s.found.list[0].seen);
    assert_string_equal(s.found.list[0].rule->name, rule);
    assert_int_equal(f->severity, severity);
    if (!strstr(f->seen, words) && !strstr(f->change, words))
        print_error("no '%s' in: %s; %s\n", words, f->seen, f->change);
    assert_true(strstr(f->seen, words) || strstr(f->change, words));
    assert_true(*f->seen && *f->change);
}

static void nothing_is_wrong_with_a_healthy_run(void **state)
{
    (void)state;
    healthy();
    expect_none();
    pairs();
    expect_none();
}

/* A run that has just begun, has no data here, was not examined. */
static void what_is_not_there_is_no_trouble(void **state)
{
    (void)state;
    healthy();
    s.patient.survey = NULL;
    s.patient.vocab = NAN;
    s.course.examined = s.course.evaluations = 0;
    expect_none();
    s.course.steps = 3;
    expect_none();
    s.course.steps = 0;
    expect_none();
    healthy();
    for (size_t i = 0; i < EXAMINED; i++)
        s.statistics[i].block = NULL;
    expect_none();
}

static void data_in_no_order(void **state)
{
    (void)state;
    healthy();
    s.survey.bigram = 0.02;
    expect(SEVERITY_SEVERE, "shuffled_data", "0.020 nats");
    healthy();
    s.survey.bigram = 0.4;
    expect_none();
    pairs();
    s.survey.lengths = 0.1;
    expect(SEVERITY_SEVERE, "shuffled_data", "correlation of 0.10");
    s.survey.lengths = NAN; /* all of one length */
    expect_none();
    s.survey.lengths = 0.1;
    s.survey.count = 100; /* too few to tell */
    expect_none();
}

static void data_that_tells_its_targets(void **state)
{
    (void)state;
    healthy();
    pairs();
    s.survey.contained = 0.9;
    expect(SEVERITY_SEVERE, "leaking_labels", "90.0 % a part");
    s.survey.contained = 0;
    s.survey.same = 0.05;
    expect(SEVERITY_WARNING, "leaking_labels", "5.0 %");
    s.survey.same = 0.01;
    expect_none();
}

static void data_that_comes_again(void **state)
{
    (void)state;
    healthy();
    s.survey.repeated = 0.6;
    expect(SEVERITY_SEVERE, "repeated_data", "60.0 %");
    s.survey.known = 0.5; /* then the held-out loss says nothing, which is worse */
    expect(SEVERITY_SEVERE, "known_held_out", "50.0 %");
    s.survey.repeated = s.survey.known = 0.015;
    expect_none();
}

static void a_gradient_that_fades_with_depth(void **state)
{
    (void)state;
    healthy();
    s.block[0][0].gradient = 1e-5;
    expect(SEVERITY_SEVERE, "depth", "block 0 of the decoder");
    s.block[0][0].gradient = 0.1;
    s.block[0][3].stream = 200;
    expect(SEVERITY_WARNING, "depth", "the residual stream");
    s.block[0][3].stream = 20;
    expect_none();
    s.block[0][0].gradient = 1e-5; /* two stacks: each by itself */
    snprintf(s.at[0].stack, sizeof s.at[0].stack, "encoder");
    expect_none();
}

static void a_first_loss_that_is_no_guess(void **state)
{
    (void)state;
    healthy();
    s.step[0].loss = 9;
    expect(SEVERITY_SEVERE, "start", "ln 65 = 4.174");
    s.step[0].loss = 5;
    expect(SEVERITY_WARNING, "start", "loss 5.000");
    s.step[0].loss = 4.6; /* post-norm: unit logits */
    expect_none();
    s.step[0].loss = 2;
    expect(SEVERITY_WARNING, "start", "loss 2.000");
    for (size_t i = 0; i < STEPS; i++)
        s.step[i].step += 1000; /* a log that begins later */
    for (size_t i = 0; i < EXAMINED; i++)
        s.statistics[i].step += 1000;
    for (size_t i = 0; i < 8; i++)
        s.evaluation[i].step += 1000;
    expect_none();
}

static void a_tensor_that_does_not_move(void **state)
{
    (void)state;
    healthy();
    for (size_t i = 0; i < EXAMINED; i++)
        s.tensor[i][2].update = 0;
    expect(SEVERITY_SEVERE, "frozen_layer", "layers.1.mlp.up.weight");
    for (size_t i = 0; i < EXAMINED; i++)
        s.tensor[i][2].update = 1e-4; /* slower, and not still */
    expect_none();
    for (size_t i = 0; i < EXAMINED; i++)
        for (size_t t = 0; t < TENSORS; t++)
            s.tensor[i][t].update = 0; /* all of them: the rate is 0 */
    examine();
    assert_null(finding("frozen_layer"));
}

static void post_norm_is_blamed_only_for_a_loss_that_stands(void **state)
{
    (void)state;
    healthy();
    s.conf.model.norm_place = PLACE_POST;
    s.conf.optim.warmup = (struct conf_steps){0};
    s.conf.optim.lr = 5e-3;
    expect_none(); /* it got away with it */
    for (size_t i = 20; i < STEPS; i++)
        s.step[i].loss = 3.29 + 0.05 * noise(i);
    expect(SEVERITY_SEVERE, "post_norm_warmup", "optim.warmup=");
    s.conf.optim.warmup.count = 100;
    expect(SEVERITY_SEVERE, "stuck", "entropy of the tokens is 3.300");
    s.patient.survey = NULL; /* ln V is further up */
    expect_none();
}

static void a_loss_that_rises(void **state)
{
    (void)state;
    healthy();
    for (size_t i = 300; i < STEPS; i++)
        s.step[i].loss += 0.02 * (double)(i - 300);
    s.conf.optim.clip = 0;
    expect(SEVERITY_SEVERE, "divergence", "optim.clip=1");
    healthy();
    s.step[350].loss = NAN;
    expect(SEVERITY_SEVERE, "divergence", "not finite at step 351");
    healthy();
    s.course.skipped = 2;
    expect(SEVERITY_SEVERE, "divergence", "2 steps were skipped");
    healthy();
    for (size_t i = 300; i < STEPS; i++)
        s.step[i].loss += 0.1; /* another piece of text */
    examine();
    assert_null(finding("divergence"));
}

static void units_that_are_dead(void **state)
{
    (void)state;
    healthy();
    s.conf.model.activation = ACTIVATION_RELU;
    for (size_t i = 0; i < EXAMINED; i++)
        s.block[i][3].dead = 0.7;
    expect(SEVERITY_SEVERE, "dead_units", "70 % of the hidden units of block 3");
    for (size_t i = 0; i < EXAMINED; i++)
        s.block[i][3].dead = i < EXAMINED / 2 ? 0.9 : 0.1; /* at the start only */
    expect_none();
}

static void weights_of_another_scale(void **state)
{
    (void)state;
    healthy();
    for (size_t i = 0; i < EXAMINED; i++) {
        s.tensor[i][4].weight = 2;
        s.tensor[i][4].update = 0.04;
    }
    expect(SEVERITY_SEVERE, "unequal_scales", "layers.3.mlp.up.weight");
    for (size_t i = 0; i < EXAMINED; i++) {
        s.tensor[i][4].weight = 0.3;
        s.tensor[i][0].weight = 3; /* nothing is like the embedding */
    }
    expect_none();
    s.tensor[0][4].weight = 0.005; /* at the start: they grow */
    expect(SEVERITY_SEVERE, "unequal_scales", "at step 1");
    s.tensor[0][4].weight = 0.02;
    expect_none();
}

static void attention_that_has_collapsed(void **state)
{
    (void)state;
    healthy();
    for (size_t i = 0; i < EXAMINED; i++)
        s.block[i][1].entropy = 0.001;
    expect(SEVERITY_WARNING, "attention_collapse", "block 1 of the decoder");
    for (size_t i = 0; i < EXAMINED; i++)
        for (size_t b = 0; b < BLOCKS; b++)
            s.block[i][b].entropy = 0.99999; /* young models look everywhere */
    expect_none();
}

static void a_source_that_is_not_looked_at(void **state)
{
    (void)state;
    healthy();
    pairs();
    s.probe.wrong = s.probe.right;
    expect(SEVERITY_WARNING, "unused_source", "(100 pairs)");
    s.probe.wrong = 1.02 * s.probe.right;
    expect_none();
    s.probe.wrong = s.probe.right;
    for (size_t i = 0; i < STEPS; i++)
        s.step[i].loss = 4.1 - 1e-3 * (double)i; /* it still learns other things */
    s.survey.unigram = 4.17;
    expect(SEVERITY_NOTE, "unused_source", "train longer");
}

static void set_updates(double update)
{
    for (size_t i = 0; i < EXAMINED; i++)
        for (size_t t = 0; t < TENSORS; t++)
            s.tensor[i][t].update = update;
}

static void updates_too_long_and_too_short(void **state)
{
    (void)state;
    healthy();
    s.conf.optim.lr = 0.1;
    for (size_t t = 0; t < TENSORS; t++)
        s.tensor[1][t].update = 0.02;
    expect(SEVERITY_WARNING, "rate_high", "optim.lr=0.01");
    healthy();
    for (size_t t = 0; t < TENSORS; t++)
        s.tensor[0][t].update = 0.02; /* the first of Adam is as long as the rate */
    expect_none();
    set_updates(1e-5);
    expect_none(); /* short, and the loss is down */
    for (size_t i = 0; i < STEPS; i++)
        s.step[i].loss = 4.17 - 2e-3 * (double)i + 0.02 * noise(i);
    expect(SEVERITY_SEVERE, "rate_low", "optim.lr=0.01");
    set_updates(2e-3);
    examine();
    assert_null(finding("rate_low"));
}

static void batches_that_stand_out(void **state)
{
    (void)state;
    healthy();
    s.step[199].loss += 1;
    s.step[299].loss += 1;
    s.step[199].first_sample = 4784; /* after a rewind other ones than of every run */
    s.step[199].last_sample = 4799;
    expect(SEVERITY_WARNING, "spikes", "step 200: loss");
    assert_non_null(strstr(finding("spikes")->change, "number 4784 to 4799"));
    s.step[199].first_sample = s.step[199].last_sample = NAN;
    expect(SEVERITY_WARNING, "spikes", "step 200: loss");
    assert_null(strstr(finding("spikes")->change, "number"));
    healthy();
    s.step[249].norm = 50;
    expect(SEVERITY_WARNING, "spikes", "step 250: gradient norm 50");
    healthy();
    s.step[5].loss += 2; /* too early to know what is usual */
    expect_none();
    s.step[5].loss -= 2;
    s.step[199].loss += 0.1;
    expect_none();
}

static void learning_by_heart(void **state)
{
    (void)state;
    healthy();
    for (size_t i = 3; i < 8; i++)
        s.evaluation[i].loss = 2.9 + 0.1 * (double)(i - 2);
    s.step[0].loss = 4.17;
    expect(SEVERITY_SEVERE, "overfitting", "stop at step 150");
    for (size_t i = 3; i < 8; i++)
        s.evaluation[i].loss = 3.0 + 0.02 * (double)(i - 2);
    expect(SEVERITY_WARNING, "overfitting", "model.dropout=0.2");
    for (size_t i = 3; i < 8; i++)
        s.evaluation[i].loss = 3.0 + 0.002 * (double)(i - 2);
    expect_none();
}

static void a_loss_too_good_to_be_true(void **state)
{
    (void)state;
    healthy();
    for (size_t i = 50; i < STEPS; i++)
        s.step[i].loss = 0.02;
    for (size_t i = 0; i < EXAMINED; i++)
        s.statistics[i].accuracy = 0.995;
    for (size_t i = 1; i < 8; i++)
        s.evaluation[i].loss = 0.03;
    expect(SEVERITY_SEVERE, "too_good", "99.5 %");
    for (size_t i = 1; i < 8; i++)
        s.evaluation[i].loss = 2; /* by heart, then */
    examine();
    assert_null(finding("too_good"));
}

static void steps_that_are_clipped(void **state)
{
    (void)state;
    healthy();
    for (size_t i = 0; i < STEPS; i++)
        s.step[i].clip = i % 4 ? 0.3 : 1;
    expect(SEVERITY_WARNING, "clipping", "75 % of the steps");
    for (size_t i = 0; i < STEPS; i++)
        s.step[i].clip = i % 4 ? 0.97 : 1; /* a touch */
    expect_none();
    for (size_t i = 0; i < STEPS; i++)
        s.step[i].clip = i < 40 || i % 4 == 0 ? 0.3 : 1; /* at the start, and some */
    expect_none();
}

static void a_gradient_that_is_noise(void **state)
{
    (void)state;
    healthy();
    for (size_t i = 0; i < EXAMINED; i++)
        s.statistics[i].noise.variance = 512 * 20;
    expect(SEVERITY_WARNING, "noisy_gradient", "20 times");
    for (size_t i = 0; i < EXAMINED; i++)
        s.statistics[i].noise.signal = i % 2 ? 3 : -4; /* scatters around nothing */
    expect(SEVERITY_WARNING, "noisy_gradient", "no signal");
    for (size_t i = 0; i < EXAMINED; i++) { /* at the end little is left to learn */
        s.statistics[i].noise.signal = 1;
        s.statistics[i].noise.variance = i < EXAMINED / 2 ? 512 : 512 * 100;
    }
    expect_none();
}

RUN(T(nothing_is_wrong_with_a_healthy_run), T(what_is_not_there_is_no_trouble),
    T(data_in_no_order), T(data_that_tells_its_targets), T(data_that_comes_again),
    T(a_gradient_that_fades_with_depth), T(a_first_loss_that_is_no_guess),
    T(a_tensor_that_does_not_move), T(post_norm_is_blamed_only_for_a_loss_that_stands),
    T(a_loss_that_rises), T(units_that_are_dead), T(weights_of_another_scale),
    T(attention_that_has_collapsed), T(a_source_that_is_not_looked_at),
    T(updates_too_long_and_too_short), T(batches_that_stand_out), T(learning_by_heart),
    T(a_loss_too_good_to_be_true), T(steps_that_are_clipped), T(a_gradient_that_is_noise))
