/* What options must keep together.  A rule looks at one relation and explains its
 * breach with both values, where they come from and what would do. */
#include <assert.h>
#include <math.h>
#include <stdarg.h>

#include "base/err.h"
#include "base/log.h"
#include "conf/set.h"
#include "conf/value.h"

enum {
    FFN_FACTOR = 4,   /* Vaswani 2017 */
    FFN_MULTIPLE = 32 /* of the width of swiglu: whole vectors */
};

static const double heartbeats_per_lease = 3; /* one may be lost, one may be late */

/* Writes: "a 1 (source) @relation b 2 (source); remedy" */
static void __attribute__((format(printf, 6, 7)))
say(enum log_level level, const struct conf *c, enum option_id a, const char *relation,
    enum option_id b, const char *remedy, ...)
{
    char advice[256], text_a[VALUE_TEXT], text_b[VALUE_TEXT];
    va_list args;
    va_start(args, remedy);
    vsnprintf(advice, sizeof advice, remedy, args);
    va_end(args);
    const struct conf_option *oa = &option_rows[a], *ob = &option_rows[b];
    log_write(level, "%s %s (%s) %s %s %s (%s); %s", oa->key, value_text(c, oa, text_a),
              c->source[a], relation, ob->key, value_text(c, ob, text_b), c->source[b],
              advice);
}

/* The divisors of @n around @near that are at most @n. */
static uint32_t divisor_below(uint32_t n, uint32_t near)
{
    for (uint32_t d = near < n ? near : n; d > 1; d--)
        if (n % d == 0)
            return d;
    return 1;
}

static uint32_t divisor_above(uint32_t n, uint32_t near)
{
    for (uint32_t d = near; d < n; d++)
        if (n % d == 0)
            return d;
    return n;
}

static bool divides(const struct conf *c, enum option_id part, uint32_t a,
                    enum option_id whole, uint32_t b)
{
    if (b % a == 0)
        return true;
    const uint32_t low = divisor_below(b, a), high = divisor_above(b, a);
    say(LOG_ERROR, c, part, "must divide", whole, "%s could be %lu or %lu",
        option_rows[part].key, (unsigned long)low, (unsigned long)high);
    return false;
}

static bool heads_divide_the_width(const struct conf *c)
{
    return divides(c, OPTION_model_heads, c->model.heads, OPTION_model_width,
                   c->model.width);
}

static bool kv_heads_divide_the_heads(const struct conf *c)
{
    return divides(c, OPTION_model_kv_heads, c->model.kv_heads, OPTION_model_heads,
                   c->model.heads);
}

/* Rotation turns channels in pairs. */
static bool rotary_has_even_heads(const struct conf *c)
{
    const uint32_t width = c->model.width / c->model.heads;
    if (c->model.positions != POSITIONS_ROTARY || width % 2 == 0 ||
        c->model.width % c->model.heads != 0) /* which was said already */
        return true;
    say(LOG_ERROR, c, OPTION_model_heads,
        "with rotary positions needs heads of even width,"
        " not of",
        OPTION_model_width, "each has %lu channels: use a width of %lu",
        (unsigned long)width, (unsigned long)(width + 1) * c->model.heads);
    return false;
}

/* A sine and a cosine for each frequency. */
static bool sinusoidal_has_even_width(const struct conf *c)
{
    const bool waves = c->model.positions == POSITIONS_SINUSOIDAL ||
                       c->model.positions == POSITIONS_HALVES;
    if (!waves || c->model.width % 2 == 0)
        return true;
    say(LOG_ERROR, c, OPTION_model_positions, "needs an even width, not",
        OPTION_model_width, "use %lu", (unsigned long)c->model.width + 1);
    return false;
}

static bool every_slice_has_a_sequence(const struct conf *c)
{
    if (c->model.encoder_layers > 0 || c->train.slices <= c->train.batch)
        return true;
    say(LOG_ERROR, c, OPTION_train_slices, "must be at most", OPTION_train_batch,
        "use train.slices %lu", (unsigned long)c->train.batch);
    return false;
}

