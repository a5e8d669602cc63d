/* The data lane over TCP: one connection per peer, transfers in the order of their
 * numbers, each behind a header:
 *
 *      magic "LKT1"   u32
 *      number         u32, little-endian
 *      bytes          u64, little-endian
 *
 * Nothing is read from a socket before the receive for it is posted, so what is not wanted
 * waits at the sender; and then it is read straight to where it belongs.  A header that is
 * not that of the posted receive ends the connection: the two ends do not mean the same.
 * Bytes are checked by the checksums of the doorbell, end to end. */
#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/loop_uv.h"
#include "net/transport_ops.h"

enum { HEADER = 16, KEEPALIVE_S = 30 };
static const char magic[4] = {'L', 'K', 'T', '1'};

struct connection {
    struct loop_owner owner;
    uv_tcp_t tcp;
    struct transport_tcp *t; /* NULL: its transport is gone */
    uint32_t peer;
    bool ended;
    struct transfer_queue sends, receives; /* the first is in flight */
    uv_write_t write;
    bool writing, reading;
    uint8_t out[HEADER], in[HEADER];
    size_t got; /* bytes of header and transfer at hand */
};

struct transport_tcp {
    struct transport base;
    struct loop *loop;
    void (*on_end)(void *ctx, uint32_t peer);
    void *ctx;
    struct connection **list; /* [room] by peer; NULL: none */
    size_t room;
};

static struct transport_tcp *of(struct transport *t)
{
    return (struct transport_tcp *)t;
}

/* --- the end of a connection ---------------------------------------------------------- */

static void on_closed(uv_handle_t *h)
{
    struct connection *c = h->data;
    mem_free(c);
}

static void drop_all(struct connection *c)
{
    transfer_drop_all(&c->t->base, &c->sends);
    transfer_drop_all(&c->t->base, &c->receives);
}

/* Telling nobody. */
static void end(struct connection *c)
{
    if (c->ended)
        return;
    c->ended = true;
    drop_all(c);
    c->t->list[c->peer] = NULL;
    c->t = NULL;
    uv_close((uv_handle_t *)&c->tcp, on_closed);
}

static void fail(struct connection *c)
{
    struct transport_tcp *t = c->t;
    const uint32_t peer = c->peer;
    if (c->ended)
        return;
    end(c);
    if (!t->loop->freeing)
        t->on_end(t->ctx, peer);
}

static void abandon(struct loop_owner *o)
{
    struct connection *c = (struct connection *)o;
    if (c->t)
        end(c);
}

/* --- out ------------------------------------------------------------------------------ */

static void write_header(uint8_t header[HEADER], const struct transfer *x)
{
    memcpy(header, magic, sizeof magic);
    for (int i = 0; i < 4; i++)
        header[4 + i] = (uint8_t)(x->number >> (8 * i));
    for (int i = 0; i < 8; i++)
        header[8 + i] = (uint8_t)((uint64_t)x->bytes >> (8 * i));
}

static void send_next(struct connection *c);

static void on_written(uv_write_t *req, int status)
{
    struct connection *c = req->data;
    if (c->ended)
        return;
    loop_enter(c->t->loop, "data lane");
    c->writing = false;
    if (status < 0) {
        fail(c);
        return;
    }
    struct transfer *x = transfer_pop(&c->sends);
    struct transport *t = &c->t->base;
    send_next(c);
    transfer_done(t, c->peer, x); /* may end the connection */
}

static void send_next(struct connection *c)
{
    struct transfer *x = c->sends.first;
    if (c->writing || c->ended || !x)
        return;
    write_header(c->out, x);
    const uv_buf_t parts[2] = {uv_buf_init((char *)c->out, HEADER),
                               uv_buf_init(x->data, (unsigned)x->bytes)};
    c->writing = true;
    c->write.data = c;
    if (uv_write(&c->write, (uv_stream_t *)&c->tcp, parts, x->bytes ? 2 : 1,
                 on_written) != 0)
        fail(c);
}

/* --- in ------------------------------------------------------------------------------- */

static void read_more(struct connection *c);

/* The bytes that are read next, never more. */
static void on_space(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    struct connection *c = h->data;
    (void)suggested;
    if (c->ended || !c->receives.first) {
        *buf = uv_buf_init(NULL, 0);
        return;
    }
    if (c->got < HEADER) {
        *buf = uv_buf_init((char *)c->in + c->got, (unsigned)(HEADER - c->got));
        return;
    }
    const struct transfer *x = c->receives.first;
    const size_t at = c->got - HEADER;
    *buf = uv_buf_init((char *)x->data + at, (unsigned)(x->bytes - at));
}

