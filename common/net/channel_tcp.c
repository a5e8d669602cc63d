#include "net/channel_tcp.h"

#include <assert.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

enum { KEEPALIVE_S = 30 };

struct tcp_write {
    uv_write_t uv;
    struct tcp_write *next;
    struct channel_tcp *channel;
    size_t bytes;
};
_Static_assert(sizeof(struct tcp_write) <= CHANNEL_HEAD, "it lies in front of the frame");

static struct channel_tcp *of(struct channel *c)
{
    assert(c->kind == CHANNEL_TCP);
    return (struct channel_tcp *)((char *)c - offsetof(struct channel_tcp, base));
}

void tcp_address_print(const struct sockaddr *at, char text[CONTROL_ADDRESS])
{
    char host[64] = "?";
    unsigned port = 0;
    if (at->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)at;
        uv_ip6_name(in6, host, sizeof host);
        port = ntohs(in6->sin6_port);
        snprintf(text, CONTROL_ADDRESS, "[%s]:%u", host, port);
        return;
    }
    if (at->sa_family == AF_INET) {
        const struct sockaddr_in *in4 = (const void *)at;
        uv_ip4_name(in4, host, sizeof host);
        port = ntohs(in4->sin_port);
    }
    snprintf(text, CONTROL_ADDRESS, "%s:%u", host, port);
}

/* --- life --- */

static void abandon(struct loop_owner *o)
{
    struct channel_tcp *c = (struct channel_tcp *)o;
    c->silent = true;
    channel_tcp_end(&c->base, ERR_CLOSED);
}

struct channel_tcp *channel_tcp_new(struct loop *l, struct channel_events events,
                                    void *ctx)
{
    struct channel_tcp *c = mem_zalloc(sizeof *c);
    c->owner = (struct loop_owner){abandon};
    channel_init(&c->base, CHANNEL_TCP, l, events, ctx);
    c->last = &c->first;
    frame_decoder_init(&c->in, FRAME_MAX);
    uv_tcp_init(&l->uv, &c->tcp); /* reserves nothing, cannot fail */
    c->tcp.data = c;
    return c;
}

static void destroy(struct channel_tcp *c)
{
    frame_decoder_fini(&c->in);
    channel_fini(&c->base);
    mem_free(c);
}

void channel_tcp_release(struct channel_tcp *c)
{
    assert(c->held);
    c->held = false;
    if (c->gone)
        destroy(c);
}

static void on_socket_closed(uv_handle_t *h)
{
    struct channel_tcp *c = h->data;
    loop_enter(c->base.loop, "end of a connection");
    if (!c->silent && !c->base.loop->freeing)
        c->base.events.on_closed(c->base.ctx, &c->base, c->base.err);
    c->gone = true;
    if (c->on_gone)
        c->on_gone(c);
    if (!c->held)
        destroy(c);
}

void channel_tcp_end(struct channel *base, int err)
{
    struct channel_tcp *c = of(base);
    if (base->state == CHANNEL_ENDED)
        return;
    base->state = CHANNEL_ENDED;
    base->err = err;
    if (c->deadline)
        loop_timer_free(c->deadline);
    while (c->first) {
        struct tcp_write *w = c->first;
        c->first = w->next;
        mem_free(w);
    }
    uv_close((uv_handle_t *)&c->tcp, on_socket_closed); /* cancels writes */
}

/* --- out --- */

static void on_written(uv_write_t *req, int status)
{
    struct tcp_write *w = (struct tcp_write *)req;
    struct channel_tcp *c = w->channel;
    assert(c->base.queued >= w->bytes - FRAME_HEADER);
    c->base.queued -= w->bytes - FRAME_HEADER;
    mem_free(w);
    if (status < 0 && status != UV_ECANCELED) {
        log_debug("%s: write: %s", c->base.peer, uv_strerror(status));
        channel_tcp_end(&c->base, ERR_CLOSED);
    }
}

