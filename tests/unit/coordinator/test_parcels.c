/* Partials in and parameters out over the lane in memory. */
#include "support/test.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "coordinator/parcels.h"
#include "tensor/rows.h"

enum { V = 4, COUNT = 1000, RANGES = 3, WORKER = 1, HERE = 0 };

static struct range pieces[RANGES] = {{0, 320}, {320, 512}, {832, 168}};
static const struct ranges ranges = {RANGES, pieces};

struct stage {
    struct crew *crew;
    struct loop *loop;
    struct transport *here, *there;
    struct parcels *parcels;
    enum wire wire;
    uint32_t next; /* transfer of the worker */
    uint64_t announced, first_partial; /* partials */
    uint64_t checksums[RANGES];
    /* seen */
    unsigned partials, damaged, expected;
    struct treesum_buffer *root;
    unsigned sent, arrived;
};

static void on_arrived(void *ctx, uint64_t partial, int err)
{
    struct stage *s = ctx;
    assert_int_equal(partial, s->first_partial + s->partials);
    s->partials++;
    s->damaged += err != ERR_OK;
    assert_true(err == ERR_OK || err == ERR_CORRUPT);
    if (err) {
        parcels_drop(s->parcels, partial);
    } else {
        struct treesum_buffer *root = parcels_add(s->parcels, partial);
        if (root)
            s->root = root;
    }
    if (s->partials == s->expected)
        loop_stop(s->loop);
}

static struct stage *stage_new(enum wire wire)
{
    struct stage *s = mem_zalloc(sizeof *s);
    s->wire = wire;
    s->loop = loop_new();
    transport_memory(s->loop, &s->here, &s->there);
    s->crew = crew_new(3, rows_thread_start);
    s->parcels = parcels_new(&ranges, V, wire, s->crew, on_arrived, s);
    return s;
}

static void stage_free(struct stage *s)
{
    parcels_free(s->parcels);
    crew_free(s->crew);
    transport_free(s->here);
    transport_free(s->there);
    loop_free(s->loop);
    mem_free(s);
}

static void ignore(void *ctx, uint32_t peer, uint32_t transfer)
{
    (void)ctx;
    (void)peer;
    (void)transfer;
}

/* What travels: rounded and packed, range by range in place. */
static void pack(const struct stage *s, float *value)
{
    wire_round(s->wire, value, COUNT);
    for (size_t r = 0; r < RANGES; r++) {
        float *place = value + pieces[r].first;
        wire_pack(s->wire, place, place, pieces[r].count);
    }
}

static size_t bytes_of(const struct stage *s, size_t r)
{
    return wire_bytes(s->wire, pieces[r].count);
}

/* Announces and sends @value [COUNT], packed, as the partial of @node. */
static void send_partial(struct stage *s, struct tree_node node, const float *value,
                         bool damage)
{
    for (size_t r = 0; r < RANGES; r++)
        s->checksums[r] = hash64(value + pieces[r].first, bytes_of(s, r));
    s->checksums[1] ^= damage;
    const struct parcel what = {.lane = s->here,
                                .lane_peer = WORKER,
                                .first_transfer = s->next,
                                .checksums = s->checksums,
                                .partial = s->announced++,
                                .node = node};
    parcels_receive(s->parcels, &what);
    memset(s->checksums, 0, sizeof s->checksums); /* it has its copy */
    for (uint32_t r = 0; r < RANGES; r++)
        transport_send(s->there, HERE, s->next + r, value + pieces[r].first,
                       bytes_of(s, r), ignore, NULL);
    s->next += RANGES;
}

static float element(uint32_t slice, size_t i)
{
    return sinf((float)(i * V + slice)) * (float)(1 << slice);
}

/* (0 + 1) + (2 + 3), by plain loops */
static void expected_sum(const struct stage *s, float *sum)
{
    float right[COUNT], x[COUNT];
    for (uint32_t v = 0; v < V; v++) {
        for (size_t i = 0; i < COUNT; i++)
            x[i] = element(v, i);
        wire_round(s->wire, x, COUNT);
        float *to = v < 2 ? sum : right;
        for (size_t i = 0; i < COUNT; i++)
            to[i] = v % 2 ? to[i] + x[i] : x[i];
        if (v % 2)
            wire_round(s->wire, to, COUNT);
    }
    for (size_t i = 0; i < COUNT; i++)
        sum[i] += right[i];
    wire_round(s->wire, sum, COUNT);
}

static void partials_add_up_to_the_tree_sum(enum wire wire)
{
    static const uint32_t orders[][V] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}};
    static float value[V][COUNT];
    float sum[COUNT];
    for (size_t o = 0; o < sizeof orders / sizeof *orders; o++) {
        struct stage *s = stage_new(wire);
        s->next = UINT32_MAX - 4; /* the numbers go round */
        s->expected = V;
        for (uint32_t k = 0; k < V; k++) {
            const uint32_t v = orders[o][k];
            for (size_t i = 0; i < COUNT; i++)
                value[v][i] = element(v, i);
            pack(s, value[v]);
            send_partial(s, (struct tree_node){0, v}, value[v], false);
        }
        loop_run(s->loop);
        assert_int_equal(s->damaged, 0);
        assert_non_null(s->root);
        expected_sum(s, sum);
        assert_memory_equal(s->root->data, sum, sizeof sum);
        parcels_give(s->parcels, s->root);
        stage_free(s);
    }
}

static void float32_partials_add_up_to_the_tree_sum_in_any_order(void **state)
{
    (void)state;
    partials_add_up_to_the_tree_sum(WIRE_IS_FLOAT32);
}

