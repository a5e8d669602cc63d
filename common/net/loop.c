#include "net/loop.h"

#include <assert.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop_uv.h"

void loop_must(int rc, const char *what)
{
    if (rc == 0)
        return;
    log_error("event loop: %s: %s; is the limit of open files (ulimit -n) too low?", what,
              uv_strerror(rc));
    abort();
}

static void free_owner(uv_handle_t *h)
{
    mem_free(h->data);
}

/* --- the loop --- */

static void on_alive(uv_async_t *h)
{
    (void)h;
}

struct loop *loop_new(void)
{
    struct loop *l = mem_zalloc(sizeof *l);
    loop_must(uv_loop_init(&l->uv), "could not be made");
    loop_must(uv_async_init(&l->uv, &l->alive, on_alive), "could not be made");
    loop_enter(l, "start");
    return l;
}

static void abandon(uv_handle_t *h, void *ctx)
{
    (void)ctx;
    if (uv_is_closing(h))
        return;
    if (h->data) {
        struct loop_owner *o = h->data;
        o->abandon(o);
    } else {
        uv_close(h, NULL);
    }
}

void loop_free(struct loop *l)
{
    l->freeing = true;
    do {
        uv_walk(&l->uv, abandon, NULL);
        uv_run(&l->uv, UV_RUN_DEFAULT);
    } while (uv_loop_close(&l->uv) == UV_EBUSY);
    mem_free(l);
}

