/* messages.h - one message of each kind with every field set, and their comparison. */
#ifndef UNIT_NET_MESSAGES_H
#define UNIT_NET_MESSAGES_H

#include "support/test.h"

#include "net/message.h"

static const uint32_t example_tokens[12] = {1, 2, 3, 4,  5,  6,
                                            7, 8, 9, 10, 11, UINT32_MAX};
static const uint32_t example_lengths[2] = {5, 1};
static const uint64_t example_samples[3] = {0, 1, UINT64_MAX};
static const struct message_slice example_slices[2] = {
    {2, example_lengths, example_tokens, example_samples, NULL, NULL},
    {1, example_lengths + 1, example_tokens + 8, example_samples + 2, example_lengths,
     example_tokens + 2},
};
static const double example_losses[2] = {1.5, -3e300};
static const uint64_t example_targets[2] = {12, 1};

static const struct message examples[] = {
    {MESSAGE_JOIN, 1, 2,
     .join = {1,
              3,
              4,
              5,
              "n\xc3\xb8"
              "de",
              "0.1.0",
              "avx2"}},
    {MESSAGE_WELCOME, 3, 4, .welcome = {7, 50257, "run:\n  dir: x\n", UINT64_MAX}},
    {MESSAGE_REFUSE, 5, 6, .refuse = {"other bits", 78}},
    {MESSAGE_LEASE, 7, 8,
     .lease = {9, 10, 11, LEASE_AUDIT, 12, 2, example_slices, true, 13}},
    {MESSAGE_PARTIAL, 9, 10,
     .partial = {11, 1, 3, 40, 2.25, 0.125, 7.5, 99, 3, example_samples, 2,
                 example_targets, 0.75, 2, example_losses}},
    {MESSAGE_EVALUATED, 11, 12,
     .evaluated = {13, 14, 2, example_losses, example_targets, 0.5, 2, 6,
                   example_lengths, example_tokens}},
    {MESSAGE_COMMIT, 13, 14, .commit = {15, 16, 1e-3, 0.7, 1, 4.2, 2, example_targets}},
    {MESSAGE_HEARTBEAT, UINT64_MAX, UINT64_MAX, .heartbeat = {17}},
    {MESSAGE_LEAVE, 0, 0, .leave = {""}},
    {MESSAGE_STOP, 17, 18, .stop = {"done", 0}},
    {MESSAGE_REVOKE, 19, 20, .revoke = {21, 22, 23, LEASE_HELD_OUT, true}},
    {MESSAGE_RELEASED, 21, 22, .released = {23, 24, 25, LEASE_AUDIT}},
    {MESSAGE_AUDITED, 23, 24, .audited = {25, 26, 2, example_targets}},
    {MESSAGE_PULLED, 25, 26, .pulled = {27}},
};
enum { EXAMPLES = sizeof examples / sizeof *examples };

static inline void assert_same_slice(const struct message_slice *a,
                                     const struct message_slice *b)
{
    assert_int_equal(a->sequences, b->sequences);
    assert_memory_equal(a->lengths, b->lengths, a->sequences * sizeof *a->lengths);
    assert_memory_equal(a->tokens, b->tokens,
                        message_slice_tokens(a) * sizeof *a->tokens);
    assert_int_equal(a->source_lengths != NULL, b->source_lengths != NULL);
    if (a->source_lengths) {
        assert_memory_equal(a->source_lengths, b->source_lengths,
                            a->sequences * sizeof *a->lengths);
        assert_memory_equal(a->source, b->source,
                            message_slice_source(a) * sizeof *a->source);
    }
    assert_memory_equal(a->samples, b->samples, a->sequences * sizeof *a->samples);
}

static inline void assert_same_join(const struct message *a, const struct message *b)
{
    assert_int_equal(a->join.protocol, b->join.protocol);
    assert_int_equal(a->join.rank, b->join.rank);
    assert_int_equal(a->join.pid, b->join.pid);
    assert_int_equal(a->join.threads, b->join.threads);
    assert_string_equal(a->join.host, b->join.host);
    assert_string_equal(a->join.build, b->join.build);
    assert_string_equal(a->join.kernels, b->join.kernels);
}

static inline void assert_same_lease(const struct message *a, const struct message *b)
{
    assert_int_equal(a->lease.unit, b->lease.unit);
    assert_int_equal(a->lease.step, b->lease.step);
    assert_int_equal(a->lease.version, b->lease.version);
    assert_int_equal(a->lease.kind, b->lease.kind);
    assert_int_equal(a->lease.first, b->lease.first);
    assert_int_equal(a->lease.slices, b->lease.slices);
    assert_int_equal(a->lease.statistics, b->lease.statistics);
    assert_int_equal(a->lease.examined, b->lease.examined);
    for (size_t i = 0; i < a->lease.slices; i++)
        assert_same_slice(&a->lease.slice[i], &b->lease.slice[i]);
}

