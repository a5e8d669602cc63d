/* How the model starts, and what becomes of its layers. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "doctor/checks.h"

#define FIELD(name) offsetof(struct block_statistics, name)

/* --- the start --- */

enum severity check_depth(const struct patient *p, struct finding *f)
{
    const double much = 100, very_much = 1000; /* of orders of magnitude */
    const struct depth *g = &p->signs->gradient, *s = &p->signs->stream;
    const bool by_gradient = g->ratio > much || !(s->ratio > much);
    const struct depth *d = by_gradient ? g : s;
    if (!(d->ratio > much))
        return SEVERITY_NONE;
    say_seen(f, "%s is %.3g times as large at %s as at %s, at the first step",
             by_gradient ? "the gradient by the residual stream" : "the residual stream",
             d->ratio, block_name(p->course, d->high), block_name(p->course, d->low));
    say_change(f, "%s; or model.norm_place=%s",
               p->conf->model.norm_place == PLACE_NONE
                   ? "model.init=tfixup, which is made for norm_place none"
                   : "model.init_depth_scale=true, or model.init=gpt2",
               p->conf->model.norm_place == PLACE_PRE ? "deep" : "pre");
    return d->ratio > very_much ? SEVERITY_SEVERE : SEVERITY_WARNING;
}

/* Logits of a variance v make the expected loss of a guess ln V + v / 2. */
enum severity check_start(const struct patient *p, struct finding *f)
{
    const double off = 0.7, far = 2; /* nats above; post-norm with unit logits has 0.5 */
    const double below = 0.5;
    const double guess = log(p->vocab), first = p->signs->first;
    const bool from_start = p->course->steps > 0 && p->course->step[0].step == 1;
    if (!from_start || !isfinite(guess) || (first < guess + off && first > guess - below))
        return SEVERITY_NONE;
    say_seen(f, "loss %.3f at step 1; ln V = ln %.0f = %.3f", first, p->vocab, guess);
    if (first < guess) {
        say_change(f, "is the run new? if it goes on from other parameters, this is "
                      "well; if not, look for targets that the model can see");
        return SEVERITY_WARNING;
    }
    say_change(f, "%s: logits are as large as the embedding that makes them%s",
               p->conf->model.init_std > 0.05 ? "model.init_std=0.02" : "model.init=gpt2",
               p->conf->model.tied ? ", which the input shares" : "");
    return first > guess + far ? SEVERITY_SEVERE : SEVERITY_WARNING;
}

/* --- frozen --- */

/* Median over the examined steps of update / weight; 0 also where the weight is. */
static double tensor_ratio(const struct course *c, size_t tensor)
{
    double *ratio = mem_alloc(mem_mul(c->examined, sizeof *ratio));
    size_t n = 0;
    for (size_t i = 0; i < c->examined; i++) {
        const struct tensor_statistics *s = &c->statistics[i].tensor[tensor];
        if (isfinite(s->update) && isfinite(s->weight))
            ratio[n++] = s->weight > 0 ? s->update / s->weight : 0;
    }
    const double median = signs_median(ratio, n);
    mem_free(ratio);
    return median;
}

static bool is_frozen(const struct patient *p, double ratio)
{
    const double slower = 1e-3; /* than the others */
    return ratio <= slower * p->signs->ratio;
}

enum severity check_frozen(const struct patient *p, struct finding *f)
{
    enum { LEAST = 2, NAMED = 4 };
    const struct course *c = p->course;
    size_t frozen = 0;
    if (c->examined < LEAST || !(p->signs->ratio > 0))
        return SEVERITY_NONE;
    for (size_t i = 0; i < c->tensors; i++) {
        if (!signs_is_matrix(c->name[i]) || !is_frozen(p, tensor_ratio(c, i)))
            continue;
        if (frozen++ < NAMED)
            say_seen(f, "%s%s", frozen > 1 ? ", " : "", c->name[i]);
    }
    if (frozen == 0)
        return SEVERITY_NONE;
    if (frozen > NAMED)
        say_seen(f, " and %zu more matrices", frozen - NAMED);
    say_seen(f,
             ": updates less than a thousandth of those of the others (update / weight "
             "%.2g)",
             p->signs->ratio);
    if (*p->conf->train.freeze)
        say_change(f, "train.freeze has %s; remove it unless that is wanted",
                   p->conf->train.freeze);
    else
        say_change(f, "look at the gradient of these tensors: what lies between them and "
                      "the loss passes none on");
    return SEVERITY_SEVERE;
}

/* --- scales --- */

static double median_of_blocks(const double *value, size_t n)
{
    double *copy = mem_alloc(mem_mul(n, sizeof *copy));
    memcpy(copy, value, n * sizeof *copy);
    const double median = signs_median(copy, n);
    mem_free(copy);
    return median;
}