static void start_write(struct channel_tcp *c, struct tcp_write *w)
{
    uv_buf_t buf = uv_buf_init((char *)w + CHANNEL_HEAD, (unsigned)w->bytes);
    const int rc = uv_write(&w->uv, (uv_stream_t *)&c->tcp, &buf, 1, on_written);
    if (rc == 0)
        return;
    log_debug("%s: write: %s", c->base.peer, uv_strerror(rc));
    c->base.queued -= w->bytes - FRAME_HEADER;
    mem_free(w);
    channel_tcp_end(&c->base, ERR_CLOSED);
}

void channel_tcp_send(struct channel *base, uint8_t *block, size_t frame_bytes)
{
    struct channel_tcp *c = of(base);
    struct tcp_write *w = (void *)block;
    *w = (struct tcp_write){.channel = c, .bytes = frame_bytes};
    if (c->auth.done) {
        start_write(c, w);
        return;
    }
    *c->last = w;
    c->last = &w->next;
}

static void send_waiting(struct channel_tcp *c)
{
    while (c->first) {
        struct tcp_write *w = c->first;
        c->first = w->next;
        start_write(c, w);
    }
    c->last = &c->first;
}

/* --- close: FIN after the last message, then wait for the peer's FIN.  Closing at once
 * would answer bytes not yet read with a reset, which can overtake our last message. ---
 */

static int close_result(const struct channel_tcp *c)
{
    return c->base.queued > 0 ? ERR_TIMEOUT : ERR_OK;
}

static void on_deadline(void *ctx)
{
    struct channel_tcp *c = ctx;
    channel_tcp_end(&c->base, close_result(c));
}

static void on_shutdown(uv_shutdown_t *req, int status)
{
    struct channel_tcp *c = req->data;
    if (status < 0 && status != UV_ECANCELED)
        channel_tcp_end(&c->base, ERR_CLOSED);
}

static void start_shutdown(struct channel_tcp *c)
{
    c->shutdown.data = c;
    if (uv_shutdown(&c->shutdown, (uv_stream_t *)&c->tcp, on_shutdown) != 0)
        channel_tcp_end(&c->base, ERR_CLOSED);
}

void channel_tcp_close(struct channel *base, uint64_t ms)
{
    struct channel_tcp *c = of(base);
    if (ms == 0) {
        channel_tcp_end(base, close_result(c));
        return;
    }
    base->state = CHANNEL_CLOSING;
    c->deadline = loop_timer_new(base->loop, ms, 0, on_deadline, c);
    if (c->auth.done)
        start_shutdown(c);
}

/* --- who is there --- */

/* Around the queue of messages, which waits. */
static void say(struct channel_tcp *c, const struct auth_message *m)
{
    uint8_t *block = mem_alloc(CHANNEL_HEAD + FRAME_HEADER + m->n);
    uint8_t *frame = block + CHANNEL_HEAD;
    memcpy(frame + FRAME_HEADER, m->bytes, m->n);
    frame_header(frame, frame + FRAME_HEADER, m->n);
    struct tcp_write *w = (void *)block;
    *w = (struct tcp_write){.channel = c, .bytes = FRAME_HEADER + m->n};
    c->base.queued += m->n;
    start_write(c, w);
}

static void stranger(struct channel_tcp *c, int err, const char *why)
{
    if (c->on_stranger)
        c->on_stranger(c, why);
    else
        log_error("%s: %s", c->base.peer, why);
    channel_tcp_end(&c->base, err);
}

static const char *why(const struct channel_tcp *c, int err)
{
    static char text[160];
    switch (err) {
    case ERR_REFUSED:
        return c->on_stranger ? "it does not know this job's token"
                              : "it does not know this job's token: another job listens "
                                "there, or the token is not that of this run";
    case ERR_MISMATCH:
        snprintf(text, sizeof text, "it speaks protocol %u, this program %d: both must be "
                 "the same build",
                 c->auth.their_protocol, MESSAGE_PROTOCOL);
        return text;
    default:
        return "what it sends is not our protocol";
    }
}

