#include "coordinator/audit.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/philox.h"

void audit_fini(struct audit *a)
{
    mem_free(a->slice);
    *a = (struct audit){0};
}

static bool drawn(double share, uint64_t seed, uint64_t step, uint32_t v)
{
    const struct philox_key key = philox_key(seed, PHILOX_AUDIT);
    const struct philox_block at = {{v, 0, (uint32_t)step, (uint32_t)(step >> 32)}};
    return philox_uniform(philox(key, at).word[0]) < share;
}

void audit_begin(struct audit *a, uint32_t slices, double share, uint64_t seed,
                 uint64_t step)
{
    if (slices > a->room) {
        a->room = slices;
        a->slice = mem_resize(a->slice, slices * sizeof *a->slice);
    }
    memset(a->slice, 0, slices * sizeof *a->slice);
    a->slices = slices;
    a->open = 0;
    for (uint32_t v = 0; v < slices; v++)
        if (drawn(share, seed, step, v))
            audit_choose(a, v);
}

bool audit_choose(struct audit *a, uint32_t v)
{
    assert(v < a->slices);
    struct audit_slice *s = &a->slice[v];
    if (s->opinions == AUDIT_OPINIONS)
        return false;
    if (!s->chosen || s->settled)
        a->open++;
    s->chosen = true;
    s->settled = false;
    return true;
}

/* --- opinions -------------------------------------------------------------------------
 */

static uint32_t agreeing(const struct audit_slice *s, uint64_t hash)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->opinions; i++)
        n += s->opinion[i].hash == hash;
    return n;
}

static uint32_t asked(const struct audit_slice *s, uint32_t worker)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->opinions; i++)
        n += s->opinion[i].worker == worker;
    return n;
}

static bool in_dispute(const struct audit_slice *s)
{
    return s->opinions > 1 && agreeing(s, s->opinion[0].hash) < s->opinions;
}

/* Its word counts once, unless somebody contradicts. */
static bool repeats_itself(const struct audit_slice *s, uint32_t worker, uint64_t hash)
{
    return !in_dispute(s) && asked(s, worker) > 0 && s->opinion[0].hash == hash;
}

static void settle(struct audit *a, struct audit_slice *s)
{
    if (s->chosen && !s->settled)
        a->open--;
    s->settled = true;
}

/* Three or four opinions that are not all equal.  With two of one kind against one the
 * one is wrong, unless only two workers spoke: then it may be the other who lies always,
 * and the one is asked again. */
static enum audit_verdict judge(struct audit *a, struct audit_slice *s, uint32_t *liar)
{
    uint32_t most = 0, workers = 0;
    uint64_t truth = 0;
    for (uint32_t i = 0; i < s->opinions; i++) {
        const uint32_t n = agreeing(s, s->opinion[i].hash);
        if (n > most) {
            most = n;
            truth = s->opinion[i].hash;
        }
        bool seen = false;
        for (uint32_t k = 0; k < i; k++)
            seen |= s->opinion[k].worker == s->opinion[i].worker;
        workers += !seen;
    }
    const bool clear = 2 * most > s->opinions;
    if (clear && (workers > 2 || s->newcomer || s->opinions == AUDIT_OPINIONS)) {
        settle(a, s);
        for (uint32_t i = 0; i < s->opinions; i++)
            if (s->opinion[i].hash != truth)
                *liar = s->opinion[i].worker;
        return AUDIT_CONVICTS;
    }
    return s->opinions == AUDIT_OPINIONS ? AUDIT_UNDECIDED : AUDIT_OPEN;
}

enum audit_verdict audit_opinion(struct audit *a, uint32_t worker, uint32_t v,
                                 uint64_t hash, uint32_t *liar)
{
    assert(v < a->slices);
    struct audit_slice *s = &a->slice[v];
    if (repeats_itself(s, worker, hash))
        return AUDIT_OPEN;
    if (s->opinions == AUDIT_OPINIONS) { /* all of one kind, or the step had ended */
        *liar = worker;
        return s->opinion[0].hash == hash ? AUDIT_OPEN : AUDIT_CONVICTS;
    }
    s->opinion[s->opinions].worker = worker;
    s->opinion[s->opinions++].hash = hash;
    if (!in_dispute(s)) {
        if (s->opinions > 1)
            settle(a, s);
        return AUDIT_OPEN;
    }
    audit_choose(a, v);
    return s->opinions > 2 ? judge(a, s, liar) : AUDIT_OPEN;
}

