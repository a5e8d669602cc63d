#include "checkpoint/state.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "checkpoint/state_guard.h"

static json_t *number_or_null(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

/* The names of metric @m in the file. */
struct keys {
    const char *last, *step;
    char best[64], stale[64];
};

static struct keys keys_of(int m)
{
    const struct validation_row *row = &validation_rows[m];
    struct keys k = {.last = row->name, .step = row->step};
    snprintf(k.best, sizeof k.best, "best_%s", row->name);
    snprintf(k.stale, sizeof k.stale, "stale_%s", row->name);
    return k;
}

static void pack_validation(json_t *root, const struct validation *v)
{
    json_object_set_new(root, "evaluated_step", state_pack_whole(v->step));
    for (int m = 0; m < VALIDATION_METRICS; m++) {
        const struct keys k = keys_of(m);
        json_object_set_new(root, k.last, number_or_null(v->mark[m].last));
        json_object_set_new(root, k.best, number_or_null(v->mark[m].best));
        json_object_set_new(root, k.step, state_pack_whole(v->mark[m].best_step));
        json_object_set_new(root, k.stale, json_integer(v->mark[m].stale));
    }
}

char *state_pack(const struct checkpoint_state *s)
{
    json_t *root =
        json_pack("{s:o, s:o, s:o, s:I}", "step", state_pack_whole(s->step), "term",
                  state_pack_whole(s->term), "fingerprint",
                  state_pack_whole(s->fingerprint), "vocab", (json_int_t)s->vocab);
    pack_validation(root, &s->validation);
    json_object_set_new(root, "guard", state_pack_guard(&s->guard));
    json_object_set_new(root, "version", json_string(s->version));
    char *json = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    char *text = mem_strdup(json);
    free(json);
    json_decref(root);
    return text;
}

static int read_number(const json_t *root, const char *key, double *x)
{
    const json_t *j = json_object_get(root, key);
    if (!json_is_null(j) && !json_is_number(j))
        return ERR_DATA;
    *x = json_is_null(j) ? NAN : json_number_value(j);
    return ERR_OK;
}

/* Absent in states written before there was such a number: 0. */
static int read_count(const json_t *root, const char *key, uint32_t *n)
{
    const json_t *j = json_object_get(root, key);
    const json_int_t x = json_integer_value(j);
    if ((j && !json_is_integer(j)) || x < 0 || x > UINT32_MAX)
        return ERR_DATA;
    *n = (uint32_t)x;
    return ERR_OK;
}

static int read_validation(const json_t *root, struct validation *v)
{
    validation_init(v);
    if (json_object_get(root, "evaluated_step")) /* likewise */
        TRY(state_unpack_whole(root, "evaluated_step", &v->step));
    for (int m = 0; m < VALIDATION_METRICS; m++) {
        const struct keys k = keys_of(m);
        if (m != VALIDATION_HELD_OUT_LOSS && !json_object_get(root, k.last))
            continue; /* likewise */
        TRY(read_number(root, k.last, &v->mark[m].last));
        TRY(read_number(root, k.best, &v->mark[m].best));
        TRY(state_unpack_whole(root, k.step, &v->mark[m].best_step));
        TRY(read_count(root, k.stale, &v->mark[m].stale));
    }
    return ERR_OK;
}

static int read_fields(const json_t *root, struct checkpoint_state *s)
{
    TRY(state_unpack_whole(root, "step", &s->step));
    TRY(state_unpack_whole(root, "term", &s->term));
    TRY(state_unpack_whole(root, "fingerprint", &s->fingerprint));
    TRY(read_validation(root, &s->validation));
    const json_t *guard = json_object_get(root, "guard");
    if (guard) /* absent: of a program that did not know it */
        TRY(state_unpack_guard(guard, &s->guard));
    const json_t *vocab = json_object_get(root, "vocab");
    const char *version = json_string_value(json_object_get(root, "version"));
    if (!json_is_integer(vocab) || json_integer_value(vocab) < 1 ||
        json_integer_value(vocab) > UINT32_MAX || !version ||
        strlen(version) >= sizeof s->version)
        return ERR_DATA;
    s->vocab = (uint32_t)json_integer_value(vocab);
    snprintf(s->version, sizeof s->version, "%s", version);
    return ERR_OK;
}

int state_unpack(const char *path, const char *text, size_t bytes,
                 struct checkpoint_state *s)
{
    json_error_t why;
    json_t *root = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &why);
    struct checkpoint_state found = {0};
    const int err = json_is_object(root) ? read_fields(root, &found) : ERR_DATA;
    if (err)
        log_error("%s: not a state of a checkpoint%s%s", path, root ? "" : ": ",
                  root ? "" : why.text);
    else
        *s = found;
    json_decref(root);
    return err;
}
