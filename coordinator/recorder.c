#include "coordinator/recorder.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "checkpoint/journal.h"
#include "checkpoint/run_dir.h"
#include "metrics/metrics.h"
#include "metrics/progress.h"

enum { STATUS_EVERY_MS = 1000, ALIVE_EVERY_MS = 2000 };

/* A step that was committed before the job was lost. */
struct memory {
    bool known;
    double loss, rate, norm;
};

struct recorder {
    struct recorder_options o;
    struct journal *journal;
    struct jsonl *log;
    struct metrics metrics;
    struct roofline roofline;
    struct run_status status;
    uint64_t last_term, last_commit; /* of the journal so far; version it led to */
    struct memory *before;           /* [before_n], of the steps from o.version on */
    size_t before_n, checked;
    double committed_at; /* monotonic seconds */
    double pace; /* seconds of a step, an average of the last ones; NAN: none yet */
    uint64_t status_ms;
};

/* --- the journal so far
 * ------------------------------------------------------------------ */

/* The steps from @version on will be other ones. */
static void forget_from(struct recorder *r, uint64_t version)
{
    const size_t left = version > r->o.version ? version - r->o.version : 0;
    if (left < r->before_n)
        r->before_n = left;
    if (version < r->last_commit)
        r->last_commit = version;
}

static void remember(void *ctx, const struct journal_record *r)
{
    struct recorder *rec = ctx;
    if (r->term > rec->last_term)
        rec->last_term = r->term;
    if (r->kind == JOURNAL_REWIND)
        forget_from(rec, r->step);
    if (!journal_is_step(r->kind))
        return;
    if (r->step + 1 > rec->last_commit)
        rec->last_commit = r->step + 1;
    if (r->step < rec->o.version)
        return;
    const size_t i = r->step - rec->o.version;
    if (i > rec->before_n) /* steps have no gaps; a gap means another journal */
        return;
    if (i == rec->before_n) {
        rec->before = mem_resize(rec->before, (i + 1) * sizeof *rec->before);
        rec->before_n++;
    }
    rec->before[i] = (struct memory){true, r->loss, r->rate, r->norm};
}

static bool same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* A step computed again after a restart must come out the same, to the bit. */
static void compare_with_before(struct recorder *r, const struct action *a)
{
    const size_t i = a->step - r->o.version;
    if (i >= r->before_n || !same(r->before[i].rate, a->rate))
        return;
    if (!same(r->before[i].loss, a->loss) || !same(r->before[i].norm, a->norm))
        log_warn("step %llu was computed before and came out otherwise: loss %.17g then, "
                 "%.17g now; the data, the program or a machine has changed",
                 (unsigned long long)a->step, r->before[i].loss, a->loss);
    else
        r->checked++;
    if (i + 1 == r->before_n && r->checked)
        log_info("%zu steps computed again are the same as before, to the bit",
                 r->checked);
}

static void append(struct recorder *r, struct journal_record record)
{
    record.term = r->o.term;
    record.wall = clock_wall();
    journal_append(r->journal, &record); /* says once what is wrong; training goes on */
}

/* --- status
 * ------------------------------------------------------------------------------ */

static void write_status(struct recorder *r)
{
    r->status.updated = clock_wall();
    r->status_ms = clock_ms();
    run_status_write(r->o.run_dir, &r->status);
}

static void set_state(struct recorder *r, const char *state)
{
    snprintf(r->status.state, sizeof r->status.state, "%s", state);
    write_status(r);
}

static void show_validation(struct run_status *status, const struct validation *v)
{
    const struct validation_mark *loss = &v->mark[VALIDATION_HELD_OUT_LOSS];
    status->held_out_loss = loss->last;
    status->best_held_out_loss = loss->best;
    status->best_step = loss->best_step;
    const struct validation_mark *bleu = &v->mark[VALIDATION_BLEU];
    status->bleu = bleu->last;
    status->best_bleu = bleu->best;
    status->best_bleu_step = bleu->best_step;
}

