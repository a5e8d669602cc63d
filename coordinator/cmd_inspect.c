/* cmd_inspect.c - `lockstep inspect`: what is in a run, a checkpoint, data, a
 * safetensors file, a journal. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/journal.h"
#include "checkpoint/run_dir.h"
#include "checkpoint/safetensors.h"
#include "coordinator/command.h"
#include "coordinator/inspect.h"
#include "data/dataset.h"

struct inspecting {
    const char **path;
    size_t n;
    bool tensors;
};

static const struct argp_option options[] = {
    {"tensors", 'T', 0, 0, "list the tensors of a checkpoint or safetensors file", 0},
    {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct inspecting *i = state->input;
    switch (key) {
    case 'T':
        i->tensors = true;
        return 0;
    case ARGP_KEY_ARG:
        i->path = mem_resize(i->path, (i->n + 1) * sizeof *i->path);
        i->path[i->n++] = argument;
        return 0;
    case ARGP_KEY_END:
        if (i->n == 0)
            argp_error(state, "no PATH is given");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    options,
    parse,
    "PATH...",
    "Says what is in a run directory, a checkpoint, a data folder, a token or "
    "pairs file, a safetensors file or a journal, "
    "and verifies its checksums.\v"
    "Exit code 65 when something is damaged.\n\n"
    "Examples:\n"
    "  lockstep inspect run\n"
    "  lockstep inspect run/checkpoints/step-00002000 --tensors\n"
    "  lockstep inspect data/train.tokens\n"
    "  lockstep inspect run/journal | tail\n",
    0,
    0,
    0};

/* --- files -----------------------------------------------------------------------------
 */

struct tensor_sums {
    uint64_t n, elements;
    bool print;
};

static void add_tensor(void *ctx, const struct safetensor *t)
{
    struct tensor_sums *s = ctx;
    uint64_t count = 1;
    char shape[128] = "";
    size_t at = 0;
    for (size_t d = 0; d < t->rank; d++) {
        count *= t->dims[d];
        at += (size_t)snprintf(shape + at, sizeof shape - at, "%s%zu", d ? " x " : "",
                               t->dims[d]);
    }
    if (s->print)
        printf("  %-44s %s\n", t->name, shape);
    s->n++;
    s->elements += count;
}

static int inspect_tensors(const char *path, bool list)
{
    struct tensor_sums s = {.print = list};
    TRY(safetensors_list(path, add_tensor, &s));
    printf("%s: %llu tensors, %llu elements\n", path, (unsigned long long)s.n,
           (unsigned long long)s.elements);
    return ERR_OK;
}

static void print_record(void *ctx, const struct journal_record *r)
{
    static const char *const kinds[] = {"?",          "start", "commit",  "evaluation",
                                        "checkpoint", "end",   "skipped", "spike-loss",
                                        "spike-norm", "rewind"};
    (void)ctx;
    printf("%-10s term %llu step %llu", kinds[r->kind], (unsigned long long)r->term,
           (unsigned long long)r->step);
    if (r->kind == JOURNAL_COMMIT)
        printf("  loss %.6f  rate %.3e  norm %.4g  clip %.3f  targets %llu", r->loss,
               r->rate, r->norm, r->clip, (unsigned long long)r->targets);
    if (r->kind == JOURNAL_SPIKE_LOSS || r->kind == JOURNAL_SPIKE_NORM)
        printf("  loss %.6f  norm %.4g  z %.2f", r->loss, r->norm, r->clip);
    if (r->kind == JOURNAL_REWIND)
        printf("  loss %.6f  usually %.6f  data offset %llu  rate times %g", r->loss,
               r->norm, (unsigned long long)r->targets, r->rate);
    if (r->kind == JOURNAL_EVALUATION)
        printf("  held-out loss %.6f  targets %llu", r->loss,
               (unsigned long long)r->targets);
    if (r->kind == JOURNAL_END)
        printf("  exit code %llu", (unsigned long long)r->targets);
    putchar('\n');
}

