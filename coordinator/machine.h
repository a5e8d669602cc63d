/* machine.h - what a host computes with, for reports: CPUs as its system counts them, and
 * their model. */
#ifndef COORDINATOR_MACHINE_H
#define COORDINATOR_MACHINE_H

enum { MACHINE_TEXT = 96 };

struct machine {
    char name[MACHINE_TEXT];
    unsigned cores;         /* 0: unknown; two hardware threads of one core are two */
    char cpu[MACHINE_TEXT]; /* "AMD EPYC"; "": unknown */
};

/* For a shell of that host; its answer is for machine_parse(). */
extern const char machine_question[];

/* Sets cores and cpu from what a host answered, which may be anything. */
void machine_parse(struct machine *m, const char *answer);

/* The host of this process. */
void machine_here(struct machine *m);

#endif
