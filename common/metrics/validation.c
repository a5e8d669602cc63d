#include "metrics/validation.h"

#include <math.h>

const struct validation_row validation_rows[VALIDATION_METRICS] = {
    [VALIDATION_HELD_OUT_LOSS] = {"held_out_loss", "best_step", "held-out loss", false},
    [VALIDATION_BLEU] = {"bleu", "best_bleu_step", "BLEU", true},
};

void validation_init(struct validation *v)
{
    v->step = UINT64_MAX;
    for (int m = 0; m < VALIDATION_METRICS; m++)
        v->mark[m] =
            (struct validation_mark){.last = NAN, .best = NAN, .best_step = UINT64_MAX};
}

static bool better(bool higher, double value, double best)
{
    return isfinite(value) && (isnan(best) || (higher ? value > best : value < best));
}

void validation_take(struct validation *v, uint64_t step,
                     const double value[VALIDATION_METRICS])
{
    v->step = step;
    for (int m = 0; m < VALIDATION_METRICS; m++) {
        struct validation_mark *k = &v->mark[m];
        k->last = value[m];
        if (better(validation_rows[m].higher, value[m], k->best)) {
            k->best = value[m];
            k->best_step = step;
            k->stale = 0;
        } else if (k->stale < UINT32_MAX) {
            k->stale++;
        }
    }
}

bool validation_is_best(const struct validation *v, enum validation_metric m)
{
    return v->step != UINT64_MAX && v->mark[m].best_step == v->step;
}

bool validation_over(const struct validation_mark *mark, size_t n, uint32_t patience,
                     bool all)
{
    size_t known = 0, over = 0;
    for (size_t m = 0; m < n; m++) {
        if (mark[m].best_step == UINT64_MAX)
            continue;
        known++;
        over += mark[m].stale >= patience;
    }
    return patience > 0 && over > 0 && (!all || over == known);
}
