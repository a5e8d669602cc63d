/* share.c - who computes what: pieces by measured speed, and then the end of the unit
 * balanced by whoever is idle.
 *
 *   1. what became free (a worker died, or gave something back);
 *   2. slices to be audited;
 *   3. half of what the one who is farthest behind has not begun: it is asked to give it
 *      back, which costs it nothing;
 *   4. what is late although its holder was asked: computed a second time, the first copy
 *      wins.
 */
#include <assert.h>
#include <math.h>

#include "base/mem.h"
#include "coordinator/on_message.h"

enum { LATE_MS = 20 };

/* --- leases ---------------------------------------------------------------------------
 */

/* It has, or will have, the parameters at hand; a version that the run came to again is
 * another one. */
static bool up_to_date(const struct coordinator *c, const struct member *m)
{
    return m->version == c->version && m->way == c->way;
}

static bool available(const struct coordinator *c, const struct member *m)
{
    return !m->leaving && m->owed == 0 && (up_to_date(c, m) || !m->pulling);
}

static bool idle(const struct member *m)
{
    return m->held == 0 && m->audits == 0;
}

static double speed_of(const struct coordinator *c, const struct member *m)
{
    return m->speed > 0 ? m->speed : c->members.median_speed;
}

/* When @m should have announced @more slices beyond what it holds. */
static void expect(struct coordinator *c, struct member *m, uint32_t more)
{
    if (idle(m)) {
        m->since_ms = c->now_ms;
        m->due_ms = c->now_ms;
    }
    const double speed = speed_of(c, m);
    if (!(speed > 0))
        m->due_ms = UINT64_MAX;
    else if (m->due_ms != UINT64_MAX)
        m->due_ms += (uint64_t)(1000 * more * m->slack / speed);
}

static void lease(struct coordinator *c, struct member *m, enum lease_kind kind,
                  uint32_t first, uint32_t end, struct actions *out)
{
    assert(available(c, m) && first < end);
    expect(c, m, end - first);
    if (!up_to_date(c, m)) { /* a worker without slices needs no parameters */
        m->version = c->version;
        m->way = c->way;
        m->pulling = true;
        act(out, ACTION_PARAMETERS)->peer = m->peer;
    }
    if (kind == LEASE_AUDIT)
        m->audits += end - first;
    else
        m->held += end - first;
    m->leases += kind == LEASE_HELD_OUT || kind == LEASE_TRANSLATE;
    struct action *a = act(out, ACTION_LEASE);
    a->peer = m->peer;
    a->worker = m->worker;
    a->unit = c->unit;
    a->step = kind == LEASE_TRAIN || kind == LEASE_AUDIT ? c->data : c->version;
    a->version = c->version;
    a->lease = kind;
    a->first = first;
    a->end = end;
}

static enum lease_kind kind_of_work(const struct coordinator *c)
{
    return c->phase != PHASE_EVALUATE ? LEASE_TRAIN
           : c->translating           ? LEASE_TRANSLATE
                                      : LEASE_HELD_OUT;
}

static void grant(struct coordinator *c, struct member *m, uint32_t first, uint32_t end,
                  struct actions *out)
{
    if (end - first > MESSAGE_SLICES_MAX)
        end = first + MESSAGE_SLICES_MAX;
    ledger_grant(&c->ledger, m->worker, first, end);
    m->covered = false;
    lease(c, m, kind_of_work(c), first, end, out);
}

/* --- many at once ---------------------------------------------------------------------
 */

struct chosen {
    struct member **list;
    size_t n;
};

static void trust(struct coordinator *c, struct member *m)
{
    if (m->fresh)
        audit_accept(&c->audit, m->worker);
    m->fresh = false;
}

/* A worker that joins late is compared with those who are trusted; when none of them is
 * left it is as good as those were at the start. */
static void trust_when_alone(struct coordinator *c)
{
    for (size_t i = 0; i < c->members.n; i++)
        if (!c->members.list[i].fresh && !c->members.list[i].leaving)
            return;
    for (size_t i = 0; i < c->members.n; i++)
        trust(c, &c->members.list[i]);
}

