/* loop_uv.h - the inside of loop.h, for the files of net/ that own libuv handles.
 *
 * Every handle's `data` points to an owner, whose first member is a struct loop_owner.
 * loop_free() asks the owners of handles that are still open to let go of them: each
 * closes its handles and frees itself in the close callback, telling nobody.
 */
#ifndef NET_LOOP_UV_H
#define NET_LOOP_UV_H

#include <stdatomic.h>
#include <uv.h>

#include "net/loop.h"

struct loop {
    uv_loop_t uv;
    uv_async_t alive; /* keeps loop_run() in the loop when nothing else does */
    _Atomic(const char *) place;
    bool freeing;             /* nobody is called any more */
    char received[256 << 10]; /* what a socket reads into, for the time of a callback */
};

struct loop_owner {
    void (*abandon)(struct loop_owner *o);
};

/* Each callback of libuv says first what it is about to do, a literal: see loop_place().
 */
static inline void loop_enter(struct loop *l, const char *place)
{
    atomic_store_explicit(&l->place, place, memory_order_relaxed);
}

/* libuv fails to start a handle only for lack of descriptors or memory, which ends the
 * process: @rc is 0 here or does not return. */
void loop_must(int rc, const char *what);

#endif