static bool a_ramp_begins_below_its_end(const struct conf *c)
{
    if (c->train.ramp == 0 || c->train.ramp_from <= c->train.slices)
        return true;
    say(LOG_ERROR, c, OPTION_train_ramp_from, "must be at most", OPTION_train_slices,
        "use train.ramp_from %lu or less", (unsigned long)c->train.slices);
    return false;
}

static bool a_lease_outlasts_lost_heartbeats(const struct conf *c)
{
    const double least = heartbeats_per_lease * c->cluster.heartbeat;
    if (c->cluster.lease >= least * (1 - 1e-9)) /* 300ms are three times 100ms */
        return true;
    say(LOG_ERROR, c, OPTION_cluster_lease, "must be at least three times",
        OPTION_cluster_heartbeat, "use cluster.lease %gs or more", least);
    return false;
}

static bool the_rate_falls_to_its_minimum(const struct conf *c)
{
    if (c->optim.lr_min <= c->optim.lr)
        return true;
    say(LOG_ERROR, c, OPTION_optim_lr_min, "must be at most", OPTION_optim_lr,
        "lower the one or raise the other");
    return false;
}

/* It rises by factors, which zero does not. */
static bool a_range_test_starts_above_zero(const struct conf *c)
{
    if (c->optim.schedule != SCHEDULE_RANGE_TEST || c->optim.lr_min > 0)
        return true;
    say(LOG_ERROR, c, OPTION_optim_lr_min, "must be above 0 with", OPTION_optim_schedule,
        "use optim.lr_min=1e-6");
    return false;
}

static void warmup_ends_within_the_run(const struct conf *c)
{
    const struct conf_steps w = c->optim.warmup, n = c->train.steps;
    if (c->optim.schedule != SCHEDULE_RANGE_TEST && w.unit == n.unit && w.count > n.count)
        say(LOG_WARN, c, OPTION_optim_warmup, "is longer than", OPTION_train_steps,
            "the learning rate will not reach optim.lr");
}

static void decay_begins_after_warmup(const struct conf *c)
{
    const struct conf_steps w = c->optim.warmup, n = c->optim.decay_steps;
    if (n.count > 0 && w.unit == n.unit && n.count <= w.count &&
        (c->optim.schedule == SCHEDULE_COSINE || c->optim.schedule == SCHEDULE_LINEAR ||
         c->optim.schedule == SCHEDULE_POLYNOMIAL))
        say(LOG_WARN, c, OPTION_optim_decay_steps, "is not after", OPTION_optim_warmup,
            "the learning rate will drop to optim.lr_min at once");
}

static void post_norm_warms_up(const struct conf *c)
{
    if (c->model.norm_place == PLACE_POST && c->optim.warmup.count == 0)
        say(LOG_WARN, c, OPTION_model_norm_place,
            "without a warm-up often diverges:", OPTION_optim_warmup,
            "try optim.warmup=1000");
}

static void kept_checkpoints_are_written(const struct conf *c)
{
    const struct conf_steps keep = c->train.keep_every, write = c->train.checkpoint_every;
    if (keep.count > 0 && keep.unit == CONF_STEPS && write.unit == CONF_STEPS &&
        fmod(keep.count, write.count) != 0)
        say(LOG_WARN, c, OPTION_train_keep_every, "is no multiple of",
            OPTION_train_checkpoint_every,
            "only checkpoints at common multiples will be kept");
}

static void patience_keeps_the_best(const struct conf *c)
{
    if (c->train.patience > 0 && !c->train.keep_best)
        say(LOG_WARN, c, OPTION_train_patience, "and", OPTION_train_keep_best,
            "the best version may be gone when the run ends: try train.keep_best=true");
}