static struct chosen choose(struct coordinator *c, bool only_idle)
{
    trust_when_alone(c);
    struct chosen to = {mem_alloc((c->members.n + 1) * sizeof *to.list), 0};
    for (size_t i = 0; i < c->members.n; i++) {
        struct member *m = &c->members.list[i];
        if (available(c, m) && !m->fresh && (!only_idle || idle(m)))
            to.list[to.n++] = m;
    }
    return to;
}

/* [first, end), which is free, among them by speed. */
static void cut(struct coordinator *c, struct chosen to, uint32_t first, uint32_t end,
                struct actions *out)
{
    uint32_t *at = mem_alloc((to.n + 1) * sizeof *at);
    members_cut(to.list, to.n, end - first, at);
    for (size_t i = 0; i < to.n; i++)
        if (at[i] < at[i + 1])
            grant(c, to.list[i], first + at[i], first + at[i + 1], out);
    mem_free(at);
}

void share_spread(struct coordinator *c, struct actions *out)
{
    if (c->phase != PHASE_STEP) {
        share_feed_all(c, out);
        return;
    }
    struct chosen to = choose(c, true);
    if (to.n == 0) {
        mem_free(to.list);
        to = choose(c, false);
    }
    uint32_t first, end;
    while (to.n > 0 && ledger_free_run(&c->ledger, &first, &end))
        cut(c, to, first, end, out);
    mem_free(to.list);
}

void share_again(struct coordinator *c, uint32_t not, uint32_t first, uint32_t end,
                 struct actions *out)
{
    struct chosen to = choose(c, false);
    size_t best = to.n;
    for (size_t i = 0; i < to.n; i++)
        if (to.list[i]->worker !=
            not &&(best == to.n || to.list[i]->due_ms < to.list[best]->due_ms))
            best = i;
    for (uint32_t v = first; best < to.n && v < end; v++) {
        uint32_t run = v;
        while (run < end && ledger_free(&c->ledger, run))
            run++;
        if (run > v) {
            grant(c, to.list[best], v, run, out);
            v = run - 1;
        }
    }
    mem_free(to.list);
    share_feed_all(c, out); /* nobody else: whoever is idle */
}

/* --- one who is idle ------------------------------------------------------------------
 */

/* Of the held-out text small pieces, smaller towards the end; to be translated one slice
 * at a time, as it is answered, by one thread. */
static uint32_t held_out_share(const struct coordinator *c, uint32_t count)
{
    if (c->translating)
        return 1;
    const uint32_t n = (uint32_t)c->members.n;
    const uint32_t largest = 1 + c->conf.eval_slices / (4 * n);
    uint32_t share = count / (2 * n);
    share = share < 1 ? 1 : share;
    return share > largest ? largest : share;
}

static uint32_t idle_members(struct coordinator *c)
{
    const struct chosen to = choose(c, true);
    mem_free(to.list);
    return to.n ? (uint32_t)to.n : 1;
}

static bool give_free(struct coordinator *c, struct member *m, struct actions *out)
{
    uint32_t first, end;
    if (!ledger_free_run(&c->ledger, &first, &end))
        return false;
    const uint32_t n = idle_members(c), count = end - first;
    const uint32_t share =
        c->phase == PHASE_EVALUATE ? held_out_share(c, count) : (count + n - 1) / n;
    grant(c, m, first, first + share, out);
    return true;
}

static size_t trusted(const struct coordinator *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->members.n; i++)
        n += !c->members.list[i].fresh;
    return n;
}

static bool give_audit(struct coordinator *c, struct member *m, struct actions *out)
{
    uint32_t first, end;
    if (c->phase != PHASE_STEP)
        return false;
    if (m->fresh) { /* its bits are compared before anybody relies on them */
        if (m->tried || !audit_try(&c->audit, m->worker, &first))
            return false;
        m->tried = true;
        end = first + 1;
    } else if (!audit_lease(&c->audit, &c->ledger, m->worker, trusted(c), &first, &end)) {
        return false;
    }
    lease(c, m, LEASE_AUDIT, first, end, out);
    return true;
}

