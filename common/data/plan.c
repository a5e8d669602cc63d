#include "data/plan.h"

#include <assert.h>
#include <math.h>

struct plan plan_of(const struct conf *conf)
{
    return (struct plan){.batch = conf->train.batch,
                         .slices = conf->train.slices,
                         .context = conf->model.context,
                         .ramp = {conf->train.ramp, conf->train.ramp_from},
                         .pairs = conf->model.encoder_layers > 0,
                         .batch_tokens = conf->train.batch_tokens,
                         .merges_dropped =
                             fmax(conf->augment.source_bpe, conf->augment.target_bpe)};
}

struct plan_piece plan_slice(struct plan p, uint32_t v)
{
    assert(v < p.slices && p.slices <= p.batch);
    const uint64_t first = (uint64_t)v * p.batch / p.slices,
                   end = ((uint64_t)v + 1) * p.batch / p.slices;
    return (struct plan_piece){first, (uint32_t)(end - first)};
}

struct plan_place plan_place(struct plan p, uint64_t step, uint32_t v)
{
    assert(v < ramp_slices(p.ramp, p.slices, step));
    const uint64_t before = ramp_before(p.ramp, p.slices, step) + v;
    return (struct plan_place){before / p.slices, (uint32_t)(before % p.slices)};
}

static uint32_t held_out_sequences(struct plan p)
{
    const uint32_t largest = (p.batch + p.slices - 1) / p.slices,
                   some = PLAN_HELD_OUT_ROWS / p.context;
    return largest > some ? largest : some;
}

uint64_t plan_rows(struct plan p)
{
    if (p.pairs)
        return (uint64_t)((double)(p.batch_tokens / p.slices + 1 + p.context) *
                          (1 + 4 * p.merges_dropped));
    return (uint64_t)held_out_sequences(p) * p.context;
}

/* Windows that are as long as the context; the rest is one shorter window or none. */
static uint64_t full_windows(struct plan p, uint64_t windows, uint32_t last_length)
{
    assert(windows > 0 && last_length > 0 && last_length <= p.context);
    return last_length < p.context ? windows - 1 : windows;
}

uint32_t plan_held_out_slices(struct plan p, uint64_t windows, uint32_t last_length)
{
    const uint64_t full = full_windows(p, windows, last_length),
                   per = held_out_sequences(p);
    return (uint32_t)((full + per - 1) / per + (windows - full));
}

struct plan_piece plan_held_out(struct plan p, uint64_t windows, uint32_t last_length,
                                uint32_t v)
{
    const uint64_t full = full_windows(p, windows, last_length),
                   per = held_out_sequences(p);
    const uint64_t first = v * per;
    if (first >= full)
        return (struct plan_piece){full, 1};
    return (struct plan_piece){first,
                               (uint32_t)(first + per < full ? per : full - first)};
}
