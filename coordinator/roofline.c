#include "coordinator/roofline.h"

#include <math.h>
#include <stdio.h>

#include "base/units.h"

enum { WARM = 3, FEWEST = 10 };

void roofline_add(struct roofline *r, const struct roofline_step *step)
{
    if (r->steps++ < WARM)
        return;
    r->sum.computing += step->computing;
    r->sum.gathering += step->gathering;
    r->sum.updating += step->updating;
    r->sum.received += step->received;
    r->sum.sent += step->sent;
}

enum roofline_limit roofline_limit(const struct roofline_step *s)
{
    const double much = 0.2, all = s->computing + s->gathering + s->updating;
    if (s->gathering > much * all && s->gathering >= s->updating)
        return LIMIT_LINK;
    return s->updating > much * all ? LIMIT_COORDINATOR : LIMIT_WORKERS;
}

/* What would help a run that is limited so. */
static const char *advice(enum roofline_limit limit, double flops_share, enum wire wire)
{
    static const char *const link[WIRES] = {
        "the link limits: cluster.wire=bfloat16 halves what is received, int8 quarters "
        "it, a larger train.batch has more to compute for the same traffic",
        "the link limits: cluster.wire=int8 halves what is received, a larger "
        "train.batch has more to compute for the same traffic",
        "the link limits: a larger train.batch has more to compute for the same "
        "traffic"};
    const double idle = 0.5;
    if (limit == LIMIT_LINK)
        return link[wire];
    if (limit == LIMIT_COORDINATOR)
        return "the coordinator limits: a larger train.batch has fewer updates";
    if (flops_share < idle)
        return "the workers limit, below half of the product rate: fewer train.slices "
               "with "
               "more rows each, or a slow machine among them, which the log names";
    return "the workers limit, near their product rate: more of them make it faster";
}

bool roofline_text(const struct roofline *r, double flops_share, enum wire wire,
                   char text[ROOFLINE_TEXT])
{
    const struct roofline_step *s = &r->sum;
    const double all = s->computing + s->gathering + s->updating,
                 steps = (double)r->steps - WARM;
    if (r->steps < WARM + FEWEST || !(all > 0))
        return false;
    char step[UNITS_TEXT], in[UNITS_TEXT], out[UNITS_TEXT];
    snprintf(text, ROOFLINE_TEXT,
             "a step took %s: %.0f %% computing, %.0f %% gathering gradients, %.0f %% "
             "updating; %s in, %s out; %s",
             units_print_duration(step, all / steps), 100 * s->computing / all,
             100 * s->gathering / all, 100 * s->updating / all,
             units_print_size(in, s->received / steps),
             units_print_size(out, s->sent / steps),
             advice(roofline_limit(s), flops_share, wire));
    return true;
}