static int inspect_journal(const char *path)
{
    char *dir = mem_strdup(path), *slash = strrchr(dir, '/');
    if (slash)
        *slash = '\0';
    const int err = journal_read(slash ? dir : ".", print_record, NULL);
    mem_free(dir);
    return err;
}

/* --- folders
 * ---------------------------------------------------------------------------- */

static int inspect_checkpoint(const char *dir, bool tensors)
{
    struct checkpoint_state s;
    TRY(checkpoint_verify(dir));
    TRY(checkpoint_read_state(dir, &s));
    printf("%s: checkpoint, checksums are right\n", dir);
    inspect_count("step", s.step);
    inspect_count("term", s.term);
    inspect_count("vocabulary", s.vocab);
    const struct validation_mark *m = &s.validation.mark[VALIDATION_HELD_OUT_LOSS];
    inspect_number("held-out loss", m->last);
    inspect_number("best held-out loss", m->best);
    inspect_count("evaluations since", m->stale);
    const struct validation_mark *bleu = &s.validation.mark[VALIDATION_BLEU];
    if (isfinite(bleu->best)) {
        inspect_number("BLEU", bleu->last);
        inspect_number("best BLEU", bleu->best);
    }
    inspect_count("turns", s.guard.turns.n);
    inspect_count("data offset", turns_newest(&s.guard.turns).offset);
    inspect_row("written by version", s.version);
    char *path = file_join(dir, "model.safetensors");
    const int err = inspect_tensors(path, tensors);
    mem_free(path);
    return err;
}

static int inspect_run(const char *dir)
{
    struct run_status s;
    TRY(run_status_read(dir, &s));
    char text[UNITS_TEXT];
    printf("%s: run, %s%s%s\n", dir, s.state, *s.message ? ": " : "", s.message);
    printf("  %-22s %llu of %llu\n", "step", (unsigned long long)s.step,
           (unsigned long long)s.steps);
    inspect_number("loss", s.loss);
    inspect_number("held-out loss", s.held_out_loss);
    inspect_number("best held-out loss", s.best_held_out_loss);
    if (isfinite(s.best_bleu)) {
        inspect_number("BLEU", s.bleu);
        inspect_number("best BLEU", s.best_bleu);
    }
    inspect_row("tokens per second", isfinite(s.tokens_per_second)
                                         ? units_print_count(text, s.tokens_per_second)
                                         : "-");
    inspect_count("workers", s.workers);
    inspect_count("exit code", (uint64_t)s.exit_code);
    uint64_t *steps;
    size_t n;
    TRY(checkpoint_list(dir, &steps, &n));
    int worst = ERR_OK;
    for (size_t i = 0; i < n; i++) {
        char *path = checkpoint_path(dir, steps[i]);
        const int err = checkpoint_verify(path);
        printf("  %-22s %llu %s\n", i ? "" : "checkpoints", (unsigned long long)steps[i],
               err ? "DAMAGED" : "good");
        worst = err ? err : worst;
        mem_free(path);
    }
    mem_free(steps);
    return worst;
}

static bool has(const char *dir, const char *name)
{
    char *path = file_join(dir, name);
    const bool there = file_exists(path);
    mem_free(path);
    return there;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static int inspect(const char *path, bool tensors)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        log_error("%s: no such file or directory", path);
        return ERR_NO_FILE;
    }
    if (!S_ISDIR(st.st_mode)) {
        if (ends_with(path, ".safetensors"))
            return inspect_tensors(path, true);
        return ends_with(path, "journal") ? inspect_journal(path)
                                          : inspect_data_file(path);
    }
    if (has(path, "status.json"))
        return inspect_run(path);
    if (has(path, DATASET_TRAIN) || has(path, DATASET_TRAIN_PAIRS))
        return inspect_data(path);
    return inspect_checkpoint(path, tensors);
}

int command_inspect(int argc, char **argv)
{
    struct inspecting in = {0};
    int code = command_parse(&argp, argc, argv, 0, &in);
    for (size_t i = 0; i < in.n && !code; i++)
        code = err_exit_code(inspect(in.path[i], in.tensors));
    mem_free(in.path);
    return code;
}
