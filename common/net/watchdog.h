/* watchdog.h - ends the process when its loop no longer comes round.
 *
 * An MPI call may deadlock inside the library when a peer dies; then nothing above it
 * runs any more, and the process would hold its place in the job for ever.  A thread of
 * its own looks WATCHDOG_LOOKS times per @limit_ms whether the loop has been round; when
 * it has not for all of them, it says in which kind of callback the loop is and ends the
 * process with exit code 70, at once: files are safe at any moment by the way they are
 * written.
 *
 * Looks are counted and not the time, so that a process that was stopped and goes on
 * (SIGSTOP, a debugger, a sleeping laptop) is not found guilty of the pause.
 *
 * Long work on the loop thread that is meant is said: pause, work, resume.
 *
 * Loop thread only.
 */
#ifndef NET_WATCHDOG_H
#define NET_WATCHDOG_H

#include <stdint.h>

#include "net/loop.h"

enum { WATCHDOG_LOOKS = 8 };

struct watchdog;
struct watchdog *watchdog_start(struct loop *l, uint64_t limit_ms);
void watchdog_pause(struct watchdog *w);
void watchdog_resume(struct watchdog *w);
void watchdog_stop(struct watchdog *w); /* before loop_free() */

#endif