/* --- leases ---------------------------------------------------------------------------
 */

/* Those who are trusted, and the newcomer of the slice, who is asked once. */
static bool may_answer(const struct audit_slice *s, uint32_t worker, size_t trusted)
{
    const size_t voters = trusted + (s->newcomer != 0);
    const uint32_t times = asked(s, worker);
    return voters > 1 && (times == 0 || (voters == 2 && in_dispute(s) && times == 1));
}

/* Its holder has not said its word yet, somebody else has: with two it may be over. */
static bool awaited(const struct ledger *l, const struct audit_slice *s, uint32_t v)
{
    bool owed = false;
    for (int k = 0; k < LEDGER_COPIES; k++)
        owed |= l->slice[v].holder[k] && !l->slice[v].announced[k];
    return owed && s->opinions > 0 && !in_dispute(s);
}

static bool to_answer(const struct audit *a, const struct ledger *l, uint32_t worker,
                      size_t trusted, uint32_t v)
{
    const struct audit_slice *s = &a->slice[v];
    return s->chosen && !s->settled && !s->leased && !ledger_owes(l, worker, v) &&
           may_answer(s, worker, trusted);
}

static bool at_leisure(const struct audit *a, const struct ledger *l, uint32_t worker,
                       size_t trusted, uint32_t v)
{
    return to_answer(a, l, worker, trusted, v) && !awaited(l, &a->slice[v], v);
}

bool audit_lease(struct audit *a, const struct ledger *l, uint32_t worker, size_t trusted,
                 uint32_t *first, uint32_t *end)
{
    if (a->open == 0)
        return false;
    const size_t most = 1 + a->open / (2 * trusted);
    *first = 0;
    while (*first < a->slices && !at_leisure(a, l, worker, trusted, *first))
        ++*first;
    for (*end = *first; *end < a->slices && *end - *first < most; ++*end) {
        if (!at_leisure(a, l, worker, trusted, *end))
            break;
        a->slice[*end].leased = worker;
    }
    return *end > *first;
}

bool audit_ask(struct audit *a, const struct ledger *l, uint32_t worker, size_t trusted,
               uint32_t v)
{
    const bool may = to_answer(a, l, worker, trusted, v);
    if (may)
        a->slice[v].leased = worker;
    return may;
}

static bool try_one(struct audit *a, uint32_t worker, bool disputed, uint32_t *v)
{
    for (*v = a->slices; (*v)-- > 0;) {
        struct audit_slice *s = &a->slice[*v];
        if ((s->newcomer && !s->settled) || s->leased || in_dispute(s) != disputed ||
            !audit_choose(a, *v))
            continue;
        s->newcomer = s->leased = worker;
        return true;
    }
    return false;
}

/* In a dispute only if there is nothing else: of two who disagree one may be gone, and
 * nobody left but newcomers to be the third. */
bool audit_try(struct audit *a, uint32_t worker, uint32_t *v)
{
    return try_one(a, worker, false, v) || try_one(a, worker, true, v);
}

bool audit_leased(const struct audit *a, uint32_t worker, uint32_t v)
{
    return v < a->slices && a->slice[v].leased == worker;
}

void audit_release(struct audit *a, uint32_t worker, uint32_t v)
{
    if (audit_leased(a, worker, v))
        a->slice[v].leased = 0;
}

void audit_forget(struct audit *a, uint32_t worker)
{
    for (uint32_t v = 0; v < a->slices; v++) {
        struct audit_slice *s = &a->slice[v];
        audit_release(a, worker, v);
        if (s->newcomer != worker || asked(s, worker) > 0)
            continue;
        s->newcomer = 0; /* another may speak of it */
        if (s->opinions > 1 && !in_dispute(s))
            settle(a, s); /* as it was before */
    }
}

bool audit_vouches(const struct audit *a, uint32_t worker)
{
    for (uint32_t v = 0; v < a->slices; v++) {
        const struct audit_slice *s = &a->slice[v];
        if (s->newcomer == worker && s->settled && asked(s, worker) > 0)
            return true;
    }
    return false;
}

void audit_accept(struct audit *a, uint32_t worker)
{
    for (uint32_t v = 0; v < a->slices; v++)
        if (a->slice[v].newcomer == worker)
            a->slice[v].newcomer = 0;
}

bool audit_complete(const struct audit *a, size_t members)
{
    return a->open == 0 || members < 2;
}
