/* loop.h - the event loop of a process: one thread that owns all state.
 *
 * Everything in net/ runs its callbacks on the thread that is in loop_run(), one at a
 * time, never from inside the call that asked for them.  Only loop_wake() may be called
 * from other threads.  (libuv underneath; nobody above net/ sees it.)
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;

struct loop *loop_new(void);
/* After loop_run() returned.  Timers, channels and all else that is left is freed with
 * it, without a callback. */
void loop_free(struct loop *l);

void loop_run(struct loop *l); /* until loop_stop() */
void loop_stop(struct loop *l);
uint64_t loop_now_ms(struct loop *l);   /* monotonic, as of the current callback */
const char *loop_place(struct loop *l); /* the kind of the last callback; any thread */

typedef void loop_callback(void *ctx);

/* Call @cb after @first_ms and then every @every_ms (0: once). */
struct loop_timer;
struct loop_timer *loop_timer_new(struct loop *l, uint64_t first_ms, uint64_t every_ms,
                                  loop_callback *cb, void *ctx);
void loop_timer_free(struct loop_timer *t);

/* Call @cb on the loop thread soon after loop_wake(); several wakes may become one call.
 */
struct loop_waker;
struct loop_waker *loop_waker_new(struct loop *l, loop_callback *cb, void *ctx);
void loop_wake(struct loop_waker *w); /* any thread */
void loop_waker_free(struct loop_waker *w);

/* Call @cb for each arrival of @signum. */
struct loop_signal;
struct loop_signal *loop_signal_new(struct loop *l, int signum, loop_callback *cb,
                                    void *ctx);
void loop_signal_free(struct loop_signal *s);

/* While started, call @poll again and again; it says whether something moved.  When
 * nothing does, the thread sleeps between calls, 20 us to 500 us, or until another event
 * of the loop.  Not started, it costs nothing.  start() again makes it eager again. */
struct loop_poller;
struct loop_poller *loop_poller_new(struct loop *l, bool (*poll)(void *ctx), void *ctx);
void loop_poller_start(struct loop_poller *p);
void loop_poller_stop(struct loop_poller *p);
void loop_poller_free(struct loop_poller *p);

#endif