/* Busy or not: workers compute audits before anything else. */
void share_second_opinion(struct coordinator *c, uint32_t v, struct actions *out)
{
    struct chosen to = choose(c, false);
    size_t i = 0;
    while (i < to.n &&
           !audit_ask(&c->audit, &c->ledger, to.list[i]->worker, trusted(c), v))
        i++;
    if (i < to.n)
        lease(c, to.list[i], LEASE_AUDIT, v, v + 1, out);
    mem_free(to.list);
}

bool share_trust(struct coordinator *c)
{
    bool any = false;
    for (size_t i = 0; i < c->members.n; i++) {
        struct member *m = &c->members.list[i];
        if (m->fresh && m->tried && audit_vouches(&c->audit, m->worker)) {
            trust(c, m);
            any = true;
        }
    }
    return any;
}

/* All it holds should have been announced: what it has computed is not known. */
static bool overdue(const struct coordinator *c, const struct member *m)
{
    return m->held > 0 && m->due_ms != UINT64_MAX &&
           (double)c->now_ms > (double)m->due_ms + 250 / speed_of(c, m);
}

/* Slices that it has probably not computed yet. */
static double behind(const struct coordinator *c, const struct member *m)
{
    if (overdue(c, m))
        return m->held;
    const double done = (double)(c->now_ms - m->since_ms) / 1000 * m->speed;
    return m->held > done + 1 ? m->held - done : m->held > 0;
}

static struct member *farthest_behind(struct coordinator *c, const struct member * not )
{
    struct member *victim = NULL;
    double most = 0;
    for (size_t i = 0; i < c->members.n; i++) {
        struct member *m = &c->members.list[i];
        const double speed = speed_of(c, m);
        const double seconds = behind(c, m) / (speed > 0 ? speed : 1);
        if (m != not &&!m->asked && !m->dry && (behind(c, m) >= 2 || overdue(c, m)) &&
            seconds > most) {
            victim = m;
            most = seconds;
        }
    }
    return victim;
}

static void revoke(struct coordinator *c, const struct member *m, enum lease_kind kind,
                   uint32_t first, uint32_t end, bool unwanted, struct actions *out)
{
    struct action *a = act(out, ACTION_REVOKE);
    a->peer = m->peer;
    a->worker = m->worker;
    a->unit = c->unit;
    a->lease = kind;
    a->first = first;
    a->end = end;
    a->unwanted = unwanted;
}

static bool ask_back(struct coordinator *c, struct member *m, struct actions *out)
{
    uint32_t first, end;
    struct member *victim = c->phase == PHASE_STEP ? farthest_behind(c, m) : NULL;
    if (!victim || !ledger_owed_run(&c->ledger, victim->worker, &first, &end))
        return false;
    const double mine = speed_of(c, m), its = speed_of(c, victim);
    const double part = mine > 0 && its > 0 ? mine / (mine + its) : 0.5;
    uint32_t count = (uint32_t)(behind(c, victim) * part);
    count = count < 1 ? 1 : count;
    if (count < end - first)
        first = end - count;
    victim->asked = true;
    victim->asked_ms = c->now_ms;
    revoke(c, victim, LEASE_TRAIN, first, end, false, out);
    return true;
}

/* Past its time; or asked to give something back, which is answered at once by whoever is
 * alive, however slowly it computes. */
static bool late(const struct coordinator *c, const struct member *m)
{
    if (m->held == 0 || m->due_ms == UINT64_MAX)
        return false;
    const double slice_ms = 1000 / speed_of(c, m), patience_ms = slice_ms / 2 + LATE_MS;
    if (m->asked && (double)(c->now_ms - m->asked_ms) > patience_ms)
        return true;
    const double planned = (double)(m->due_ms - m->since_ms);
    return c->now_ms > m->due_ms &&
           (double)(c->now_ms - m->due_ms) > planned / 4 + patience_ms;
}

static bool copy_late(struct coordinator *c, struct member *m, struct actions *out)
{
    for (size_t i = 0; i < c->members.n; i++) {
        struct member *victim = &c->members.list[i];
        uint32_t first, end;
        if (victim == m || victim->covered || !late(c, victim))
            continue;
        victim->covered = !ledger_owed_run(&c->ledger, victim->worker, &first, &end);
        if (victim->covered)
            continue;
        const uint32_t n = idle_members(c), share = (end - first + n - 1) / n;
        grant(c, m, end - share, end, out);
        return true;
    }
    return false;
}

