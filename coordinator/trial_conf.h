/* trial_conf.h - the options of a short training (trial.h): those that were asked for,
 * and behind them, so that they win, those that make it a trial.
 *
 *      trial_conf_init(&t, &asked);
 *      trial_conf_quiet(&t, scratch);
 *      trial_conf_number(&t, "train.steps", 40);
 *      TRY(trial_conf_load(&t, &conf));
 */
#ifndef COORDINATOR_TRIAL_CONF_H
#define COORDINATOR_TRIAL_CONF_H

#include "coordinator/command.h"

struct trial_conf {
    struct command_conf conf; /* read-only: file and words for trial.h */
    size_t borrowed;          /* private: words that are not ours to free */
};

/* @asked is borrowed. */
void trial_conf_init(struct trial_conf *t, const struct command_conf *asked);
void trial_conf_fini(struct trial_conf *t);

void trial_conf_word(struct trial_conf *t, const char *key, const char *value);
void trial_conf_number(struct trial_conf *t, const char *key, double value);

/* The run directory; nothing is evaluated, every step is a whole one, and nothing that
 * happens to the loss ends the training or changes its way. */
void trial_conf_quiet(struct trial_conf *t, const char *run_dir);

/* Loads and checks it; then the trial says warnings only, where its user did not ask for
 * more.  Logs; ERR_*. */
int trial_conf_load(struct trial_conf *t, struct conf *conf);

/* Makes @out; of @scratch in it, the run directory, removes what a trial left that did
 * not end well.  One that goes on is not: ERR_BUSY.  Logs; ERR_*. */
int trial_scratch_clear(const char *out, const char *scratch);

#endif
