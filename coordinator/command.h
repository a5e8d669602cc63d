/* command.h - the sub-commands of `lockstep`, one file each, and what they share. */
#ifndef COORDINATOR_COMMAND_H
#define COORDINATOR_COMMAND_H

#include <argp.h>
#include <stdbool.h>
#include <stdio.h>

#include "conf/conf.h"
#include "net/control.h"

/* Each takes its own argv, argv[0] being "lockstep NAME", and returns the exit code. */
int command_train(int argc, char **argv);
int command_prepare(int argc, char **argv);
int command_eval(int argc, char **argv);
int command_generate(int argc, char **argv);
int command_translate(int argc, char **argv);
int command_score(int argc, char **argv);
int command_average(int argc, char **argv);
int command_inspect(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_launch(int argc, char **argv);
int command_agent(int argc, char **argv);  /* for launch alone */
int command_orphan(int argc, char **argv); /* for ranks alone */
int command_options(int argc, char **argv);
int command_tune(int argc, char **argv);
int command_scale(int argc, char **argv);
int command_bench(int argc, char **argv);
int command_compare(int argc, char **argv);
int command_worker(int argc, char **argv);

struct document;

/* What a coordinator and its workers are to do together. */
struct cluster_job {
    const struct conf
        *conf; /* checked; NULL on ranks that only work, and after an error */
    int err;   /* of loading it: told to all ranks */
    bool eval_only;
    struct document *document; /* translated instead of evaluated (serve.h); borrowed */
    const char *checkpoint;    /* to evaluate; good; borrowed */
    bool ema;                  /* the average of its parameters */
};

/* Runs it to its end: in the MPI world that mpirun made, this process being the
 * coordinator (rank 0) or a worker; or in this process alone.  Returns the exit code, or
 * does not return. */
int cluster_run(const struct cluster_job *job);

/* This process is one more worker of a run that goes on, found as @o says
 * (worker/join.h); of @o, kernels and on_welcome are filled in here, and threads 0 means
 * one per core. Returns the exit code. */
struct join_options;
int cluster_join(const struct join_options *o);

/* The kernels of products and rows that cluster.kernels asks for; their names (static).
 * ERR_RANGE, logged. */
int cluster_start_kernels(enum conf_kernels wanted, const char **products,
                          const char **rows);

/* mpirun binds the ranks of small jobs to one core each, which would leave all compute
 * threads of a worker on one core. */
void cluster_unbind(void);

/* Threads that compute in one worker of @workers on this machine, and the memory it
 * needs. */
unsigned cluster_threads(const struct conf *conf, unsigned workers);
double cluster_worker_bytes(const struct conf *conf, uint32_t vocab, unsigned workers);

/* A file and words of the command line: FILE.yaml key=value ... */
struct command_conf {
    const char *file; /* NULL: none */
    const char **words;
    size_t n;
};

/* Takes one argument of a command: a word with '=' or, once, a file.  Returns 0 or
 * ERR_INVALID (logged). */
int command_conf_take(struct command_conf *a, const char *argument);

/* Defaults, file, environment, words; checked.  Logs; ERR_*. */
int command_conf_load(const struct command_conf *a, struct conf *conf);

/* What can be said without starting anything: directories named and there.  Logs; ERR_*.
 */
int command_train_check(const struct conf *conf);

/* What @path names: a checkpoint's own folder; or of a run directory the checkpoint of
 * @step, UINT64_MAX: the newest.  It is good.  *dir is to be freed with mem_free().
 * Logs; ERR_NO_FILE, ERR_NO_VALID, ERR_CORRUPT. */
int command_find_checkpoint(const char *path, uint64_t step, char **dir);

/* The configuration that the checkpoint @dir was trained with, not checked yet. */
int command_checkpoint_conf(const char *dir, struct conf *conf);

/* argp's parse with our exit code for usage errors (64). 0 or an exit code. */
int command_parse(const struct argp *argp, int argc, char **argv, unsigned flags,
                  void *input);

/* The number or count (10k) that --@option has; anything else ends the process with a
 * usage error. */
double command_number(struct argp_state *state, const char *option, const char *text,
                      double min, double max);

#endif
