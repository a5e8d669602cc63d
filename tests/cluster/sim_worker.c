#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cluster/sim_world.h"

enum { TICK_US = 100000, BOOT_US = 20000 };

struct process *process_boot(struct sim *s, uint32_t slot, uint32_t rank)
{
    struct process *p = calloc(1, sizeof *p);
    if (s->processes == s->process_room) {
        s->process_room = s->process_room ? 2 * s->process_room : 16;
        s->process = realloc(s->process, s->process_room * sizeof(struct process *));
    }
    s->process[s->processes++] = p;
    p->life = 1000 + s->processes;
    p->alive = true;
    p->slot = slot;
    p->slowness = 1;
    p->gradient = calloc(s->o.slices, sizeof *p->gradient);
    p->computed = calloc(s->o.slices, sizeof *p->computed);
    if (s->links == s->link_room) {
        s->link_room = s->link_room ? 2 * s->link_room : 16;
        s->link = realloc(s->link, s->link_room * sizeof *s->link);
    }
    p->link = s->links++;
    s->link[p->link] = (struct link){
        .worker = p, .open_here = s->up, .open_there = true, .heard_us = s->now_us};
    const struct worker_conf conf = {.incarnation = p->life,
                                     .rank = rank,
                                     .threads = s->o.threads,
                                     .host = "host",
                                     .build = "build",
                                     .kernels = "toy",
                                     .heartbeat_ms = 200,
                                     .silence_ms = 10000};
    worker_init(&p->core, &conf);
    sim_trace(s, "worker %u: life %llu begins, rank %u", slot,
              (unsigned long long)p->life, rank);
    if (!s->up) { /* nobody listens */
        sim_close(s, p->link, false);
        s->link[p->link].open_there = true;
    }
    process_event(s, p, (struct worker_event){.kind = WORKER_START}, NULL);
    struct item *tick = sim_add(s, ITEM_TICK_WORKER, TICK_US);
    tick->life = p->life;
    tick->link = p->link;
    return p;
}

void process_free(struct process *p)
{
    worker_fini(&p->core);
    worker_actions_fini(&p->actions);
    free(p->gradient);
    free(p->computed);
    free(p);
}

void process_down(struct sim *s, struct process *p)
{
    if (!p->alive)
        return;
    p->alive = false;
    sim_close(s, p->link, true);
}

/* --- actions --------------------------------------------------------------------------
 */

static void compute_now(struct sim *s, struct process *p, const struct worker_action *a)
{
    uint32_t t = 0;
    for (uint32_t i = 1; i < s->o.threads; i++)
        if (p->thread_us[i] < p->thread_us[t])
            t = i;
    const uint64_t start = p->thread_us[t] > s->now_us ? p->thread_us[t] : s->now_us;
    const uint64_t took = (uint64_t)((double)sim_about(s, s->o.slice_us) * p->slowness);
    p->thread_us[t] = start + took;
    s->result->computed++;
    struct item *i = sim_add(s, ITEM_COMPUTED, p->thread_us[t] - s->now_us);
    i->life = p->life;
    i->link = p->link;
    i->lease = a->lease;
    i->slice = a->slice;
    i->seconds = (double)took / 1e6;
    if (a->lease == LEASE_TRANSLATE) {
        i->loss = toy_word(p->theta, a->slice);
        return;
    }
    if (a->lease == LEASE_HELD_OUT) {
        i->loss = toy_held_out(p->theta, a->slice);
        return;
    }
    i->loss = toy_loss(p->theta, p->step, a->slice);
    i->value = toy_gradient(p->theta, p->step, a->slice);
    if (p->wrong > 0 && !s->record[p->step].lied) { /* one lie at a time */
        p->wrong--;
        i->value ^= 1;
        const uint64_t how = sim_below(s, 3); /* or so wrong that it is doubted at once */
        if (how == 1)
            i->loss = NAN;
        p->wild = how == 2;
        p->lied = true;
        s->record[p->step].lied = true;
        sim_trace(s, "worker %u computes slice %u wrongly", p->slot, a->slice);
    } else if (p->nan > 0 && a->lease == LEASE_TRAIN) {
        p->nan--;
        i->loss = NAN;
    }
}

/* What is announced is waited for. */
static void compute(struct sim *s, struct process *p, const struct worker_action *a)
{
    const struct worker *w = &p->core;
    if (w->announced) {
        assert(p->waiting_n < sizeof p->waiting / sizeof p->waiting[0]);
        p->waiting[p->waiting_n++] = *a;
        return;
    }
    if (w->version != p->theta_version)
        sim_wrong(s, "worker %u computes with other parameters than it says", p->slot);
    compute_now(s, p, a);
}

void process_parameters(struct sim *s, struct process *p, struct transfer_value v)
{
    p->theta = v.value;
    p->theta_version = v.version;
    for (size_t i = 0; i < p->waiting_n; i++)
        compute_now(s, p, &p->waiting[i]);
    p->waiting_n = 0;
    process_event(s, p,
                  (struct worker_event){.kind = WORKER_PARAMETERS,
                                        .version = v.version,
                                        .err = v.damaged ? ERR_CORRUPT : ERR_OK},
                  NULL);
}