static void bfloat16_partials_add_up_to_the_rounded_tree_sum_in_any_order(void **state)
{
    (void)state;
    partials_add_up_to_the_tree_sum(WIRE_IS_BFLOAT16);
}

static void int8_partials_add_up_to_the_rounded_tree_sum_in_any_order(void **state)
{
    (void)state;
    partials_add_up_to_the_tree_sum(WIRE_IS_INT8);
}

static void a_damaged_partial_is_named_and_does_not_enter_the_sum(void **state)
{
    (void)state;
    static float value[V][COUNT];
    for (int wire = 0; wire < WIRES; wire++) {
        struct stage *s = stage_new((enum wire)wire);
        s->expected = V + 1;
        for (uint32_t v = 0; v < V; v++) {
            for (size_t i = 0; i < COUNT; i++)
                value[v][i] = element(v, i);
            pack(s, value[v]);
            if (v == 2)
                send_partial(s, (struct tree_node){0, v}, value[v], true);
            send_partial(s, (struct tree_node){0, v}, value[v], false);
        }
        loop_run(s->loop);
        assert_int_equal(s->damaged, 1);
        float sum[COUNT];
        expected_sum(s, sum);
        assert_non_null(s->root);
        assert_memory_equal(s->root->data, sum, sizeof sum);
        parcels_give(s->parcels, s->root);
        stage_free(s);
    }
}

static void parts_that_waited_are_forgotten_on_reset(void **state)
{
    (void)state;
    static float value[COUNT];
    struct stage *s = stage_new(WIRE_IS_FLOAT32);
    s->expected = 1;
    for (int round = 0; round < 3; round++) { /* the same node: given once per reset */
        send_partial(s, (struct tree_node){0, 1}, value, false);
        loop_run(s->loop);
        assert_null(s->root);
        s->first_partial += s->partials;
        s->partials = 0;
        parcels_reset(s->parcels);
    }
    stage_free(s);
}

/* A late copy of some of it may have been counted before: it is in the sum once. */
static void a_node_enters_the_sum_in_place_of_its_parts(void **state)
{
    (void)state;
    static float value[V][COUNT], pair[COUNT];
    float sum[COUNT];
    struct stage *s = stage_new(WIRE_IS_FLOAT32);
    s->expected = V;
    for (uint32_t v = 0; v < V; v++)
        for (size_t i = 0; i < COUNT; i++)
            value[v][i] = element(v, i);
    for (size_t i = 0; i < COUNT; i++)
        pair[i] = value[0][i] + value[1][i];
    send_partial(s, (struct tree_node){0, 1}, value[1], false);
    send_partial(s, (struct tree_node){1, 0}, pair, false);
    send_partial(s, (struct tree_node){0, 2}, value[2], false);
    send_partial(s, (struct tree_node){0, 3}, value[3], false);
    loop_run(s->loop);
    expected_sum(s, sum);
    assert_non_null(s->root);
    assert_memory_equal(s->root->data, sum, sizeof sum);
    parcels_give(s->parcels, s->root);
    stage_free(s);
}

static void on_sent(void *ctx)
{
    struct stage *s = ctx;
    s->sent++;
    if (s->sent && s->arrived == RANGES)
        loop_stop(s->loop);
}

static void on_range(void *ctx, uint32_t peer, uint32_t transfer)
{
    struct stage *s = ctx;
    assert_int_equal(peer, HERE);
    assert_int_equal(transfer, 50 + s->arrived);
    s->arrived++;
    if (s->sent && s->arrived == RANGES)
        loop_stop(s->loop);
}

static void parameters_arrive_whole(void **state)
{
    (void)state;
    static float theta[COUNT], got[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        theta[i] = element(0, i);
    struct stage *s = stage_new(WIRE_IS_BFLOAT16); /* parameters travel whole */
    for (uint32_t r = 0; r < RANGES; r++)
        transport_receive(s->there, HERE, 50 + r, got + pieces[r].first,
                          pieces[r].count * sizeof *got, on_range, s);
    parcels_send(s->parcels, s->here, WORKER, 50, theta, on_sent, s);
    assert_int_equal(s->sent, 0); /* never from within */
    loop_run(s->loop);
    assert_int_equal(s->sent, 1);
    assert_memory_equal(got, theta, sizeof theta);
    stage_free(s);
}

static void what_a_lost_worker_did_not_take_is_not_waited_for(void **state)
{
    (void)state;
    static float theta[COUNT];
    struct stage *s = stage_new(WIRE_IS_FLOAT32);
    parcels_send(s->parcels, s->here, WORKER, 0, theta, on_sent, s);
    parcels_send(s->parcels, s->here, WORKER, RANGES, theta, on_sent, s);
    assert_int_equal(s->sent, 0);
    parcels_forget(s->parcels, s->here, WORKER);
    assert_int_equal(s->sent, 2); /* nobody reads them any more */
    stage_free(s);
}

static int prepare(void **state)
{
    (void)state;
    const char *name;
    return rows_start(NULL, &name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(float32_partials_add_up_to_the_tree_sum_in_any_order),
        T(bfloat16_partials_add_up_to_the_rounded_tree_sum_in_any_order),
        T(int8_partials_add_up_to_the_rounded_tree_sum_in_any_order),
        T(a_damaged_partial_is_named_and_does_not_enter_the_sum),
        T(parts_that_waited_are_forgotten_on_reset),
        T(a_node_enters_the_sum_in_place_of_its_parts),
        T(parameters_arrive_whole),
        T(what_a_lost_worker_did_not_take_is_not_waited_for)};
    return cmocka_run_group_tests(tests, prepare, NULL);
}
