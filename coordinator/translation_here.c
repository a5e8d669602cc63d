#include "base/err.h"
#include "coordinator/command.h"
#include "coordinator/translation.h"

static struct pool *new_pool(struct translate_job *g)
{
    const size_t context = g->page.context, tokens = g->page.batch_tokens;
    g->with.conf.cluster.threads = g->threads;
    return pool_new(&(struct pool_options){.model = &g->with.model,
                                           .theta = g->with.theta,
                                           .translate = g->how,
                                           .sentences = page_sentences(&g->page),
                                           .rows = tokens > context ? tokens : context,
                                           .threads = cluster_threads(&g->with.conf, 1)});
}

/* Waits for a page and writes it. */
static int finish(struct translate_job *g, struct page *p, struct pool *pool,
                  volatile sig_atomic_t *stop)
{
    while (!page_wait(p, pool, 100))
        if (*stop)
            pool_stop(pool);
    const int err = page_write(p, &g->page, g->with.tokenizer, g->out, &g->counts);
    page_fini(p);
    return err;
}

/* Pages on their way, at most two: while one is translated the next is read. */
struct pages {
    struct page page[2];
    size_t first, n; /* page[first % 2] is the oldest of n */
};

static void give_up(struct pages *p, struct pool *pool)
{
    pool_stop(pool);
    for (; p->n > 0; p->n--) {
        struct page *oldest = &p->page[p->first++ % 2];
        while (!page_wait(oldest, pool, 1000))
            ;
        page_fini(oldest);
    }
}

/* A page of one line is written before anybody waits for another.  What was wrong with a
 * line is told when those before it are written. */
static int translate_all(struct translate_job *g, struct pool *pool,
                         volatile sig_atomic_t *stop)
{
    const size_t ahead = g->page.lines == 1 ? 1 : 2;
    struct pages p = {.n = 0};
    int err = ERR_OK, bad = ERR_OK;
    while (!err) {
        if (p.n < ahead && !bad && !g->reader.at_end && !*stop) {
            struct page *next = &p.page[(p.first + p.n++) % 2];
            bad = page_read(next, &g->page, g->with.tokenizer, &g->reader, &g->counts);
            page_start(next, pool);
        } else if (p.n > 0) {
            err = finish(g, &p.page[p.first++ % 2], pool, stop);
            p.n--;
            translation_show(g);
        } else {
            break;
        }
    }
    give_up(&p, pool);
    translation_report(g, *stop);
    return err ? err : bad;
}

int translation_here(struct translate_job *g, volatile sig_atomic_t *stop)
{
    struct pool *pool = new_pool(g);
    const int err = translate_all(g, pool, stop);
    pool_free(pool);
    return err;
}
