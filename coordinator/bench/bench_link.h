/* bench_link.h - what a lane of net/transport.h carries, measured through it, as training
 * uses it.
 *
 *      this end                              the other, bench_echo_new()
 *      n = 0 1 2 ...   small or bulk  --->   received whole,
 *                      small          <---   then answered
 *      farewell        small          --->   done
 *
 * A round trip is that of two small transfers; one way of a bulk transfer is the time to
 * its answer, less half of the fastest round trip.  Both ends know the plan, which
 * is a function of @quick alone.
 *
 * One thread per end, in its loop.
 */
#ifndef COORDINATOR_BENCH_LINK_H
#define COORDINATOR_BENCH_LINK_H

#include "coordinator/bench/bench_repeat.h"
#include "net/transport.h"

enum {
    BENCH_SMALL = 64,      /* bytes */
    BENCH_BULK = 64 << 20, /* bytes; when quick an eighth of it */
    BENCH_LINK_S = 60      /* the longest plan */
};

/* Two rows of BENCH_LINKS, "@name, one way" in GB/s and "@name, round trip" in us.
 * ERR_TIMEOUT, logged; ERR_STOPPED when asked to stop; ERR_CLOSED when the loop was
 * stopped by its owner. */
int bench_link(struct bench *b, const char *name, struct loop *l, struct transport *t,
               uint32_t peer);

/* Sends the last transfer and runs the loop until it has left, or 5 s. */
void bench_farewell(const struct bench *b, struct loop *l, struct transport *t,
                    uint32_t peer);

/* The other end, while its owner is in loop_run(): answers all of the plan and calls
 * @done at the farewell.  To be freed when its transport is. */
struct bench_echo;
struct bench_echo *bench_echo_new(struct transport *t, uint32_t peer, bool quick,
                                  void (*done)(void *ctx), void *ctx);
void bench_echo_free(struct bench_echo *e);

#endif