static bool expected(const struct connection *c)
{
    uint8_t header[HEADER];
    write_header(header, c->receives.first);
    if (memcmp(header, c->in, HEADER) == 0)
        return true;
    log_error("data lane of peer %u: what comes is not transfer %u of %zu bytes: closed",
              c->peer, c->receives.first->number, c->receives.first->bytes);
    return false;
}

static void stop_reading(struct connection *c)
{
    c->reading = false;
    uv_read_stop((uv_stream_t *)&c->tcp);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct connection *c = s->data;
    (void)buf;
    if (c->ended || n == 0 || n == UV_ENOBUFS)
        return;
    loop_enter(c->t->loop, "data lane");
    if (n < 0) {
        fail(c);
        return;
    }
    const bool had_header = c->got >= HEADER;
    c->got += (size_t)n;
    if (!had_header && c->got == HEADER && !expected(c)) {
        fail(c);
        return;
    }
    if (c->got < HEADER + c->receives.first->bytes)
        return;
    struct transfer *x = transfer_pop(&c->receives);
    c->got = 0;
    if (!c->receives.first)
        stop_reading(c);
    transfer_done(&c->t->base, c->peer, x); /* may post, or end the connection */
}

static void read_more(struct connection *c)
{
    if (c->reading || c->ended || !c->receives.first)
        return;
    c->reading = true;
    if (uv_read_start((uv_stream_t *)&c->tcp, on_space, on_read) != 0)
        fail(c);
}

/* --- the interface -------------------------------------------------------------------- */

static struct connection *find(const struct transport_tcp *t, uint32_t peer)
{
    return peer < t->room ? t->list[peer] : NULL;
}

static void tcp_post(struct transport *base, uint32_t peer, struct transfer *x)
{
    struct connection *c = find(of(base), peer);
    if (!c) { /* it has ended, as its owner learns */
        transfer_drop(base, x);
        return;
    }
    transfer_push(x->outgoing ? &c->sends : &c->receives, x);
    if (x->outgoing)
        send_next(c);
    else
        read_more(c);
}

static bool tcp_forget(struct transport *base, uint32_t peer)
{
    struct connection *c = find(of(base), peer);
    if (c)
        end(c);
    return false;
}

static bool tcp_idle(const struct transport *base)
{
    const struct transport_tcp *t = (const struct transport_tcp *)base;
    for (size_t i = 0; i < t->room; i++)
        if (t->list[i] && (t->list[i]->sends.first || t->list[i]->receives.first))
            return false;
    return true;
}

static void tcp_free(struct transport *base)
{
    struct transport_tcp *t = of(base);
    for (size_t i = 0; i < t->room; i++)
        if (t->list[i])
            end(t->list[i]);
    mem_free(t->list);
    transport_fini(base);
    mem_free(t);
}

struct transport *transport_tcp(struct loop *l, void (*on_end)(void *ctx, uint32_t peer),
                                void *ctx)
{
    static const struct transport_ops ops = {tcp_post, tcp_forget, tcp_idle, tcp_free};
    struct transport_tcp *t = mem_zalloc(sizeof *t);
    t->base.ops = &ops;
    t->loop = l;
    t->on_end = on_end;
    t->ctx = ctx;
    return &t->base;
}

void transport_tcp_add(struct transport *base, uint32_t peer, int fd)
{
    struct transport_tcp *t = of(base);
    assert(peer < TRANSPORT_TCP_PEERS && !find(t, peer));
    if (peer >= t->room) {
        const size_t room = 2 * (size_t)peer + 8;
        t->list = mem_resize(t->list, room * sizeof(struct connection *));
        memset(t->list + t->room, 0, (room - t->room) * sizeof(struct connection *));
        t->room = room;
    }
    struct connection *c = mem_zalloc(sizeof *c);
    c->owner = (struct loop_owner){abandon};
    c->t = t;
    c->peer = peer;
    uv_tcp_init(&t->loop->uv, &c->tcp);
    c->tcp.data = c;
    t->list[peer] = c;
    loop_must(uv_tcp_open(&c->tcp, fd), "data lane");
    uv_tcp_nodelay(&c->tcp, 1);
    uv_tcp_keepalive(&c->tcp, 1, KEEPALIVE_S);
}
