/* status.c - status.json of a run directory (run_dir.h). */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "checkpoint/run_dir.h"

enum { STATUS_MAX = 64 << 10 };

/* The numbers of a status, one row each. */
static const struct {
    const char *key;
    size_t offset;
    enum { WHOLE, NUMBER } kind;
} rows[] = {
    {"step", offsetof(struct run_status, step), WHOLE},
    {"steps", offsetof(struct run_status, steps), WHOLE},
    {"loss", offsetof(struct run_status, loss), NUMBER},
    {"held_out_loss", offsetof(struct run_status, held_out_loss), NUMBER},
    {"best_held_out_loss", offsetof(struct run_status, best_held_out_loss), NUMBER},
    {"best_step", offsetof(struct run_status, best_step), WHOLE},
    {"bleu", offsetof(struct run_status, bleu), NUMBER},
    {"best_bleu", offsetof(struct run_status, best_bleu), NUMBER},
    {"best_bleu_step", offsetof(struct run_status, best_bleu_step), WHOLE},
    {"learning_rate", offsetof(struct run_status, rate), NUMBER},
    {"gradient_norm", offsetof(struct run_status, norm), NUMBER},
    {"tokens_per_second", offsetof(struct run_status, tokens_per_second), NUMBER},
    {"seconds_left", offsetof(struct run_status, seconds_left), NUMBER},
    {"started", offsetof(struct run_status, started), NUMBER},
    {"updated", offsetof(struct run_status, updated), NUMBER},
};

enum { ROWS = sizeof rows / sizeof *rows };

/* A message may have been cut in the middle of a character, which is no JSON. */
static json_t *text_or_less(const char *text)
{
    json_t *j;
    for (size_t n = strlen(text); !(j = json_stringn(text, n)) && n > 0; n--)
        ;
    return j;
}

int run_status_write(const char *run_dir, const struct run_status *s)
{
    json_t *root = json_pack("{s:o}", "state", text_or_less(s->state));
    for (int i = 0; i < ROWS; i++) {
        const char *field = (const char *)s + rows[i].offset;
        const double x =
            rows[i].kind == NUMBER ? *(const double *)(const void *)field : 0;
        json_object_set_new(
            root, rows[i].key,
            rows[i].kind == WHOLE
                ? json_integer((json_int_t) * (const uint64_t *)(const void *)field)
            : isfinite(x) ? json_real(x)
                          : json_null());
    }
    json_object_set_new(root, "workers", json_integer(s->workers));
    json_object_set_new(root, "exit_code", json_integer(s->exit_code));
    json_object_set_new(root, "message", text_or_less(s->message));
    json_object_set_new(root, "pid", json_integer(s->pid));
    json_object_set_new(root, "host", text_or_less(s->host));
    json_object_set_new(root, "version", json_string(LOCKSTEP_VERSION));
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    json_decref(root);
    char *path = file_join(run_dir, "status.json");
    const int err = text ? file_replace(path, text, strlen(text)) : ERR_INVALID;
    mem_free(path);
    free(text);
    return err;
}

static void read_fields(const json_t *root, struct run_status *s)
{
    *s = (struct run_status){0};
    const char *text = json_string_value(json_object_get(root, "state"));
    snprintf(s->state, sizeof s->state, "%s", text ? text : "");
    text = json_string_value(json_object_get(root, "message"));
    snprintf(s->message, sizeof s->message, "%s", text ? text : "");
    text = json_string_value(json_object_get(root, "host"));
    snprintf(s->host, sizeof s->host, "%s", text ? text : "");
    for (int i = 0; i < ROWS; i++) {
        char *field = (char *)s + rows[i].offset;
        const json_t *j = json_object_get(root, rows[i].key);
        if (rows[i].kind == WHOLE)
            *(uint64_t *)(void *)field = (uint64_t)json_integer_value(j);
        else
            *(double *)(void *)field = json_is_number(j) ? json_number_value(j) : NAN;
    }
    s->workers = (uint32_t)json_integer_value(json_object_get(root, "workers"));
    s->exit_code = (int)json_integer_value(json_object_get(root, "exit_code"));
    s->pid = (long)json_integer_value(json_object_get(root, "pid"));
}

int run_status_read(const char *run_dir, struct run_status *s)
{
    char *path = file_join(run_dir, "status.json"), *text;
    size_t bytes;
    int err =
        file_exists(path) ? file_read(path, STATUS_MAX, &text, &bytes) : ERR_NO_FILE;
    if (!err) {
        json_error_t why;
        json_t *root = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &why);
        if (json_is_object(root)) {
            read_fields(root, s);
        } else {
            log_error("%s: not a status: %s", path, root ? "no object" : why.text);
            err = ERR_DATA;
        }
        json_decref(root);
        mem_free(text);
    }
    mem_free(path);
    return err;
}
