/* run_dir.h - the directory of a run, which one coordinator owns at a time (flock on
 * RUN/lock), and status.json in it, by which others see how it goes. */
#ifndef CHECKPOINT_RUN_DIR_H
#define CHECKPOINT_RUN_DIR_H

#include <stdbool.h>
#include <stdint.h>

struct run_dir {
    char *path; /* read-only */
    int lock;   /* private */
};

/* Makes the directory if need be and takes it.  ERR_BUSY, logged with pid and host of the
 * owner, when another process has it. */
int run_dir_open(struct run_dir *r, const char *path);
void run_dir_close(struct run_dir *r);

/* Who took it last, and may be gone. */
struct run_owner {
    long pid;
    char host[64];
};

/* False when nobody has signed RUN/lock. */
bool run_dir_owner(const char *path, struct run_owner *o);

struct run_status {
    char state[16]; /* starting running done stopped failed */
    uint64_t step, steps;
    double loss, held_out_loss, best_held_out_loss; /* NAN: none yet; null in the file */
    uint64_t best_step;
    double bleu, best_bleu; /* likewise */
    uint64_t best_bleu_step;
    double rate, norm, tokens_per_second, seconds_left;
    uint32_t workers;
    int exit_code;           /* when the state is final */
    char message[256];       /* why it ended */
    double started, updated; /* seconds since 1970 */
    long pid;
    char host[64];
};

/* status.json by rename, so that readers see it whole. */
int run_status_write(const char *run_dir, const struct run_status *s);
/* ERR_NO_FILE (not logged) when there is none; ERR_DATA, logged. */
int run_status_read(const char *run_dir, struct run_status *s);

#endif
