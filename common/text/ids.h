/* ids.h - a growing list of token ids. Zeroed is empty; ids_fini() or keep .at. */
#ifndef TEXT_IDS_H
#define TEXT_IDS_H

#include <stddef.h>
#include <stdint.h>

struct ids {
    uint32_t *at;
    size_t n, room;
};

/* Makes room for @more ids and returns where they go; the caller counts them in .n. */
uint32_t *ids_reserve(struct ids *ids, size_t more);
void ids_push(struct ids *ids, uint32_t id);
void ids_fini(struct ids *ids);

#endif
