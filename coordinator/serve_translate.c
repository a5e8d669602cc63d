#include "base/err.h"
#include "base/log.h"
#include "coordinator/document.h"
#include "coordinator/serve_parts.h"

/* --- from a worker -------------------------------------------------------------------
 */

static int refuse(const struct peer *p, const struct message *m, const char *what,
                  uint64_t value, uint64_t expected)
{
    log_error(
        "%s: its translations of held-out slice %u have %s %llu, expected %llu; its "
        "connection is closed",
        p->name, m->evaluated.first, what, (unsigned long long)value,
        (unsigned long long)expected);
    return ERR_MALFORMED;
}

/* Also those that come late: the slices of all evaluations are the same.  Losses have no
 * sentences, and what nobody asked for is refused by the core. */
int serve_check_translated(const struct serve *s, const struct peer *p,
                           const struct message *m)
{
    const uint32_t v = m->evaluated.first, slices = s->supply.held_out_slices;
    if (m->evaluated.sentences == 0 || (!s->scorer && !s->o.document))
        return ERR_OK;
    if (v >= slices)
        return refuse(p, m, "a number of", v, slices);
    const uint64_t sentences = supply_held_out_sequences(&s->supply, v);
    if (m->evaluated.sentences != sentences)
        return refuse(p, m, "sentences:", m->evaluated.sentences, sentences);
    for (size_t i = 0; i < m->evaluated.words; i++)
        if (m->evaluated.tokens[i] >= s->supply.vocab)
            return refuse(p, m, "a token", m->evaluated.tokens[i], s->supply.vocab - 1);
    return ERR_OK;
}

void serve_translated(struct serve *s, const struct action *a, const struct message *m)
{
    if (s->o.document)
        document_take(s->o.document, a->first, m->evaluated.lengths, m->evaluated.tokens);
    else
        scorer_take(s->scorer, a->first, m->evaluated.lengths, m->evaluated.tokens);
}

/* --- the score -----------------------------------------------------------------------
 */

static void score(void *ctx)
{
    struct serve *s = ctx;
    s->bleu = scorer_bleu(s->scorer);
    scorer_begin(s->scorer);
}

static void scored(void *ctx)
{
    struct serve *s = ctx;
    serve_feed(s, (struct event){.kind = EVENT_SCORED, .bleu = s->bleu});
}

void serve_score(struct serve *s)
{
    background_run(s->updater, score, scored, s);
}
