#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cluster/sim_world.h"

static const double rate = 0.5;
enum {
    LEASE_MS = 1000,
    TICK_US = 25000,
    UPDATE_US = 5000,
    SAVE_US = 30000,
    RESTART_US = 200000,
    REWIND_US = 30000
};

/* --- disk -----------------------------------------------------------------------------
 */

/* The newest checkpoint that a turn has left behind; 0: none. */
static uint64_t left_behind(const struct sim *s)
{
    for (uint64_t v = s->o.steps; v > 0; v--)
        if (s->disk[v].known &&
            turns_abandon(&s->turns, v,
                          turns_newest(&s->disk[v].from.guard.turns).offset))
            return v;
    return 0;
}

static void find_newest(struct sim *s)
{
    s->disk_version = s->o.steps;
    while (!s->disk[s->disk_version].known)
        s->disk_version--;
}

/* What the newest checkpoint and the journal know together. */
static struct coordinator_from load(struct sim *s)
{
    find_newest(s);
    struct coordinator_from from = s->disk[s->disk_version].from;
    s->version = s->committed = s->disk_version;
    s->theta = s->disk[s->disk_version].theta;
    turns_learn(&from.guard.turns, &s->turns);
    if (turns_newest(&from.guard.turns).version > s->version)
        sim_sometimes(s, SOMETIMES_TURN_AHEAD);
    return from;
}

/* Somebody removes an old one: who goes back has farther to go. */
static void lose_one(struct sim *s)
{
    const uint64_t v = 1 + sim_below(s, s->o.steps);
    if (s->o.divergence > 0 && v < s->disk_version && sim_below(s, 3) == 0)
        s->disk[v].known = false;
}

static void forget_translations(struct sim *s)
{
    s->words = 0;
    memset(s->translated, 0, s->o.eval_slices * sizeof *s->translated);
}

/* --- life -----------------------------------------------------------------------------
 */

void coordinator_boot(struct sim *s)
{
    const struct coordinator_conf conf = {
        .slices = s->o.slices,
        .ramp = s->o.ramp,
        .steps = s->o.steps,
        .eval_every = s->o.eval_every,
        .checkpoint_every = s->o.checkpoint_every,
        .keep_best = true,
        .patience = s->o.patience,
        .eval_slices = s->o.eval_slices,
        .translate = s->o.scores ? TRANSLATE_TO_SCORE : TRANSLATE_NOTHING,
        .workers = s->o.workers,
        .lease_ms = LEASE_MS,
        .heartbeat_ms = 200,
        .start_timeout_ms = 5000,
        .rejoin_ms = 2000,
        .audit = s->o.audit,
        .outlier = 100,
        .seed = s->o.seed,
        .skip_loss_z = s->o.skip_loss_z,
        .skip_norm_z = s->o.skip_norm_z,
        .skip_window = s->o.skip_window,
        .divergence = s->o.divergence,
        .trend_fast = SIM_TREND_FAST,
        .trend_slow = SIM_TREND_SLOW,
        .on_divergence = DIVERGED_REWIND,
        .rewind_steps = s->o.rewind_steps,
        .rewind_rate = 0.5,
        .rewind_limit = s->o.rewind_limit,
        .schedule = {.kind = SCHEDULE_IS_CONSTANT, .rate = rate},
        .kernels = "toy",
        .build = "build",
    };
    s->up = true;
    s->life++;
    s->term++;
    s->result->starts++;
    s->parts = 0;
    forget_translations(s);
    for (uint64_t v; (v = left_behind(s));)
        s->disk[v].known = false;
    const struct coordinator_from from = load(s);
    s->booted_version = s->version;
    coordinator_init(&s->core, &conf, s->term, &from);
    sim_trace(s, "coordinator: term %llu begins at version %llu",
              (unsigned long long)s->term, (unsigned long long)s->version);
    if (s->version > 0)
        sim_sometimes(s, SOMETIMES_RESUMED);
    coordinator_event(s, (struct event){.kind = EVENT_START});
    if (!s->up)
        return;
    sim_add(s, ITEM_TICK_COORDINATOR, TICK_US)->life = s->life;
    for (uint32_t w = 1; w <= s->o.workers; w++)
        process_boot(s, w, w);
}

