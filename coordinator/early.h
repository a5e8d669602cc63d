/* early.h - inside the coordinator core: a run ends early when train.patience evaluations
 * in a row brought nothing better.
 *
 * What decides is in the state of a checkpoint (metrics/validation.h), and a restart
 * evaluates the version it begins with if that was not done, so a run that was stopped or
 * killed ends at the same version as one that was not.
 */
#ifndef COORDINATOR_EARLY_H
#define COORDINATOR_EARLY_H

#include "coordinator/coordinator.h"

/* Is patience over? */
bool early_due(const struct coordinator *c);

/* Why: which metric, since when, and what was best. */
const char *early_why(const struct coordinator *c, char text[COORDINATOR_WHY]);

#endif
