#include "coordinator/scale/scale_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "coordinator/probe.h"
#include "coordinator/supply.h"
#include "nn/transformer.h"

/* --- hosts --- */

static int find_machines(struct scale_plan *p, const struct scale_asked *a)
{
    machine_here(&p->here);
    p->machines = a->hostfile ? 0 : 1;
    if (a->hostfile) {
        TRY(hostfile_read(a->hostfile, &p->hosts));
        p->machines = p->hosts.n;
    }
    p->machine = mem_zalloc(p->machines * sizeof *p->machine);
    if (!a->hostfile)
        p->machine[0] = p->here;
    else
        probe_machines(&p->hosts, a->agent ? a->agent : probe_agent, p->machine);
    p->facts.cores = p->machine[0].cores;
    for (size_t i = 0; i < p->machines; i++) {
        const struct machine *m = &p->machine[i];
        if (m->cores == 0) {
            log_error("%s: host %s does not answer '%s HOST getconf _NPROCESSORS_ONLN'; "
                      "an experiment needs all of its hosts: mend it, or take it out",
                      a->hostfile, m->name, a->agent ? a->agent : probe_agent);
            return ERR_TIMEOUT;
        }
        p->facts.cores = m->cores < p->facts.cores ? m->cores : p->facts.cores;
    }
    return ERR_OK;
}

static unsigned at_least_one(unsigned n)
{
    return n ? n : 1;
}

static unsigned threads_of(const struct scale_plan *p, const struct conf *conf,
                           unsigned largest)
{
    if (conf->cluster.threads)
        return conf->cluster.threads;
    if (p->hosts.n == 0)
        return at_least_one(p->facts.cores / largest);
    unsigned fewest = p->facts.cores;
    for (size_t i = 0; i < p->hosts.n; i++) {
        const unsigned share = p->machine[i].cores / p->hosts.list[i].slots;
        fewest = share < fewest ? share : fewest;
    }
    return at_least_one(fewest);
}

/* --- points --- */

/* Everything that decides how fast a point is, but the state of the machines. */
static uint64_t key_of(const struct scale_plan *p, const struct conf *conf,
                       unsigned workers, struct scaling_length length)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    if (!out)
        abort(); /* out of memory */
    struct conf same = *conf;
    same.run.dir = "";
    same.run.log_level = LEVEL_WARN;
    conf_dump(&same, out);
    fprintf(out, "lockstep %s, %u workers, %llu of %llu steps\n", LOCKSTEP_VERSION,
            workers, (unsigned long long)length.steps,
            (unsigned long long)(length.steps + length.warm_up));
    for (size_t i = 0; i < p->machines; i++)
        fprintf(out, "%s %u %s %u\n", p->machine[i].name, p->machine[i].cores,
                p->machine[i].cpu, p->hosts.n ? p->hosts.list[i].slots : 0);
    fclose(out);
    const uint64_t key = hash64(text, bytes);
    free(text);
    return key;
}

/* The words of one point, behind those that were asked for. */
static void choose(struct trial_conf *w, const struct scaling_config *c, bool pairs,
                   const struct scale_asked *a)
{
    const double steps = (double)(a->length.warm_up + a->length.steps);
    trial_conf_quiet(w, a->scratch);
    trial_conf_number(w, "cluster.threads", c->threads);
    trial_conf_number(w, pairs ? "train.batch_tokens" : "train.batch", (double)c->batch);
    trial_conf_number(w, "train.slices", (double)c->slices);
    trial_conf_number(w, "train.steps", steps);
    trial_conf_number(w, "train.checkpoint_every", 10 * steps); /* the last one alone */
    trial_conf_word(w, "train.stats_every", "0");
}

static int add_point(struct scale_plan *p, const struct scale_asked *a,
                     const struct conf *base, enum scaling_mode mode, unsigned workers)
{
    static struct conf conf;
    const uint64_t times = mode == SCALING_WEAK ? workers : 1;
    struct scaling_config *c = &p->config[p->n];
    struct trial_conf *w = &p->words[p->n++];
    *c = (struct scaling_config){
        .mode = mode,
        .workers = workers,
        .threads = p->threads,
        .batch = times * (p->pairs ? base->train.batch_tokens : base->train.batch),
        .slices = times * base->train.slices};
    trial_conf_init(w, &a->conf);
    choose(w, c, p->pairs, a);
    TRY(trial_conf_load(w, &conf));
    c->key = key_of(p, &conf, workers, a->length);
    return ERR_OK;
}

static int add_points(struct scale_plan *p, const struct scale_asked *a,
                      const struct conf *base)
{
    unsigned count[SCALING_COUNTS];
    size_t counts = a->counts;
    memcpy(count, a->count, sizeof count);
    if (counts == 0)
        counts =
            scaling_counts(p->hosts.n ? hosts_slots(&p->hosts) : p->facts.cores, count);
    p->threads = threads_of(p, base, count[counts - 1]);
    p->config = mem_zalloc(SCALING_MODES * counts * sizeof *p->config);
    p->words = mem_zalloc(SCALING_MODES * counts * sizeof *p->words);
    for (int m = 0; m < SCALING_MODES; m++)
        for (size_t i = 0; a->mode[m] && i < counts; i++)
            TRY(add_point(p, a, base, (enum scaling_mode)m, count[i]));
    return ERR_OK;
}

/* --- the configuration as it was given --- */

static int measure_model(struct scale_plan *p, const struct conf *conf)
{
    struct supply supply;
    struct transformer t;
    TRY(supply_open(&supply, conf));
    const int err = transformer_init(&t, &conf->model, supply.vocab);
    if (!err) {
        p->facts.parameters = (double)t.count;
        transformer_fini(&t);
    }
    supply_close(&supply);
    return err;
}

static int load_base(struct scale_plan *p, const struct scale_asked *a, struct conf *base)
{
    struct trial_conf w;
    trial_conf_init(&w, &a->conf);
    trial_conf_word(&w, "run.dir", a->scratch);
    const int err = trial_conf_load(&w, base);
    trial_conf_fini(&w);
    TRY(err);
    p->fingerprint = conf_fingerprint(base);
    p->pairs = base->model.encoder_layers > 0;
    p->facts.wire = (enum wire)base->cluster.wire;
    p->bfloat16_products = base->train.compute == COMPUTE_BFLOAT16;
    return measure_model(p, base);
}

int scale_plan_make(struct scale_plan *p, const struct scale_asked *a)
{
    static struct conf base;
    *p = (struct scale_plan){0};
    int err = load_base(p, a, &base);
    if (!err)
        err = find_machines(p, a);
    if (!err)
        err = add_points(p, a, &base);
    if (err)
        scale_plan_fini(p);
    return err;
}

void scale_plan_fini(struct scale_plan *p)
{
    for (size_t i = 0; i < p->n; i++)
        trial_conf_fini(&p->words[i]);
    mem_free(p->words);
    mem_free(p->config);
    mem_free(p->machine);
    hosts_fini(&p->hosts);
    *p = (struct scale_plan){0};
}