static void push(struct sim *s, struct process *p, const struct worker_action *a)
{
    uint64_t sum = 0;
    for (uint32_t v = tree_first(a->node); v < tree_end(a->node, s->o.slices); v++) {
        if (!p->computed[v])
            sim_wrong(s, "worker %u pushes slice %u, not computed", p->slot, v);
        p->computed[v] = false;
        sum += p->gradient[v];
    }
    struct message m = a->message;
    m.partial.squares = p->wild ? 1e9 : 1;
    p->wild = false;
    m.partial.ranges = 1;
    sim_send(s, p->link, false, &m);
    sim_transfer(s, p->link, false,
                 (struct transfer_value){sum ^ p->damage, 0, p->damage, 0});
    p->damage = false;
}

/* Its hypothesis is one sentence of one word. */
static void say_translated(struct sim *s, struct process *p, struct message m)
{
    const uint32_t length = 1, word = (uint32_t)m.evaluated.losses[0];
    m.evaluated.sentences = m.evaluated.words = 1;
    m.evaluated.lengths = &length;
    m.evaluated.tokens = &word;
    sim_send(s, p->link, false, &m);
}

static void post(struct sim *s, struct process *p, uint64_t version)
{
    struct link *l = &s->link[p->link];
    for (uint32_t v = 0; v < s->o.slices; v++)
        if (p->computed[v])
            sim_wrong(s, "worker %u gets parameters while it holds slice %u", p->slot, v);
    l->posted[1][l->posted_n[1]++] = (struct posted){version};
    link_match(s, p->link, true);
}

static void finish(struct sim *s, struct process *p, const struct worker_action *a)
{
    sim_trace(s, "worker %u: life %llu ends: %s", p->slot, (unsigned long long)p->life,
              a->reason);
    process_down(s, p);
    const bool again = a->err == ERR_CLOSED || a->err == ERR_TIMEOUT;
    if (again && s->up) { /* it was given up although it lives: as a new one */
        struct item *i = sim_add(s, ITEM_START_WORKER, BOOT_US);
        i->slice = p->slot;
        i->life = s->life;
    }
}

static void perform(struct sim *s, struct process *p, const struct worker_action *a,
                    const struct message *m)
{
    switch (a->kind) {
    case WORK_SEND:
        sim_send(s, p->link, false, &a->message);
        return;
    case WORK_TRANSLATED:
        say_translated(s, p, a->message);
        return;
    case WORK_PREPARE:
        worker_set_shape(&p->core, 1, s->o.slices, s->o.audit > 0);
        return;
    case WORK_ANNOUNCED:
    case WORK_FORGET:
        return;
    case WORK_RECEIVE:
        post(s, p, a->version);
        return;
    case WORK_KEEP:
        p->step = m->lease.step;
        return;
    case WORK_COMPUTE:
        compute(s, p, a);
        return;
    case WORK_PUSH:
        push(s, p, a);
        return;
    case WORK_DISCARD:
        for (uint32_t v = tree_first(a->node); v < tree_end(a->node, s->o.slices); v++)
            p->computed[v] = false;
        return;
    case WORK_FINISH:
        finish(s, p, a);
        return;
    }
}

void process_event(struct sim *s, struct process *p, struct worker_event ev,
                   const struct message *m)
{
    ev.now_ms = s->now_us / 1000;
    ev.message = m;
    const int err = worker_step(&p->core, &ev, &p->actions);
    if (err == ERR_MALFORMED)
        sim_wrong(s, "worker %u cannot make sense of a %s message", p->slot,
                  message_name(m->kind));
    for (size_t i = 0; i < p->actions.n; i++)
        perform(s, p, &p->actions.list[i], m);
}

/* --- items ----------------------------------------------------------------------------
 */

static void computed(struct sim *s, struct process *p, const struct item *i)
{
    if (i->lease == LEASE_TRAIN) {
        if (p->computed[i->slice])
            sim_wrong(s, "worker %u computes slice %u twice", p->slot, i->slice);
        p->computed[i->slice] = true;
        p->gradient[i->slice] = i->value;
    }
    process_event(s, p,
                  (struct worker_event){.kind = WORKER_COMPUTED,
                                        .lease = i->lease,
                                        .slice = i->slice,
                                        .loss = i->loss,
                                        .targets = 1,
                                        .hash = i->value,
                                        .seconds = i->seconds},
                  NULL);
}

void process_item(struct sim *s, const struct item *i)
{
    struct process *p = s->link[i->link].worker;
    if (!p->alive)
        return;
    switch (i->kind) {
    case ITEM_TICK_WORKER: {
        struct item *next = sim_add(s, ITEM_TICK_WORKER, TICK_US);
        next->life = p->life;
        next->link = p->link;
        process_event(s, p, (struct worker_event){.kind = WORKER_TICK}, NULL);
        return;
    }
    case ITEM_TO_WORKER:
        if (s->link[i->link].open_there)
            process_event(s, p, (struct worker_event){.kind = WORKER_MESSAGE},
                          &i->message);
        return;
    case ITEM_CLOSED_AT_WORKER:
        if (s->link[i->link].open_there) {
            s->link[i->link].open_there = false;
            process_event(s, p, (struct worker_event){.kind = WORKER_CLOSED}, NULL);
        }
        return;
    case ITEM_DATA_TO_WORKER: {
        struct link *l = &s->link[i->link];
        assert(l->data_n[1] < 64);
        l->data[1][l->data_n[1]++] =
            (struct transfer_value){i->value, i->version, i->damaged, 0};
        link_match(s, i->link, true);
        return;
    }
    case ITEM_COMPUTED:
        computed(s, p, i);
        return;
    default:
        assert(!"not for a worker");
    }
}
