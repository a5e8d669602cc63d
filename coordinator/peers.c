#include "coordinator/peers.h"

#include <assert.h>
#include <stdio.h>

#include "base/mem.h"

void peers_fini(struct peers *p)
{
    for (size_t i = 0; i < p->n; i++)
        mem_free(p->list[i]);
    mem_free(p->list);
    *p = (struct peers){0};
}

static size_t free_place(struct peers *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (!p->list[i])
            return i;
    if (p->n == p->room) {
        p->room = p->room ? 2 * p->room : 16;
        p->list = mem_resize(p->list, p->room * sizeof(struct peer *));
    }
    return p->n++;
}

struct peer *peers_add(struct peers *p, struct channel *c, uint64_t now_ms)
{
    const size_t at = free_place(p);
    struct peer *one = p->list[at] = mem_zalloc(sizeof *one);
    one->id = (uint32_t)at + 1;
    one->channel = c;
    one->since_ms = now_ms;
    snprintf(one->name, sizeof one->name, "%s", channel_peer(c));
    return one;
}

struct peer *peers_get(const struct peers *p, uint32_t id)
{
    assert(id >= 1 && id <= p->n && p->list[id - 1]);
    return p->list[id - 1];
}

void peers_remove(struct peers *p, struct peer *one)
{
    assert(p->list[one->id - 1] == one && !one->worker);
    p->list[one->id - 1] = NULL;
    mem_free(one);
}

void peer_introduce(struct peer *one, const struct message *join)
{
    assert(join->kind == MESSAGE_JOIN && !one->worker);
    one->incarnation = join->incarnation;
    one->rank = join->join.rank;
    snprintf(one->name, sizeof one->name, "%.60s pid %u", join->join.host,
             join->join.pid);
    for (char *c = one->name; *c; c++) /* anybody can send a Join, and it is logged */
        if ((unsigned char)*c < ' ' || *c == 0x7F)
            *c = '?';
}
