#include "coordinator/scale/scale_runs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "coordinator/scale/scaling_file.h"
#include "coordinator/trial.h"

/* --- what there is --- */

static bool is_planned(void *ctx, const struct scaling_run *run)
{
    const struct scale_plan *p = ((const struct scale_runs *)ctx)->plan;
    for (size_t i = 0; i < p->n; i++)
        if (p->config[i].key == run->key)
            return true;
    return false;
}

int scale_runs_open(struct scale_runs *r, bool again)
{
    char *runs = file_join(r->out, "runs"), *path = file_join(r->out, "scale.json");
    int err = file_make_dirs(runs);
    if (!err)
        err = scaling_file_read(path, is_planned, r, &r->run, &r->n, &r->others);
    if (again) {
        r->n = 0;
        err = err == ERR_DATA ? ERR_OK : err;
    }
    mem_free(path);
    mem_free(runs);
    r->kept = r->n;
    return err;
}

void scale_runs_close(struct scale_runs *r)
{
    mem_free(r->run);
    mem_free(r->failure);
    json_decref(r->others);
}

static bool is_made(const struct scale_runs *r, uint64_t key, unsigned repeat)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->run[i].key == key && r->run[i].repeat == repeat)
            return true;
    return false;
}

/* Is there no point before it with its key? */
static bool is_first(const struct scale_plan *p, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (p->config[j].key == p->config[i].key)
            return false;
    return true;
}

/* It failed and never succeeded. */
static bool is_hopeless(const struct scale_runs *r, uint64_t key)
{
    bool failed = false;
    for (size_t i = 0; i < r->failures; i++)
        failed |= r->failure[i].config.key == key;
    for (size_t i = 0; i < r->n; i++)
        failed &= r->run[i].key != key;
    return failed;
}

static bool is_wanted(const struct scale_runs *r, size_t i, unsigned repeat)
{
    const uint64_t key = r->plan->config[i].key;
    return is_first(r->plan, i) && !is_made(r, key, repeat) && !is_hopeless(r, key);
}

/* How many runs are to be made from this one on, without it: @i of @repeat. */
static size_t left_after(const struct scale_runs *r, size_t i, unsigned repeat)
{
    size_t left = 0;
    for (unsigned k = repeat; k <= r->repeats; k++)
        for (size_t j = k == repeat ? i + 1 : 0; j < r->plan->n; j++)
            left += is_wanted(r, j, k);
    return left;
}

/* --- one run --- */

struct files {
    char *log, *jsonl; /* in OUT/runs */
    char *made;        /* log.jsonl of the trial */
};

static void files_init(struct files *f, const struct scale_runs *r, const char *name)
{
    char path[SCALING_NAME + 16];
    snprintf(path, sizeof path, "runs/%s.log", name);
    f->log = file_join(r->out, path);
    snprintf(path, sizeof path, "runs/%s.jsonl", name);
    f->jsonl = file_join(r->out, path);
    f->made = file_join(r->asked->scratch, "log.jsonl");
    unlink(f->log);
    unlink(f->jsonl);
}

static void files_fini(struct files *f)
{
    mem_free(f->log);
    mem_free(f->jsonl);
    mem_free(f->made);
}

static bool look(void *ctx)
{
    (void)ctx;
    return true; /* it ends by itself */
}

/* *code: its exit code.  Its log is kept, whatever became of it. */
static int train(const struct scale_runs *r, size_t i, const struct files *f, int *code)
{
    const struct command_conf *words = &r->plan->words[i].conf;
    const struct trial_options o = {.workers = r->plan->config[i].workers,
                                    .hostfile = r->asked->hostfile,
                                    .file = words->file,
                                    .words = words->words,
                                    .n = words->n,
                                    .launch = r->launch,
                                    .launch_n = r->launch_n,
                                    .log = f->log,
                                    .run_dir = r->asked->scratch};
    struct trial trial;
    TRY(trial_scratch_clear(r->out, r->asked->scratch));
    TRY(trial_start(&trial, &o));
    *code = trial_wait(&trial, look, NULL);
    if (rename(f->made, f->jsonl) != 0 && errno != ENOENT) {
        log_error("could not move %s to %s: %s", f->made, f->jsonl, strerror(errno));
        return ERR_IO;
    }
    return file_remove_tree(r->asked->scratch);
}

