/* The data by itself: survey.h. */
#include <math.h>

#include "doctor/checks.h"

enum { ENOUGH_PAIRS = 200, ENOUGH_TOKENS = 5000 };

static enum severity order_of_pairs(const struct survey *s, struct finding *f)
{
    const double least = 0.25; /* of sentences and their translations it is near 0.9 */
    if (s->count < ENOUGH_PAIRS || !(s->lengths < least))
        return SEVERITY_NONE;
    say_seen(f,
             "the lengths of sources and targets have a correlation of %.2f over %llu "
             "pairs; of translations it is about 0.9",
             s->lengths, (unsigned long long)s->count);
    say_change(f, "look at some pairs of train.pairs: line i of one file must be the "
                  "translation of line i of the other; prepare the data again");
    return SEVERITY_SEVERE;
}

static enum severity order_of_text(const struct survey *s, struct finding *f)
{
    const double least = 0.05; /* of the entropy; of texts it is 0.2 and more */
    if (s->count < ENOUGH_TOKENS || !(s->bigram < least * s->unigram))
        return SEVERITY_NONE;
    say_seen(f,
             "the token before tells %.3f nats of what comes next, of %.2f nats a token; "
             "of a text it is a fifth or more",
             fmax(s->bigram, 0), s->unigram);
    say_change(f, "look at the text: it seems to be shuffled; prepare the data again");
    return SEVERITY_SEVERE;
}

enum severity check_order(const struct patient *p, struct finding *f)
{
    const struct survey *s = p->survey;
    if (!s)
        return SEVERITY_NONE;
    return s->pairs ? order_of_pairs(s, f) : order_of_text(s, f);
}

enum severity check_leak(const struct patient *p, struct finding *f)
{
    const double some = 0.02, many = 0.1;
    const struct survey *s = p->survey;
    if (!s || !s->pairs || !(s->same + s->contained > some))
        return SEVERITY_NONE;
    say_seen(f, "%.1f %% of the targets are their source, %.1f %% a part of it",
             100 * s->same, 100 * s->contained);
    say_change(f, "leave such pairs out, or find out how the target came into the "
                  "source; prepare the data again");
    return s->same + s->contained > many ? SEVERITY_SEVERE : SEVERITY_WARNING;
}

enum severity check_known(const struct patient *p, struct finding *f)
{
    const double some = 0.02, many = 0.1;
    const struct survey *s = p->survey;
    if (!s || !(s->known > some))
        return SEVERITY_NONE;
    say_seen(f, "%.1f %% of the held-out %s are in the training data", 100 * s->known,
             s->pairs ? "pairs" : "windows of 50 tokens");
    say_change(f,
               "hold out what is not trained on: remove repeated %s before "
               "`lockstep prepare`, or name others with %s",
               s->pairs ? "pairs" : "text",
               s->pairs ? "--held-out-source and --held-out-target" : "--held-out");
    return s->known > many ? SEVERITY_SEVERE : SEVERITY_WARNING;
}

enum severity check_repeated(const struct patient *p, struct finding *f)
{
    const double some = 0.1, many = 0.3;
    const struct survey *s = p->survey;
    if (!s || !(s->repeated > some))
        return SEVERITY_NONE;
    say_seen(f, "%.1f %% of the training %s were there before", 100 * s->repeated,
             s->pairs ? "pairs" : "windows of 50 tokens");
    say_change(f, "remove repetitions before `lockstep prepare`");
    return s->repeated > many ? SEVERITY_SEVERE : SEVERITY_WARNING;
}
