/* turns.h - where a run went back, and how it went on.
 *
 * A run that has diverged at version n goes back to a version k and on from there, past
 * the data that did it: a turn.  Step s takes the samples number (s + offset) * B and
 * following, at rate times what the schedule says, where offset and rate are those of the
 * newest turn that does not begin after s:
 *
 *      offset' = offset + (n - k)      nothing is seen twice because of a turn
 *
 * Each turn has a greater offset than those before, which names it.  A turn may begin
 * before an earlier one, which then counts for nothing any more, and after the version
 * at hand, when that is computed again on the way to it.
 *
 * Pure functions.
 */
#ifndef GUARD_TURNS_H
#define GUARD_TURNS_H

#include <stdbool.h>
#include <stdint.h>

enum { TURNS_MAX = 64 };

struct turn {
    uint64_t version; /* gone back to */
    uint64_t offset;  /* steps whose data were left out, altogether */
    double rate;      /* factor */
};

struct turns {
    uint32_t n;
    struct turn list[TURNS_MAX]; /* [n], in the order they were taken */
};

/* Where a run that diverges at version @version goes back to: the newest multiple of
 * @every that is at least @steps before.  A function of these alone, whatever is on disk.
 */
uint64_t turns_back(uint64_t version, uint64_t steps, uint64_t every);

/* In force for the step that makes version @version + 1. */
struct turn turns_at(const struct turns *t, uint64_t version);
/* The newest; version and offset 0, rate 1: none. */
struct turn turns_newest(const struct turns *t);

/* False when there are TURNS_MAX already, or its offset is not greater than the newest's.
 */
bool turns_add(struct turns *t, struct turn turn);
/* Those of @others that are newer than all here. */
void turns_learn(struct turns *t, const struct turns *others);

/* Was version @version, made when the turns up to @offset were known, left behind by one
 * that came later? */
bool turns_abandon(const struct turns *t, uint64_t version, uint64_t offset);

#endif
