#include "cluster/sim.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cluster/sim_world.h"

const char *const sim_sometimes_names[SOMETIMES_KINDS] = {
    [SOMETIMES_RELEASED_TO_IDLE] = "an idle worker got what another gave back",
    [SOMETIMES_COPIED_LATE] = "a late slice was leased twice",
    [SOMETIMES_COPY_DROPPED] = "a partial was not needed any more",
    [SOMETIMES_LOST_BUSY] = "a worker was lost",
    [SOMETIMES_LOST_SILENT] = "a worker was given up for its silence",
    [SOMETIMES_LOST_VANISHED] = "a worker vanished without a word, and was given up",
    [SOMETIMES_LOST_DELIVERED] = "a worker was lost whose partial was in the sum",
    [SOMETIMES_LOST_ARRIVING] = "a worker was lost whose partial was on its way",
    [SOMETIMES_LEFT] = "a worker left",
    [SOMETIMES_JOINED_LATE] = "a worker joined late",
    [SOMETIMES_JOINED_IN_STEP] = "a worker joined in the middle of a step",
    [SOMETIMES_JOINED_IN_UPDATE] = "a worker joined while the update ran",
    [SOMETIMES_JOINED_IN_SCORE] = "a worker joined while a score was made",
    [SOMETIMES_CUT_TO_COORDINATOR] = "a one-way cut held back what a worker said",
    [SOMETIMES_CUT_TO_WORKER] = "a one-way cut held back what a worker was told",
    [SOMETIMES_SECOND_WON] = "of two copies the later one came first",
    [SOMETIMES_STALE_IGNORED] = "a message of a former life was ignored",
    [SOMETIMES_FENCED] = "a zombie's partial for this very step was fenced off",
    [SOMETIMES_FENCED_TERM] = "a message of a former term was fenced off",
    [SOMETIMES_UPDATED_BESIDE] = "an update ran while a worker received the parameters",
    [SOMETIMES_DOUBTED] = "a result was not believed",
    [SOMETIMES_CONVICTED] = "a worker was convicted",
    [SOMETIMES_UNAUDITED] =
        "a wrong gradient of the only worker stayed, and ended the run",
    [SOMETIMES_DAMAGE_FOUND] = "a damaged transfer was found",
    [SOMETIMES_RESUMED] = "a run was resumed from a checkpoint",
    [SOMETIMES_MADE_AGAIN] = "a step was made again",
    [SOMETIMES_EVALUATED_FIRST] = "a restart evaluated what its former life had not",
    [SOMETIMES_ENDED_EARLY] =
        "a disturbed run ended early, where the undisturbed one does",
    [SOMETIMES_CHECKPOINT_FAILED] = "a checkpoint failed",
    [SOMETIMES_HELD] = "an update waited for the disk",
    [SOMETIMES_CHECKPOINT_TORN] = "a checkpoint was torn by the coordinator's death",
    [SOMETIMES_ALONE] = "a run ended without workers",
    [SOMETIMES_SLOW_NAMED] = "a slow worker was named",
    [SOMETIMES_SPIKE] = "a spike was skipped",
    [SOMETIMES_DIVERGED] = "a run ended because it diverged too often",
    [SOMETIMES_REWOUND] = "a run went back",
    [SOMETIMES_REWOUND_FARTHER] =
        "it went farther back, because a checkpoint was missing",
    [SOMETIMES_REWOUND_TWICE] = "it went back before an earlier turn",
    [SOMETIMES_REWIND_TORN] = "a coordinator died on the way back",
    [SOMETIMES_TURN_FORGOTTEN] = "a turn was taken again that the journal had not yet",
    [SOMETIMES_TURN_AHEAD] = "a turn was known before its version was there again",
    [SOMETIMES_SAME_NUMBER] = "a worker had a version of the same number, of another way",
    [SOMETIMES_ENDED_EARLY_BACK] = "a run that went back ended early",
};

/* --- the seed -------------------------------------------------------------------------
 */

