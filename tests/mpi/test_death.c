/* Rank 1 dies by SIGKILL in the middle of transfers both ways, the first of its life. Its
 * control channel says so; rank 0 forgets it and goes on exchanging with the others.
 *
 * Runs with Open MPI's recovery on, where mpirun returns 0 whatever happens: what counts
 * is the last line of rank 0. */
#include "support/test.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "net/control.h"
#include "net/transport.h"
#include "net/world.h"

enum { BYTES = 32 << 20, EXCHANGES = 4, VICTIM = 1, RANKS = 8 };

struct scene {
    struct loop *loop;
    struct transport *lane;
    struct channel *channels[RANKS]; /* rank 0: by rank; others: [0] */
    uint8_t *out, *in[RANKS];        /* by peer */
    uint32_t joined, wrong;
    uint32_t left; /* transfers that are to complete */
};

static struct world world;

/* Shared with the process that kills the victim; parked after its death, never freed. */
static uint8_t *buffer(void)
{
    uint8_t *p =
        mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(p, MAP_FAILED);
    return p;
}

static void too_late(void *ctx)
{
    (void)ctx;
    log_error("rank %u: nothing happened for 30 s", world.rank);
    _exit(1);
}

static void on_done(void *ctx, uint32_t peer, uint32_t transfer)
{
    struct scene *s = ctx;
    (void)peer;
    (void)transfer;
    if (--s->left == 0)
        loop_stop(s->loop);
}

static void on_received(void *ctx, uint32_t peer, uint32_t transfer);

/* One exchange after the other: they share a buffer. */
static void exchange(struct scene *s, uint32_t peer, uint32_t number)
{
    transport_send(s->lane, peer, number, s->out, BYTES, on_done, s);
    transport_receive(s->lane, peer, number, s->in[peer], BYTES, on_received, s);
}

static void on_received(void *ctx, uint32_t peer, uint32_t transfer)
{
    struct scene *s = ctx;
    size_t wrong = 0;
    for (size_t i = 0; i < BYTES; i += 4093)
        wrong += s->in[peer][i] != peer + 1;
    if (wrong > 0)
        log_error("transfer %u of rank %u: %zu of %d bytes looked at are wrong", transfer,
                  peer, wrong, BYTES / 4093 + 1);
    s->wrong += wrong > 0 && !(world.rank == 0 && peer == VICTIM);
    memset(s->in[peer], 0, BYTES);
    if (transfer + 1 < EXCHANGES)
        exchange(s, peer, transfer + 1);
    on_done(ctx, peer, transfer);
}

static void begin(struct scene *s, uint32_t peer)
{
    s->left += 2 * EXCHANGES;
    exchange(s, peer, 0);
}

static void on_message(void *ctx, struct channel *c, const struct message *m)
{
    struct scene *s = ctx;
    const uint32_t rank = m->join.rank;
    assert_true(rank > 0 && rank < world.size && !s->channels[rank]);
    s->channels[rank] = c;
    if (++s->joined == world.size - 1)
        begin(s, VICTIM); /* the others when it is dead */
}

static void on_closed(void *ctx, struct channel *c, int err)
{
    struct scene *s = ctx;
    if (world.rank != 0) { /* rank 0 is done */
        assert_int_equal(s->left, 0);
        loop_stop(s->loop);
        return;
    }
    assert_ptr_equal(c, s->channels[VICTIM]);
    assert_int_equal(err, ERR_CLOSED);
    assert_true(transport_forget(s->lane, VICTIM));
    s->left = 0;
    for (uint32_t p = VICTIM + 1; p < world.size; p++)
        begin(s, p);
}

static void on_accept(void *ctx, struct channel *c)
{
    (void)ctx;
    (void)c;
}

static const struct channel_events events = {on_message, on_closed};

static void coordinate(struct scene *s)
{
    struct control_server *server;
    struct world_verdict v = {0};
    const struct control_server_options o = {
        .events = events, .on_accept = on_accept, .ctx = s};
    assert_int_equal(control_listen(s->loop, "", v.address, &o, &server), ERR_OK);
    assert_int_equal(world_announce(&world, &v, 20), ERR_OK);
    loop_run(s->loop);
    assert_int_equal(s->wrong, 0);
    assert_true(transport_idle(s->lane));
    fprintf(stderr, "all exchanges after the death were right\n");
}

static void work(struct scene *s)
{
    struct world_verdict v;
    assert_int_equal(world_await(&world, &v, 20), ERR_OK);
    const struct control_caller me = {.incarnation = world.rank};
    assert_int_equal(control_connect(s->loop, v.address, &me, events, s, &s->channels[0]),
                     ERR_OK);
    const struct message join = {
        MESSAGE_JOIN,
        .join = {.rank = world.rank, .host = "", .build = "", .kernels = ""}};
    channel_send(s->channels[0], &join);
    begin(s, 0);
    loop_run(s->loop); /* until the transfers are done */
    loop_run(s->loop); /* until rank 0 has gone */
    assert_int_equal(s->wrong, 0);
}

static void
a_worker_killed_in_the_middle_of_transfers_costs_the_others_nothing(void **state)
{
    struct scene *s = *state;
    assert_int_equal(world_start(&world), ERR_OK);
    assert_true(world.size > 2 && world.size <= RANKS);
    s->loop = loop_new();
    s->lane = transport_mpi(s->loop);
    loop_timer_new(s->loop, 30000, 0, too_late, NULL);
    memset(s->out, (int)world.rank + 1, BYTES);
    if (world.rank == 0)
        coordinate(s);
    else
        work(s);
}

/* A process of its own, made before MPI is: kills its parent as soon as the first bytes
 * of the first transfer are there. */
static void be_killed_in_the_middle(const volatile uint8_t *first)
{
    const pid_t victim = getpid();
    if (fork() != 0)
        return;
    while (*first == 0 && getppid() == victim)
        sched_yield();
    kill(victim, SIGKILL);
    _exit(0);
}

int main(void)
{
    struct scene s = {.out = buffer()};
    const struct CMUnitTest tests[] = {cmocka_unit_test_prestate(
        a_worker_killed_in_the_middle_of_transfers_costs_the_others_nothing, &s)};
    world_peek(&world);
    for (uint32_t p = 0; p < RANKS; p++)
        s.in[p] = buffer();
    if (world.rank == VICTIM)
        be_killed_in_the_middle(s.in[0]);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    world_exit(&world, failed ? 1 : 0, false);
}
