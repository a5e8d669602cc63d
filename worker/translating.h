/* translating.h - the held-out slices that a worker translates: sources in, hypotheses
 * out, so that the coordinator can score them against their references.
 *
 * A slice's sentences are translated in bundles (decode/bundle.h), so what comes out is a
 * function of theta and the slice alone.
 *
 * One thread at a time; one each.
 */
#ifndef WORKER_TRANSLATING_H
#define WORKER_TRANSLATING_H

#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "nn/transformer.h"

struct translating;

struct hypotheses { /* of the sentences of a slice, in their order */
    uint32_t *lengths; /* [sentences], without the ends; owned */
    uint32_t *tokens;  /* one behind the other; owned */
    size_t words;      /* tokens in all */
};

/* For slices of up to @rows rows of sources.  Borrows both. */
struct translating *translating_new(const struct transformer *t,
                                    const struct conf_translate *conf, size_t rows);
void translating_free(struct translating *t);

/* ERR_DATA, logged: the model answers with what is no number. */
int translating_slice(struct translating *t, const float *theta,
                      const struct slice *slice, struct hypotheses *out);

void hypotheses_fini(struct hypotheses *h);

#endif
