#include "coordinator/bench/bench_link.h"

#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

enum { POLL_MS = 50, FAREWELL_MS = 5000 };

/* --- the plan ------------------------------------------------------------------------
 */

struct plan {
    uint32_t small, bulk; /* transfers: first the small ones */
    size_t bulk_bytes;
};

static struct plan plan_of_link(bool quick)
{
    return quick ? (struct plan){50, 3, BENCH_BULK / 8}
                 : (struct plan){500, BENCH_REPEATS_MAX, BENCH_BULK};
}

static uint32_t transfers(const struct plan *p)
{
    return p->small + p->bulk;
}

static size_t bytes_of(const struct plan *p, uint32_t n)
{
    return n < p->small ? BENCH_SMALL : p->bulk_bytes;
}

/* --- this end ------------------------------------------------------------------------
 */

struct way {
    struct plan plan;
    struct transport *t;
    uint32_t peer, n,
        waiting; /* callbacks of transfer n and its answer that are to come */
    struct loop *loop;
    const volatile sig_atomic_t *stop;
    double start, deadline;
    double *seconds;     /* [transfers] to the answer */
    char *data, *answer; /* one block */
    int err;
};

static void go(struct way *w);

static void on_done(void *ctx, uint32_t peer, uint32_t transfer)
{
    struct way *w = ctx;
    (void)peer;
    (void)transfer;
    if (--w->waiting > 0)
        return;
    w->seconds[w->n] = fmax(clock_seconds() - w->start, 1e-9);
    if (++w->n < transfers(&w->plan))
        go(w);
    else
        loop_stop(w->loop);
}

static void go(struct way *w)
{
    w->waiting = 2;
    w->start = clock_seconds();
    transport_receive(w->t, w->peer, w->n, w->answer, BENCH_SMALL, on_done, w);
    transport_send(w->t, w->peer, w->n, w->data, bytes_of(&w->plan, w->n), on_done, w);
}

static void on_tick(void *ctx)
{
    struct way *w = ctx;
    if (*w->stop)
        w->err = ERR_STOPPED;
    else if (clock_seconds() > w->deadline)
        w->err = ERR_TIMEOUT;
    if (w->err)
        loop_stop(w->loop);
}

static void say(struct bench *b, const char *name, const struct way *w)
{
    const struct plan *p = &w->plan;
    const struct spread round = spread_of(w->seconds, p->small);
    double *bulk = w->seconds + p->small;
    for (uint32_t i = 0; i < p->bulk; i++)
        bulk[i] -= fmin(round.low, bulk[i]) / 2;
    const struct bench_row row = {.section = BENCH_LINKS, .threads = 1, .share = NAN};
    struct bench_row one_way = row, trip = row;
    one_way.unit = BENCH_GBS;
    one_way.value = spread_rate(spread_of(bulk, p->bulk), (double)p->bulk_bytes / 1e9);
    trip.unit = BENCH_US;
    trip.value = spread_scaled(round, 1e6);
    bench_say(b, one_way, "%s, one way", name);
    bench_say(b, trip, "%s, round trip", name);
}

int bench_link(struct bench *b, const char *name, struct loop *l, struct transport *t,
               uint32_t peer)
{
    struct way w = {.plan = plan_of_link(b->quick),
                    .t = t,
                    .peer = peer,
                    .loop = l,
                    .stop = b->stop,
                    .deadline = clock_seconds() + BENCH_LINK_S};
    log_info("measuring %s", name);
    w.seconds = mem_alloc(transfers(&w.plan) * sizeof *w.seconds);
    w.data = mem_zalloc(w.plan.bulk_bytes + BENCH_SMALL);
    w.answer = w.data + w.plan.bulk_bytes;
    struct loop_timer *tick = loop_timer_new(l, POLL_MS, POLL_MS, on_tick, &w);
    go(&w);
    loop_run(l);
    loop_timer_free(tick);
    if (!w.err && w.n < transfers(&w.plan))
        w.err = ERR_CLOSED; /* its owner said why */
    if (w.err == ERR_TIMEOUT)
        log_error("%s: transfer %u of %u was not answered in %d s; is the other end "
                  "gone, or its network?",
                  name, w.n, transfers(&w.plan), BENCH_LINK_S);
    if (!w.err)
        say(b, name, &w);
    if (!w.err || !transport_forget(t, peer)) /* else the transport may still use it */
        mem_free(w.data);
    mem_free(w.seconds);
    return w.err;
}

static void give_up(void *ctx)
{
    loop_stop(ctx);
}

static void on_left(void *ctx, uint32_t peer, uint32_t transfer)
{
    (void)peer;
    (void)transfer;
    loop_stop(ctx);
}

void bench_farewell(const struct bench *b, struct loop *l, struct transport *t,
                    uint32_t peer)
{
    static const char farewell[BENCH_SMALL];
    const struct plan p = plan_of_link(b->quick);
    struct loop_timer *patience = loop_timer_new(l, FAREWELL_MS, 0, give_up, l);
    transport_send(t, peer, transfers(&p), farewell, sizeof farewell, on_left, l);
    loop_run(l);
    loop_timer_free(patience);
}

/* --- the other end -------------------------------------------------------------------
 */

struct bench_echo {
    struct plan plan;
    struct transport *t;
    uint32_t peer, n;
    char *data, answer[BENCH_SMALL];
    void (*done)(void *ctx);
    void *ctx;
};

static void next(struct bench_echo *e);

static void on_answered(void *ctx, uint32_t peer, uint32_t transfer)
{
    struct bench_echo *e = ctx;
    (void)peer;
    (void)transfer;
    e->n++;
    next(e);
}

static void on_received(void *ctx, uint32_t peer, uint32_t transfer)
{
    struct bench_echo *e = ctx;
    transport_send(e->t, peer, transfer, e->answer, sizeof e->answer, on_answered, e);
}

static void on_farewell(void *ctx, uint32_t peer, uint32_t transfer)
{
    struct bench_echo *e = ctx;
    (void)peer;
    (void)transfer;
    e->done(e->ctx);
}

static void next(struct bench_echo *e)
{
    if (e->n == transfers(&e->plan))
        transport_receive(e->t, e->peer, e->n, e->data, BENCH_SMALL, on_farewell, e);
    else
        transport_receive(e->t, e->peer, e->n, e->data, bytes_of(&e->plan, e->n),
                          on_received, e);
}

struct bench_echo *bench_echo_new(struct transport *t, uint32_t peer, bool quick,
                                  void (*done)(void *ctx), void *ctx)
{
    struct bench_echo *e = mem_zalloc(sizeof *e);
    *e = (struct bench_echo){
        .plan = plan_of_link(quick), .t = t, .peer = peer, .done = done, .ctx = ctx};
    e->data = mem_zalloc(e->plan.bulk_bytes);
    next(e);
    return e;
}

void bench_echo_free(struct bench_echo *e)
{
    mem_free(e->data);
    mem_free(e);
}
