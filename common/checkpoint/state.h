/* state.h - state.json of a checkpoint. */
#ifndef CHECKPOINT_STATE_H
#define CHECKPOINT_STATE_H

#include "checkpoint/checkpoint.h"

/* Text to be freed with mem_free(). */
char *state_pack(const struct checkpoint_state *s);
/* ERR_DATA, logged with @path, when a field is missing or impossible. */
int state_unpack(const char *path, const char *text, size_t bytes,
                 struct checkpoint_state *s);

#endif
