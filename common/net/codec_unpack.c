#include "net/codec.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "control.pb-c.h"
#include "net/budget.h"
#include "net/codec_check.h"
#include "net/frame.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "tokens travel as they lie in memory");

/* --- unpack: one function per kind, which checks and then borrows --- */

static int take_join(const struct check *c, const Lockstep__Join *x, struct message *m)
{
    TRY(check_text(c, "host", x->host, MESSAGE_TEXT_MAX));
    TRY(check_text(c, "build", x->build, MESSAGE_TEXT_MAX));
    TRY(check_text(c, "kernels", x->kernels, MESSAGE_TEXT_MAX));
    m->kind = MESSAGE_JOIN;
    m->join.protocol = x->protocol;
    m->join.rank = x->rank;
    m->join.pid = x->pid;
    m->join.threads = x->threads;
    m->join.host = x->host;
    m->join.build = x->build;
    m->join.kernels = x->kernels;
    return ERR_OK;
}

static int take_welcome(const struct check *c, const Lockstep__Welcome *x,
                        struct message *m)
{
    TRY(check_text(c, "conf", x->conf, MESSAGE_CONF_MAX));
    m->kind = MESSAGE_WELCOME;
    m->welcome.worker = x->worker;
    m->welcome.vocab = x->vocab;
    m->welcome.conf = x->conf;
    m->welcome.fingerprint = x->fingerprint;
    return ERR_OK;
}

static int take_refuse(const struct check *c, const Lockstep__Refuse *x,
                       struct message *m)
{
    TRY(check_text(c, "reason", x->reason, MESSAGE_TEXT_MAX));
    m->kind = MESSAGE_REFUSE;
    m->refuse.reason = x->reason;
    m->refuse.exit_code = x->exit_code;
    return ERR_OK;
}

/* Every length at least @least, and words of 32 bits: their sum and @more of each. */
static int check_words(const struct check *c, const char *field, const uint32_t *lengths,
                       size_t n, unsigned least, unsigned more, ProtobufCBinaryData words)
{
    uint64_t sum = 0; /* of fewer than 2^32 numbers below 2^32 + 1: fits */
    for (size_t i = 0; i < n; i++) {
        TRY(check_count(c, "length", lengths[i], least, UINT32_MAX));
        sum += (uint64_t)lengths[i] + more;
    }
    if (words.len % sizeof(uint32_t) != 0 || words.len / sizeof(uint32_t) != sum)
        return check_failed(c, "%s has %zu bytes, expected %llu words", field, words.len,
                            (unsigned long long)sum);
    return ERR_OK;
}

static int take_slice(const struct check *c, const Lockstep__Slice *x,
                      struct message_slice *s)
{
    const size_t n = x->n_lengths;
    TRY(check_count(c, "sequences", n, 1, UINT32_MAX));
    TRY(check_count(c, "samples", x->n_samples, n, n));
    TRY(check_words(c, "tokens", x->lengths, n, 1, 1, x->tokens));
    *s = (struct message_slice){.sequences = (uint32_t)n,
                                .lengths = x->lengths,
                                .tokens = (const uint32_t *)(const void *)x->tokens.data,
                                .samples = x->samples};
    if (x->n_source_lengths == 0)
        return check_words(c, "source", NULL, 0, 1, 0, x->source);
    TRY(check_count(c, "source lengths", x->n_source_lengths, n, n));
    TRY(check_words(c, "source", x->source_lengths, n, 1, 0, x->source));
    s->source_lengths = x->source_lengths;
    s->source = (const uint32_t *)(const void *)x->source.data;
    return ERR_OK;
}

static int take_lease(const struct check *c, struct budget *b, const Lockstep__Lease *x,
                      struct message *m)
{
    TRY(check_count(c, "kind", x->kind, 0, LEASE_TRANSLATE));
    TRY(check_run(c, x->first, x->n_slices, 1));
    struct message_slice *slice = budget_alloc(b, x->n_slices * sizeof *slice);
    if (!slice)
        return check_failed(c, "%zu slices need too much memory", x->n_slices);
    for (size_t i = 0; i < x->n_slices; i++)
        TRY(take_slice(c, x->slices[i], &slice[i]));
    m->kind = MESSAGE_LEASE;
    m->lease.unit = x->unit;
    m->lease.step = x->step;
    m->lease.version = x->version;
    m->lease.kind = (enum lease_kind)x->kind;
    m->lease.first = x->first;
    m->lease.slices = x->n_slices;
    m->lease.slice = slice;
    m->lease.statistics = x->statistics;
    m->lease.examined = x->examined;
    return ERR_OK;
}