int recorder_open(const struct recorder_options *o, struct recorder **out)
{
    struct recorder *r = mem_zalloc(sizeof *r);
    r->o = *o;
    metrics_unknown(&r->metrics);
    r->pace = NAN;
    char *path = file_join(o->run_dir, "log.jsonl");
    int err = jsonl_open(path, &r->log);
    mem_free(path);
    if (!err)
        err = journal_open(&disk_real, o->run_dir, remember, r, &r->journal);
    if (err) {
        recorder_close(r);
        return err;
    }
    FAILPOINT("resume.settled");
    if (r->o.term <= r->last_term)
        r->o.term = r->last_term + 1;
    r->status = (struct run_status){.step = o->version,
                                    .steps = o->steps,
                                    .loss = NAN,
                                    .rate = NAN,
                                    .norm = NAN,
                                    .tokens_per_second = NAN,
                                    .seconds_left = NAN,
                                    .started = clock_wall(),
                                    .pid = getpid()};
    show_validation(&r->status, o->validation);
    gethostname(r->status.host, sizeof r->status.host - 1);
    if (o->version > 0 && r->last_commit < o->version)
        log_warn("the journal ends %llu steps before the checkpoint of step %llu that it "
                 "should know; it was cut, or is another's",
                 (unsigned long long)(o->version - r->last_commit),
                 (unsigned long long)o->version);
    append(r, (struct journal_record){.kind = JOURNAL_START, .step = o->version});
    journal_sync(r->journal); /* no term is used twice */
    FAILPOINT("resume.recorded");
    set_state(r, "starting");
    *out = r;
    return ERR_OK;
}

void recorder_close(struct recorder *r)
{
    if (r->journal)
        journal_close(r->journal);
    if (r->log)
        jsonl_close(r->log);
    mem_free(r->before);
    mem_free(r);
}

uint64_t recorder_term(const struct recorder *r)
{
    return r->o.term;
}

void recorder_running(struct recorder *r, uint32_t workers)
{
    char text[64];
    snprintf(text, sizeof text, "%u workers", workers);
    r->status.workers = workers;
    r->committed_at = clock_seconds();
    jsonl_write(r->log, "start", r->o.version, NULL, text);
    progress_start(r->o.log_every);
    set_state(r, "running");
}

/* An average over about the last 20 steps. */
static double average(double before, double now)
{
    return isfinite(before) ? before + (now - before) / 20 : now;
}

static void measure(struct recorder *r, const struct action *a,
                    const struct roofline_step *time)
{
    struct metrics *m = &r->metrics;
    const double now = clock_seconds(), seconds = now - r->committed_at;
    r->committed_at = now;
    m->loss = a->loss;
    m->rate = a->rate;
    m->norm = a->norm;
    m->clip = a->clip;
    m->tokens = (double)a->targets;
    uint64_t first, last;
    r->o.samples(r->o.ctx, a->data, &first, &last);
    m->first_sample = (double)first;
    m->last_sample = (double)last;
    r->pace = average(r->pace, seconds);
    m->seconds = seconds;
    m->computing = time->computing;
    m->gathering = time->gathering;
    m->updating = time->updating;
    m->received = time->received;
    m->sent = time->sent;
    m->tokens_per_second = m->tokens / r->pace;
    m->flops = m->tokens_per_second * r->o.flops_per_token;
    m->flops_share = m->flops / r->o.peak_flops;
    m->seconds_left = (double)(r->o.steps - a->version) * r->pace;
}

