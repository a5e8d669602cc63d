#include "coordinator/members.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void members_fini(struct members *m)
{
    mem_free(m->list);
    *m = (struct members){0};
}

struct member *members_add(struct members *m, uint32_t peer, uint32_t worker)
{
    assert(!members_by_worker(m, worker) && !members_by_peer(m, peer));
    if (m->n == m->room) {
        m->room = m->room ? 2 * m->room : 8;
        m->list = mem_resize(m->list, m->room * sizeof *m->list);
    }
    size_t at = m->n++;
    for (; at > 0 && m->list[at - 1].worker > worker; at--)
        m->list[at] = m->list[at - 1];
    m->list[at] = (struct member){.peer = peer, .worker = worker, .version = UINT64_MAX, .slack = 1};
    return &m->list[at];
}

void members_remove(struct members *m, uint32_t worker)
{
    struct member *one = members_by_worker(m, worker);
    assert(one);
    const size_t after = (size_t)(m->list + m->n - one) - 1;
    memmove(one, one + 1, after * sizeof *one);
    m->n--;
}

struct member *members_by_peer(struct members *m, uint32_t peer)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->list[i].peer == peer)
            return &m->list[i];
    return NULL;
}

struct member *members_by_worker(struct members *m, uint32_t worker)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->list[i].worker == worker)
            return &m->list[i];
    return NULL;
}

void members_measure(struct member *one, uint32_t slices, double seconds)
{
    if (!(seconds > 1e-9)) /* a clock too coarse says nothing */
        return;
    const double speed = slices / seconds, share = 1.0 / 8;
    one->speed = one->speed > 0 ? (1 - share) * one->speed + share * speed : speed;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void members_find_median(struct members *m)
{
    double *speed = mem_alloc((m->n + 1) * sizeof *speed);
    size_t n = 0;
    for (size_t i = 0; i < m->n; i++)
        if (m->list[i].speed > 0)
            speed[n++] = m->list[i].speed;
    qsort(speed, n, sizeof *speed, by_value);
    m->median_speed = n ? speed[n / 2] : 0;
    mem_free(speed);
}

/* The speeds are used as they are only when they clearly differ. */
static bool speeds_differ(struct member *const *chosen, size_t n)
{
    double slowest = chosen[0]->speed, fastest = slowest;
    for (size_t i = 0; i < n; i++) {
        const double s = chosen[i]->speed;
        if (!(s > 0))
            return false;
        slowest = s < slowest ? s : slowest;
        fastest = s > fastest ? s : fastest;
    }
    return fastest > 1.25 * slowest;
}

void members_cut(struct member *const *chosen, size_t n, uint32_t slices, uint32_t *cut)
{
    assert(n > 0);
    const bool by_speed = speeds_differ(chosen, n);
    double total = 0, sum = 0;
    for (size_t i = 0; i < n; i++)
        total += by_speed ? chosen[i]->speed : 1;
    cut[0] = 0;
    for (size_t i = 0; i < n; i++) {
        sum += by_speed ? chosen[i]->speed : 1;
        cut[i + 1] = (uint32_t)(slices * (sum / total) + 0.5);
    }
    cut[n] = slices;
}
