/* translation.h - inside `lockstep translate`: what is translated with what, and the two
 * ways to do it.
 *
 *      cmd_translate.c        the command line
 *      translation.c          what both ways share
 *      translation_here.c     by the threads of this process, line by line as they come
 *      translation_shared.c   by the workers of an MPI world, a whole file
 */
#ifndef COORDINATOR_TRANSLATION_H
#define COORDINATOR_TRANSLATION_H

#include <signal.h>

#include "coordinator/page.h"
#include "coordinator/trained.h"

struct translate_job {
    /* asked for */
    const char *input, *output; /* NULL: standard input, output */
    struct trained_from from;
    unsigned threads; /* 0: one per core */
    size_t lines;     /* of a page; 0: by whether a person types */
    bool no_unknown;
    struct translate_options how; /* beam 0, alpha, ratio below 0, longest SIZE_MAX: as
                                     the checkpoint's translate.* */
    struct page_options page;
    /* open */
    struct trained with;
    struct line_reader reader;
    FILE *out;
    struct page_counts counts;
    double start; /* clock_seconds() */
};

/* Checkpoint, files, and what depends on the model.  Logs; ERR_*.  To be closed also when
 * it fails: the files, then g->with. */
int translation_open(struct translate_job *g);
/* Returns @err, or if that is ERR_OK what goes wrong with the last bytes (logged). */
int translation_close_files(struct translate_job *g, int err);

/* The line on a terminal, if there is one; and what there is to say at the end. */
void translation_show(const struct translate_job *g);
void translation_report(const struct translate_job *g, bool stopped);

/* Until the input ends, or @stop is not 0.  Logs; ERR_*. */
int translation_here(struct translate_job *g, volatile sig_atomic_t *stop);

/* This process is a rank of an MPI world, coordinator or worker, to its end.  ERR_INVALID
 * (logged): asked for something that only one process can. */
int translation_shared(struct translate_job *g, bool coordinator);

#endif
