#include "doctor/rules.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "doctor/checks.h"

/* What causes other things comes first. */
const struct rule rules[] = {
    {"shuffled_data", "the data has lost its order",
     "What is to be predicted has nothing to do with what it is predicted from; a model "
     "can then learn how often words come, and nothing else.",
     "law of the data; Shannon 1951", check_order},
    {"leaking_labels", "targets stand in their sources",
     "Copying is enough for a low loss, and the model will not learn to translate.",
     "Ott 2018 (arXiv:1803.00047): 2 % of copies are enough to spoil beam search",
     check_leak},
    {"known_held_out", "held-out data is in the training data",
     "The held-out loss then measures what was learnt by heart; early stopping and the "
     "choice of a checkpoint go by it.",
     "Lee 2022 (arXiv:2107.06499)", check_known},
    {"repeated_data", "training data is there several times",
     "A model learns by heart what comes again and again, and less from the rest.",
     "Lee 2022 (arXiv:2107.06499): windows of 50 tokens", check_repeated},
    {"depth", "the gradient does not reach all layers alike",
     "It grows or shrinks from block to block, so that no rate suits all of them.",
     "Glorot 2010; He 2015; Xiong 2020 (arXiv:2002.04745)", check_depth},
    {"start", "the first loss is not that of a guess",
     "A model that knows nothing should spread its guess over the vocabulary, which "
     "costs ln V; starting elsewhere, it first has to unlearn what its initialisation "
     "says.",
     "ln V: law; nanoGPT starts at 4.17 of ln 65 = 4.17", check_start},
    {"frozen_layer", "a layer does not learn", "The rest has to learn around it.",
     "update / weight should be near 1e-3", check_frozen},
    {"post_norm_warmup", "post-norm without a warm-up",
     "With the norm behind the sum the gradients near the output are large at the "
     "start, and full steps there do lasting damage.",
     "Xiong 2020 (arXiv:2002.04745)", check_post_norm},
    {"divergence", "the training diverges",
     "Updates are too long for where the model is; what was learnt is lost.",
     "Marian --throw-on-divergence; tuning_playbook, \"Unstable training\"",
     check_divergence},
    {"dead_units", "hidden units are dead",
     "A ReLU that is 0 for every input has no gradient and never comes back: the "
     "feed-forward part is smaller than it looks.",
     "Maas 2013; Lu 2019 (arXiv:1903.06733)", check_dead},
    {"unequal_scales", "blocks work at different scales",
     "Adam moves all weights by about the rate: what is right for one block is much for "
     "a smaller one, and next to nothing for a larger one.",
     "Glorot 2010; Zhang 2019 (arXiv:1908.11365)", check_scales},
    {"rate_high", "the learning rate is too high",
     "Updates are a large part of the weights that they change; the model jumps about "
     "and averages nothing.",
     "the first updates of Adam, which are of the rate's size; tuning_playbook",
     check_rate_high},
    {"rate_low", "the learning rate is too low",
     "The loss would go on falling for long: most of the steps are not used.",
     "update / weight near 1e-3 is usual; Smith 2017 (arXiv:1506.01186)", check_rate_low},
    {"stuck", "it learns how often tokens come, and no more",
     "The loss stands where a table of frequencies would.", "law: entropy of the tokens",
     check_stuck},
    {"attention_collapse", "attention has collapsed",
     "It looks at one place whatever comes, or at all places alike: heads that carry "
     "nothing.",
     "Zhai 2023 (arXiv:2303.06296)", check_attention},
    {"unused_source", "the decoder does not look at the source",
     "It is a language model of the target side; what it writes will be fluent and "
     "unrelated.",
     "held-out pairs with the sources of others", check_source},
    {"spikes", "some batches stand out",
     "A few steps are much worse than those around them: bad data, most often. Each "
     "such update throws the model back.",
     "more than 6 sigma of 128 steps: llm.c, MaxText; Chowdhery 2022 "
     "(arXiv:2204.02311)",
     check_spikes},
    {"too_good", "the loss is too low to be true",
     "Nothing but copying or learning by heart has such a loss.", "-", check_too_good},
    {"overfitting", "it learns the training data by heart",
     "The held-out loss rises while the training loss falls: every further step makes "
     "the model worse.",
     "Prechelt 1998, \"Early stopping - but when?\"; Srivastava 2014", check_overfitting},
    {"noisy_gradient", "too few tokens in a step",
     "Most of the gradient is the accident of which samples are in the batch.",
     "McCandlish 2018 (arXiv:1812.06162): gradient noise scale", check_noise},
    {"clipping", "most steps are clipped",
     "The length of the update is then that of the limit and not of the gradient: a "
     "lower rate in disguise.",
     "tuning_playbook: above 50 % of the updates lower the rate", check_clipping},
};

const size_t rules_n = sizeof rules / sizeof *rules;

const char *severity_name(enum severity s)
{
    static const char *const names[] = {"", "note", "warning", "severe"};
    return names[s];
}

void rules_apply(struct findings *all, const struct patient *p)
{
    struct finding f[FINDINGS_MAX];
    static_assert(sizeof rules / sizeof *rules <= FINDINGS_MAX, "room for all");
    for (size_t i = 0; i < rules_n; i++) {
        f[i] = (struct finding){.rule = &rules[i]};
        f[i].severity = rules[i].check(p, &f[i]);
    }
    all->n = 0;
    for (enum severity s = SEVERITY_SEVERE; s > SEVERITY_NONE; s--)
        for (size_t i = 0; i < rules_n; i++)
            if (f[i].severity == s)
                all->list[all->n++] = f[i];
}

/* --- what checks share --- */

static void write(char text[FINDING_TEXT], const char *format, va_list args)
{
    const size_t n = strlen(text);
    vsnprintf(text + n, FINDING_TEXT - n, format, args);
}

void say_seen(struct finding *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write(f->seen, format, args);
    va_end(args);
}

void say_change(struct finding *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write(f->change, format, args);
    va_end(args);
}

const char *block_name(const struct course *c, size_t block)
{
    static _Thread_local char text[4][64];
    static _Thread_local unsigned next;
    char *t = text[next++ % 4];
    snprintf(t, sizeof *text, "block %llu of the %s",
             (unsigned long long)c->at[block].number, c->at[block].stack);
    return t;
}

unsigned long long step_at(const struct course *c, size_t i)
{
    return (unsigned long long)c->step[i].step;
}

double loss_of_frequencies(const struct patient *p)
{
    const double guess = log(p->vocab);
    return p->survey && isfinite(p->survey->unigram) ? p->survey->unigram : guess;
}

bool is_stuck(const struct patient *p)
{
    enum { STEPS = 100 };    /* after the warm-up; by then all have more */
    const double near = 0.1; /* nats */
    const struct conf_steps w = p->conf->optim.warmup;
    const double warmup = w.count > 0 && w.unit != CONF_STEPS ? INFINITY : w.count;
    return (double)p->course->steps >= STEPS + warmup / 2 &&
           p->signs->last > loss_of_frequencies(p) - near;
}

bool is_diverged(const struct patient *p)
{
    const double rise = 0.3, sigmas = 5; /* nats; Marian asks for 5 sigma */
    const struct signs *s = p->signs;
    return s->not_finite > 0 || p->course->skipped > 0 ||
           s->last - s->best > fmax(rise, sigmas * s->scatter) ||
           s->peak > fmax(s->first, log(p->vocab)) + 1;
}
