/* cmd_bench.c - `lockstep bench`: the machine's ceilings, our share of them, and what
 * limits a step. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "coordinator/bench/bench_ceilings.h"
#include "coordinator/bench/bench_model.h"
#include "coordinator/bench/bench_ranks.h"
#include "coordinator/bench/bench_report.h"
#include "coordinator/bench/bench_vector.h"
#include "coordinator/command.h"
#include "net/world.h"
#include "tensor/rows.h"

enum { VOCABULARY = 8192, VOCABULARY_MAX = 1 << 24, RANKS_MAX = 2, MEET_S = 60 };

struct benching {
    struct command_conf words;
    bool quick, json;
    uint32_t vocab;
    const char *out;
    struct world world;
    struct bench bench;
    struct bench_model model;
    struct bench_report report;
};

static volatile sig_atomic_t asked;

static void on_signal(int signum)
{
    (void)signum;
    asked = 1;
}

enum { QUICK = 256, JSON, VOCAB };

static const struct argp_option options[] = {
    {"quick", QUICK, 0, 0, "a few seconds instead of a minute; numbers scatter more", 0},
    {"json", JSON, 0, 0, "print one JSON object instead of the table", 0},
    {"out", 'o', "FILE", 0, "write the JSON object to FILE, too", 0},
    {"vocabulary", VOCAB, "N", 0,
     "size of the vocabulary where data.dir does not tell (default: 8192)", 0},
    {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct benching *t = state->input;
    switch (key) {
    case QUICK:
        t->quick = true;
        return 0;
    case JSON:
        t->json = true;
        return 0;
    case 'o':
        t->out = argument;
        return 0;
    case VOCAB:
        t->vocab =
            (uint32_t)command_number(state, "vocabulary", argument, 2, VOCABULARY_MAX);
        return 0;
    case ARGP_KEY_ARG:
        return command_conf_take(&t->words, argument) ? EINVAL : 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    options,
    parse,
    "[FILE.yaml] [group.name=value...]",
    "Measures what this machine can do - multiply-adds, memory, links -, what training "
    "makes of it at the shapes of a model, and predicts from that the time of a step and "
    "what limits it.\v"
    "Without a configuration the model is that of the options' defaults: 6 layers, width "
    "384, context 256, 8 slices of two sequences. No data is needed; a data.dir gives "
    "the "
    "vocabulary. Under `mpirun -n 2` the links between two ranks are measured, too: MPI, "
    "TCP. Each number is the median of several repeats, between the lowest and the "
    "highest; a share is of what the title of its section says, of ceilings the highest. "
    "Leave the machine alone "
    "meanwhile. Ctrl-C ends it without a report.\n\n"
    "Exit codes: 0 measured, 64 usage, 66 no such file, 69 the other rank is gone, 75 "
    "stopped on request, 78 configuration.\n\n"
    "Examples:\n"
    "  lockstep bench\n"
    "  lockstep bench run.yaml data.dir=data --out bench.json\n"
    "  lockstep bench run.yaml train.compute=bfloat16 --quick\n"
    "  mpirun -n 2 lockstep bench run.yaml --json\n",
    0,
    0,
    0};

/* --- before --------------------------------------------------------------------------
 */

/* A minute later it would be a pity. */
static int check_out(const char *path)
{
    char *dir = mem_strdup(path), *slash = strrchr(dir, '/');
    if (slash)
        slash[slash == dir] = '\0';
    const bool writable = access(slash ? dir : ".", W_OK) == 0;
    if (!writable)
        log_error("--out %s: its folder cannot be written to: %s", path, strerror(errno));
    const int err = writable ? ERR_OK : err_from_errno(errno);
    mem_free(dir);
    return err;
}

static int check_ranks(const struct world *w)
{
    if (w->size <= RANKS_MAX)
        return ERR_OK;
    log_error("bench measures between two ranks, not %u; expected `mpirun -n 2 lockstep "
              "bench` or no mpirun",
              w->size);
    return ERR_INVALID;
}

static int prepare(struct benching *t, struct conf *conf)
{
    TRY(command_conf_load(&t->words, conf));
    if (t->out)
        TRY(check_out(t->out));
    TRY(cluster_start_kernels(conf->cluster.kernels, &t->report.products,
                              &t->report.rows));
    rows_thread_start();
    TRY(bench_model_init(&t->model, conf, t->vocab));
    t->bench = (struct bench){.quick = t->quick,
                              .repeats = t->quick ? 3 : 7,
                              .seconds = t->quick ? 0.003 : 0.05,
                              .threads = cluster_threads(conf, 1),
                              .stop = &asked};
    return ERR_OK;
}

/* --- the measurements ----------------------------------------------------------------
 */

static int measure_links(struct benching *t, struct bench_ranks *ranks)
{
    if (!t->world.mpi)
        return bench_loopback(&t->bench);
    TRY(bench_ranks_open(ranks, &t->world, t->model.conf->cluster.listen, MEET_S));
    return bench_ranks_measure(ranks, &t->bench, &t->world);
}

