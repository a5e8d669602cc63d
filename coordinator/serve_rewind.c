#include "base/failpoint.h"
#include "base/log.h"
#include "base/mem.h"
#include "coordinator/serve_parts.h"

/* In the order in which it may end at any point: resume.h. */
static void go_back(void *ctx)
{
    struct serve *s = ctx;
    recorder_sync(s->recorder);
    FAILPOINT("rewind.recorded");
    mem_free(s->resume.dir);
    s->rewind_err = resume_back(s->o.conf, &s->turns, &s->vocabulary, &s->model,
                                &s->store, &s->resume);
}

static void gone_back(void *ctx)
{
    struct serve *s = ctx;
    const struct coordinator_from from = resume_from(&s->resume);
    if (!s->rewind_err) {
        log_info("going on from %s",
                 s->resume.found ? s->resume.dir : "the initial parameters");
        recorder_rewound(s->recorder, &from);
    }
    serve_feed(
        s, (struct event){.kind = EVENT_REWOUND, .from = &from, .err = s->rewind_err});
}

void serve_rewind(struct serve *s, const struct action *a)
{
    parcels_reset(s->parcels);
    recorder_rewind(s->recorder, a);
    s->turns = s->core.guard.turns;
    store_leave(&s->store); /* it may still be sent */
    background_run(s->updater, go_back, gone_back, s);
}
