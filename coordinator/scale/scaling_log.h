/* scaling_log.h - what log.jsonl of a short training says of its speed (scaling.h).
 *
 * Only an undisturbed training counts:
 *
 * 1. It began once, with all workers, whose hosts are known, and none was lost while it
 *    trained.
 * 2. Steps 1 to warm_up + steps are there, each once, in order, with times and tokens
 *    that are not negative.
 *
 * Steps after the warm-up are measured, from commit to commit on the coordinator's clock.
 */
#ifndef COORDINATOR_SCALING_LOG_H
#define COORDINATOR_SCALING_LOG_H

#include "coordinator/scale/scaling.h"

struct scaling_length {
    uint64_t warm_up, steps; /* at least 1 each */
};

enum { SCALING_WHY = 160 };

/* Fills what a log knows of run->workers workers of @threads threads each.  ERR_NO_FILE,
 * ERR_IO: logged; ERR_DATA: it does not count, @why says for what. */
int scaling_log_read(const char *path, struct scaling_length length, unsigned threads,
                     struct scaling_run *run, char why[SCALING_WHY]);

#endif