uint64_t sim_mix(uint64_t x) /* splitmix64, Steele 2014 */
{
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

uint64_t sim_random(struct sim *s)
{
    return sim_mix(s->random++);
}

uint64_t sim_below(struct sim *s, uint64_t n)
{
    return n ? sim_random(s) % n : 0;
}

uint64_t sim_about(struct sim *s, uint64_t mean)
{
    const uint64_t r = sim_below(s, 20);
    return mean / 2 + sim_below(s, mean + 1) + (r == 0 ? 4 * mean : 0); /* a long tail */
}

static uint64_t draw(uint64_t *r, uint64_t n)
{
    *r = sim_mix(*r);
    return *r % n;
}

struct sim_options sim_draw(uint64_t seed)
{
    uint64_t r = sim_mix(seed) | 1;
    struct sim_options o = {.seed = seed};
    o.workers = 1 + (uint32_t)draw(&r, 6);
    o.slices = 1 + (uint32_t)draw(&r, draw(&r, 3) ? 16 : 50);
    o.eval_slices = (uint32_t)draw(&r, 12);
    o.threads = 1 + (uint32_t)draw(&r, 2);
    o.steps = 4 + draw(&r, 30);
    o.eval_every = 1 + draw(&r, 6);
    o.checkpoint_every = 1 + draw(&r, 6);
    o.slice_us = 1000 + (uint32_t)draw(&r, 30000);
    o.delay_us = 50 + (uint32_t)draw(&r, draw(&r, 4) ? 2000 : 60000);
    o.healed_ms = 500 + draw(&r, 6000);
    o.fault_every_ms = 10 + (uint32_t)draw(&r, draw(&r, 2) ? 100 : 800);
    for (int f = 0; f < SIM_FAULTS; f++)
        o.weight[f] = draw(&r, 3) == 0 ? (uint8_t)(1 + draw(&r, 8)) : 0;
    if (seed % 1000 == 0) {
        o.workers = 1000;
        o.slices = 1000 + (uint32_t)draw(&r, 2000);
        o.steps = 4;
        o.fault_every_ms = 2;
    }
    if (o.weight[SIM_WRONG] || draw(&r, 4) == 0)
        o.audit = o.weight[SIM_WRONG] ? 1 : 0.3;
    o.patience = draw(&r, 3) == 0 ? 1 + (uint32_t)draw(&r, 4) : 0;
    if (draw(&r, 2)) {
        o.divergence = 0.2 + 0.1 * (double)draw(&r, 8);
        o.rewind_steps = 1 + draw(&r, 8);
        o.rewind_limit = (uint32_t)draw(&r, 5);
        o.weight[SIM_NAN] = 0; /* said twice it is believed, and the way back is taken */
    }
    o.skip_window = 2 + (uint32_t)draw(&r, 4);
    if (draw(&r, 3) == 0)
        o.skip_loss_z = 1 + 0.5 * (double)draw(&r, 4);
    if (draw(&r, 3) == 0)
        o.skip_norm_z = 1 + 0.5 * (double)draw(&r, 4);
    o.scores = draw(&r, 2) == 0;
    if (draw(&r, 3) == 0)
        o.ramp = (struct ramp){.steps = draw(&r, 2 * o.steps),
                               .from = 1 + (uint32_t)draw(&r, o.slices)};
    return o;
}

/* --- words ----------------------------------------------------------------------------
 */

void sim_trace(struct sim *s, const char *format, ...)
{
    va_list args;
    if (!s->o.trace)
        return;
    fprintf(s->o.trace, "%10.3f  ", (double)s->now_us / 1000);
    va_start(args, format);
    vfprintf(s->o.trace, format, args);
    va_end(args);
    fputc('\n', s->o.trace);
}

void sim_wrong(struct sim *s, const char *format, ...)
{
    va_list args;
    if (*s->wrong)
        return;
    va_start(args, format);
    vsnprintf(s->wrong, sizeof s->wrong, format, args);
    va_end(args);
    sim_trace(s, "WRONG: %s", s->wrong);
}

void sim_sometimes(struct sim *s, enum sim_sometimes what)
{
    s->result->sometimes[what]++;
}

/* --- time -----------------------------------------------------------------------------
 */

static bool before(const struct item *a, const struct item *b)
{
    return a->at_us < b->at_us || (a->at_us == b->at_us && a->order < b->order);
}

static void swap(struct item *a, struct item *b)
{
    const struct item c = *a;
    *a = *b;
    *b = c;
}

/* Times never change once an item is in the heap: the caller fills the rest. */
static struct item *push_item(struct sim *s, uint64_t at_us)
{
    if (s->items == s->item_room) {
        s->item_room = s->item_room ? 2 * s->item_room : 256;
        s->heap = realloc(s->heap, s->item_room * sizeof *s->heap);
    }
    size_t i = s->items++;
    s->heap[i] = (struct item){.at_us = at_us, .order = s->order++};
    for (; i > 0 && before(&s->heap[i], &s->heap[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&s->heap[i], &s->heap[(i - 1) / 2]);
    return &s->heap[i];
}

static struct item pop_item(struct sim *s)
{
    const struct item first = s->heap[0];
    s->heap[0] = s->heap[--s->items];
    for (size_t i = 0;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++)
            if (child < s->items && before(&s->heap[child], &s->heap[least]))
                least = child;
        if (least == i)
            return first;
        swap(&s->heap[i], &s->heap[least]);
        i = least;
    }
}

struct item *sim_add(struct sim *s, int kind, uint64_t after_us)
{
    struct item *i = push_item(s, s->now_us + after_us);
    i->kind = kind;
    return i;
}

/* --- the network ----------------------------------------------------------------------
 */

/* In order, after a delay, not before a cut is over. */
static struct item *deliver(struct sim *s, uint32_t link, bool to_worker, bool data,
                            int kind)
{
    struct link *l = &s->link[link];
    uint64_t *last = &l->last_us[2 * data + to_worker];
    uint64_t at = s->now_us + sim_about(s, s->o.delay_us);
    if (at < l->cut_us[to_worker]) {
        at = l->cut_us[to_worker];
        if (l->cut_us[!to_worker] <= s->now_us)
            sim_sometimes(s, to_worker ? SOMETIMES_CUT_TO_WORKER
                                       : SOMETIMES_CUT_TO_COORDINATOR);
    }
    if (at <= *last)
        at = *last + 1;
    *last = at;
    struct item *i = push_item(s, at);
    i->kind = kind;
    i->link = link;
    i->life = to_worker ? l->worker->life : s->life;
    return i;
}

static void *copy(const void *from, size_t bytes)
{
    void *to = malloc(bytes ? bytes : 1);
    if (bytes)
        memcpy(to, from, bytes);
    return to;
}

static void copy_arrays(struct item *i)
{
    struct message *m = &i->message;
    if (m->kind == MESSAGE_EVALUATED) {
        m->evaluated.losses = i->arrays[0] =
            copy(m->evaluated.losses, m->evaluated.slices * sizeof(double));
        m->evaluated.targets = i->arrays[1] =
            copy(m->evaluated.targets, m->evaluated.slices * sizeof(uint64_t));
        m->evaluated.tokens = i->arrays[2] =
            copy(m->evaluated.tokens, m->evaluated.words * sizeof(uint32_t));
    }
    if (m->kind == MESSAGE_AUDITED)
        m->audited.hashes = i->arrays[0] =
            copy(m->audited.hashes, m->audited.slices * sizeof(uint64_t));
    if (m->kind == MESSAGE_PARTIAL && m->partial.slices)
        m->partial.hashes = i->arrays[0] =
            copy(m->partial.hashes, m->partial.slices * sizeof(uint64_t));
}

void sim_send(struct sim *s, uint32_t link, bool to_worker, const struct message *m)
{
    const struct link *l = &s->link[link];
    if (to_worker ? !l->open_here : !l->open_there)
        return;
    struct item *i = deliver(s, link, to_worker, false,
                             to_worker ? ITEM_TO_WORKER : ITEM_TO_COORDINATOR);
    i->message = *m;
    copy_arrays(i);
}

void sim_transfer(struct sim *s, uint32_t link, bool to_worker, struct transfer_value v)
{
    if (s->link[link].broken)
        return;
    struct item *i = deliver(s, link, to_worker, true,
                             to_worker ? ITEM_DATA_TO_WORKER : ITEM_DATA_TO_COORDINATOR);
    i->value = v.value;
    i->version = v.version;
    i->damaged = v.damaged;
}

void sim_close(struct sim *s, uint32_t link, bool by_worker)
{
    struct link *l = &s->link[link];
    if (by_worker)
        l->open_there = false;
    else
        l->open_here = false;
    if (by_worker ? l->open_here : l->open_there)
        deliver(s, link, !by_worker, false,
                by_worker ? ITEM_CLOSED_AT_COORDINATOR : ITEM_CLOSED_AT_WORKER);
}

static void take_first(void *list, uint32_t *n, size_t size)
{
    memmove(list, (char *)list + size, (*n - 1) * size);
    --*n;
}

static void parameters_arrive(struct sim *s, struct process *p, struct transfer_value v,
                              struct posted what)
{
    if (v.version != what.partial)
        sim_wrong(s, "worker %u waits for version %llu and gets %llu", p->slot,
                  (unsigned long long)what.partial, (unsigned long long)v.version);
    process_parameters(s, p, v);
}

void link_match(struct sim *s, uint32_t link, bool to_worker)
{
    struct link *l = &s->link[link];
    while (l->data_n[to_worker] > 0 && l->posted_n[to_worker] > 0) {
        const struct transfer_value v = l->data[to_worker][0];
        const struct posted what = l->posted[to_worker][0];
        take_first(l->data[to_worker], &l->data_n[to_worker], sizeof v);
        take_first(l->posted[to_worker], &l->posted_n[to_worker], sizeof what);
        if (to_worker) {
            parameters_arrive(s, l->worker, v, what);
            l = &s->link[link];
            continue;
        }
        s->arrived[what.partial % s->arrived_room] = v;
        s->arrived[what.partial % s->arrived_room].peer = link + 1;
        struct item *i = sim_add(s, ITEM_ARRIVED, 0);
        i->life = s->life;
        i->link = link;
        i->partial = what.partial;
        i->err = v.damaged ? ERR_CORRUPT : ERR_OK;
    }
}

/* --- faults ---------------------------------------------------------------------------
 */

static struct process *somebody(struct sim *s)
{
    struct process *found = NULL;
    uint64_t n = 0;
    for (size_t i = 0; i < s->processes; i++)
        if (s->process[i]->alive && sim_below(s, ++n) == 0)
            found = s->process[i];
    return found;
}

static enum sim_fault draw_fault(struct sim *s)
{
    uint64_t total = 0;
    for (int f = 0; f < SIM_FAULTS; f++)
        total += s->o.weight[f];
    uint64_t at = sim_below(s, total);
    int f = 0;
    while (f < SIM_FAULTS - 1 && at >= s->o.weight[f])
        at -= s->o.weight[f++];
    return (enum sim_fault)f;
}

/* A message somebody sent in a former life reaches the coordinator on the connection of
 * somebody who lives, with the transfer it announces. */
static void haunt(struct sim *s, struct process *p)
{
    if (s->ghosts == 0 || !s->link[p->link].open_here)
        return;
    const struct item *ghost =
        &s->ghost[sim_below(s, s->ghosts < SIM_GHOSTS ? s->ghosts : SIM_GHOSTS)];
    if (ghost->message.incarnation == p->life && ghost->message.term == s->term)
        return; /* its own connection does not repeat what it said */
    struct item *i = sim_add(s, ITEM_TO_COORDINATOR, 0);
    i->life = s->life;
    i->link = p->link;
    i->message = ghost->message;
    if (i->message.kind == MESSAGE_PARTIAL) {
        i->message.partial.slices = 0;
        i->message.partial.transfer = s->link[p->link].to_receive;
    }
}

static void fault(struct sim *s, enum sim_fault f, struct process *p)
{
    static const char *const names[SIM_FAULTS] = {
        "crash",  "vanish", "pause", "slow", "leave",       "join", "cut", "reset",
        "damage", "ghost",  "wrong", "nan",  "coordinator", "stop", "disk"};
    sim_trace(s, "fault: %s%s%.0u", names[f], p ? " worker " : "", p ? p->slot : 0);
    s->result->faults++;
    struct link *l = p ? &s->link[p->link] : NULL;
    switch (f) {
    case SIM_COORDINATOR:
        if (s->up)
            coordinator_down(s);
        return;
    case SIM_STOP:
        if (s->up)
            coordinator_event(s, (struct event){.kind = EVENT_STOP});
        return;
    case SIM_DISK:
        s->fail_checkpoint = true;
        return;
    case SIM_JOIN:
        if (s->up && s->processes < SIM_PROCESSES / 8)
            process_boot(s, 100 + (uint32_t)s->processes, 0);
        return;
    default:
        break;
    }
    if (!p)
        return;
    switch (f) {
    case SIM_CRASH:
        process_down(s, p);
        return;
    case SIM_VANISH:
        p->alive = false;
        p->vanished = true;
        l->open_there = false;
        return;
    case SIM_PAUSE:
        if (p->paused_us <= s->now_us) /* what waits keeps its order */
            p->paused_us = s->now_us + sim_below(s, 3000000);
        return;
    case SIM_SLOW:
        p->slowness = 4;
        return;
    case SIM_LEAVE:
        process_event(s, p, (struct worker_event){.kind = WORKER_LEAVE}, NULL);
        return;
    case SIM_CUT:
        l->cut_us[sim_below(s, 2)] = s->now_us + sim_below(s, 3000000);
        return;
    case SIM_RESET:
        if (l->open_here)
            sim_add(s, ITEM_CLOSED_AT_COORDINATOR, 0)->link = p->link;
        sim_add(s, ITEM_CLOSED_AT_WORKER, 0)->link = p->link;
        return;
    case SIM_DAMAGE:
        p->damage = true;
        return;
    case SIM_GHOST:
        haunt(s, p);
        return;
    case SIM_WRONG:
        p->wrong += s->o.audit == 1;
        return;
    case SIM_NAN:
        p->nan++;
        return;
    default:
        return;
    }
}

static void next_fault(struct sim *s)
{
    bool any = false;
    for (int f = 0; f < SIM_FAULTS; f++)
        any |= s->o.weight[f] > 0;
    if (any && s->o.fault_every_ms > 0 && !s->healed)
        sim_add(s, ITEM_FAULT, sim_about(s, 1000 * (uint64_t)s->o.fault_every_ms));
}

static void heal(struct sim *s)
{
    sim_trace(s, "everything is healed");
    s->healed = true;
    s->fail_checkpoint = false;
    for (size_t i = 0; i < s->processes; i++) {
        s->process[i]->slowness = 1;
        s->process[i]->wrong = s->process[i]->nan = 0;
        s->process[i]->damage = false;
    }
}

/* --- the run --------------------------------------------------------------------------
 */

static bool for_worker(const struct item *i)
{
    return i->kind == ITEM_TICK_WORKER || i->kind == ITEM_TO_WORKER ||
           i->kind == ITEM_CLOSED_AT_WORKER || i->kind == ITEM_DATA_TO_WORKER ||
           i->kind == ITEM_COMPUTED;
}

/* What a paused process would do it does later. */
static bool postpone(struct sim *s, const struct item *i)
{
    if (!for_worker(i))
        return false;
    const uint64_t until = s->link[i->link].worker->paused_us;
    if (until <= s->now_us)
        return false;
    struct item *to = push_item(s, until);
    const uint64_t order = to->order; /* they are postponed in the order they came */
    *to = *i;
    to->at_us = until;
    to->order = order;
    return true;
}

/* Every message to the coordinator may come back one day. */
static void remember(struct sim *s, const struct item *i)
{
    if (i->kind != ITEM_TO_COORDINATOR || i->message.kind == MESSAGE_JOIN ||
        i->message.kind == MESSAGE_EVALUATED || i->message.kind == MESSAGE_AUDITED)
        return;
    s->ghost[s->ghosts++ % SIM_GHOSTS] = *i;
}

static void take(struct sim *s, struct item *i)
{
    if (i->kind == ITEM_FAULT) {
        if (!s->healed)
            fault(s, draw_fault(s), somebody(s));
        next_fault(s);
    } else if (i->kind == ITEM_START_COORDINATOR) {
        coordinator_boot(s);
    } else if (i->kind == ITEM_START_WORKER) {
        if (s->up && i->life == s->life)
            process_boot(s, i->slice, 0);
    } else if (for_worker(i)) {
        process_item(s, i);
    } else if (s->up && (i->life == s->life || i->kind == ITEM_CLOSED_AT_COORDINATOR)) {
        remember(s, i);
        coordinator_item(s, i);
    }
}

static void clean(struct sim *s)
{
    if (s->up) {
        coordinator_fini(&s->core);
        actions_fini(&s->actions);
    }
    for (size_t i = 0; i < s->items; i++)
        for (int k = 0; k < 3; k++)
            free(s->heap[i].arrays[k]);
    for (size_t i = 0; i < s->processes; i++)
        process_free(s->process[i]);
    free(s->heap);
    free(s->process);
    free(s->link);
    free(s->part);
    free(s->arrived);
    free(s->record);
    free(s->second);
    free(s->translated);
    free(s->disk);
    reference_free(s);
}

const char *sim_run(const struct sim_options *o, struct sim_result *result)
{
    static char wrong[512];
    struct sim *s = calloc(1, sizeof *s);
    s->o = *o;
    s->result = result;
    s->random = sim_mix(o->seed) * 2;
    s->part = calloc(2 * (size_t)o->slices, sizeof *s->part);
    s->arrived_room = 4096;
    s->arrived = calloc(s->arrived_room, sizeof *s->arrived);
    s->disk = calloc(o->steps + 1, sizeof *s->disk);
    s->disk[0] = (struct saved){true, toy_start(s), coordinator_from_nothing()};
    s->second = calloc(o->slices, sizeof *s->second);
    s->translated = calloc(o->eval_slices + 1, sizeof *s->translated);
    s->alone_version = UINT64_MAX - 1;
    reference_make(s);
    s->record_room = o->steps + turns_newest(&s->reference.turns).offset + 1;
    s->record = calloc(s->record_room, sizeof *s->record);
    coordinator_boot(s);
    next_fault(s);
    while (!s->done && !*s->wrong) {
        if (s->items == 0) {
            sim_wrong(s, "nothing happens any more");
            break;
        }
        struct item i = pop_item(s);
        s->now_us = i.at_us;
        if (!s->healed && s->now_us > 1000 * s->o.healed_ms)
            heal(s);
        if (s->now_us > 1000 * (s->o.healed_ms + SIM_LIVENESS_MS))
            sim_wrong(s, "it does not come to an end");
        if (postpone(s, &i))
            continue;
        take(s, &i);
        result->events++;
        for (int k = 0; k < 3; k++)
            free(i.arrays[k]);
        if (s->up)
            coordinator_check(s);
    }
    result->virtual_ms += s->now_us / 1000;
    result->parameters = s->theta;
    memcpy(wrong, s->wrong, sizeof wrong);
    clean(s);
    free(s);
    return *wrong ? wrong : NULL;
}
