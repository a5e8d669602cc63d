/* trained.h - a checkpoint to be used: its configuration, tokenizer, model, parameters.
 */
#ifndef COORDINATOR_TRAINED_H
#define COORDINATOR_TRAINED_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "nn/transformer.h"
#include "text/tokenizer.h"

struct trained {
    char *dir; /* the checkpoint's */
    struct conf conf;
    struct tokenizer *tokenizer;
    struct transformer model;
    float *theta; /* NULL: not asked for */
};

struct trained_from {
    const char *path;   /* a run directory or a checkpoint in it */
    uint64_t step;      /* UINT64_MAX: the newest */
    bool ema;           /* the average of its parameters (optim.ema) */
    bool encoder;       /* the model must have one; else it must not */
    bool no_parameters; /* somebody else loads them */
};

/* Also starts the kernels.  Logs; ERR_NO_FILE, ERR_NO_VALID, ERR_CORRUPT, ERR_CONFIG;
 * ERR_DATA: parts that do not belong together, no average, or the other kind of model.
 * Then there is nothing to close. */
int trained_open(struct trained *t, const struct trained_from *from);
void trained_close(struct trained *t);

#endif
