/* state_guard.h - inside state: the part "guard" of state.json.
 *
 *      "turns"   one object per turn: version, offset, rate
 *      "trend"   steps, fast, slow, variance
 *      "spikes"  skipped, and losses and norms, the oldest first
 *
 * Numbers have as many digits as it takes to read the same bits back. */
#ifndef CHECKPOINT_STATE_GUARD_H
#define CHECKPOINT_STATE_GUARD_H

#include <jansson.h>

#include "guard/guard.h"

json_t *state_pack_guard(const struct guard *g);
/* ERR_DATA, not logged: something is missing or impossible. */
int state_unpack_guard(const json_t *json, struct guard *g);

/* Numbers of 64 bits as text: JSON's readers keep 53. */
json_t *state_pack_whole(uint64_t x);
int state_unpack_whole(const json_t *object, const char *key, uint64_t *x);

#endif
