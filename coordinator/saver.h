/* saver.h - checkpoints of a run: written from a copy, beside training; found and read
 * when it starts.  Loop thread only, but for saver_wait(). */
#ifndef COORDINATOR_SAVER_H
#define COORDINATOR_SAVER_H

#include <stdbool.h>
#include <stdint.h>

#include "checkpoint/checkpoint.h"
#include "conf/conf.h"
#include "coordinator/store.h"
#include "net/loop.h"
#include "nn/transformer.h"

struct saver;

struct saver_options {
    const char *run_dir;
    const struct transformer *model;
    const struct store *store;
    const char *run_yaml, *tokenizer_path;
    struct checkpoint_keep keep; /* best and halfway are set here */
    void (*before)(void *ctx);   /* in the background, before anything is written */
    void (*done)(void *ctx, uint64_t step, int err, double seconds);
    void *ctx;
};

/* All strings are borrowed for the saver's life.  ERR_*: the tokenizer cannot be read. */
int saver_new(struct loop *l, const struct saver_options *o, struct saver **s);
void saver_free(struct saver *s); /* waits for a checkpoint that is being written */

/* Copies the store and writes the copy, both in the background; done() follows.  The best
 * of each validation metric in @state are kept.  @halfway: it is removed when the next is
 * on disk. */
void saver_start(struct saver *s, const struct checkpoint_state *state, bool halfway);

/* Until the store is copied; how long that was, in seconds.  Whoever changes it calls
 * this before, from any thread: an update comes a whole step later, and rarely has to
 * wait. */
double saver_wait(struct saver *s);

/* Parameters, moments and average <- the checkpoint in @dir.  Logs; ERR_DATA. */
int saver_load(const char *dir, const struct transformer *model, struct store *store);

size_t saver_bytes(const struct transformer *t,
                   const struct conf_optim *o); /* of the copy */

#endif
