/* nearest.h - the known word that somebody probably meant.
 *
 *      unknown option 'model.layer'; did you mean 'model.layers'?
 *
 * Distance is the number of letters to insert, delete, replace or swap with their
 * neighbour (Damerau 1964, in the restricted form "optimal string alignment").  Case
 * does not count, and '-' is '_'.  A word counts as meant when no more than a third of
 * it is wrong: a far-fetched suggestion is worse than none.
 *
 * Pure functions.  Words of any length and any bytes; those over 64 bytes have no
 * neighbour, so the work is bounded.
 */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

/* The nearest of the @count @known words, the first of equals; NULL if none is near. */
const char *nearest(const char *word, const char *const *known, size_t count);

/* The letters to change between the two; SIZE_MAX when one is too long. */
size_t nearest_distance(const char *a, const char *b);

#endif
