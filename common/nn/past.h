/* past.h - keys and values of what several rows have read, in generation.
 *
 * The past of a row lies in a slot.  Selecting moves no row: the first that goes on from
 * a parent takes over its slot, others copy what is in it into slots that nobody needs
 * any more.  Slots have room for the same number of tokens, which is doubled when they
 * are full: a large context costs nothing until it is used.
 *
 * Part of nn/decode.c, which says how many tokens have been read.
 */
#ifndef NN_PAST_H
#define NN_PAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nn/pass.h"
#include "nn/shape.h"
#include "tensor/real.h"

struct past {
    struct shape shape;
    size_t slots;             /* rows at most */
    size_t room;              /* tokens that a slot holds */
    real *kv;                 /* [L, slots, room, 2 G D]: keys | values */
    uint32_t *slot, *other;   /* [slots]: of each row; what they will be after select() */
    bool *taken;              /* [slots]: in select() */
    uint32_t *ones, *lengths; /* [slots]: for look() */
    size_t *first;            /* [slots] */
};

void past_init(struct past *p, const struct shape *s, size_t rows);
void past_fini(struct past *p);

/* @rows have read nothing. */
void past_begin(struct past *p, size_t rows);

/* @rows that have read @length tokens look back at them and at the next, for which there
 * is room then.  The answer points into *p and is good until the next call. */
struct look past_look(struct past *p, size_t rows, size_t length);

/* Row i of @n goes on from row parents[i]; all have read @length. */
void past_select(struct past *p, const uint32_t *parents, size_t n, size_t length);

#endif