static void predict(struct benching *t, const struct bench_products *p,
                    const struct bench_slice *slice, const struct bench_vector *v)
{
    const struct conf *conf = t->model.conf;
    const double bytes = (double)t->model.t.count * sizeof(float);
    const enum wire wire = (enum wire)conf->cluster.wire;
    const bool bfloat16 = t->model.t.precision == GEMM_BFLOAT16;
    char name[BENCH_NAME];
    t->report.link = t->world.mpi ? "mpi" : "tcp, loopback";
    snprintf(name, sizeof name, "%s, one way", t->report.link);
    t->report.costs = (struct bench_costs){
        .slices = conf->train.slices,
        .threads = t->bench.threads,
        .alone = slice->alone,
        .together = slice->together,
        .products = p->seconds,
        .add = v->add,
        .norm = v->norm,
        .update = v->update,
        .checksum = v->checksum,
        .pack = v->pack[wire],
        .unpack = v->unpack[wire],
        .parameters = bytes,
        .partial = (double)wire_bytes(wire, t->model.t.count),
        .link = 1e9 * bench_table_value(&t->bench.table, BENCH_LINKS, name, 1).median,
        .wire = wire,
        .compute_bfloat16 = bfloat16,
        .flops_share = p->flops / p->seconds / bench_ceiling_flops(&t->bench, bfloat16),
        .bfloat16_faster = p->faster};
    bench_report_step(&t->bench.table, &t->report.costs);
}

static int unless_asked(void)
{
    return asked ? ERR_STOPPED : ERR_OK;
}

static int measure(struct benching *t, struct bench_ranks *ranks)
{
    struct bench *b = &t->bench;
    TRY(measure_links(t, ranks));
    bench_multiply_adds(b);
    TRY(unless_asked());
    bench_memory(b);
    TRY(unless_asked());
    const struct bench_products p = bench_products(b, &t->model);
    TRY(unless_asked());
    const struct bench_slice slice = bench_slice(b, &t->model, p.seconds);
    bench_parts(b, &t->model, slice.alone, p.seconds);
    TRY(unless_asked());
    const struct bench_vector v = bench_vector(b, &t->model);
    TRY(unless_asked());
    predict(t, &p, &slice, &v);
    return ERR_OK;
}

/* --- after ---------------------------------------------------------------------------
 */

static int write_json(const struct bench_report *r, const char *path)
{
    char *data = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&data, &bytes);
    if (!out)
        abort(); /* out of memory */
    bench_report_json(r, out);
    fclose(out);
    const int err = file_write_atomic(path, data, bytes);
    free(data);
    return err;
}

static int report(struct benching *t)
{
    struct bench_report *r = &t->report;
    r->threads = t->bench.threads;
    r->ranks = t->world.size;
    r->quick = t->quick;
    r->parameters = t->model.t.count;
    r->slice_rows = t->model.rows;
    r->vocabulary = t->model.t.shape.V;
    r->table = &t->bench.table;
    (t->json ? bench_report_json : bench_report_text)(r, stdout);
    if (fflush(stdout) != 0) {
        log_error("could not write to standard output: %s", strerror(errno));
        return ERR_IO;
    }
    return t->out ? write_json(r, t->out) : ERR_OK;
}

/* The exit code of rank 0, or of the only process. */
static int lead(struct benching *t, bool *clean)
{
    struct bench_ranks ranks = {0};
    int err = measure(t, &ranks);
    *clean = err == ERR_OK;
    if (err == ERR_STOPPED)
        log_info("asked to stop; nothing is reported");
    if (!err)
        err = report(t);
    if (*clean && ranks.loop)
        bench_ranks_close(&ranks, &t->bench);
    return err_exit_code(err);
}

static void take_signals(void (*handler)(int))
{
    static const int signals[] = {SIGTERM, SIGINT, SIGUSR1};
    const struct sigaction action = {.sa_handler = handler,
                                     .sa_flags = (int)SA_RESETHAND};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL); /* a second one ends it at once */
}

static int bench(struct benching *t)
{
    static struct conf conf;
    bool clean = true;
    const bool first = t->world.rank == 0;
    int err = check_ranks(&t->world);
    if (t->world.size > 1)
        cluster_unbind();
    if (!err && first)
        err = prepare(t, &conf);
    if (err)
        return err_exit_code(err);
    take_signals(first ? on_signal : SIG_IGN);
    err = world_start(&t->world);
    if (!err)
        err = check_ranks(&t->world);
    if (err)
        return err_exit_code(err);
    const int code =
        first ? lead(t, &clean) : bench_ranks_follow(&t->world, t->quick, MEET_S, &clean);
    bench_table_fini(&t->bench.table);
    if (first)
        bench_model_fini(&t->model);
    world_exit(&t->world, code, clean);
}

int command_bench(int argc, char **argv)
{
    struct benching t = {.vocab = VOCABULARY};
    world_peek(&t.world);
    log_silence(t.world.rank > 0); /* what both would say, rank 0 says */
    const int usage =
        command_parse(&argp, argc, argv, t.world.rank > 0 ? ARGP_SILENT : 0, &t);
    const int code = usage ? usage : bench(&t);
    mem_free(t.words.words);
    return code;
}