static void say_skipped(struct recorder *r, const struct action *a)
{
    char why[96] = "not finite", text[256];
    uint64_t first, last;
    r->o.samples(r->o.ctx, a->data, &first, &last);
    if (a->skipped != SKIP_NOT_FINITE)
        snprintf(why, sizeof why, "%s %.6g is %.3g standard deviations above the last",
                 a->skipped == SKIP_LOSS ? "loss" : "norm",
                 a->skipped == SKIP_LOSS ? a->loss : a->norm, a->z);
    snprintf(text, sizeof text,
             "%s: the update of step %llu was skipped, its samples are number "
             "%llu to %llu",
             why, (unsigned long long)a->step, (unsigned long long)first,
             (unsigned long long)last);
    log_warn("%s", text);
    jsonl_write(r->log, "skipped", a->version, NULL, text);
}

void recorder_commit(struct recorder *r, const struct action *a,
                     const struct roofline_step *time)
{
    if (a->skipped)
        say_skipped(r, a);
    static const uint32_t kinds[] = {[SKIP_NONE] = JOURNAL_COMMIT,
                                     [SKIP_NOT_FINITE] = JOURNAL_SKIPPED,
                                     [SKIP_LOSS] = JOURNAL_SPIKE_LOSS,
                                     [SKIP_NORM] = JOURNAL_SPIKE_NORM};
    append(r, (struct journal_record){.kind = kinds[a->skipped],
                                      .step = a->step,
                                      .targets = a->targets,
                                      .loss = a->loss,
                                      .rate = a->rate,
                                      .norm = a->norm,
                                      .clip = a->skipped ? a->z : a->clip});
    FAILPOINT("commit.recorded");
    compare_with_before(r, a);
    measure(r, a, time);
    roofline_add(&r->roofline, time);
    struct metrics now = r->metrics;
    now.held_out_loss = now.perplexity = now.bits_per_byte = NAN;
    jsonl_write(r->log, "step", a->version, &now, NULL);
    FAILPOINT("commit.logged");
    progress_step(a->version, r->o.steps, &r->metrics);
    r->status.step = a->version;
    r->status.loss = a->loss;
    r->status.rate = a->rate;
    r->status.norm = a->norm;
    r->status.tokens_per_second = r->metrics.tokens_per_second;
    r->status.seconds_left = r->metrics.seconds_left;
    if (clock_ms() - r->status_ms > STATUS_EVERY_MS)
        write_status(r);
    FAILPOINT("commit.done");
}

void recorder_statistics(struct recorder *r, uint64_t version, const struct statistics *s)
{
    jsonl_statistics(r->log, version, s);
}

void recorder_diverges(struct recorder *r, const struct action *a)
{
    char text[160];
    snprintf(
        text, sizeof text,
        "the loss diverges: %.5g on average over the last steps, more than %g standard "
        "deviations above %.5g",
        a->loss, a->sigma, a->usual);
    log_warn("step %llu: %s", (unsigned long long)a->version, text);
    jsonl_write(r->log, "divergence", a->version, NULL, text);
}

void recorder_rewind(struct recorder *r, const struct action *a)
{
    char text[256];
    uint64_t first, last;
    r->o.samples(r->o.ctx, a->version + a->data, &first, &last);
    snprintf(text, sizeof text,
             "%s: going back from step %llu to %llu, then on with samples number %llu to "
             "%llu and those of the steps after them, the rate times %g",
             a->reason, (unsigned long long)a->step, (unsigned long long)a->version,
             (unsigned long long)first, (unsigned long long)last, a->rate);
    log_warn("%s", text);
    append(r, (struct journal_record){.kind = JOURNAL_REWIND,
                                      .step = a->version,
                                      .targets = a->data,
                                      .loss = a->loss,
                                      .rate = a->rate,
                                      .norm = a->usual});
    jsonl_write(r->log, "rewind", a->step, NULL, text);
    forget_from(r, a->version);
}

void recorder_rewound(struct recorder *r, const struct coordinator_from *from)
{
    r->status.step = from->version;
    show_validation(&r->status, &from->validation);
    r->committed_at = clock_seconds();
    write_status(r);
}

