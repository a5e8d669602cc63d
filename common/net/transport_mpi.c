/* The data lane between ranks of one MPI world.  The rules come from what Open MPI 4.1
 * does when a peer dies (measured, about 300 kills; BTL tcp):
 *
 *   1. only Isend, Irecv and Test, from the thread that called MPI_Init
 *   2. one send and one receive in flight per peer: a second send that is queued behind a
 *      broken connection aborts the survivor
 *   3. a peer that was forgotten is never sent to again, and what was in flight is left
 *      alone for ever: its requests never complete, nor fail, and a stopped process that
 *      goes on still writes into the buffers
 *   4. small messages never come here (they would queue up): they are the control
 * channel's
 *
 * Transfer number n travels with tag 1 + n mod the number of tags; 0 is world.c's. */
#include <assert.h>
#include <dlfcn.h>
#include <mpi.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/transport_ops.h"

struct lane {                /* one direction of one peer */
    struct transfer *flying; /* NULL: nothing in flight */
    MPI_Request request;
    struct transfer_queue waiting;
};

struct peer {
    struct lane out, in;
    bool forgotten, parked;
};

struct transport_mpi {
    struct transport base;
    struct loop_poller *poller;
    uint32_t tags;
    uint32_t flying; /* lanes of peers not forgotten with something in flight */
    uint32_t queued; /* transfers of them that are not done */
    uint32_t size;
    struct peer peers[];
};

static struct transport_mpi *of(struct transport *t)
{
    return (struct transport_mpi *)t;
}

static void say_failed(const char *what, uint32_t peer, const struct transfer *x, int rc)
{
    char text[MPI_MAX_ERROR_STRING] = "?";
    int length;
    MPI_Error_string(rc, text, &length);
    log_error("rank %u: %s of transfer %u, %zu bytes: MPI: %s", peer, what, x->number,
              x->bytes, text);
}

/* --- one lane -------------------------------------------------------------------------
 */

/* Start the next transfer when none is in flight.  One that MPI refuses stays in flight
 * for ever: the peer is broken, which the control channel will say. */
static void start(struct transport_mpi *t, uint32_t peer, struct lane *lane)
{
    if (lane->flying || !lane->waiting.first)
        return;
    struct transfer *x = lane->flying = transfer_pop(&lane->waiting);
    const int bytes = (int)x->bytes, rank = (int)peer,
              tag = (int)(1 + x->number % t->tags);
    lane->request = MPI_REQUEST_NULL;
    const int rc = x->outgoing ? MPI_Isend(x->data, bytes, MPI_BYTE, rank, tag,
                                           MPI_COMM_WORLD, &lane->request)
                               : MPI_Irecv(x->data, bytes, MPI_BYTE, rank, tag,
                                           MPI_COMM_WORLD, &lane->request);
    if (rc != MPI_SUCCESS) {
        say_failed("start", peer, x, rc);
        lane->request = MPI_REQUEST_NULL;
    }
    if (t->flying++ == 0)
        loop_poller_start(t->poller);
}

/* A transfer of another length than expected is complete nevertheless: it does not have
 * the checksum that its announcement gave it. */
static void check_length(uint32_t peer, const struct transfer *x,
                         const MPI_Status *status)
{
    int bytes = 0;
    if (x->outgoing)
        return;
    MPI_Get_count(status, MPI_BYTE, &bytes);
    if (bytes < 0 || (size_t)bytes != x->bytes)
        log_error("rank %u: transfer %u has %d bytes, expected %zu; does it run another "
                  "configuration?",
                  peer, x->number, bytes, x->bytes);
}

static bool poll_lane(struct transport_mpi *t, uint32_t peer, struct lane *lane)
{
    struct transfer *x = lane->flying;
    MPI_Status status;
    int complete = 0, class = MPI_SUCCESS;
    if (!x || lane->request == MPI_REQUEST_NULL)
        return false;
    const int rc = MPI_Test(&lane->request, &complete, &status);
    if (rc != MPI_SUCCESS) {
        say_failed("progress", peer, x, rc);
        MPI_Error_class(rc, &class);
        lane->request = MPI_REQUEST_NULL;
        if (class != MPI_ERR_TRUNCATE)
            return false; /* as if it never completed */
    } else if (!complete) {
        return false;
    } else {
        check_length(peer, x, &status);
    }
    lane->flying = NULL;
    t->flying--;
    t->queued--;
    start(t, peer, lane); /* before the callback, so that the line is not idle */
    transfer_done(&t->base, peer, x);
    return true;
}