/* Of an evaluation: what it computes, and one more, so that it does not wait for that. */
static uint32_t leases_at_once(const struct coordinator *c, const struct member *m)
{
    return (c->translating ? m->threads : 1) + 1;
}

static bool wants(const struct coordinator *c, const struct member *m)
{
    if (!coordinator_at_work(c) || !available(c, m))
        return false;
    return c->phase == PHASE_EVALUATE ? m->leases < leases_at_once(c, m) : idle(m);
}

/* What was found while looking for work for one after the other. */
struct search {
    bool none;       /* nothing to be computed for a step or held-out loss is left */
    uint32_t audits; /* so many got none */
};

/* A slice in question has at most so many workers who may not answer for it. */
enum { AUDIT_SEARCHES = AUDIT_OPINIONS + LEDGER_COPIES + 1 };

static bool search_audit(struct coordinator *c, struct member *m, struct search *s,
                         struct actions *out)
{
    if (s->audits >= AUDIT_SEARCHES && !m->fresh)
        return false;
    const bool found = give_audit(c, m, out);
    s->audits = found ? 0 : s->audits + 1;
    return found;
}

static void feed(struct coordinator *c, struct member *m, struct search *s,
                 struct actions *out)
{
    if (m->fresh) {
        search_audit(c, m, s, out);
        return;
    }
    if (!s->none && give_free(c, m, out))
        return;
    if (!idle(m) || search_audit(c, m, s, out))
        return;
    if (!s->none && !ask_back(c, m, out) && !copy_late(c, m, out))
        s->none = true;
}

void share_feed(struct coordinator *c, struct member *m, struct actions *out)
{
    struct search s = {0};
    trust_when_alone(c);
    if (wants(c, m))
        feed(c, m, &s, out);
}

void share_feed_all(struct coordinator *c, struct actions *out)
{
    struct search s = {0};
    trust_when_alone(c);
    for (size_t i = 0; i < c->members.n; i++) {
        struct member *m = &c->members.list[i];
        if (wants(c, m) && (!s.none || m->fresh || s.audits < AUDIT_SEARCHES))
            feed(c, m, &s, out);
    }
}

void share_uncover(struct coordinator *c)
{
    for (size_t i = 0; i < c->members.n; i++)
        c->members.list[i].covered = false;
}

/* --- begin and end --------------------------------------------------------------------
 */

void share_begin(struct coordinator *c, struct actions *out)
{
    assert(coordinator_at_work(c));
    if (c->phase == PHASE_STEP) {
        const struct chosen to = choose(c, false);
        if (to.n > 0)
            cut(c, to, 0, c->slices, out);
        mem_free(to.list);
        return;
    }
    for (size_t before = SIZE_MAX; out->n != before;) { /* until nobody wants more */
        before = out->n;
        share_feed_all(c, out);
    }
}

void share_end(struct coordinator *c, struct actions *out)
{
    const uint32_t slices = c->ledger.slices;
    share_trust(c);
    for (size_t i = 0; i < c->members.n; i++) {
        struct member *m = &c->members.list[i];
        if (m->held > 0)
            revoke(c, m, kind_of_work(c), 0, slices, true, out);
        if (m->audits > 0)
            revoke(c, m, LEASE_AUDIT, 0, slices, true, out);
        m->tried = false;
        m->owed += m->held + m->audits;
        m->held = m->audits = m->leases = 0;
        m->asked = m->dry = m->covered = false;
    }
    c->unit++;
}

void share_revoke_others(struct coordinator *c, uint32_t worker, uint32_t first,
                         uint32_t end, struct actions *out)
{
    for (size_t i = 0; i < c->members.n; i++) {
        const struct member *m = &c->members.list[i];
        if (m->worker == worker)
            continue;
        for (uint32_t v = first; v < end; v++) {
            uint32_t to = v;
            while (to < end && ledger_owes(&c->ledger, m->worker, to))
                to++;
            if (to == v)
                continue;
            revoke(c, m, kind_of_work(c), v, to, true, out);
            v = to - 1;
        }
    }
}