static void take_down(struct sim *s)
{
    if (s->saving)
        sim_sometimes(s, SOMETIMES_CHECKPOINT_TORN);
    s->rewinding = s->core.phase == PHASE_REWIND;
    if (s->rewinding)
        sim_sometimes(s, SOMETIMES_REWIND_TORN);
    s->up = s->saving = false;
    s->life++; /* items for it are not its successor's */
    for (uint32_t l = 0; l < s->links; l++)
        if (s->link[l].open_here)
            sim_close(s, l, false);
    coordinator_fini(&s->core);
    actions_fini(&s->actions);
}

/* `launch` ends the workers that are left and starts everything again. */
static void start_again(struct sim *s)
{
    for (size_t i = 0; i < s->processes; i++)
        process_down(s, s->process[i]);
    sim_add(s, ITEM_START_COORDINATOR, RESTART_US)->life = s->life;
}

void coordinator_down(struct sim *s)
{
    sim_trace(s, "coordinator: dies at version %llu", (unsigned long long)s->version);
    take_down(s);
    start_again(s);
}

/* --- actions --------------------------------------------------------------------------
 */

static struct link *link_of(struct sim *s, const struct action *a)
{
    return &s->link[a->peer - 1];
}

static void say(struct sim *s, const struct action *a, struct message m)
{
    m.term = s->core.term;
    sim_send(s, a->peer - 1, true, &m);
}

static void lease(struct sim *s, const struct action *a)
{
    static const char *const kinds[] = {"train", "held-out", "audit", "translate"};
    sim_trace(s, "lease to worker %u: unit %llu step %llu %s %u..%u", a->worker,
              (unsigned long long)a->unit, (unsigned long long)a->step, kinds[a->lease],
              a->first, a->end);
    struct message m = {.kind = MESSAGE_LEASE};
    m.lease.unit = a->unit;
    m.lease.step = a->step;
    m.lease.version = a->version;
    m.lease.kind = a->lease;
    m.lease.first = a->first;
    m.lease.slices = a->end - a->first;
    if (a->lease != LEASE_HELD_OUT && a->step >= s->record_room)
        sim_wrong(s, "the data of step %llu are never needed",
                  (unsigned long long)a->step);
    say(s, a, m);
    if (a->lease != LEASE_TRAIN)
        return;
    for (uint32_t v = a->first; v < a->end; v++) {
        const uint32_t *holder = s->core.ledger.slice[v].holder;
        s->second[v] = holder[0] && holder[1] ? a->peer : 0;
        if (s->second[v])
            sim_sometimes(s, SOMETIMES_COPIED_LATE);
    }
}

static void receive(struct sim *s, const struct action *a)
{
    struct link *l = link_of(s, a);
    if (a->transfer != l->to_receive++)
        sim_wrong(s, "worker %u: transfer %u, expected %u", a->worker, a->transfer,
                  l->to_receive - 1);
    assert(l->posted_n[0] < 64);
    l->posted[0][l->posted_n[0]++] = (struct posted){a->partial};
    link_match(s, a->peer - 1, false);
}

static bool inside(const struct sim *s, struct tree_node part, struct tree_node node)
{
    return tree_first(part) >= tree_first(node) &&
           tree_end(part, s->o.slices) <= tree_end(node, s->o.slices);
}

static void add(struct sim *s, const struct action *a)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->parts; i++) {
        if (inside(s, a->node, s->part[i].node))
            sim_wrong(s, "slices %u.. are added a second time", tree_first(a->node));
        if (!inside(s, s->part[i].node, a->node))
            s->part[kept++] = s->part[i];
    }
    s->parts = kept;
    assert(s->parts < 2 * (size_t)s->o.slices);
    const struct transfer_value *v = &s->arrived[a->partial % s->arrived_room];
    s->part[s->parts++] = (struct part){a->node, v->value, v->peer};
    if (s->second[tree_first(a->node)] == v->peer)
        sim_sometimes(s, SOMETIMES_SECOND_WON);
}

