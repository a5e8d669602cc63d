#include "checkpoint/state_guard.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"

json_t *state_pack_whole(uint64_t x)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)x);
    return json_string(text);
}

int state_unpack_whole(const json_t *object, const char *key, uint64_t *x)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (!text || *text < '0' || *text > '9')
        return ERR_DATA;
    char *end;
    *x = strtoull(text, &end, 10);
    return *end ? ERR_DATA : ERR_OK;
}

static int take_real(const json_t *json, double *x)
{
    if (!json_is_number(json))
        return ERR_DATA;
    *x = json_number_value(json);
    return isfinite(*x) ? ERR_OK : ERR_DATA;
}

/* --- packing ---------------------------------------------------------------------------
 */

static json_t *pack_turns(const struct turns *t)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < t->n; i++)
        json_array_append_new(list,
                              json_pack("{s:o, s:o, s:f}", "version",
                                        state_pack_whole(t->list[i].version), "offset",
                                        state_pack_whole(t->list[i].offset), "rate",
                                        t->list[i].rate));
    return list;
}

static json_t *pack_reals(const double *x, uint32_t n)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < n; i++)
        json_array_append_new(list, json_real(x[i]));
    return list;
}

json_t *state_pack_guard(const struct guard *g)
{
    json_t *trend =
        json_pack("{s:o, s:f, s:f, s:f}", "steps", state_pack_whole(g->trend.n), "fast",
                  g->trend.fast, "slow", g->trend.slow, "variance", g->trend.variance);
    json_t *spikes =
        json_pack("{s:I, s:o, s:o}", "skipped", (json_int_t)g->spikes.skipped, "losses",
                  pack_reals(g->spikes.last[SPIKES_LOSS], g->spikes.n), "norms",
                  pack_reals(g->spikes.last[SPIKES_NORM], g->spikes.n));
    return json_pack("{s:o, s:o, s:o}", "turns", pack_turns(&g->turns), "trend", trend,
                     "spikes", spikes);
}

/* --- unpacking -------------------------------------------------------------------------
 */

static int unpack_turns(const json_t *list, struct turns *t)
{
    if (!json_is_array(list) || json_array_size(list) > TURNS_MAX)
        return ERR_DATA;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        struct turn turn;
        TRY(state_unpack_whole(one, "version", &turn.version));
        TRY(state_unpack_whole(one, "offset", &turn.offset));
        TRY(take_real(json_object_get(one, "rate"), &turn.rate));
        if (!turns_add(t, turn))
            return ERR_DATA;
    }
    return ERR_OK;
}

static int unpack_trend(const json_t *json, struct trend *t)
{
    TRY(state_unpack_whole(json, "steps", &t->n));
    TRY(take_real(json_object_get(json, "fast"), &t->fast));
    TRY(take_real(json_object_get(json, "slow"), &t->slow));
    TRY(take_real(json_object_get(json, "variance"), &t->variance));
    return t->variance >= 0 ? ERR_OK : ERR_DATA;
}

static int unpack_reals(const json_t *list, double *x, uint32_t n)
{
    if (!json_is_array(list) || json_array_size(list) != n)
        return ERR_DATA;
    for (uint32_t i = 0; i < n; i++)
        TRY(take_real(json_array_get(list, i), &x[i]));
    return ERR_OK;
}

static int unpack_spikes(const json_t *json, struct spikes *s)
{
    const json_t *losses = json_object_get(json, "losses"),
                 *skipped = json_object_get(json, "skipped");
    const size_t n = json_array_size(losses);
    if (n > SPIKES_WINDOW_MAX || !json_is_integer(skipped) ||
        json_integer_value(skipped) < 0 ||
        json_integer_value(skipped) > SPIKES_WINDOW_MAX)
        return ERR_DATA;
    s->n = (uint32_t)n;
    s->skipped = (uint32_t)json_integer_value(skipped);
    TRY(unpack_reals(losses, s->last[SPIKES_LOSS], s->n));
    return unpack_reals(json_object_get(json, "norms"), s->last[SPIKES_NORM], s->n);
}

int state_unpack_guard(const json_t *json, struct guard *g)
{
    TRY(unpack_turns(json_object_get(json, "turns"), &g->turns));
    TRY(unpack_trend(json_object_get(json, "trend"), &g->trend));
    return unpack_spikes(json_object_get(json, "spikes"), &g->spikes);
}