/* What each part adds, of blocks that are alike. */
static enum severity scale_of(const struct patient *p, struct finding *f, size_t field,
                              const char *part, size_t from, size_t to)
{
    const double off = 10;
    enum { LEAST = 3 };
    double *value = mem_alloc(mem_mul(to - from, sizeof *value));
    for (size_t b = from; b < to; b++)
        value[b - from] = signs_block(p->course, b, field);
    const double usual = median_of_blocks(value, to - from);
    size_t worst = 0;
    for (size_t i = 0; i < to - from; i++)
        if (fabs(log(value[i] / usual)) > fabs(log(value[worst] / usual)))
            worst = i;
    const double ratio = value[worst] / usual;
    mem_free(value);
    if (to - from < LEAST || !(fabs(log(ratio)) > log(off)))
        return SEVERITY_NONE;
    say_seen(f, "what %s adds in %s is %.3g times that of the usual block of its stack",
             part, block_name(p->course, from + worst), ratio);
    say_change(f, "one initialisation for all blocks (model.init=gpt2); if the weights "
                  "come from elsewhere, scale these");
    return SEVERITY_SEVERE;
}

enum severity check_scales(const struct patient *p, struct finding *f)
{
    static const struct {
        size_t field;
        const char *part;
    } parts[] = {{FIELD(attention), "self-attention"},
                 {FIELD(cross), "cross-attention"},
                 {FIELD(mlp), "the feed-forward part"}};
    const struct course *c = p->course;
    for (size_t from = 0, to; from < c->blocks; from = to) {
        for (to = from; to < c->blocks && strcmp(c->at[to].stack, c->at[from].stack) == 0;
             to++)
            ;
        for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
            if (scale_of(p, f, parts[k].field, parts[k].part, from, to))
                return SEVERITY_SEVERE;
    }
    return SEVERITY_NONE;
}

/* --- units and attention --- */

enum severity check_dead(const struct patient *p, struct finding *f)
{
    const double some = 0.3, many = 0.5;
    double worst = 0;
    size_t at = 0;
    for (size_t b = 0; b < p->course->blocks; b++) {
        const double dead = signs_block(p->course, b, FIELD(dead));
        if (dead > worst) {
            worst = dead;
            at = b;
        }
    }
    if (p->conf->model.activation != ACTIVATION_RELU || !(worst > some))
        return SEVERITY_NONE;
    say_seen(f,
             "%.0f %% of the hidden units of %s are 0 for all of a slice, in the "
             "second half of the run",
             100 * worst, block_name(p->course, at));
    say_change(f, "model.activation=gelu, or optim.lr=%.2g and a longer optim.warmup",
               p->conf->optim.lr / 3);
    return worst > many ? SEVERITY_SEVERE : SEVERITY_WARNING;
}

static enum severity attention_of(const struct patient *p, struct finding *f,
                                  size_t block, size_t field, const char *what)
{
    const double sharp = 0.03, flat = 0.9995;
    const double entropy = signs_block(p->course, block, field);
    if (!(entropy < sharp || entropy > flat))
        return SEVERITY_NONE;
    say_seen(f,
             "%s of %s has an entropy of %.4f of the largest, in the second half of "
             "the run: it looks at %s",
             what, block_name(p->course, block), entropy,
             entropy < sharp ? "one place each" : "all places alike");
    say_change(f,
               entropy < sharp ? "optim.lr=%.2g and a longer optim.warmup"
                               : "optim.lr=%.2g, or model.init=xavier",
               entropy < sharp ? p->conf->optim.lr / 3 : p->conf->optim.lr * 3);
    return SEVERITY_WARNING;
}

enum severity check_attention(const struct patient *p, struct finding *f)
{
    enum { STEPS = 100 };
    if (p->course->steps < STEPS)
        return SEVERITY_NONE;
    for (size_t b = 0; b < p->course->blocks; b++)
        if (attention_of(p, f, b, FIELD(entropy), "self-attention") ||
            attention_of(p, f, b, FIELD(cross_entropy), "cross-attention"))
            return SEVERITY_WARNING;
    return SEVERITY_NONE;
}

/* The loss must depend on the source by more than the pairs' accident. */
enum severity check_source(const struct patient *p, struct finding *f)
{
    const double least = 0.01; /* of the loss */
    if (!p->probe || is_stuck(p) || !(p->probe->right > 0) ||
        p->probe->wrong - p->probe->right > least * p->probe->right)
        return SEVERITY_NONE;
    say_seen(f,
             "held-out loss %.4f with the right sources, %.4f with those of other "
             "pairs (%zu pairs)",
             p->probe->right, p->probe->wrong, p->probe->pairs);
    say_change(f, "train longer; if it stays so, look whether sources and targets belong "
                  "together");
    return SEVERITY_WARNING;
}
