/* estimate.h - what a run would need, without running it: `lockstep train --dry-run`. */
#ifndef COORDINATOR_ESTIMATE_H
#define COORDINATOR_ESTIMATE_H

#include <stdint.h>
#include <stdio.h>

#include "conf/conf.h"

/* Opens the data (for the vocabulary and the length of an epoch) and measures the product
 * rate for a tenth of a second.  Logs; ERR_*. */
int estimate_print(const struct conf *conf, uint32_t workers, FILE *out);

#endif
