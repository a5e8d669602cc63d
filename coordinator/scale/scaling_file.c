#include "coordinator/scale/scaling_file.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

enum { LARGEST_FILE = 64 << 20, MOST = 4095 };

/* The numbers of a run, as the file names them. */
static const struct field {
    const char *name;
    size_t offset;
} fields[] = {
#define FIELD(name, member)                                                              \
    {                                                                                    \
        name, offsetof(struct scaling_run, member)                                       \
    }
    FIELD("time", wall),
    FIELD("seconds", seconds),
    FIELD("tokens_per_second", tokens_per_second),
    FIELD("computing", step.computing),
    FIELD("gathering", step.gathering),
    FIELD("updating", step.updating),
    FIELD("received", step.received),
    FIELD("sent", step.sent),
    FIELD("flops_per_token", flops_per_token),
    FIELD("thread_flops", thread_flops),
#undef FIELD
};
enum { FIELDS = sizeof fields / sizeof *fields };

char *scaling_key_text(uint64_t key, char text[SCALING_KEY])
{
    snprintf(text, SCALING_KEY, "%016" PRIx64, key);
    return text;
}

json_t *scaling_run_json(const struct scaling_run *run)
{
    char key[SCALING_KEY];
    json_t *json =
        json_pack("{s:s, s:i, s:i, s:s, s:i}", "key", scaling_key_text(run->key, key),
                  "workers", run->workers, "repeat", run->repeat, "name", run->name,
                  "most_on_host", run->most_on_host);
    for (size_t i = 0; i < FIELDS; i++) {
        double value;
        memcpy(&value, (const char *)run + fields[i].offset, sizeof value);
        json_object_set_new(json, fields[i].name,
                            isfinite(value) ? json_real(value) : json_null());
    }
    if (run->slow.worker)
        json_object_set_new(json, "slowest",
                            json_pack("{s:i, s:s, s:f}", "worker", run->slow.worker,
                                      "host", run->slow.host, "share", run->slow.share));
    return json;
}

/* --- and back --- */

static bool take_count(const json_t *json, const char *name, unsigned *value)
{
    const json_t *n = json_object_get(json, name);
    if (!json_is_integer(n) || json_integer_value(n) < 1 || json_integer_value(n) > MOST)
        return false;
    *value = (unsigned)json_integer_value(n);
    return true;
}

static bool take_text(const json_t *json, const char *name, char text[SCALING_NAME])
{
    const char *value = json_string_value(json_object_get(json, name));
    if (!value || strlen(value) >= SCALING_NAME)
        return false;
    for (const char *c = value; *c; c++)
        if ((unsigned char)*c < ' ')
            return false;
    strcpy(text, value);
    return true;
}

/* NAN: it was not known. */
static bool take_number(const json_t *json, const char *name, double *value)
{
    const json_t *n = json_object_get(json, name);
    *value = json_is_null(n) ? NAN : json_number_value(n);
    return json_is_null(n) || (json_is_number(n) && isfinite(*value) && *value >= 0);
}

static bool take_key(const json_t *json, uint64_t *key)
{
    const char *text = json_string_value(json_object_get(json, "key"));
    if (!text || strlen(text) != SCALING_KEY - 1 ||
        strspn(text, "0123456789abcdef") != SCALING_KEY - 1)
        return false;
    *key = strtoull(text, NULL, 16);
    return true;
}

static bool take_slow(const json_t *json, struct scaling_slow *slow)
{
    return !json || (take_count(json, "worker", &slow->worker) &&
                     take_text(json, "host", slow->host) &&
                     take_number(json, "share", &slow->share));
}

static bool take_run(const json_t *json, struct scaling_run *run)
{
    *run = (struct scaling_run){0};
    for (size_t i = 0; i < FIELDS; i++) {
        double value;
        if (!take_number(json, fields[i].name, &value))
            return false;
        memcpy((char *)run + fields[i].offset, &value, sizeof value);
    }
    return take_key(json, &run->key) && take_count(json, "workers", &run->workers) &&
           take_count(json, "repeat", &run->repeat) &&
           take_count(json, "most_on_host", &run->most_on_host) &&
           take_text(json, "name", run->name) && run->tokens_per_second > 0 &&
           take_slow(json_object_get(json, "slowest"), &run->slow);
}

static int refuse(const char *path, const char *what)
{
    log_error(
        "%s: %s; it was damaged, or is none of `lockstep scale`: --again overwrites "
        "it, or name another folder with --out",
        path, what);
    return ERR_DATA;
}

static int take_runs(const json_t *list, const char *path,
                     bool (*wanted)(void *ctx, const struct scaling_run *run), void *ctx,
                     struct scaling_run *run, size_t *n, json_t *others)
{
    const size_t all = json_array_size(list);
    for (size_t i = 0; i < all; i++) {
        json_t *json = json_array_get(list, i);
        if (!take_run(json, &run[*n]))
            return refuse(path, "a run in it is not as it should be");
        if (wanted(ctx, &run[*n]))
            ++*n;
        else
            json_array_append(others, json);
    }
    return ERR_OK;
}

static int read_json(const char *path, json_t **json)
{
    char *text;
    size_t bytes;
    json_error_t at;
    TRY(file_read(path, LARGEST_FILE, &text, &bytes));
    *json = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &at);
    mem_free(text);
    return *json ? ERR_OK : refuse(path, at.text);
}

int scaling_file_read(const char *path,
                      bool (*wanted)(void *ctx, const struct scaling_run *run), void *ctx,
                      struct scaling_run **run, size_t *n, json_t **others)
{
    json_t *json;
    *run = NULL;
    *n = 0;
    *others = json_array();
    if (!file_exists(path))
        return ERR_OK;
    TRY(read_json(path, &json));
    const json_t *list = json_object_get(json, "runs");
    int err = ERR_OK;
    if (json_integer_value(json_object_get(json, "format")) != SCALING_FORMAT ||
        !json_is_array(list))
        err = refuse(path, "it has no format 1, or no runs");
    *run = mem_alloc((json_array_size(list) + 1) * sizeof **run);
    if (!err)
        err = take_runs(list, path, wanted, ctx, *run, n, *others);
    json_decref(json);
    return err;
}
