#include "checkpoint/state.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

/* Numbers of 64 bits as text: JSON's readers keep 53. */
static json_t *whole(uint64_t x)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)x);
    return json_string(text);
}

static json_t *number_or_null(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

char *state_pack(const struct checkpoint_state *s)
{
    json_t *root =
        json_pack("{s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:s}", "step", whole(s->step),
                  "term", whole(s->term), "fingerprint", whole(s->fingerprint), "vocab",
                  (json_int_t)s->vocab, "held_out_loss", number_or_null(s->held_out_loss),
                  "best_held_out_loss", number_or_null(s->best_held_out_loss),
                  "best_step", whole(s->best_step), "version", s->version);
    char *json = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    char *text = mem_strdup(json);
    free(json);
    json_decref(root);
    return text;
}

static int read_whole(const json_t *root, const char *key, uint64_t *x)
{
    const char *text = json_string_value(json_object_get(root, key));
    if (!text || *text < '0' || *text > '9')
        return ERR_DATA;
    char *end;
    *x = strtoull(text, &end, 10);
    return *end ? ERR_DATA : ERR_OK;
}

static int read_number(const json_t *root, const char *key, double *x)
{
    const json_t *j = json_object_get(root, key);
    if (!json_is_null(j) && !json_is_number(j))
        return ERR_DATA;
    *x = json_is_null(j) ? NAN : json_number_value(j);
    return ERR_OK;
}

static int read_fields(const json_t *root, struct checkpoint_state *s)
{
    TRY(read_whole(root, "step", &s->step));
    TRY(read_whole(root, "term", &s->term));
    TRY(read_whole(root, "fingerprint", &s->fingerprint));
    TRY(read_whole(root, "best_step", &s->best_step));
    TRY(read_number(root, "held_out_loss", &s->held_out_loss));
    TRY(read_number(root, "best_held_out_loss", &s->best_held_out_loss));
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