static void note_failure(struct scale_runs *r, size_t i, unsigned repeat,
                         const char *name, int code, const char *why)
{
    r->failure = mem_resize(r->failure, (r->failures + 1) * sizeof *r->failure);
    struct scaling_failure *f = &r->failure[r->failures++];
    *f = (struct scaling_failure){.config = r->plan->config[i], .repeat = repeat};
    if (code)
        snprintf(f->why, sizeof f->why, "exit code %d", code);
    else
        snprintf(f->why, sizeof f->why, "%s", why);
    snprintf(f->log, sizeof f->log, "runs/%s.log", name);
    r->failed_code = code ? code : err_exit_code(ERR_NO_PROGRESS);
    log_warn("%s: run %u failed: %s; see %s/%s; the others go on", name, repeat, f->why,
             r->out, f->log);
}

static void say(const struct scale_runs *r, const struct scaling_run *run, size_t left)
{
    char rate[UNITS_TEXT], took[UNITS_TEXT], rest[UNITS_TEXT];
    units_print_duration(rest, r->seconds / (double)r->made * (double)left);
    log_info("%s: %s tokens/s, in %s; %zu run%s left%s%s", run->name,
             units_print_count(rate, run->tokens_per_second),
             units_print_duration(took, run->seconds), left, left == 1 ? "" : "s",
             left ? ", about " : "", left ? rest : "");
}

static void take(struct scale_runs *r, const struct scaling_run *run, size_t left)
{
    r->seconds += run->seconds;
    r->made++;
    r->run = mem_resize(r->run, (r->n + 1) * sizeof *r->run);
    r->run[r->n++] = *run;
    say(r, run, left);
}

/* *good: it ended well, and its log counts.  Else *code or @why says what is wrong. */
static int measure(const struct scale_runs *r, size_t i, struct scaling_run *run,
                   bool *good, int *code, char why[SCALING_WHY])
{
    struct files files;
    files_init(&files, r, run->name);
    const double start = clock_seconds();
    const int err = train(r, i, &files, code);
    run->seconds = clock_seconds() - start;
    *good = !err && *code == 0 &&
            scaling_log_read(files.jsonl, r->asked->length, r->plan->config[i].threads,
                             run, why) == ERR_OK;
    files_fini(&files);
    return err;
}

static int make_one(struct scale_runs *r, size_t i, unsigned repeat)
{
    const struct scaling_config *c = &r->plan->config[i];
    struct scaling_run run = {
        .key = c->key, .workers = c->workers, .repeat = repeat, .wall = clock_wall()};
    char why[SCALING_WHY] = "it left no log";
    int code = 0;
    bool good = false;
    snprintf(run.name, sizeof run.name, "%s-n%u-r%u", scaling_mode_name(c->mode),
             c->workers, repeat);
    TRY(measure(r, i, &run, &good, &code, why));
    r->stopped = trial_asked() > 0;
    if (good)
        take(r, &run, left_after(r, i, repeat));
    else if (!r->stopped)
        note_failure(r, i, repeat, run.name, code, why);
    return ERR_OK;
}

int scale_runs_make(struct scale_runs *r, int (*save)(void *ctx), void *ctx)
{
    for (unsigned repeat = 1; repeat <= r->repeats; repeat++)
        for (size_t i = 0; i < r->plan->n; i++) {
            if (!is_wanted(r, i, repeat))
                continue;
            TRY(make_one(r, i, repeat));
            TRY(save(ctx));
            if (r->stopped)
                return ERR_OK;
        }
    return ERR_OK;
}