static void proven(struct channel_tcp *c)
{
    const bool closing = c->base.state == CHANNEL_CLOSING;
    if (!closing)
        c->base.state = CHANNEL_OPEN;
    if (c->on_proven)
        c->on_proven(c);
    send_waiting(c);
    if (closing && c->base.state == CHANNEL_CLOSING)
        start_shutdown(c);
}

static void identify(struct channel_tcp *c, const uint8_t *payload, size_t bytes)
{
    struct auth_message answer;
    const int err = auth_take(&c->auth, payload, bytes, &answer);
    if (err) {
        stranger(c, err, why(c, err));
        return;
    }
    if (answer.n > 0)
        say(c, &answer);
    if (c->auth.done && c->base.state != CHANNEL_ENDED)
        proven(c);
}

int channel_tcp_detach(struct channel_tcp *c)
{
    uv_os_fd_t fd = -1;
    assert(c->auth.done);
    if (uv_fileno((uv_handle_t *)&c->tcp, &fd) == 0)
        fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        log_error("%s: no descriptor for its data lane", c->base.peer);
    c->silent = true;
    channel_tcp_end(&c->base, ERR_OK);
    return fd;
}

/* --- in --- */

static void on_space(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    struct channel_tcp *c = h->data;
    (void)suggested;
    *buf = uv_buf_init(c->base.loop->received, sizeof c->base.loop->received);
}

static void undecodable(struct channel_tcp *c, int err)
{
    if (!c->auth.done) {
        stranger(c, err, "what it sends is not our protocol");
        return;
    }
    if (err == ERR_TOO_BIG)
        log_warn("%s: closed: it announces a message of %zu bytes, at most %zu are "
                 "allowed",
                 c->base.peer, c->in.length, c->in.limit);
    else
        log_warn("%s: closed: what it sends is not our protocol or was damaged on the way",
                 c->base.peer);
    channel_tcp_end(&c->base, err);
}

static bool takes(const struct channel_tcp *c)
{
    return c->base.state == CHANNEL_OPEN ||
           (!c->auth.done && c->base.state != CHANNEL_ENDED);
}

static void decode(struct channel_tcp *c, const uint8_t *at, const uint8_t *end)
{
    while (takes(c) && at < end) {
        const uint8_t *payload;
        size_t bytes;
        c->in.limit = c->auth.done ? c->base.limit : AUTH_BYTES_MAX;
        const int err = frame_decode(&c->in, &at, end, &payload, &bytes);
        if (err) {
            undecodable(c, err);
            return;
        }
        if (payload && !c->auth.done)
            identify(c, payload, bytes);
        else if (payload && channel_deliver(&c->base, payload, bytes) != 0)
            return;
    }
}

static void on_end_of_stream(struct channel_tcp *c, ssize_t status)
{
    if (c->base.state == CHANNEL_CLOSING && status == UV_EOF && c->base.queued == 0) {
        channel_tcp_end(&c->base, ERR_OK);
        return;
    }
    log_debug("%s: ended%s: %s", c->base.peer,
              frame_decoder_partial(&c->in) ? " in the middle of a message" : "",
              uv_strerror((int)status));
    channel_tcp_end(&c->base, ERR_CLOSED);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct channel_tcp *c = s->data;
    loop_enter(c->base.loop, "control message");
    if (n < 0)
        on_end_of_stream(c, n);
    else
        decode(c, (const uint8_t *)buf->base, (const uint8_t *)buf->base + n);
}

void channel_tcp_open(struct channel_tcp *c, const struct auth_message *hello)
{
    struct sockaddr_storage at = {0};
    int size = sizeof at;
    assert(!c->connected && c->base.state != CHANNEL_ENDED);
    c->connected = true;
    uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&at, &size);
    tcp_address_print((const struct sockaddr *)&at, c->base.peer);
    uv_tcp_nodelay(&c->tcp, 1);
    uv_tcp_keepalive(&c->tcp, 1, KEEPALIVE_S);
    if (uv_read_start((uv_stream_t *)&c->tcp, on_space, on_read) != 0)
        channel_tcp_end(&c->base, ERR_CLOSED);
    else if (hello)
        say(c, hello);
}