static void compare(struct sim *s)
{
    const uint64_t expected = reference_theta(s, s->way, s->version);
    if (s->theta != expected && s->record[s->core.data].lied &&
        (s->alone_version + 1 == s->version || s->core.members.n < 2)) {
        sim_sometimes(s, SOMETIMES_UNAUDITED);
        s->done = true;
    } else if (s->theta != expected)
        sim_wrong(s, "version %llu has other parameters than the undisturbed run",
                  (unsigned long long)s->version);
}

static void update(struct sim *s, const struct action *a)
{
    uint64_t sum = 0, slices = 0;
    for (size_t i = 0; i < s->core.members.n; i++)
        if (s->core.members.list[i].pulling)
            sim_sometimes(s, SOMETIMES_UPDATED_BESIDE);
    for (size_t i = 0; i < s->parts; i++) {
        sum += s->part[i].value;
        slices += tree_size(s->part[i].node, s->o.slices);
    }
    s->parts = 0;
    if (slices != sim_slices(s, s->core.data))
        sim_wrong(s, "step %llu is updated with %llu of %u slices",
                  (unsigned long long)s->version, (unsigned long long)slices,
                  sim_slices(s, s->core.data));
    struct item *i = sim_add(s, ITEM_UPDATED, sim_about(s, UPDATE_US));
    i->life = s->life;
    i->loss = toy_norm(s->theta, s->core.data);
    if (i->loss > a->limit)
        return;
    s->theta = toy_update(s->theta, sum);
    s->version++;
    compare(s);
}

static void skip(struct sim *s)
{
    sim_sometimes(s, SOMETIMES_SPIKE);
    s->parts = 0;
    s->version++;
    compare(s);
}

static void commit(struct sim *s, const struct action *a)
{
    sim_trace(s, "commit of step %llu", (unsigned long long)a->step);
    struct turns way = s->core.guard.turns;
    way.n = s->way;
    const struct turn turn = turns_at(&way, a->step);
    if (a->version != s->version || a->step + 1 != a->version)
        sim_wrong(s, "commit %llu, expected %llu", (unsigned long long)a->version,
                  (unsigned long long)s->version);
    if (a->data != a->step + turn.offset || a->rate != rate * turn.rate)
        sim_wrong(s, "step %llu takes the data of step %llu at rate %f",
                  (unsigned long long)a->step, (unsigned long long)a->data, a->rate);
    const double loss = toy_step_loss(s, reference_theta(s, s->way, a->step), a->data);
    if (a->loss != loss)
        sim_wrong(s, "step %llu has loss %f, expected %f", (unsigned long long)a->step,
                  a->loss, loss);
    struct record *r = &s->record[a->data];
    if (r->known)
        sim_sometimes(s, SOMETIMES_MADE_AGAIN);
    r->known = true;
    s->committed = a->version;
    if (s->way == s->reference.turns.n && a->version > s->reference.end)
        sim_wrong(s, "it goes on to version %llu, and should end at %llu",
                  (unsigned long long)a->version, (unsigned long long)s->reference.end);
    if (!s->given_up && a->version > s->disk_version + s->o.checkpoint_every)
        sim_wrong(s,
                  "version %llu, and %llu is on disk: a death costs more than %llu steps",
                  (unsigned long long)a->version, (unsigned long long)s->disk_version,
                  (unsigned long long)s->o.checkpoint_every);
}

/* Others may know of a version only when the journal does. */
static void expect_committed(struct sim *s, const char *what)
{
    if (s->version != s->committed)
        sim_wrong(s, "version %llu is %s before its commit is in the journal",
                  (unsigned long long)s->version, what);
}

static void translated(struct sim *s, const struct action *a, const struct message *m)
{
    if (a->first >= s->o.eval_slices || s->translated[a->first])
        sim_wrong(s, "held-out slice %u is translated twice, or there is none", a->first);
    s->translated[a->first] = true;
    s->words += m->evaluated.tokens[0];
}

static void score(struct sim *s, const struct action *a)
{
    if (a->version != s->version)
        sim_wrong(s, "version %llu is scored at version %llu",
                  (unsigned long long)a->version, (unsigned long long)s->version);
    struct item *i = sim_add(s, ITEM_SCORED, sim_about(s, UPDATE_US));
    i->life = s->life;
    i->loss = s->words;
    forget_translations(s);
}