void loop_run(struct loop *l)
{
    uv_run(&l->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *l)
{
    uv_stop(&l->uv);
}

uint64_t loop_now_ms(struct loop *l)
{
    return uv_now(&l->uv);
}

const char *loop_place(struct loop *l)
{
    return atomic_load_explicit(&l->place, memory_order_relaxed);
}

/* --- timers --- */

struct loop_timer {
    struct loop_owner owner;
    uv_timer_t uv;
    struct loop *loop;
    loop_callback *cb;
    void *ctx;
};

static void on_timer(uv_timer_t *h)
{
    struct loop_timer *t = h->data;
    loop_enter(t->loop, "timer");
    t->cb(t->ctx);
}

static void abandon_timer(struct loop_owner *o)
{
    loop_timer_free((struct loop_timer *)o);
}

struct loop_timer *loop_timer_new(struct loop *l, uint64_t first_ms, uint64_t every_ms,
                                  loop_callback *cb, void *ctx)
{
    struct loop_timer *t = mem_zalloc(sizeof *t);
    *t = (struct loop_timer){.owner = {abandon_timer}, .loop = l, .cb = cb, .ctx = ctx};
    loop_must(uv_timer_init(&l->uv, &t->uv), "timer");
    t->uv.data = t;
    uv_update_time(&l->uv); /* @first_ms counts from now, not from the last callback */
    loop_must(uv_timer_start(&t->uv, on_timer, first_ms, every_ms), "timer");
    return t;
}

void loop_timer_free(struct loop_timer *t)
{
    uv_close((uv_handle_t *)&t->uv, free_owner);
}

/* --- wakers --- */

struct loop_waker {
    struct loop_owner owner;
    uv_async_t uv;
    struct loop *loop;
    loop_callback *cb;
    void *ctx;
};

static void on_waker(uv_async_t *h)
{
    struct loop_waker *w = h->data;
    loop_enter(w->loop, "waker");
    w->cb(w->ctx);
}

static void abandon_waker(struct loop_owner *o)
{
    loop_waker_free((struct loop_waker *)o);
}

struct loop_waker *loop_waker_new(struct loop *l, loop_callback *cb, void *ctx)
{
    struct loop_waker *w = mem_zalloc(sizeof *w);
    *w = (struct loop_waker){.owner = {abandon_waker}, .loop = l, .cb = cb, .ctx = ctx};
    loop_must(uv_async_init(&l->uv, &w->uv, on_waker), "waker");
    w->uv.data = w;
    return w;
}

void loop_wake(struct loop_waker *w)
{
    uv_async_send(&w->uv);
}

void loop_waker_free(struct loop_waker *w)
{
    uv_close((uv_handle_t *)&w->uv, free_owner);
}

/* --- signals --- */

struct loop_signal {
    struct loop_owner owner;
    uv_signal_t uv;
    struct loop *loop;
    loop_callback *cb;
    void *ctx;
};

static void on_signal(uv_signal_t *h, int signum)
{
    struct loop_signal *s = h->data;
    (void)signum;
    loop_enter(s->loop, "signal");
    s->cb(s->ctx);
}

static void abandon_signal(struct loop_owner *o)
{
    loop_signal_free((struct loop_signal *)o);
}

struct loop_signal *loop_signal_new(struct loop *l, int signum, loop_callback *cb,
                                    void *ctx)
{
    struct loop_signal *s = mem_zalloc(sizeof *s);
    *s = (struct loop_signal){.owner = {abandon_signal}, .loop = l, .cb = cb, .ctx = ctx};
    loop_must(uv_signal_init(&l->uv, &s->uv), "signal");
    s->uv.data = s;
    loop_must(uv_signal_start(&s->uv, on_signal, signum), "signal");
    return s;
}

void loop_signal_free(struct loop_signal *s)
{
    uv_close((uv_handle_t *)&s->uv, free_owner);
}

/* --- pollers --- */

struct loop_poller {
    struct loop_owner owner;
    uv_idle_t uv; /* while one is active, the loop does not block */
    struct loop *loop;
    bool (*poll)(void *ctx);
    void *ctx;
    uint64_t moved_ns;
};

/* How long to sleep when nothing has moved for @still_us.  These steps kept 80 % of the
 * speed of spinning in the worst case measured and cost 2 to 7 % of a core: 50 us without
 * sleep, 20 us up to 1 ms, 100 us up to 20 ms, then 500 us. */
static long backoff_us(uint64_t still_us)
{
    if (still_us < 50)
        return 0;
    if (still_us < 1000)
        return 20;
    if (still_us < 20000)
        return 100;
    return 500;
}

/* libuv's descriptor is readable when one of its handles has something to do, so a
 * message on a socket ends the sleep at once. */
static void doze(struct loop_poller *p, long us)
{
    if (us == 0) {
        sched_yield();
        return;
    }
    struct pollfd fd = {.fd = uv_backend_fd(&p->loop->uv), .events = POLLIN};
    ppoll(&fd, 1, &(struct timespec){.tv_nsec = us * 1000}, NULL);
}

static void on_idle(uv_idle_t *h)
{
    struct loop_poller *p = h->data;
    loop_enter(p->loop, "transfers");
    if (p->poll(p->ctx))
        p->moved_ns = clock_ns();
    else if (uv_is_active((uv_handle_t *)&p->uv))
        doze(p, backoff_us((clock_ns() - p->moved_ns) / 1000));
}

static void abandon_poller(struct loop_owner *o)
{
    loop_poller_free((struct loop_poller *)o);
}

struct loop_poller *loop_poller_new(struct loop *l, bool (*poll)(void *ctx), void *ctx)
{
    struct loop_poller *p = mem_zalloc(sizeof *p);
    *p = (struct loop_poller){
        .owner = {abandon_poller}, .loop = l, .poll = poll, .ctx = ctx};
    loop_must(uv_idle_init(&l->uv, &p->uv), "poller");
    p->uv.data = p;
    prctl(PR_SET_TIMERSLACK, 1000ul); /* ns; with the usual 50 us, 20 us would be 70 */
    return p;
}

void loop_poller_start(struct loop_poller *p)
{
    p->moved_ns = clock_ns();
    if (!uv_is_active((uv_handle_t *)&p->uv))
        loop_must(uv_idle_start(&p->uv, on_idle), "poller");
}

void loop_poller_stop(struct loop_poller *p)
{
    uv_idle_stop(&p->uv);
}

void loop_poller_free(struct loop_poller *p)
{
    uv_close((uv_handle_t *)&p->uv, free_owner);
}
