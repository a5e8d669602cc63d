#include "optim/schedule.h"

#include <assert.h>
#include <math.h>

/* How much of the way from @first to @end is made; 0..1 */
static double share(double step, double first, double end)
{
    if (step >= end)
        return 1;
    return step <= first ? 0 : (step - first) / (end - first);
}

/* How much of the fall of wsd is made when the share @r of its steps is. */
static double wsd_fallen(const struct schedule *s, double r)
{
    return s->wsd_shape == SCHEDULE_WSD_IS_LINEAR ? r : sqrt(r);
}

double schedule_rate(const struct schedule *s, uint64_t step)
{
    const double at = (double)step, w = (double)s->warmup, n = (double)s->decay_steps;
    const double fall = s->rate - s->rate_min;
    if (step < s->warmup && s->kind != SCHEDULE_IS_RANGE_TEST)
        return s->rate * (at + 1) / w;

    switch (s->kind) {
    case SCHEDULE_IS_CONSTANT:
        return s->rate;
    case SCHEDULE_IS_LINEAR:
        return s->rate - fall * share(at, w, n);
    case SCHEDULE_IS_COSINE:
        return s->rate_min + fall * 0.5 * (1 + cos(M_PI * share(at, w, n)));
    case SCHEDULE_IS_INVERSE_SQRT:
        return s->rate * sqrt((w > 0 ? w : 1) / (at + 1));
    case SCHEDULE_IS_WSD:
        return s->rate -
               fall * wsd_fallen(s, share(at, fmax(w, n * (1 - s->wsd_decay)), n));
    case SCHEDULE_IS_POLYNOMIAL:
        return s->rate_min + fall * pow(1 - share(at, w, n), s->power);
    case SCHEDULE_IS_RANGE_TEST:
        assert(s->rate_min > 0);
        return s->rate_min * pow(s->rate / s->rate_min, share(at, 0, n - 1));
    }
    assert(!"a schedule of no kind");
    return 0;
}
