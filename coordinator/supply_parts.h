/* supply_parts.h - inside supply: the kinds of data, and the room for slices. */
#ifndef COORDINATOR_SUPPLY_PARTS_H
#define COORDINATOR_SUPPLY_PARTS_H

#include "coordinator/supply.h"
#include "text/ids.h"

/* Which slice is asked for. */
struct supply_slice {
    uint64_t step;
    bool held_out;
    uint32_t v;
};

struct supply_words {
    uint32_t *at; /* [n] */
    size_t n, room;
};

/* The sequences of several slices, one behind the other (net/message.h). */
struct supply_buffer {
    struct supply_words lengths, tokens, source_lengths, source;
    uint64_t *samples; /* [lengths.n] */
    size_t samples_room;
    struct ids ids[2]; /* by side: of the pair or window that is being made */
};

/* Room for @n more words, which count from now on. */
uint32_t *supply_more(struct supply_words *w, size_t n);
void supply_add_sample(struct supply_buffer *b, uint64_t sample, uint32_t length);

int supply_text_open(struct supply *s, uint64_t seed);
void supply_text_add(struct supply *s, struct supply_slice which);

int supply_pairs_open(struct supply *s, const struct conf *conf);
void supply_pairs_close(struct supply *s);
void supply_pairs_add(struct supply *s, struct supply_slice which);

/* s->document is there. */
void supply_document_open(struct supply *s);
void supply_document_add(struct supply *s, struct supply_slice which);

#endif
