/* doctor_probe.h - does a translator look at its source?  Held-out loss of the newest
 * checkpoint with the right sources, and with each pair's source that of the next. */
#ifndef COORDINATOR_DOCTOR_PROBE_H
#define COORDINATOR_DOCTOR_PROBE_H

#include "data/dataset.h"
#include "doctor/rules.h"

/* Of up to 128 pairs that fit the context.  ERR_NO_FILE, not logged: no checkpoint;
 * ERR_DATA: it is of a decoder alone, or of other data; others as of saver_load_model(),
 * logged.  The checkpoint's configuration is @conf's. */
int doctor_probe(struct probe *p, const char *run_dir, const struct conf *conf,
                 const struct dataset *data);

#endif