static void divergence_is_looked_for(const struct conf *c)
{
    if (c->train.on_divergence != DIVERGENCE_WARN && c->train.divergence == 0)
        say(LOG_WARN, c, OPTION_train_on_divergence, "does nothing without",
            OPTION_train_divergence, "try train.divergence=5");
}

static void there_is_something_to_translate(const struct conf *c)
{
    if (c->translate.bleu && !c->model.encoder_layers)
        say(LOG_WARN, c, OPTION_translate_bleu, "does nothing with",
            OPTION_model_encoder_layers, "a decoder alone does not translate");
}

static void sources_to_augment_are_there(const struct conf *c)
{
    const struct conf_augment *a = &c->augment;
    const struct {
        enum option_id option;
        double amount;
    } rows[] = {{OPTION_augment_source_bpe, a->source_bpe},
                {OPTION_augment_source_swap, a->source_swap},
                {OPTION_augment_source_switch, a->source_switch},
                {OPTION_augment_source_mask, a->source_mask},
                {OPTION_augment_source_drop, a->source_drop},
                {OPTION_augment_join, a->join}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows && !c->model.encoder_layers; i++)
        if (rows[i].amount > 0)
            say(LOG_WARN, c, rows[i].option, "does nothing with",
                OPTION_model_encoder_layers,
                "for a decoder alone there are augment.target_bpe and "
                "augment.target_switch");
}

static void resolved(struct conf *c, enum option_id id, const char *from)
{
    char source[CONF_SOURCE_MAX];
    snprintf(source, sizeof source, "auto: %s", from);
    set_source(c, id, source);
}

static void resolve_ffn(struct conf *c)
{
    struct conf_model *m = &c->model;
    if (m->ffn)
        return;
    if (m->activation == ACTIVATION_SWIGLU) { /* three matrices instead of two */
        m->ffn =
            (8 * m->width + 3 * FFN_MULTIPLE - 1) / (3 * FFN_MULTIPLE) * FFN_MULTIPLE;
        resolved(c, OPTION_model_ffn, "8/3 of model.width");
    } else {
        m->ffn = FFN_FACTOR * m->width;
        resolved(c, OPTION_model_ffn, "4 times model.width");
    }
    assert(m->ffn <= option_rows[OPTION_model_ffn].max);
}

static void resolve_dropout(struct conf *c, double *dropout, enum option_id id)
{
    if (!isnan(*dropout))
        return;
    *dropout = c->model.dropout;
    resolved(c, id, "model.dropout");
}

static void resolve(struct conf *c)
{
    struct conf_model *m = &c->model;
    if (!m->kv_heads) {
        m->kv_heads = m->heads;
        resolved(c, OPTION_model_kv_heads, "model.heads");
    }
    resolve_ffn(c);
    resolve_dropout(c, &m->dropout_embed, OPTION_model_dropout_embed);
    resolve_dropout(c, &m->dropout_attention, OPTION_model_dropout_attention);
    resolve_dropout(c, &m->dropout_residual, OPTION_model_dropout_residual);
}

int conf_check(struct conf *c)
{
    static bool (*const rules[])(const struct conf *) = {heads_divide_the_width,
                                                         kv_heads_divide_the_heads,
                                                         rotary_has_even_heads,
                                                         sinusoidal_has_even_width,
                                                         every_slice_has_a_sequence,
                                                         a_ramp_begins_below_its_end,
                                                         a_lease_outlasts_lost_heartbeats,
                                                         the_rate_falls_to_its_minimum,
                                                         a_range_test_starts_above_zero};
    resolve(c);
    bool good = true;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        good = rules[i](c) && good;
    return good ? ERR_OK : ERR_CONFIG;
}

void conf_advise(const struct conf *c)
{
    warmup_ends_within_the_run(c);
    decay_begins_after_warmup(c);
    post_norm_warms_up(c);
    kept_checkpoints_are_written(c);
    patience_keeps_the_best(c);
    divergence_is_looked_for(c);
    sources_to_augment_are_there(c);
    there_is_something_to_translate(c);
}
