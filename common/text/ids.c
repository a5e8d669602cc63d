#include "text/ids.h"

#include "base/mem.h"

uint32_t *ids_reserve(struct ids *ids, size_t more)
{
    if (ids->room - ids->n < more || !ids->at) { /* NULL + 0 is undefined */
        ids->room = 2 * ids->room + more + 64;
        ids->at = mem_resize(ids->at, mem_mul(ids->room, sizeof *ids->at));
    }
    return ids->at + ids->n;
}

void ids_push(struct ids *ids, uint32_t id)
{
    *ids_reserve(ids, 1) = id;
    ids->n++;
}

void ids_fini(struct ids *ids)
{
    mem_free(ids->at);
    *ids = (struct ids){0};
}
