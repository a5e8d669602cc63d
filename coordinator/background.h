/* background.h - one thread that does one thing at a time beside the loop: updates,
 * checkpoints.
 *
 *      background_run(b, work, done, ctx)      work(ctx) there, then done(ctx) on the
 * loop
 *
 * What work() touches is nobody else's until done().  Loop thread only, but for work().
 */
#ifndef COORDINATOR_BACKGROUND_H
#define COORDINATOR_BACKGROUND_H

#include <stdbool.h>

#include "net/loop.h"

struct background;

struct background *background_new(struct loop *l);
/* Waits for what is running; its done() is not called any more. */
void background_free(struct background *b);

bool background_busy(const struct background *b);
/* Must not be busy. */
void background_run(struct background *b, void (*work)(void *ctx),
                    void (*done)(void *ctx), void *ctx);

#endif
