/* sequences.h - the rows of several sequences, one behind the other without a gap.
 *
 * Sequence b has length[b] rows and begins where the one before ends.  There is no
 * padding: what a mask would clear is not there.
 */
#ifndef NN_SEQUENCES_H
#define NN_SEQUENCES_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

struct sequences {
    size_t B;               /* sequences */
    const uint32_t *length; /* [B], at least 1 each; borrowed */
    size_t N, longest;      /* rows in all, and of the longest */
};

static inline struct sequences sequences_of(size_t B, const uint32_t *length)
{
    struct sequences of = {.B = B, .length = length};
    for (size_t b = 0; b < B; b++) {
        assert(length[b] >= 1);
        of.N += length[b];
        of.longest = length[b] > of.longest ? length[b] : of.longest;
    }
    return of;
}

/* Row n is row t of sequence b; `row` counts on by itself:
 *      FOR_EACH_ROW(of, b, t, n) ... */
#define FOR_EACH_ROW(of, b, t, n)                                                        \
    for (size_t b = 0, n = 0; b < (of).B; b++)                                           \
        for (size_t t = 0; t < (of).length[b]; t++, n++)

#endif
