#include "net/codec.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "control.pb-c.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "tokens travel as they lie in memory");

/* One function per kind, each with its part of the message on its stack.  Casts take away
 * the const of what protobuf-c, too, only reads. */

struct packing {
    Lockstep__Control control;
    size_t head, *bytes;
};

static uint8_t *packed(struct packing p)
{
    *p.bytes = lockstep__control__get_packed_size(&p.control);
    uint8_t *to = mem_alloc(p.head + *p.bytes);
    const size_t written = lockstep__control__pack(&p.control, to + p.head);
    assert(written == *p.bytes);
    (void)written;
    return to;
}

static uint8_t *pack_join(struct packing p, const struct message *m)
{
    Lockstep__Join x = LOCKSTEP__JOIN__INIT;
    x.protocol = m->join.protocol;
    x.rank = m->join.rank;
    x.host = (char *)m->join.host;
    x.pid = m->join.pid;
    x.threads = m->join.threads;
    x.build = (char *)m->join.build;
    x.kernels = (char *)m->join.kernels;
    p.control.what_case = LOCKSTEP__CONTROL__WHAT_JOIN;
    p.control.join = &x;
    return packed(p);
}

static uint8_t *pack_welcome(struct packing p, const struct message *m)
{
    Lockstep__Welcome x = LOCKSTEP__WELCOME__INIT;
    x.worker = m->welcome.worker;
    x.conf = (char *)m->welcome.conf;
    x.vocab = m->welcome.vocab;
    x.fingerprint = m->welcome.fingerprint;
    p.control.what_case = LOCKSTEP__CONTROL__WHAT_WELCOME;
    p.control.welcome = &x;
    return packed(p);
}

static uint8_t *pack_refuse(struct packing p, const struct message *m)
{
    Lockstep__Refuse x = LOCKSTEP__REFUSE__INIT;
    x.reason = (char *)m->refuse.reason;
    x.exit_code = m->refuse.exit_code;
    p.control.what_case = LOCKSTEP__CONTROL__WHAT_REFUSE;
    p.control.refuse = &x;
    return packed(p);
}

static void pack_slice(Lockstep__Slice *x, const struct message_slice *s)
{
    lockstep__slice__init(x);
    x->n_lengths = s->sequences;
    x->lengths = (uint32_t *)s->lengths;
    x->tokens.len = message_slice_tokens(s) * sizeof *s->tokens;
    x->tokens.data = (uint8_t *)s->tokens;
    x->n_samples = s->sequences;
    x->samples = (uint64_t *)s->samples;
    if (!s->source_lengths)
        return;
    x->n_source_lengths = s->sequences;
    x->source_lengths = (uint32_t *)s->source_lengths;
    x->source.len = message_slice_source(s) * sizeof *s->source;
    x->source.data = (uint8_t *)s->source;
}

static uint8_t *pack_lease(struct packing p, const struct message *m)
{
    const size_t n = m->lease.slices;
    assert(n >= 1 && n <= MESSAGE_SLICES_MAX);
    Lockstep__Slice *slices = mem_alloc(n * sizeof *slices);
    Lockstep__Slice **pointers = mem_alloc(n * sizeof *pointers);
    for (size_t i = 0; i < n; i++) {
        pointers[i] = &slices[i];
        pack_slice(&slices[i], &m->lease.slice[i]);
    }
    Lockstep__Lease x = LOCKSTEP__LEASE__INIT;
    x.unit = m->lease.unit;
    x.step = m->lease.step;
    x.version = m->lease.version;
    x.kind = m->lease.kind;
    x.first = m->lease.first;
    x.n_slices = n;
    x.slices = pointers;
    x.statistics = m->lease.statistics;
    x.examined = m->lease.examined;
    p.control.what_case = LOCKSTEP__CONTROL__WHAT_LEASE;
    p.control.lease = &x;
    uint8_t *bytes = packed(p);
    mem_free(pointers);
    mem_free(slices);
    return bytes;
}

static uint8_t *pack_partial(struct packing p, const struct message *m)
{
    Lockstep__Partial x = LOCKSTEP__PARTIAL__INIT;
    assert(m->partial.ranges <= MESSAGE_RANGES_MAX);
    assert(m->partial.statistics <= MESSAGE_STATISTICS_MAX);
    x.unit = m->partial.unit;
    x.level = m->partial.level;
    x.index = m->partial.index;
    x.loss = m->partial.loss;
    x.targets = m->partial.targets;
    x.transfer = m->partial.transfer;
    x.n_checksums = m->partial.ranges;
    x.checksums = (uint64_t *)m->partial.checksums;
    x.squares = m->partial.squares;
    x.n_hashes = m->partial.slices;
    x.hashes = (uint64_t *)m->partial.hashes;
    x.seconds = m->partial.seconds;
    x.noise = m->partial.noise;
    x.n_statistics = m->partial.statistics;
    x.statistics = (double *)m->partial.values;
    p.control.what_case = LOCKSTEP__CONTROL__WHAT_PARTIAL;
    p.control.partial = &x;
    return packed(p);
}

