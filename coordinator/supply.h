/* supply.h - the prepared data of a run, or a document to be translated (document.h), as
 * slices for leases: the only place where the cluster reads text.
 *
 * A text: sample b of step s is sample number s * B + b of the run (data/windows.h).
 * Pairs: the samples of data/batches.h; a target is what stands between two end-of-text
 * tokens, a source ends with one (as in fairseq).  So the data position is a step: the
 * one that is made, or a later one when the run went back (guard/turns.h).
 *
 * What trains goes through data/augment.h, what is held out does not: a pair by its
 * sample number, a window by its own through the run, step * B + sample.  Of the tokens
 * that merges left out make of a window the first T + 1 train; those of a pair's source
 * or target count only where the slice keeps to plan_rows() and the sequence to the
 * context.  Joined pairs have the token of a space between them when the tokenizer has
 * one (a BPE of bytes; subwords have theirs at the end of words) and take the first one's
 * sample number.
 *
 * Loop thread only.
 */
#ifndef COORDINATOR_SUPPLY_H
#define COORDINATOR_SUPPLY_H

#include <stdint.h>

#include "conf/conf.h"
#include "data/augment.h"
#include "data/batches.h"
#include "data/dataset.h"
#include "data/plan.h"
#include "data/windows.h"
#include "net/message.h"

struct document;

struct supply_gap {
    bool exists;
    uint32_t token;
};

struct supply {
    /* read-only */
    struct dataset data;
    struct plan plan;
    struct augment augment;
    uint32_t vocab;
    /* means, without augmentation */
    struct conf_scale scale; /* of a step */
    double length;           /* of a sequence, in target tokens */
    uint32_t held_out_slices;
    double held_out_bytes_per_token; /* for bits per byte */
    /* private; a text: */
    struct windows windows;
    uint64_t held_out_windows;
    uint32_t last_length;
    /* a document; borrowed */
    const struct document *document;
    /* pairs: */
    struct batches batches;
    struct held_out_batches held_out;
    uint32_t end;          /* of text; also of a document */
    struct supply_gap gap; /* between joined pairs */
    /* of the slices of counted_step that were made: their targets; 0: not yet */
    uint64_t counted_step, *counted; /* [V] */
    /* what was asked for last */
    struct message_slice *slice;
    struct supply_buffer *buffer;
};

/* Opens data.dir; every problem is logged with the file and its remedy.  ERR_NO_FILE,
 * ERR_DATA, ERR_CORRUPT; ERR_CONFIG when the folder is not of the model's kind. */
int supply_open(struct supply *s, const struct conf *conf);

/* Of @d, whose slices are held-out ones; it has at least one, and plan_rows() of @conf as
 * many rows as document_rows(). */
void supply_open_document(struct supply *s, const struct conf *conf,
                          const struct document *d);
void supply_close(struct supply *s);

/* Slices of @step. */
uint32_t supply_step_slices(const struct supply *s, uint64_t step);

/* Target tokens of the slices [first, end) of @step, as supply_slices() makes them.  What
 * that returned before is no longer borrowed. */
uint64_t supply_targets(struct supply *s, uint64_t step, uint32_t first, uint32_t end);

/* The samples that all slices of @step have are in *first to *last: numbers of the run. */
void supply_samples(struct supply *s, uint64_t step, uint64_t *first, uint64_t *last);

/* Sequences of a held-out slice of pairs, or of one of a document. */
uint64_t supply_held_out_sequences(const struct supply *s, uint32_t v);

/* The slices [first, end) of step @step, or of the held-out text: borrowed until the next
 * call. */
const struct message_slice *supply_slices(struct supply *s, uint64_t step, bool held_out,
                                          uint32_t first, uint32_t end);

#endif
