#include "base/err.h"
#include "base/log.h"
#include "coordinator/command.h"
#include "coordinator/document.h"
#include "coordinator/translation.h"

/* A worker is told translate.*, and says the best translation of each line. */
static int check(const struct translate_job *g)
{
    const char *what = g->how.best > 1  ? "--n-best"
                       : g->page.scores ? "--scores"
                       : g->no_unknown  ? "--no-unknown"
                       : g->how.beam.shortest != translate_defaults(0).beam.shortest
                           ? "--min-length"
                           : NULL;
    if (!what)
        return ERR_OK;
    log_error("%s is for one process; leave it out, or start without mpirun", what);
    return ERR_INVALID;
}

static struct conf conf_of(const struct translate_job *g)
{
    struct conf c = g->with.conf;
    c.run.log_level = LEVEL_INFO;
    c.train.batch = c.train.slices = 1;
    c.train.ramp = 0;
    c.train.batch_tokens = (double)g->page.batch_tokens;
    c.augment = (struct conf_augment){0};
    c.cluster.threads = g->threads;
    c.translate.bleu = false;
    c.translate.beam = (uint32_t)g->how.beam.beam;
    c.translate.alpha = g->how.beam.alpha;
    c.translate.max_length = (uint32_t)g->how.longest;
    c.translate.max_ratio = g->how.ratio;
    return c;
}

static void on_written(void *ctx)
{
    translation_show(ctx);
}

static int on_end(void *ctx, int err)
{
    struct translate_job *g = ctx;
    translation_report(g, err == ERR_STOPPED);
    return translation_close_files(g, err);
}

static int read_all(struct translate_job *g, struct document **d)
{
    const struct document_options o = {.page = &g->page,
                                       .tokenizer = g->with.tokenizer,
                                       .end = g->how.beam.end,
                                       .out = g->out,
                                       .counts = &g->counts,
                                       .on_written = on_written,
                                       .on_end = on_end,
                                       .ctx = g};
    return document_read(&o, &g->reader, d);
}

static int coordinate(struct translate_job *g)
{
    static struct conf conf;
    struct cluster_job job = {.conf = &conf, .eval_only = true, .ema = g->from.ema};
    conf_init(&conf);
    g->from.no_parameters =
        true; /* those of the coordinator's store are translated with */
    job.err = check(g);
    if (!job.err)
        job.err = translation_open(g);
    if (!job.err) {
        conf = conf_of(g);
        job.checkpoint = g->with.dir;
        job.err = read_all(g, &job.document);
    }
    if (!job.err && document_slices(job.document) == 0)
        job.err = document_end(job.document, ERR_OK);
    const int code = cluster_run(&job);
    document_free(job.document);
    trained_close(&g->with);
    return code;
}

int translation_shared(struct translate_job *g, bool coordinator)
{
    static struct conf conf;
    if (coordinator)
        return coordinate(g);
    conf_init(&conf);
    conf.cluster.threads = g->threads;
    return cluster_run(&(struct cluster_job){.conf = &conf, .eval_only = true});
}
