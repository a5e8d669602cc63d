/* crew.h - threads that do the pieces of a piece of work together.
 *
 *      crew_run(c, n, work, ctx)       work(ctx, i) once for each i of [0, n), in any
 * order, on the caller and the crew's threads
 *
 * For work that waits for memory more than it computes: one core does not fill the
 * channels of a machine.  Between runs the threads sleep, and who comes late to a run is
 * not waited for.
 */
#ifndef BASE_CREW_H
#define BASE_CREW_H

#include <stddef.h>

struct crew;

/* @threads: with the caller of crew_run(), at least 1; @start: called by each of the
 * others first, or NULL. */
struct crew *crew_new(unsigned threads, void (*start)(void));
void crew_free(struct crew *c); /* nothing runs; NULL: none */

/* Returns when all pieces are done.  Any thread; a second caller waits for the first.
 * Without a crew (NULL) the caller does all of it. */
void crew_run(struct crew *c, size_t n, void (*work)(void *ctx, size_t i), void *ctx);

#endif
