/* doctor_probe.h - does a translator look at its source?  Held-out loss of the newest
 * checkpoint with the right sources, and with each pair's source that of the next. */
#ifndef COORDINATOR_DOCTOR_PROBE_H
#define COORDINATOR_DOCTOR_PROBE_H

#include "data/dataset.h"
#include "doctor/rules.h"

/* Of up to 128 pairs that fit the context.  ERR_NO_FILE, not logged: no checkpoint, or no
 * pairs; others, logged, as of trained_open(), and ERR_DATA: it is of other data. */
int doctor_probe(struct probe *p, const char *run_dir, const struct dataset *data);

#endif
