/* A worker in the world: what arrives on its data lane is compared with what was
 * announced. */
#include "support/test.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "nn/ranges.h"
#include "tensor/rows.h"
#include "worker/work.h"

enum { VOCAB = 11, COORDINATOR = 0, WORKER = 1, ME = 0xABC, TERM = 3 };

static struct transformer model;
static struct ranges ranges;
static struct conf conf;

/* The coordinator's end, by hand. */
struct stage {
    struct loop *loop;
    struct transport *lane;
    float *theta;
    uint64_t *checksums;
    size_t damaged;  /* this range is not what was announced; SIZE_MAX: none */
    uint64_t pulled; /* version it says is there; UINT64_MAX: none */
    bool finished;
    int err;
};

static int prepare(void **state)
{
    (void)state;
    const char *name;
    log_silence(true);
    conf_init(&conf);
    for (const char *const *w =
             (const char *const[]){"model.layers=3", "model.heads=2", "model.width=96",
                                   "model.context=8", NULL};
         *w; w++)
        if (conf_load_word(&conf, *w))
            return 1;
    if (conf_check(&conf) || rows_start(NULL, &name) ||
        transformer_init(&model, &conf.model, VOCAB))
        return 1;
    transformer_ranges(&model, &ranges);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    ranges_fini(&ranges);
    transformer_fini(&model);
    return 0;
}

static void welcome(struct channel *c)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    conf_dump(&conf, out);
    fclose(out);
    struct message m = {.kind = MESSAGE_WELCOME, .term = TERM};
    m.welcome.worker = WORKER;
    m.welcome.vocab = VOCAB;
    m.welcome.conf = text;
    m.welcome.fingerprint = conf_fingerprint(&conf);
    channel_send(c, &m);
    free(text);
}

static void ignore(void *ctx, uint32_t peer, uint32_t transfer)
{
    (void)ctx;
    (void)peer;
    (void)transfer;
}

static void send_parameters(struct stage *s, struct channel *c)
{
    for (size_t r = 0; r < ranges.n; r++) {
        const struct range at = ranges.list[r];
        s->checksums[r] = hash64(s->theta + at.first, at.count * sizeof *s->theta);
    }
    struct message m = {.kind = MESSAGE_COMMIT, .term = TERM};
    m.commit.version = 4;
    m.commit.ranges = ranges.n;
    m.commit.checksums = s->checksums;
    channel_send(c, &m);
    if (s->damaged != SIZE_MAX) /* one bit, on the way */
        s->theta[ranges.list[s->damaged].first] *= -1;
    for (uint32_t r = 0; r < ranges.n; r++)
        transport_send(s->lane, WORKER, r, s->theta + ranges.list[r].first,
                       ranges.list[r].count * sizeof *s->theta, ignore, NULL);
}

static void on_message(void *ctx, struct channel *c, const struct message *m)
{
    struct stage *s = ctx;
    if (m->kind == MESSAGE_JOIN) {
        assert_int_equal(m->incarnation, ME);
        welcome(c);
        send_parameters(s, c);
    } else if (m->kind == MESSAGE_PULLED) {
        s->pulled = m->pulled.version;
        loop_stop(s->loop);
    }
}

static void on_closed(void *ctx, struct channel *c, int err)
{
    (void)ctx;
    (void)c;
    (void)err;
}

static void on_finish(void *ctx, int err, int exit_code)
{
    struct stage *s = ctx;
    (void)exit_code;
    s->finished = true;
    s->err = err;
    loop_stop(s->loop);
}

/* Plays until the worker says that the parameters are there, or ends. */
static struct stage play(size_t damaged)
{
    struct stage s = {.loop = loop_new(), .damaged = damaged, .pulled = UINT64_MAX};
    struct transport *there;
    struct channel *here, *its;
    s.theta = mem_alloc(model.count * sizeof *s.theta);
    s.checksums = mem_alloc(ranges.n * sizeof *s.checksums);
    for (size_t i = 0; i < model.count; i++)
        s.theta[i] = (float)(i + 1);
    transport_memory(s.loop, &s.lane, &there);
    const struct work_options o = {.incarnation = ME,
                                   .threads = 1,
                                   .kernels = "k",
                                   .heartbeat_ms = 500,
                                   .on_finish = on_finish,
                                   .ctx = &s};
    struct work *w = work_new(s.loop, there, COORDINATOR, &o);
    control_pair(s.loop, (struct channel_events){on_message, on_closed}, &s, work_events,
                 w, &here, &its);
    work_begin(w, its);
    loop_run(s.loop);
    work_free(w);
    transport_free(s.lane);
    transport_free(there);
    loop_free(s.loop);
    mem_free(s.theta);
    mem_free(s.checksums);
    return s;
}

static void parameters_that_are_as_announced_are_taken(void **state)
{
    (void)state;
    const struct stage s = play(SIZE_MAX);
    assert_false(s.finished);
    assert_int_equal(s.pulled, 4);
}

/* Nobody computes with what nobody decided. */
static void one_bit_damaged_in_any_range_ends_it(void **state)
{
    (void)state;
    assert_true(ranges.n > 1);
    for (size_t r = 0; r < ranges.n; r++) {
        const struct stage s = play(r);
        assert_int_equal(s.pulled, UINT64_MAX);
        assert_true(s.finished);
        assert_int_equal(s.err, ERR_CORRUPT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {T(parameters_that_are_as_announced_are_taken),
                                       T(one_bit_damaged_in_any_range_ends_it)};
    return cmocka_run_group_tests(tests, prepare, clean);
}