static uint8_t *pack_evaluated(struct packing p, const struct message *m)
{
    Lockstep__Evaluated x = LOCKSTEP__EVALUATED__INIT;
    assert(m->evaluated.slices <= MESSAGE_SLICES_MAX);
    x.unit = m->evaluated.unit;
    x.first = m->evaluated.first;
    x.n_losses = m->evaluated.slices;
    x.losses = (double *)m->evaluated.losses;
    x.n_targets = m->evaluated.slices;
    x.targets = (uint64_t *)m->evaluated.targets;
    x.seconds = m->evaluated.seconds;
    x.n_lengths = m->evaluated.sentences;
    x.lengths = (uint32_t *)m->evaluated.lengths;
    x.tokens.len = m->evaluated.words * sizeof *m->evaluated.tokens;
    x.tokens.data = (uint8_t *)m->evaluated.tokens;
    p.control.what_case = LOCKSTEP__CONTROL__WHAT_EVALUATED;
    p.control.evaluated = &x;
    return packed(p);
}

static uint8_t *pack_commit(struct packing p, const struct message *m)
{
    Lockstep__Commit x = LOCKSTEP__COMMIT__INIT;
    assert(m->commit.ranges <= MESSAGE_RANGES_MAX);
    x.version = m->commit.version;
    x.transfer = m->commit.transfer;
    x.rate = m->commit.rate;
    x.norm = m->commit.norm;
    x.clip = m->commit.clip;
    x.loss = m->commit.loss;
    x.n_checksums = m->commit.ranges;
    x.checksums = (uint64_t *)m->commit.checksums;
    p.control.what_case = LOCKSTEP__CONTROL__WHAT_COMMIT;
    p.control.commit = &x;
    return packed(p);
}

static uint8_t *pack_heartbeat(struct packing p, const struct message *m)
{
    Lockstep__Heartbeat x = LOCKSTEP__HEARTBEAT__INIT;
    x.held = m->heartbeat.held;
    p.control.what_case = LOCKSTEP__CONTROL__WHAT_HEARTBEAT;
    p.control.heartbeat = &x;
    return packed(p);
}

static uint8_t *pack_leave(struct packing p, const struct message *m)
{
    Lockstep__Leave x = LOCKSTEP__LEAVE__INIT;
    x.reason = (char *)m->leave.reason;
    p.control.what_case = LOCKSTEP__CONTROL__WHAT_LEAVE;
    p.control.leave = &x;
    return packed(p);
}

static uint8_t *pack_stop(struct packing p, const struct message *m)
{
    Lockstep__Stop x = LOCKSTEP__STOP__INIT;
    x.reason = (char *)m->stop.reason;
    x.exit_code = m->stop.exit_code;
    p.control.what_case = LOCKSTEP__CONTROL__WHAT_STOP;
    p.control.stop = &x;
    return packed(p);
}

static uint8_t *pack_revoke(struct packing p, const struct message *m)
{
    Lockstep__Revoke x = LOCKSTEP__REVOKE__INIT;
    x.unit = m->revoke.unit;
    x.first = m->revoke.first;
    x.count = m->revoke.count;
    x.kind = m->revoke.kind;
    x.unwanted = m->revoke.unwanted;
    p.control.what_case = LOCKSTEP__CONTROL__WHAT_REVOKE;
    p.control.revoke = &x;
    return packed(p);
}

static uint8_t *pack_released(struct packing p, const struct message *m)
{
    Lockstep__Released x = LOCKSTEP__RELEASED__INIT;
    x.unit = m->released.unit;
    x.first = m->released.first;
    x.count = m->released.count;
    x.kind = m->released.kind;
    p.control.what_case = LOCKSTEP__CONTROL__WHAT_RELEASED;
    p.control.released = &x;
    return packed(p);
}

static uint8_t *pack_audited(struct packing p, const struct message *m)
{
    Lockstep__Audited x = LOCKSTEP__AUDITED__INIT;
    assert(m->audited.slices <= MESSAGE_SLICES_MAX);
    x.unit = m->audited.unit;
    x.first = m->audited.first;
    x.n_hashes = m->audited.slices;
    x.hashes = (uint64_t *)m->audited.hashes;
    p.control.what_case = LOCKSTEP__CONTROL__WHAT_AUDITED;
    p.control.audited = &x;
    return packed(p);
}

static uint8_t *pack_pulled(struct packing p, const struct message *m)
{
    Lockstep__Pulled x = LOCKSTEP__PULLED__INIT;
    x.version = m->pulled.version;
    p.control.what_case = LOCKSTEP__CONTROL__WHAT_PULLED;
    p.control.pulled = &x;
    return packed(p);
}

uint8_t *codec_pack(const struct message *m, size_t head, size_t *bytes)
{
    struct packing p = {LOCKSTEP__CONTROL__INIT, head, bytes};
    p.control.term = m->term;
    p.control.incarnation = m->incarnation;
    switch (m->kind) {
    case MESSAGE_JOIN:
        return pack_join(p, m);
    case MESSAGE_WELCOME:
        return pack_welcome(p, m);
    case MESSAGE_REFUSE:
        return pack_refuse(p, m);
    case MESSAGE_LEASE:
        return pack_lease(p, m);
    case MESSAGE_PARTIAL:
        return pack_partial(p, m);
    case MESSAGE_EVALUATED:
        return pack_evaluated(p, m);
    case MESSAGE_COMMIT:
        return pack_commit(p, m);
    case MESSAGE_HEARTBEAT:
        return pack_heartbeat(p, m);
    case MESSAGE_LEAVE:
        return pack_leave(p, m);
    case MESSAGE_STOP:
        return pack_stop(p, m);
    case MESSAGE_REVOKE:
        return pack_revoke(p, m);
    case MESSAGE_RELEASED:
        return pack_released(p, m);
    case MESSAGE_AUDITED:
        return pack_audited(p, m);
    case MESSAGE_PULLED:
        return pack_pulled(p, m);
    }
    assert(!"a message has a kind");
    abort();
}