static bool poll_all(void *ctx)
{
    struct transport_mpi *t = ctx;
    bool moved = false;
    for (uint32_t p = 0; p < t->size && t->flying > 0; p++) {
        if (!t->peers[p].forgotten)
            moved |= poll_lane(t, p, &t->peers[p].out);
        if (!t->peers[p].forgotten)
            moved |= poll_lane(t, p, &t->peers[p].in);
    }
    if (t->flying == 0)
        loop_poller_stop(t->poller);
    return moved;
}

/* --- the interface --------------------------------------------------------------------
 */

static void mpi_post(struct transport *base, uint32_t peer, struct transfer *x)
{
    struct transport_mpi *t = of(base);
    assert(peer < t->size);
    struct peer *p = &t->peers[peer];
    if (p->forgotten) {
        transfer_drop(base, x);
        return;
    }
    struct lane *lane = x->outgoing ? &p->out : &p->in;
    transfer_push(&lane->waiting, x);
    t->queued++;
    start(t, peer, lane);
    loop_poller_start(t->poller); /* eager again */
}

static bool forget_lane(struct transport_mpi *t, struct lane *lane)
{
    for (struct transfer *x; (x = transfer_pop(&lane->waiting)); t->queued--)
        transfer_drop(&t->base, x);
    if (!lane->flying)
        return false;
    t->flying--;
    t->queued--;
    return true;
}

static bool mpi_forget(struct transport *base, uint32_t peer)
{
    struct transport_mpi *t = of(base);
    assert(peer < t->size);
    struct peer *p = &t->peers[peer];
    if (!p->forgotten) {
        p->forgotten = true;
        const bool out = forget_lane(t, &p->out), in = forget_lane(t, &p->in);
        p->parked = out || in;
    }
    return p->parked;
}

static bool mpi_idle(const struct transport *base)
{
    return ((const struct transport_mpi *)base)->queued == 0;
}

/* Requests that are still in flight are MPI's; of theirs only our notes are freed. */
static void mpi_free(struct transport *base)
{
    struct transport_mpi *t = of(base);
    for (uint32_t p = 0; p < t->size; p++) {
        struct peer *peer = &t->peers[p];
        transfer_drop_all(base, &peer->out.waiting);
        transfer_drop_all(base, &peer->in.waiting);
        if (peer->out.flying)
            transfer_drop(base, peer->out.flying);
        if (peer->in.flying)
            transfer_drop(base, peer->in.flying);
    }
    loop_poller_free(t->poller);
    transport_fini(base);
    mem_free(t);
}

/* Open MPI 4 counts the users of its event library down once too often for each attempt
 * to reach a dead peer over tcp; at 0 it looks at sockets every 10 ms only, for everybody
 * (a step of 1 MiB took 30 ms instead of 1).  Count up first. */
static void keep_tcp_progress(void)
{
#if defined(OMPI_MAJOR_VERSION) && OMPI_MAJOR_VERSION == 4
    enum { MORE_THAN_ATTEMPTS = 100000 };
    void (*increment)(void);
    *(void **)&increment = dlsym(RTLD_DEFAULT, "opal_progress_event_users_increment");
    for (int i = 0; increment && i < MORE_THAN_ATTEMPTS; i++)
        increment();
#endif
}

static uint32_t number_of_tags(void)
{
    int *highest = NULL, found = 0;
    MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_TAG_UB, &highest, &found);
    return found && *highest > 0 ? (uint32_t)*highest : 32767; /* MPI's least */
}

struct transport *transport_mpi(struct loop *l)
{
    static const struct transport_ops ops = {mpi_post, mpi_forget, mpi_idle, mpi_free};
    int size;
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    struct transport_mpi *t =
        mem_zalloc(sizeof *t + mem_mul((size_t)size, sizeof *t->peers));
    t->base.ops = &ops;
    t->poller = loop_poller_new(l, poll_all, t);
    t->tags = number_of_tags();
    t->size = (uint32_t)size;
    keep_tcp_progress();
    return &t->base;
}
