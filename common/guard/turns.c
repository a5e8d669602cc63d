#include "guard/turns.h"

static const struct turn straight = {.rate = 1};

uint64_t turns_back(uint64_t version, uint64_t steps, uint64_t every)
{
    const uint64_t at = version > steps ? version - steps : 0;
    return every ? at - at % every : at;
}

struct turn turns_at(const struct turns *t, uint64_t version)
{
    for (uint32_t i = t->n; i-- > 0;)
        if (t->list[i].version <= version)
            return t->list[i];
    return straight;
}

struct turn turns_newest(const struct turns *t)
{
    return t->n ? t->list[t->n - 1] : straight;
}

bool turns_add(struct turns *t, struct turn turn)
{
    if (t->n == TURNS_MAX || turn.offset <= turns_newest(t).offset)
        return false;
    t->list[t->n++] = turn;
    return true;
}

void turns_learn(struct turns *t, const struct turns *others)
{
    for (uint32_t i = 0; i < others->n; i++)
        turns_add(t, others->list[i]); /* what is known is not newer */
}

bool turns_abandon(const struct turns *t, uint64_t version, uint64_t offset)
{
    for (uint32_t i = 0; i < t->n; i++)
        if (t->list[i].offset > offset && t->list[i].version < version)
            return true;
    return false;
}