static void evaluated(struct sim *s, const struct action *a)
{
    const double loss = toy_held_out_loss(s, s->theta),
                 bleu = s->o.scores ? toy_bleu(s, s->theta) : NAN;
    if (a->bleu != bleu && !(isnan(a->bleu) && isnan(bleu)))
        sim_wrong(s, "version %llu is scored %f, expected %f",
                  (unsigned long long)a->version, a->bleu, bleu);
    expect_committed(s, "evaluated");
    if (a->version == s->booted_version)
        sim_sometimes(s, SOMETIMES_EVALUATED_FIRST);
    if (a->loss != loss || a->version != s->version)
        sim_wrong(s, "version %llu has held-out loss %f, expected %f",
                  (unsigned long long)a->version, a->loss, loss);
}

static void save(struct sim *s, const struct action *a)
{
    if (a->version != s->version)
        sim_wrong(s, "checkpoint of version %llu at version %llu",
                  (unsigned long long)a->version, (unsigned long long)s->version);
    expect_committed(s, "saved");
    s->saving = true;
    s->saving_as = (struct saved){true,
                                  s->theta,
                                  {.version = s->version,
                                   .saved = true,
                                   .validation = s->core.validation,
                                   .guard = s->core.guard}};
    struct item *i = sim_add(s, ITEM_CHECKPOINTED, sim_about(s, SAVE_US));
    i->life = s->life;
    i->version = s->version;
    i->err = s->fail_checkpoint ? ERR_NO_SPACE : ERR_OK;
    s->fail_checkpoint = false;
}

/* What is decided is not durable yet. */
static void rewind_to(struct sim *s, const struct action *a)
{
    const uint32_t n = s->core.guard.turns.n;
    sim_trace(s, "going back from version %llu to %llu", (unsigned long long)a->step,
              (unsigned long long)a->version);
    if (n > s->reference.turns.n ||
        s->reference.turns.list[n - 1].version != a->version ||
        s->reference.turns.list[n - 1].offset != a->data)
        sim_wrong(s, "the undisturbed run does not go back to version %llu",
                  (unsigned long long)a->version);
    sim_sometimes(s, SOMETIMES_REWOUND);
    if (s->rewinding)
        sim_sometimes(s, SOMETIMES_TURN_FORGOTTEN);
    s->rewinding = false;
    if (n > 1 && s->core.guard.turns.list[n - 2].version > a->version)
        sim_sometimes(s, SOMETIMES_REWOUND_TWICE);
    sim_add(s, ITEM_REWIND, sim_about(s, REWIND_US))->life = s->life;
}

/* The turn becomes durable; then one checkpoint after the other goes; then it is loaded.
 */
static void rewind_on(struct sim *s)
{
    const struct turn turn = turns_newest(&s->core.guard.turns);
    const uint64_t old = left_behind(s);
    if (!s->healed && s->o.weight[SIM_COORDINATOR] > 0 && sim_below(s, 4) == 0) {
        coordinator_down(s); /* of all moments this one is worth more faults */
        return;
    }
    if (turns_newest(&s->turns).offset == turn.offset && old == 0) {
        const struct coordinator_from from = load(s);
        if (s->version < turn.version)
            sim_sometimes(s, SOMETIMES_REWOUND_FARTHER);
        for (size_t i = 0; i < s->core.members.n; i++)
            if (s->core.members.list[i].version == s->version)
                sim_sometimes(s, SOMETIMES_SAME_NUMBER);
        coordinator_event(s, (struct event){.kind = EVENT_REWOUND, .from = &from});
        return;
    }
    if (old)
        s->disk[old].known = false;
    else if (!turns_add(&s->turns, turn))
        sim_wrong(s, "the turn to version %llu cannot be one",
                  (unsigned long long)turn.version);
    sim_add(s, ITEM_REWIND, sim_about(s, REWIND_US))->life = s->life;
}

