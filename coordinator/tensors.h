/* tensors.h - the vectors of a store as files name them: model.safetensors,
 * ema.safetensors, optimizer.safetensors. */
#ifndef COORDINATOR_TENSORS_H
#define COORDINATOR_TENSORS_H

#include "checkpoint/safetensors.h"
#include "nn/transformer.h"
#include "optim/optimizer.h"

struct tensors {
    /* read-only */
    struct safetensor *list; /* [n]; their data is the vector's, borrowed */
    size_t n;
    /* private */
    char (*names)[PARAM_NAME + 16];
};

/* Of the parameters or their average; none, if @vector is NULL. */
struct tensors tensors_of_model(const struct transformer *t, float *vector);
struct tensors tensors_of_moments(const struct transformer *t, enum optimizer_kind kind,
                                  float *const moment[OPTIMIZER_MOMENTS_MAX]);
void tensors_free(struct tensors *all);

/* Parameters only <- the checkpoint in @dir: @ema their average.  Logs; ERR_NO_FILE:
 * there is none; ERR_DATA. */
int tensors_load_model(const char *dir, const struct transformer *model, bool ema,
                       float *theta);

#endif