static int take_partial(const struct check *c, const Lockstep__Partial *x,
                        struct message *m)
{
    TRY(check_node(c, x->level, x->index));
    TRY(check_real(c, "seconds", x->seconds));
    TRY(check_count(c, "checksums", x->n_checksums, 0, MESSAGE_RANGES_MAX));
    TRY(check_count(c, "hashes", x->n_hashes, 0, MESSAGE_SLICES_MAX));
    TRY(check_count(c, "statistics", x->n_statistics, 0, MESSAGE_STATISTICS_MAX));
    m->kind = MESSAGE_PARTIAL;
    m->partial.unit = x->unit;
    m->partial.level = x->level;
    m->partial.index = x->index;
    m->partial.transfer = x->transfer;
    m->partial.loss = x->loss;
    m->partial.seconds = x->seconds;
    m->partial.targets = x->targets;
    m->partial.ranges = x->n_checksums;
    m->partial.checksums = x->checksums;
    m->partial.squares = x->squares;
    m->partial.slices = x->n_hashes;
    m->partial.hashes = x->hashes;
    m->partial.noise = x->noise;
    m->partial.statistics = x->n_statistics;
    m->partial.values = x->statistics;
    return ERR_OK;
}

static int take_evaluated(const struct check *c, const Lockstep__Evaluated *x,
                          struct message *m)
{
    TRY(check_run(c, x->first, x->n_losses, 0));
    TRY(check_count(c, "targets", x->n_targets, x->n_losses, x->n_losses));
    TRY(check_real(c, "seconds", x->seconds));
    m->kind = MESSAGE_EVALUATED;
    m->evaluated.unit = x->unit;
    m->evaluated.first = x->first;
    m->evaluated.slices = x->n_losses;
    m->evaluated.losses = x->losses;
    m->evaluated.targets = x->targets;
    m->evaluated.seconds = x->seconds;
    TRY(check_words(c, "tokens", x->lengths, x->n_lengths, 0, 0, x->tokens));
    m->evaluated.sentences = x->n_lengths;
    m->evaluated.words = x->tokens.len / sizeof(uint32_t);
    m->evaluated.lengths = x->lengths;
    m->evaluated.tokens = (const uint32_t *)(const void *)x->tokens.data;
    return ERR_OK;
}

static int take_commit(const struct check *c, const Lockstep__Commit *x,
                       struct message *m)
{
    TRY(check_real(c, "rate", x->rate));
    TRY(check_real(c, "norm", x->norm));
    TRY(check_real(c, "clip", x->clip)); /* the loss of a skipped step may be NaN */
    TRY(check_count(c, "checksums", x->n_checksums, 0, MESSAGE_RANGES_MAX));
    m->kind = MESSAGE_COMMIT;
    m->commit.version = x->version;
    m->commit.transfer = x->transfer;
    m->commit.rate = x->rate;
    m->commit.norm = x->norm;
    m->commit.clip = x->clip;
    m->commit.loss = x->loss;
    m->commit.ranges = x->n_checksums;
    m->commit.checksums = x->checksums;
    return ERR_OK;
}

static int take_revoke(const struct check *c, const Lockstep__Revoke *x,
                       struct message *m)
{
    TRY(check_count(c, "first", x->first, 0, CHECK_BELOW - 1));
    TRY(check_count(c, "slices", x->count, 1, CHECK_BELOW - x->first));
    TRY(check_count(c, "kind", x->kind, 0, LEASE_TRANSLATE));
    m->kind = MESSAGE_REVOKE;
    m->revoke.kind = (enum lease_kind)x->kind;
    m->revoke.unit = x->unit;
    m->revoke.first = x->first;
    m->revoke.count = x->count;
    m->revoke.unwanted = x->unwanted;
    return ERR_OK;
}

static int take_released(const struct check *c, const Lockstep__Released *x,
                         struct message *m)
{
    TRY(check_run(c, x->first, x->count, 0));
    TRY(check_count(c, "kind", x->kind, 0, LEASE_TRANSLATE));
    m->kind = MESSAGE_RELEASED;
    m->released.kind = (enum lease_kind)x->kind;
    m->released.unit = x->unit;
    m->released.first = x->first;
    m->released.count = x->count;
    return ERR_OK;
}

static int take_audited(const struct check *c, const Lockstep__Audited *x,
                        struct message *m)
{
    TRY(check_run(c, x->first, x->n_hashes, 1));
    m->kind = MESSAGE_AUDITED;
    m->audited.unit = x->unit;
    m->audited.first = x->first;
    m->audited.slices = x->n_hashes;
    m->audited.hashes = x->hashes;
    return ERR_OK;
}

static int take_leave(const struct check *c, const Lockstep__Leave *x, struct message *m)
{
    TRY(check_text(c, "reason", x->reason, MESSAGE_TEXT_MAX));
    m->kind = MESSAGE_LEAVE;
    m->leave.reason = x->reason;
    return ERR_OK;
}