static void lost(struct sim *s, const struct action *a)
{
    sim_trace(s, "worker number %u is lost: %s", a->worker, err_text(a->err));
    sim_sometimes(s, a->err == ERR_TIMEOUT ? SOMETIMES_LOST_SILENT
                     : a->err == ERR_OK    ? SOMETIMES_LEFT
                                           : SOMETIMES_LOST_BUSY);
    struct link *l = link_of(s, a);
    if (a->err == ERR_WRONG) {
        sim_sometimes(s, SOMETIMES_CONVICTED);
        if (!l->worker->lied)
            sim_wrong(s, "worker %u is convicted, who never lied", a->worker);
    }
    if (l->worker->vanished)
        sim_sometimes(s, SOMETIMES_LOST_VANISHED);
    if (l->posted_n[0] > 0)
        sim_sometimes(s, SOMETIMES_LOST_ARRIVING);
    for (size_t i = 0; i < s->parts; i++)
        if (s->part[i].peer == a->peer) {
            sim_sometimes(s, SOMETIMES_LOST_DELIVERED);
            break;
        }
    l->broken = true;
    l->posted_n[0] = 0;
    if (!l->open_here)
        return;
    if (a->err == ERR_WRONG) {
        struct message m = {.kind = MESSAGE_REFUSE};
        m.refuse.reason = "it computes wrongly";
        say(s, a, m);
    }
    sim_close(s, a->peer - 1, false);
}

static void finish(struct sim *s, const struct action *a)
{
    sim_trace(s, "coordinator: ends at version %llu: %s", (unsigned long long)s->version,
              a->reason);
    if (a->err == ERR_OK && (s->version != s->reference.end || s->reference.diverges ||
                             s->core.guard.turns.n != s->reference.turns.n))
        sim_wrong(s, "it ends at version %llu, and should at %llu",
                  (unsigned long long)s->version, (unsigned long long)s->reference.end);
    if (a->err == ERR_OK && s->version < s->o.steps && s->life > 1)
        sim_sometimes(s, SOMETIMES_ENDED_EARLY);
    if (a->err == ERR_OK && s->version < s->o.steps && s->reference.turns.n > 0)
        sim_sometimes(s, SOMETIMES_ENDED_EARLY_BACK);
    if (a->err == ERR_OK || a->err == ERR_STOPPED)
        if (s->disk_version != s->version && s->version > 0)
            sim_wrong(s, "it ends well and version %llu is not on disk",
                      (unsigned long long)s->version);
    const bool diverges = a->err == ERR_NO_PROGRESS && s->o.divergence > 0;
    s->done = a->err == ERR_OK || diverges;
    if (diverges) {
        sim_sometimes(s, SOMETIMES_DIVERGED);
        if (!s->reference.diverges || s->version != s->reference.end ||
            s->core.guard.turns.n != s->reference.turns.n)
            sim_wrong(s, "it diverges at version %llu", (unsigned long long)s->version);
    }
    if (a->err == ERR_WRONG || a->err == ERR_CLOSED)
        sim_sometimes(s, SOMETIMES_ALONE);
}

static void welcomed(struct sim *s)
{
    if (!s->core.members.list[s->core.members.n - 1].fresh)
        return;
    sim_sometimes(s, SOMETIMES_JOINED_LATE);
    if (s->core.phase == PHASE_STEP && s->parts > 0)
        sim_sometimes(s, SOMETIMES_JOINED_IN_STEP);
    if (s->core.phase == PHASE_UPDATE)
        sim_sometimes(s, SOMETIMES_JOINED_IN_UPDATE);
    if (s->core.phase == PHASE_SCORE)
        sim_sometimes(s, SOMETIMES_JOINED_IN_SCORE);
}

