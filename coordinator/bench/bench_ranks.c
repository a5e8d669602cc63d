#include "coordinator/bench/bench_ranks.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "coordinator/address.h"
#include "coordinator/bench/bench_socket.h"
#include "net/address.h"

enum { HERE_MS = 5000, RANK_0 = 0, RANK_1 = 1 };

static void stop(void *ctx)
{
    loop_stop(ctx);
}

/* --- a thread at the other end -------------------------------------------------------
 */

struct other {
    int fd;
    bool quick;
    pthread_t id;
};

static void on_gone(void *ctx, uint32_t peer)
{
    (void)peer;
    loop_stop(ctx);
}

static void *answer(void *arg)
{
    const struct other *o = arg;
    struct loop *l = loop_new();
    struct transport *t = transport_tcp(l, on_gone, l);
    transport_tcp_add(t, RANK_0, o->fd);
    struct bench_echo *e = bench_echo_new(t, RANK_0, o->quick, stop, l);
    loop_run(l);
    transport_free(t);
    loop_free(l);
    bench_echo_free(e);
    return NULL;
}

/* Both ends of a connection over loopback. */
static int connect_here(int fd[2])
{
    char address[CONTROL_ADDRESS];
    const int listening = bench_listen("127.0.0.1", address, sizeof address);
    if (listening < 0)
        return ERR_IO;
    fd[0] = bench_connect(address);
    fd[1] = fd[0] < 0 ? -1 : bench_accept(listening, HERE_MS);
    close(listening);
    if (fd[1] >= 0)
        return ERR_OK;
    if (fd[0] >= 0)
        close(fd[0]);
    return ERR_IO;
}

int bench_loopback(struct bench *b)
{
    int fd[2];
    TRY(connect_here(fd));
    struct other other = {.fd = fd[1], .quick = b->quick};
    if (pthread_create(&other.id, NULL, answer, &other))
        abort();
    struct loop *l = loop_new();
    struct transport *t = transport_tcp(l, on_gone, l);
    transport_tcp_add(t, RANK_1, fd[0]);
    const int err = bench_link(b, "tcp, loopback", l, t, RANK_1);
    if (!err)
        bench_farewell(b, l, t, RANK_1);
    transport_free(t); /* ends the connection, and so the other */
    loop_free(l);
    pthread_join(other.id, NULL);
    return err;
}

/* --- rank 0 --------------------------------------------------------------------------
 */

static void on_lost(void *ctx, uint32_t peer)
{
    struct bench_ranks *r = ctx;
    log_error("rank %u is gone", peer);
    r->err = ERR_CLOSED;
    loop_stop(r->loop);
}

/* Whoever connects first and has the token. */
static int meet(int listening, const struct world_verdict *v, double timeout_s)
{
    uint8_t token[AUTH_TOKEN];
    const struct timeval patience = {.tv_sec = (time_t)timeout_s};
    const int fd = bench_accept(listening, (int)(1000 * timeout_s));
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (recv(fd, token, sizeof token, MSG_WAITALL) == (ssize_t)sizeof token &&
        memcmp(token, v->token, sizeof token) == 0)
        return fd;
    log_error("somebody connected who is not rank 1 of this job; try again");
    close(fd);
    return -1;
}

int bench_ranks_open(struct bench_ranks *r, const struct world *w, const char *listen,
                     double timeout_s)
{
    struct world_verdict v = {0};
    char wanted[CONTROL_ADDRESS];
    struct address a;
    TRY(address_to_listen(listen, w->one_host, wanted));
    TRY(address_parse(wanted, &a));
    const int listening = bench_listen(a.host, v.address, sizeof v.address);
    if (listening < 0)
        return ERR_IO;
    auth_token_draw(v.token); /* of this one connection */
    int err = world_announce(w, &v, timeout_s);
    const int fd = err ? -1 : meet(listening, &v, timeout_s);
    close(listening);
    if (fd < 0)
        return err ? err : ERR_CLOSED;
    *r = (struct bench_ranks){.loop = loop_new()};
    r->mpi = transport_mpi(r->loop);
    r->tcp = transport_tcp(r->loop, on_lost, r);
    transport_tcp_add(r->tcp, RANK_1, fd);
    return ERR_OK;
}

int bench_ranks_measure(struct bench_ranks *r, struct bench *b, const struct world *w)
{
    TRY(bench_link(b, "mpi", r->loop, r->mpi, RANK_1));
    bench_farewell(b, r->loop, r->mpi, RANK_1);
    TRY(bench_link(b, w->one_host ? "tcp, loopback" : "tcp, network", r->loop, r->tcp,
                   RANK_1));
    TRY(r->err);
    return w->one_host ? ERR_OK : bench_loopback(b);
}

void bench_ranks_close(struct bench_ranks *r, const struct bench *b)
{
    bench_farewell(b, r->loop, r->tcp, RANK_1);
    transport_free(r->mpi);
    transport_free(r->tcp);
    loop_free(r->loop);
}

/* --- rank 1 --------------------------------------------------------------------------
 */

struct follower {
    struct loop *loop;
    bool clean;
};

static void on_farewell(void *ctx)
{
    struct follower *f = ctx;
    f->clean = true;
    loop_stop(f->loop);
}

static void on_rank_0_gone(void *ctx, uint32_t peer)
{
    struct follower *f = ctx;
    (void)peer;
    loop_stop(f->loop);
}

/* Of the lane by MPI: the one by TCP decides. */
static void nothing(void *ctx)
{
    (void)ctx;
}

static void answer_both(struct follower *f, int fd, bool quick)
{
    f->loop = loop_new();
    struct transport *mpi = transport_mpi(f->loop),
                     *tcp = transport_tcp(f->loop, on_rank_0_gone, f);
    transport_tcp_add(tcp, RANK_0, fd);
    struct bench_echo *by_mpi = bench_echo_new(mpi, RANK_0, quick, nothing, NULL),
                      *by_tcp = bench_echo_new(tcp, RANK_0, quick, on_farewell, f);
    loop_run(f->loop);
    if (!f->clean) /* MPI may still write to its buffers */
        return;
    transport_free(mpi);
    transport_free(tcp);
    loop_free(f->loop);
    bench_echo_free(by_mpi);
    bench_echo_free(by_tcp);
}

int bench_ranks_follow(const struct world *w, bool quick, double timeout_s, bool *clean)
{
    struct world_verdict v;
    struct follower f = {0};
    *clean = false;
    const int err = world_await(w, &v, timeout_s);
    if (err)
        return err_exit_code(err);
    if (!*v.address) {
        *clean = true;
        return (int)v.exit_code;
    }
    const int fd = bench_connect(v.address);
    if (fd < 0 || file_write_all(fd, v.token, sizeof v.token) != 0)
        return err_exit_code(ERR_IO);
    answer_both(&f, fd, quick);
    *clean = f.clean;
    return f.clean ? 0 : err_exit_code(ERR_CLOSED);
}
