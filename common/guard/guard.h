/* guard.h - all that is remembered; of a new run: zeros. */
#ifndef GUARD_GUARD_H
#define GUARD_GUARD_H

#include "guard/spikes.h"
#include "guard/trend.h"
#include "guard/turns.h"

struct guard {
    struct spikes spikes;
    struct trend trend;
    struct turns turns;
};

#endif
