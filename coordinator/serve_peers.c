#include <stdio.h>

#include "base/err.h"
#include "base/log.h"
#include "coordinator/serve_parts.h"

static struct peer *peer_of(const struct serve *s, const struct action *a)
{
    return peers_get(&s->peers, a->peer);
}

void serve_say(struct serve *s, uint32_t peer, struct message m)
{
    struct peer *p = peers_get(&s->peers, peer);
    m.term = s->core.term;
    m.incarnation = p->incarnation;
    if (p->channel)
        channel_send(p->channel, &m);
}

/* One line in log.jsonl, for whoever asks later what happened. */
static void record(struct serve *s, const struct action *a, const char *what)
{
    char text[256];
    if (!s->recorder)
        return;
    snprintf(text, sizeof text, "worker %u (%s) %s", a->worker, peer_of(s, a)->name,
             what);
    recorder_event(s->recorder, "member", text, (uint32_t)s->core.members.n);
}

void serve_welcome(struct serve *s, const struct action *a)
{
    struct peer *p = peer_of(s, a);
    p->worker = a->worker;
    if (p->channel)
        channel_limit(p->channel, MESSAGE_WORKER_BYTES);
    if (serve_attach_lane(s, p) && p->channel)
        channel_close(p->channel, 0); /* the core learns it as any other end */
    log_info("worker %u joined: %s%s", a->worker, p->name,
             p->lane == s->tcp_lane ? ", by TCP" : "");
    struct message m = {.kind = MESSAGE_WELCOME};
    m.welcome.worker = a->worker;
    m.welcome.vocab = s->supply.vocab;
    m.welcome.conf = s->conf_text;
    m.welcome.fingerprint = conf_fingerprint(s->o.conf);
    serve_say(s, a->peer, m);
    record(s, a, "joined");
}

void serve_refuse(struct serve *s, const struct action *a)
{
    struct peer *p = peer_of(s, a);
    log_warn("%s refused: %s", p->name, a->reason);
    struct message m = {.kind = MESSAGE_REFUSE};
    m.refuse.reason = a->reason;
    m.refuse.exit_code = (uint32_t)err_exit_code(a->err);
    serve_say(s, a->peer, m);
    if (p->channel)
        channel_close(p->channel, GOODBYE_MS);
}

/* The first lease says that all who are awaited are there, or are not awaited longer. */
static void say_running(struct serve *s)
{
    const uint32_t n = (uint32_t)s->core.members.n;
    s->running = true;
    if (n < s->conf.workers)
        log_warn("beginning with %u of %u workers", n, s->conf.workers);
    if (s->recorder)
        recorder_running(s->recorder, n);
}

/* "to train with", ...: who gets which slices, and gives them back */
static void trace(const struct action *a, const char *what)
{
    static const char *const kinds[] = {[LEASE_TRAIN] = "to train with",
                                        [LEASE_HELD_OUT] = "of the held-out text",
                                        [LEASE_AUDIT] = "to be audited",
                                        [LEASE_TRANSLATE] = "to be translated"};
    log_trace("worker %u %s slices %u to %u %s, unit %llu", a->worker, what, a->first,
              a->end - 1, kinds[a->lease], (unsigned long long)a->unit);
}

void serve_lease(struct serve *s, const struct action *a)
{
    trace(a, "is leased");
    if (!s->running)
        say_running(s);
    struct message m = {.kind = MESSAGE_LEASE};
    m.lease.unit = a->unit;
    m.lease.step = a->step;
    m.lease.version = a->version;
    m.lease.kind = a->lease;
    m.lease.first = a->first;
    m.lease.slices = a->end - a->first;
    m.lease.statistics = examine_due(&s->examine, a->version) && a->lease == LEASE_TRAIN;
    m.lease.examined = m.lease.statistics
                           ? examine_slice(&s->examine, a->version,
                                           supply_step_slices(&s->supply, a->step))
                           : 0;
    const bool held_out = a->lease == LEASE_HELD_OUT || a->lease == LEASE_TRANSLATE;
    m.lease.slice = supply_slices(&s->supply, a->step, held_out, a->first, a->end);
    serve_say(s, a->peer, m);
}

void serve_revoke(struct serve *s, const struct action *a)
{
    trace(a, a->unwanted ? "no longer needs" : "is asked for");
    struct message m = {.kind = MESSAGE_REVOKE};
    m.revoke.unit = a->unit;
    m.revoke.kind = a->lease;
    m.revoke.first = a->first;
    m.revoke.count = a->end - a->first;
    m.revoke.unwanted = a->unwanted;
    serve_say(s, a->peer, m);
}

void serve_lost(struct serve *s, const struct action *a)
{
    struct peer *p = peer_of(s, a);
    const size_t left = s->core.members.n;
    if (a->err == ERR_OK) {
        log_info("worker %u (%s) left; %zu %s", a->worker, p->name, left,
                 left == 1 ? "goes on" : "go on");
        record(s, a, "left");
    } else {
        log_warn("worker %u (%s) is lost: %s; what it had not delivered goes to others, "
                 "%zu left",
                 a->worker, p->name, err_text(a->err), left);
        record(s, a, err_text(a->err));
    }
    s->lost_any = true;
    parcels_forget(s->parcels, p->lane, p->lane_peer);
    if (a->err == ERR_WRONG) { /* it would join again, and compute wrongly again */
        struct message m = {.kind = MESSAGE_REFUSE};
        m.refuse.reason = "this machine computes wrongly: its result for a slice differs "
                          "from that of two others; test its memory and processor";
        m.refuse.exit_code = (uint32_t)err_exit_code(ERR_WRONG);
        serve_say(s, a->peer, m);
    }
    if (p->channel)
        channel_close(p->channel, a->err == ERR_WRONG ? GOODBYE_MS : 0);
}

void serve_slow(struct serve *s, const struct action *a)
{
    char text[96];
    snprintf(text, sizeof text, "is slow: %.3g slices/s, the median is %.3g", a->speed,
             a->median);
    log_warn("worker %u (%s) %s; it gets less to do", a->worker, peer_of(s, a)->name,
             text);
    record(s, a, text);
}

void serve_doubt(struct serve *s, const struct action *a)
{
    char text[96];
    snprintf(text, sizeof text, "gave a doubtful result for slices %u to %u of step %llu",
             a->first, a->end - 1, (unsigned long long)s->core.version);
    log_warn("worker %u (%s) %s: computed again before it is believed", a->worker,
             peer_of(s, a)->name, text);
    record(s, a, text);
}

/* Who was how fast, in the end: what a scaling experiment looks for stragglers in. */
static void record_speed(struct serve *s, const struct action *a)
{
    const struct member *m = members_by_peer(&s->core.members, a->peer);
    const double median = s->core.members.median_speed;
    struct action worker = *a;
    char text[96];
    if (!m || !(m->speed > 0) || !(median > 0))
        return;
    worker.worker = m->worker;
    snprintf(text, sizeof text, "computed at %.3g slices/s, the median is %.3g", m->speed,
             median);
    record(s, &worker, text);
}

void serve_stop(struct serve *s, const struct action *a)
{
    record_speed(s, a);
    struct message m = {.kind = MESSAGE_STOP};
    m.stop.reason = s->core.end_reason;
    m.stop.exit_code = (uint32_t)err_exit_code(s->core.end_err);
    serve_say(s, a->peer, m);
}
