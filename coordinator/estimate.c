#include "coordinator/estimate.h"

#include <math.h>

#include "base/err.h"
#include "base/units.h"
#include "coordinator/command.h"
#include "coordinator/saver.h"
#include "coordinator/store.h"
#include "coordinator/supply.h"
#include "flat/wire.h"
#include "nn/transformer.h"
#include "tensor/gemm.h"

/* What a step reaches of the product rate, from tests/bench (README); updates and
 * transfers included. */
static const double EXPECTED_SHARE = 0.55;

/* Forward is a third of a step; with train.recompute most of it is done twice. */
static const double RECOMPUTED = 4.0 / 3;

static void line(FILE *out, const char *what, const char *value)
{
    fprintf(out, "  %-28s %s\n", what, value);
}

static void print_sizes(const struct conf *c, const struct supply *s,
                        const struct transformer *t, uint32_t workers, FILE *out)
{
    char text[UNITS_TEXT], more[2 * UNITS_TEXT + 32];
    line(out, "parameters", units_print_count(text, (double)t->count));
    snprintf(
        more, sizeof more, "%.0f (%s per epoch of the data)", s->scale.tokens_per_step,
        units_print_count(text, s->scale.steps_per_epoch * s->scale.tokens_per_step));
    line(out, "tokens per step", more);
    if (c->train.ramp) {
        snprintf(more, sizeof more, "over %llu steps from %u to %u slices",
                 (unsigned long long)c->train.ramp, c->train.ramp_from, c->train.slices);
        line(out, "batch-size ramp", more);
    }
    /* store, copy for checkpoints, partials of two workers */
    const double coordinator = (double)store_bytes(t, &c->optim) +
                               (double)saver_bytes(t, &c->optim) +
                               2.0 * (double)t->count * sizeof(float);
    line(out, "memory of the coordinator", units_print_size(text, coordinator));
    line(out, "memory of a worker",
         units_print_size(text, cluster_worker_bytes(c, s->vocab, workers)));
    const size_t partial = wire_bytes((enum wire)c->cluster.wire, t->count);
    line(out, "partials to the coordinator",
         units_print_size(text, (double)partial * workers));
    line(out, "parameters to workers",
         units_print_size(text, 4.0 * (double)t->count * workers));
}

static void print_time(const struct conf *c, const struct supply *s,
                       const struct transformer *t, uint32_t workers, FILE *out)
{
    char text[UNITS_TEXT], rate[UNITS_TEXT];
    const double threads = (double)cluster_threads(c, workers) * workers;
    const double peak = gemm_peak_flops() * threads;
    const double step = transformer_flops_per_token(t, (size_t)ceil(s->length)) *
                        s->scale.tokens_per_step / (EXPECTED_SHARE * peak) *
                        (c->train.recompute ? RECOMPUTED : 1);
    const double steps = (double)conf_steps_count(c->train.steps, s->scale);
    fprintf(out, "  %-28s about %s for a step, %s for %.0f steps,\n",
            "time on this machine", units_print_duration(text, step),
            units_print_duration(rate, step * steps), steps);
    fprintf(out, "  %-28s on %.0f threads at %.0f %% of the measured %sFLOP/s\n", "",
            threads, 100 * EXPECTED_SHARE, units_print_count(text, peak));
}

int estimate_print(const struct conf *conf, uint32_t workers, FILE *out)
{
    struct supply s;
    struct transformer t;
    const char *name;
    TRY(gemm_start(NULL, &name));
    TRY(supply_open(&s, conf));
    const int err = transformer_init(&t, &conf->model, s.vocab);
    if (!err) {
        fprintf(out, "With %u worker%s, a run would need:\n", workers,
                workers > 1 ? "s" : "");
        print_sizes(conf, &s, &t, workers, out);
        print_time(conf, &s, &t, workers, out);
        transformer_fini(&t);
    }
    supply_close(&s);
    return err;
}