/* What it is the best by, so far; NULL: nothing. */
static const char *best_of(const struct action *a)
{
    return a->best && a->best_bleu ? "best loss and BLEU"
           : a->best_bleu          ? "best BLEU"
           : !a->best              ? NULL
           : isnan(a->bleu)        ? "best"
                                   : "best loss";
}

void recorder_evaluated(struct recorder *r, const struct action *a)
{
    struct metrics m;
    metrics_unknown(&m);
    m.held_out_loss = a->loss;
    m.perplexity = exp(a->loss);
    m.bits_per_byte = a->loss / M_LN2 / r->o.held_out_bytes_per_token;
    m.bleu = a->bleu;
    append(r, (struct journal_record){.kind = JOURNAL_EVALUATION,
                                      .step = a->version,
                                      .targets = a->targets,
                                      .loss = a->loss});
    jsonl_write(r->log, "evaluation", a->version, &m, best_of(a));
    progress_evaluated(a->version, &m, best_of(a));
    r->committed_at = clock_seconds(); /* the next step's time is its own */
    r->status.held_out_loss = a->loss;
    r->status.bleu = a->bleu;
    if (a->best) {
        r->status.best_held_out_loss = a->loss;
        r->status.best_step = a->version;
    }
    if (a->best_bleu) {
        r->status.best_bleu = a->bleu;
        r->status.best_bleu_step = a->version;
    }
    write_status(r);
}

void recorder_checkpoint(struct recorder *r, uint64_t step, int err, double seconds,
                         double waited)
{
    char took[UNITS_TEXT], stood[UNITS_TEXT], text[2 * UNITS_TEXT + 64];
    if (err) {
        log_warn("checkpoint of step %llu was not written (%s); training goes on, the "
                 "older ones "
                 "are as they were",
                 (unsigned long long)step, err_text(err));
        jsonl_write(r->log, "checkpoint", step, NULL, err_text(err));
        return;
    }
    snprintf(text, sizeof text, "written in %s; training waited %s for it",
             units_print_duration(took, seconds), units_print_duration(stood, waited));
    log_debug("checkpoint of step %llu %s", (unsigned long long)step, text);
    jsonl_write(r->log, "checkpoint", step, NULL, text);
    append(r, (struct journal_record){.kind = JOURNAL_CHECKPOINT, .step = step});
    FAILPOINT("checkpoint.recorded");
}

void recorder_sync(struct recorder *r)
{
    journal_sync(r->journal); /* says once what is wrong; training goes on */
}

void recorder_event(struct recorder *r, const char *event, const char *text,
                    uint32_t workers)
{
    jsonl_write(r->log, event, r->status.step, NULL, text);
    r->status.workers = workers;
}

void recorder_alive(struct recorder *r)
{
    if (clock_ms() - r->status_ms > ALIVE_EVERY_MS)
        write_status(r);
}

static void say_roofline(struct recorder *r)
{
    char text[ROOFLINE_TEXT];
    if (!roofline_text(&r->roofline, r->metrics.flops_share, r->o.wire, text))
        return;
    log_info("%s", text);
    jsonl_write(r->log, "roofline", r->status.step, NULL, text);
}

void recorder_end(struct recorder *r, int err, const char *reason)
{
    progress_stop();
    say_roofline(r);
    append(r, (struct journal_record){.kind = JOURNAL_END,
                                      .step = r->status.step,
                                      .targets = (uint64_t)err_exit_code(err)});
    journal_sync(r->journal);
    FAILPOINT("end.recorded");
    jsonl_write(r->log, "end", r->status.step, NULL, reason);
    FAILPOINT("end.logged");
    r->status.exit_code = err_exit_code(err);
    r->status.seconds_left = err ? r->status.seconds_left : 0;
    snprintf(r->status.message, sizeof r->status.message, "%s", reason);
    set_state(r, err == ERR_OK ? "done" : err == ERR_STOPPED ? "stopped" : "failed");
    FAILPOINT("end.done");
}