static int take_stop(const struct check *c, const Lockstep__Stop *x, struct message *m)
{
    TRY(check_text(c, "reason", x->reason, MESSAGE_TEXT_MAX));
    m->kind = MESSAGE_STOP;
    m->stop.reason = x->reason;
    m->stop.exit_code = x->exit_code;
    return ERR_OK;
}

static int take(const char *peer, struct budget *b, const Lockstep__Control *in,
                struct message *m)
{
#define CHECK(name) (&(struct check){peer, name})
    switch (in->what_case) {
    case LOCKSTEP__CONTROL__WHAT_JOIN:
        return take_join(CHECK("join"), in->join, m);
    case LOCKSTEP__CONTROL__WHAT_WELCOME:
        return take_welcome(CHECK("welcome"), in->welcome, m);
    case LOCKSTEP__CONTROL__WHAT_REFUSE:
        return take_refuse(CHECK("refuse"), in->refuse, m);
    case LOCKSTEP__CONTROL__WHAT_LEASE:
        return take_lease(CHECK("lease"), b, in->lease, m);
    case LOCKSTEP__CONTROL__WHAT_PARTIAL:
        return take_partial(CHECK("partial"), in->partial, m);
    case LOCKSTEP__CONTROL__WHAT_EVALUATED:
        return take_evaluated(CHECK("evaluated"), in->evaluated, m);
    case LOCKSTEP__CONTROL__WHAT_COMMIT:
        return take_commit(CHECK("commit"), in->commit, m);
    case LOCKSTEP__CONTROL__WHAT_HEARTBEAT:
        m->kind = MESSAGE_HEARTBEAT;
        m->heartbeat.held = in->heartbeat->held;
        return ERR_OK;
    case LOCKSTEP__CONTROL__WHAT_REVOKE:
        return take_revoke(CHECK("revoke"), in->revoke, m);
    case LOCKSTEP__CONTROL__WHAT_RELEASED:
        return take_released(CHECK("released"), in->released, m);
    case LOCKSTEP__CONTROL__WHAT_AUDITED:
        return take_audited(CHECK("audited"), in->audited, m);
    case LOCKSTEP__CONTROL__WHAT_PULLED:
        m->kind = MESSAGE_PULLED;
        m->pulled.version = in->pulled->version;
        return ERR_OK;
    case LOCKSTEP__CONTROL__WHAT_LEAVE:
        return take_leave(CHECK("leave"), in->leave, m);
    case LOCKSTEP__CONTROL__WHAT_STOP:
        return take_stop(CHECK("stop"), in->stop, m);
    case LOCKSTEP__CONTROL__WHAT__NOT_SET:
    default:
        return check_failed(CHECK("control"), "it says nothing");
    }
#undef CHECK
}

/* --- memory --- */

/* Enough for the worst honest message, slices of one token each: 18 bytes on the wire,
 * about 340 in memory. */
enum { BUDGET_BASE = 16 << 10, BUDGET_FACTOR = 20, BUDGET_OF_LIMIT = 4 };

struct codec {
    struct budget budget;
    size_t most; /* for one message */
    ProtobufCAllocator allocator;
};

static void *allocate(void *budget, size_t bytes)
{
    return budget_alloc(budget, bytes);
}

static void release(void *budget, void *p)
{
    (void)budget; /* blocks live until the next message */
    (void)p;
}

struct codec *codec_new(void)
{
    struct codec *c = mem_zalloc(sizeof *c);
    c->allocator = (ProtobufCAllocator){allocate, release, &c->budget};
    codec_limit(c, FRAME_MAX);
    return c;
}

void codec_limit(struct codec *c, size_t bytes)
{
    c->most = BUDGET_BASE + BUDGET_OF_LIMIT * bytes;
}

void codec_free(struct codec *c)
{
    budget_reset(&c->budget, 0);
    mem_free(c);
}

static size_t budget_for(const struct codec *c, size_t bytes)
{
    const size_t budget = BUDGET_BASE + BUDGET_FACTOR * bytes;
    return budget < c->most ? budget : c->most;
}

int codec_unpack(struct codec *c, const char *peer, const void *bytes, size_t n,
                 struct message *m)
{
    const struct check check = {peer, "control"};
    budget_reset(&c->budget, budget_for(c, n));
    const Lockstep__Control *in = lockstep__control__unpack(&c->allocator, n, bytes);
    if (c->budget.exceeded) {
        check_failed(&check, "its %zu bytes unpack to more than %zu", n, budget_for(c, n));
        return ERR_TOO_BIG;
    }
    if (!in)
        return check_failed(&check, "its %zu bytes are not a message", n);
    /* strings stop at a zero inside and fields given twice are dropped: then less would
     * be packed again than came */
    if (lockstep__control__get_packed_size(in) != n)
        return check_failed(&check, "its %zu bytes are not how we would write them", n);
    struct message result = {.term = in->term, .incarnation = in->incarnation};
    TRY(take(peer, &c->budget, in, &result));
    *m = result;
    return ERR_OK;
}