static void perform(struct sim *s, const struct action *a, const struct message *message)
{
    struct message m = {0};
    switch (a->kind) {
    case ACTION_WELCOME:
        m.kind = MESSAGE_WELCOME;
        m.welcome.worker = a->worker;
        say(s, a, m);
        welcomed(s);
        return;
    case ACTION_REFUSE:
        m.kind = MESSAGE_REFUSE;
        m.refuse.reason = a->reason;
        say(s, a, m);
        return;
    case ACTION_PARAMETERS:
        expect_committed(s, "sent");
        m.kind = MESSAGE_COMMIT;
        m.commit.version = s->version;
        m.commit.ranges = 1;
        say(s, a, m);
        sim_transfer(s, a->peer - 1, true,
                     (struct transfer_value){s->theta, s->version, false, 0});
        return;
    case ACTION_LEASE:
        lease(s, a);
        return;
    case ACTION_REVOKE:
        m.kind = MESSAGE_REVOKE;
        m.revoke.unit = a->unit;
        m.revoke.kind = a->lease;
        m.revoke.first = a->first;
        m.revoke.count = a->end - a->first;
        m.revoke.unwanted = a->unwanted;
        say(s, a, m);
        return;
    case ACTION_RECEIVE:
        receive(s, a);
        return;
    case ACTION_ADD:
        add(s, a);
        return;
    case ACTION_DROP:
        sim_sometimes(s, SOMETIMES_COPY_DROPPED);
        return;
    case ACTION_DISCARD:
        s->parts = 0;
        return;
    case ACTION_UPDATE:
        update(s, a);
        return;
    case ACTION_COMMIT:
        commit(s, a);
        return;
    case ACTION_TRANSLATED:
        translated(s, a, message);
        return;
    case ACTION_SCORE:
        score(s, a);
        return;
    case ACTION_EVALUATED:
        evaluated(s, a);
        return;
    case ACTION_CHECKPOINT:
        save(s, a);
        return;
    case ACTION_HEARTBEAT:
        m.kind = MESSAGE_HEARTBEAT;
        say(s, a, m);
        return;
    case ACTION_SLOW:
        sim_sometimes(s, SOMETIMES_SLOW_NAMED);
        return;
    case ACTION_DOUBT:
        sim_sometimes(s, SOMETIMES_DOUBTED);
        return;
    case ACTION_LOST:
        lost(s, a);
        return;
    case ACTION_STOP:
        m.kind = MESSAGE_STOP;
        m.stop.reason = "end";
        say(s, a, m);
        return;
    case ACTION_FINISH:
        finish(s, a);
        return;
    case ACTION_SKIP:
        skip(s);
        return;
    case ACTION_DIVERGES:
        return;
    case ACTION_REWIND:
        rewind_to(s, a);
        return;
    }
}

static void ignored(struct sim *s, const struct message *m)
{
    sim_sometimes(s, SOMETIMES_STALE_IGNORED);
    if (m->term != s->term)
        sim_sometimes(s, SOMETIMES_FENCED_TERM);
    else if (m->kind == MESSAGE_PARTIAL && m->partial.unit == s->core.unit &&
             s->core.phase == PHASE_STEP)
        sim_sometimes(s, SOMETIMES_FENCED);
}

void coordinator_event(struct sim *s, struct event ev)
{
    ev.now_ms = s->now_us / 1000;
    if (ev.kind == EVENT_MESSAGE && ev.message->kind == MESSAGE_RELEASED &&
        ev.message->released.unit == s->core.unit && ev.message->released.count > 0)
        sim_sometimes(s, SOMETIMES_RELEASED_TO_IDLE);
    if (ev.kind == EVENT_MESSAGE && ev.message->kind != MESSAGE_HEARTBEAT)
        sim_trace(s, "coordinator: %s message of life %llu",
                  message_name(ev.message->kind),
                  (unsigned long long)ev.message->incarnation);
    s->way = s->core.guard.turns.n;
    const int err = coordinator_step(&s->core, &ev, &s->actions);
    if (ev.kind == EVENT_MESSAGE && err == ERR_STALE)
        ignored(s, ev.message);
    else if (ev.kind == EVENT_MESSAGE)
        s->link[ev.peer - 1].heard_us = s->now_us;
    if (ev.kind == EVENT_MESSAGE && err == ERR_MALFORMED)
        sim_wrong(s, "the coordinator cannot make sense of a %s message",
                  message_name(ev.message->kind));
    bool finished = false;
    for (size_t i = 0; i < s->actions.n; i++) {
        const struct action a = s->actions.list[i];
        if (finished)
            sim_wrong(s, "an action after the end");
        perform(s, &a, ev.message);
        finished = a.kind == ACTION_FINISH;
    }
    if (!finished)
        return;
    take_down(s);
    if (!s->done)
        start_again(s);
}