static inline void assert_same_partial(const struct message *a, const struct message *b)
{
    assert_int_equal(a->partial.unit, b->partial.unit);
    assert_int_equal(a->partial.level, b->partial.level);
    assert_int_equal(a->partial.index, b->partial.index);
    assert_int_equal(a->partial.transfer, b->partial.transfer);
    assert_true(a->partial.loss == b->partial.loss);
    assert_true(a->partial.seconds == b->partial.seconds);
    assert_true(a->partial.squares == b->partial.squares);
    assert_int_equal(a->partial.targets, b->partial.targets);
    assert_int_equal(a->partial.slices, b->partial.slices);
    assert_memory_equal(a->partial.hashes, b->partial.hashes,
                        a->partial.slices * sizeof *a->partial.hashes);
    assert_true(a->partial.noise == b->partial.noise);
    assert_int_equal(a->partial.statistics, b->partial.statistics);
    assert_memory_equal(a->partial.values, b->partial.values,
                        a->partial.statistics * sizeof *a->partial.values);
    assert_int_equal(a->partial.ranges, b->partial.ranges);
    assert_memory_equal(a->partial.checksums, b->partial.checksums,
                        a->partial.ranges * sizeof *a->partial.checksums);
}

static inline void assert_same_commit(const struct message *a, const struct message *b)
{
    assert_int_equal(a->commit.version, b->commit.version);
    assert_int_equal(a->commit.transfer, b->commit.transfer);
    assert_true(a->commit.rate == b->commit.rate && a->commit.norm == b->commit.norm);
    assert_true(a->commit.clip == b->commit.clip && a->commit.loss == b->commit.loss);
    assert_int_equal(a->commit.ranges, b->commit.ranges);
    assert_memory_equal(a->commit.checksums, b->commit.checksums,
                        a->commit.ranges * sizeof *a->commit.checksums);
}

static inline void assert_same_message(const struct message *a, const struct message *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->term, b->term);
    assert_int_equal(a->incarnation, b->incarnation);
    switch (a->kind) {
    case MESSAGE_JOIN:
        assert_same_join(a, b);
        return;
    case MESSAGE_WELCOME:
        assert_int_equal(a->welcome.worker, b->welcome.worker);
        assert_int_equal(a->welcome.vocab, b->welcome.vocab);
        assert_string_equal(a->welcome.conf, b->welcome.conf);
        assert_int_equal(a->welcome.fingerprint, b->welcome.fingerprint);
        return;
    case MESSAGE_REFUSE:
        assert_string_equal(a->refuse.reason, b->refuse.reason);
        assert_int_equal(a->refuse.exit_code, b->refuse.exit_code);
        return;
    case MESSAGE_LEASE:
        assert_same_lease(a, b);
        return;
    case MESSAGE_PARTIAL:
        assert_same_partial(a, b);
        return;
    case MESSAGE_EVALUATED:
        assert_int_equal(a->evaluated.unit, b->evaluated.unit);
        assert_int_equal(a->evaluated.first, b->evaluated.first);
        assert_int_equal(a->evaluated.slices, b->evaluated.slices);
        assert_memory_equal(a->evaluated.losses, b->evaluated.losses,
                            a->evaluated.slices * sizeof(double));
        assert_memory_equal(a->evaluated.targets, b->evaluated.targets,
                            a->evaluated.slices * sizeof(uint64_t));
        assert_true(a->evaluated.seconds == b->evaluated.seconds);
        assert_int_equal(a->evaluated.sentences, b->evaluated.sentences);
        assert_int_equal(a->evaluated.words, b->evaluated.words);
        assert_memory_equal(a->evaluated.lengths, b->evaluated.lengths,
                            a->evaluated.sentences * sizeof(uint32_t));
        assert_memory_equal(a->evaluated.tokens, b->evaluated.tokens,
                            a->evaluated.words * sizeof(uint32_t));
        return;
    case MESSAGE_COMMIT:
        assert_same_commit(a, b);
        return;
    case MESSAGE_HEARTBEAT:
        assert_int_equal(a->heartbeat.held, b->heartbeat.held);
        return;
    case MESSAGE_LEAVE:
        assert_string_equal(a->leave.reason, b->leave.reason);
        return;
    case MESSAGE_STOP:
        assert_string_equal(a->stop.reason, b->stop.reason);
        assert_int_equal(a->stop.exit_code, b->stop.exit_code);
        return;
    case MESSAGE_REVOKE:
        assert_int_equal(a->revoke.unit, b->revoke.unit);
        assert_int_equal(a->revoke.first, b->revoke.first);
        assert_int_equal(a->revoke.count, b->revoke.count);
        assert_int_equal(a->revoke.kind, b->revoke.kind);
        assert_int_equal(a->revoke.unwanted, b->revoke.unwanted);
        return;
    case MESSAGE_RELEASED:
        assert_int_equal(a->released.unit, b->released.unit);
        assert_int_equal(a->released.first, b->released.first);
        assert_int_equal(a->released.count, b->released.count);
        assert_int_equal(a->released.kind, b->released.kind);
        return;
    case MESSAGE_AUDITED:
        assert_int_equal(a->audited.unit, b->audited.unit);
        assert_int_equal(a->audited.first, b->audited.first);
        assert_int_equal(a->audited.slices, b->audited.slices);
        assert_memory_equal(a->audited.hashes, b->audited.hashes,
                            a->audited.slices * sizeof(uint64_t));
        return;
    case MESSAGE_PULLED:
        assert_int_equal(a->pulled.version, b->pulled.version);
        return;
    }
    fail();
}

#endif
