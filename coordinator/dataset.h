/* dataset.h - the prepared data of a run, as slices for leases: the only place where the
 * cluster reads text.  Loop thread only. */
#ifndef COORDINATOR_DATASET_H
#define COORDINATOR_DATASET_H

#include <stdint.h>

#include "conf/conf.h"
#include "net/message.h"

struct dataset;

/* Opens data.dir; every problem is logged with the file and its remedy.  @seed keys the
 * order of the samples.  Errors: ERR_NO_FILE, ERR_DATA, ERR_CORRUPT. */
int dataset_open(const struct conf *conf, struct dataset **d);
void dataset_close(struct dataset *d);

uint32_t dataset_vocab(const struct dataset *d);
double dataset_steps_per_epoch(const struct dataset *d);
uint32_t dataset_held_out_slices(const struct dataset *d);
double dataset_held_out_bytes_per_token(const struct dataset *d); /* for bits per byte */
const char *dataset_tokenizer_path(const struct dataset *d);

/* The slices [first, end) of step @step, or of the held-out text: borrowed until the next
 * call. */
const struct message_slice *dataset_slices(struct dataset *d, uint64_t step,
                                           bool held_out, uint32_t first, uint32_t end);

#endif