/* --- items ----------------------------------------------------------------------------
 */

void coordinator_item(struct sim *s, const struct item *i)
{
    struct link *l = &s->link[i->link];
    switch (i->kind) {
    case ITEM_TICK_COORDINATOR:
        sim_add(s, ITEM_TICK_COORDINATOR, TICK_US)->life = s->life;
        coordinator_event(s, (struct event){.kind = EVENT_TICK});
        return;
    case ITEM_TO_COORDINATOR:
        if (l->open_here)
            coordinator_event(s, (struct event){.kind = EVENT_MESSAGE,
                                                .peer = i->link + 1,
                                                .message = &i->message});
        return;
    case ITEM_CLOSED_AT_COORDINATOR:
        if (!l->open_here)
            return;
        l->open_here = false;
        coordinator_event(s, (struct event){.kind = EVENT_CLOSED, .peer = i->link + 1});
        return;
    case ITEM_DATA_TO_COORDINATOR:
        if (l->broken || !l->open_here)
            return;
        assert(l->data_n[0] < 64);
        l->data[0][l->data_n[0]++] = (struct transfer_value){i->value, 0, i->damaged, 0};
        link_match(s, i->link, false);
        return;
    case ITEM_ARRIVED:
        if (l->broken)
            return;
        if (i->err)
            sim_sometimes(s, SOMETIMES_DAMAGE_FOUND);
        coordinator_event(
            s,
            (struct event){.kind = EVENT_RECEIVED, .partial = i->partial, .err = i->err});
        return;
    case ITEM_UPDATED:
        coordinator_event(
            s, (struct event){.kind = EVENT_UPDATED, .norm = i->loss, .clip = 1});
        return;
    case ITEM_SCORED:
        coordinator_event(s, (struct event){.kind = EVENT_SCORED, .bleu = i->loss});
        return;
    case ITEM_REWIND:
        rewind_on(s);
        return;
    case ITEM_CHECKPOINTED:
        s->saving = false;
        if (i->err == ERR_OK) {
            if (i->version < s->disk_version)
                sim_wrong(s, "the checkpoint on disk goes back to version %llu",
                          (unsigned long long)i->version);
            s->disk_version = i->version;
            s->disk[i->version] = s->saving_as;
            lose_one(s);
            s->given_up = 0;
        } else {
            s->given_up++;
            sim_sometimes(s, SOMETIMES_CHECKPOINT_FAILED);
        }
        coordinator_event(s, (struct event){.kind = EVENT_CHECKPOINTED,
                                            .step = i->version,
                                            .err = i->err});
        return;
    default:
        assert(!"not for the coordinator");
    }
}

/* Nobody is a member longer than a lease and a tick after he was heard. */
static void check_silent(struct sim *s)
{
    const struct members *m = &s->core.members;
    for (size_t i = 0; i < m->n; i++)
        if (s->link[m->list[i].peer - 1].heard_us + LEASE_MS * 1000 + 2 * TICK_US <
            s->now_us)
            sim_wrong(s, "worker %u is silent for longer than a lease, and a member",
                      m->list[i].worker);
}

/* Nobody holds anything but members. */
void coordinator_check(struct sim *s)
{
    const struct coordinator *c = &s->core;
    if (c->held)
        sim_sometimes(s, SOMETIMES_HELD);
    check_silent(s);
    if (c->members.n < 2)
        s->alone_version = c->version;
    if (c->phase != PHASE_STEP && c->phase != PHASE_EVALUATE)
        return;
    memset(s->member, 0, sizeof s->member);
    s->member[0] = true; /* nobody */
    for (size_t i = 0; i < c->members.n; i++)
        s->member[c->members.list[i].worker] = true;
    for (uint32_t v = 0; v < c->ledger.slices; v++)
        for (int k = 0; k < LEDGER_COPIES; k++)
            if (!s->member[c->ledger.slice[v].holder[k]])
                sim_wrong(s, "slice %u is held by worker %u, who is gone", v,
                          c->ledger.slice[v].holder[k]);
}
