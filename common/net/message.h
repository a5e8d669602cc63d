/* message.h - what is said on the control channel, as plain C (proto/control.proto).
 *
 * A message owns nothing: strings and arrays are borrowed, when sending from the caller
 * until the call returns, when received from the codec's buffer until the callback
 * returns.  Received messages have passed the checks of net/codec.h: kinds, sizes and
 * array lengths agree, strings are UTF-8 and end, numbers are finite but for losses and
 * what gradients and activations are measured by: a model may diverge.
 */
#ifndef NET_MESSAGE_H
#define NET_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MESSAGE_PROTOCOL = 3,
    MESSAGE_SLICES_MAX = 65536,
    MESSAGE_RANGES_MAX = 65536,
    MESSAGE_STATISTICS_MAX = 20480, /* 9 of each block, and one: the largest model has 18433 */
    MESSAGE_TEXT_MAX = 4095,    /* bytes of a string */
    MESSAGE_CONF_MAX = 1 << 20, /* bytes of the configuration */
    MESSAGE_LEVELS = 32,        /* of the tree over the slices */
    /* What a worker may have to say packs to less: a Join; any, the longest of which is a
     * Partial of as many checksums, hashes and statistics as there may be. */
    MESSAGE_JOIN_BYTES = 16 << 10,
    MESSAGE_WORKER_BYTES = 1280 << 10
};

enum message_kind {
    MESSAGE_JOIN = 1,
    MESSAGE_WELCOME,
    MESSAGE_REFUSE,
    MESSAGE_LEASE,
    MESSAGE_PARTIAL,
    MESSAGE_EVALUATED,
    MESSAGE_COMMIT,
    MESSAGE_HEARTBEAT,
    MESSAGE_LEAVE,
    MESSAGE_STOP,
    MESSAGE_REVOKE,
    MESSAGE_RELEASED,
    MESSAGE_AUDITED,
    MESSAGE_PULLED
};

enum lease_kind {
    LEASE_TRAIN,
    LEASE_HELD_OUT,
    LEASE_AUDIT,
    LEASE_TRANSLATE /* held-out slices again: their sources, into hypotheses */
};

struct message_slice {
    uint32_t sequences;
    const uint32_t *lengths; /* [sequences], at least 1 each: inputs */
    const uint32_t *tokens;  /* of each sequence its length + 1 */
    const uint64_t *samples; /* [sequences] */
    /* of an encoder-decoder; else NULL */
    const uint32_t *source_lengths; /* [sequences], at least 1 each */
    const uint32_t *source;         /* of each sequence its source length */
};

/* Words of tokens and of source. */
size_t message_slice_tokens(const struct message_slice *s);
size_t message_slice_source(const struct message_slice *s);

struct message {
    enum message_kind kind;
    uint64_t term, incarnation;
    union {
        struct {
            uint32_t protocol;
            uint32_t rank, pid, threads;
            const char *host, *build, *kernels;
        } join;
        struct {
            uint32_t worker, vocab;
            const char *conf;
            uint64_t fingerprint;
        } welcome;
        struct {
            const char *reason;
            uint32_t exit_code;
        } refuse;
        struct {
            uint64_t unit, step, version;
            enum lease_kind kind;
            uint32_t first;
            size_t slices;
            const struct message_slice *slice; /* [slices] */
            bool statistics; /* the step is examined */
            uint32_t examined; /* then: the slice whose blocks are wanted */
        } lease;
        struct {
            uint64_t unit;
            uint32_t first, count;
            enum lease_kind kind;
            bool unwanted;
        } revoke;
        struct {
            uint64_t unit;
            uint32_t first, count;
            enum lease_kind kind;
        } released;
        struct {
            uint64_t unit;
            uint32_t level, index, transfer;
            double loss, seconds, squares;
            uint64_t targets;
            size_t ranges;             /* transfers that follow */
            const uint64_t *checksums; /* [ranges] */
            size_t slices;             /* of the node, or 0 */
            const uint64_t *hashes;    /* [slices] */
            double noise; /* sum over the slices: squares / targets^2; of a step that is
                             examined */
            size_t statistics;     /* of the blocks of the slice examined, or 0 */
            const double *values;  /* [statistics] */
        } partial;
        struct {
            uint64_t unit;
            uint32_t first;
            size_t slices;
            const double *losses;    /* [slices] */
            const uint64_t *targets; /* [slices] */
            double seconds;
            /* of slices to be translated, else none */
            size_t sentences, words;
            const uint32_t *lengths; /* [sentences], without the ends */
            const uint32_t *tokens;  /* [words], one behind the other */
        } evaluated;
        struct {
            uint64_t unit;
            uint32_t first;
            size_t slices;
            const uint64_t *hashes; /* [slices] */
        } audited;
        struct {
            uint64_t version;
        } pulled;
        struct {
            uint64_t version;
            uint32_t transfer;
            double rate, norm, clip, loss;
            size_t ranges;             /* transfers that follow */
            const uint64_t *checksums; /* [ranges] */
        } commit;
        struct {
            uint32_t held;
        } heartbeat;
        struct {
            const char *reason;
        } leave;
        struct {
            const char *reason;
            uint32_t exit_code;
        } stop;
    };
};

const char *message_name(enum message_kind kind); /* "lease" */

#endif
