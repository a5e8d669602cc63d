/* How the model starts, and what becomes of its layers. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
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

/* Without the number of the block: tensors that have it in common are peers. */
static void peer_name(char *out, size_t room, const char *name)
{
    const char *layers = strstr(name, "layers.");
    const char *rest = layers ? layers + strlen("layers.") : name;
    rest += strspn(rest, "0123456789");
    snprintf(out, room, "%.*s*%s", layers ? (int)(layers - name) : 0, name, rest);
}

/* Weights of @tensor over the median of those of its peers, in the examined step @at; NAN
 * when these are few. */
static double scale_of(const struct course *c, size_t at, size_t tensor)
{
    enum { LEAST = 3, NAME = 128 };
    const struct tensor_statistics *t = c->statistics[at].tensor;
    char own[NAME], other[NAME];
    double *peer = mem_alloc(mem_mul(c->tensors, sizeof *peer));
    size_t n = 0;
    peer_name(own, sizeof own, c->name[tensor]);
    for (size_t i = 0; i < c->tensors; i++) {
        peer_name(other, sizeof other, c->name[i]);
        if (strcmp(own, other) == 0)
            peer[n++] = t[i].weight;
    }
    const double usual = signs_median(peer, n);
    mem_free(peer);
    return n >= LEAST ? t[tensor].weight / usual : NAN;
}

struct scale {
    double factor;
    size_t tensor, at; /* index of an examined step */
};

static void look_at_scales(const struct course *c, size_t at, struct scale *worst)
{
    for (size_t i = 0; i < c->tensors; i++) {
        const double scale = signs_is_matrix(c->name[i]) ? scale_of(c, at, i) : NAN;
        if (scale > 0 && fabs(log(scale)) > fabs(log(worst->factor)))
            *worst = (struct scale){scale, i, at};
    }
}

/* At the start, before the training makes them alike, and at the end. */
enum severity check_scales(const struct patient *p, struct finding *f)
{
    const double off = 8;
    const struct course *c = p->course;
    struct scale worst = {.factor = 1};
    if (c->examined > 0) {
        look_at_scales(c, 0, &worst);
        look_at_scales(c, c->examined - 1, &worst);
    }
    if (!(fabs(log(worst.factor)) > log(off)))
        return SEVERITY_NONE;
    say_seen(f,
             "the weights of %s are %.3g times as large as those of its like in the "
             "other blocks, at step %llu",
             c->name[worst.tensor], worst.factor,
             (unsigned long long)c->statistics[worst.at].step);
    say_change(f, "one initialisation for all blocks (model.init=gpt2); if the weights "
                  "come from elsewhere, scale these");
    return SEVERITY_SEVERE;
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
    const double sharp = 0.03;
    const double entropy = signs_block(p->course, block, field);
    if (!(entropy < sharp))
        return SEVERITY_NONE;
    say_seen(f,
             "%s of %s has an entropy of %.4f of the largest, in the second half of "
             "the run: each row looks at one place",
             what, block_name(p->course, block), entropy);
    say_change(f, "optim.lr=%.2g and a longer optim.warmup", p->conf->optim.lr / 3);
    return SEVERITY_WARNING;
}

/* All alike: young models are, until they have found what to look for. */
static bool is_flat(const struct course *c)
{
    const double flat = 0.9995;
    size_t n = 0;
    while (n < c->blocks && signs_block(c, n, FIELD(entropy)) > flat)
        n++;
    return n > 0 && n == c->blocks;
}

enum severity check_attention(const struct patient *p, struct finding *f)
{
    enum { STEPS = 100, OLD = 1000 };
    const struct course *c = p->course;
    for (size_t b = 0; c->steps >= STEPS && b < c->blocks; b++)
        if (attention_of(p, f, b, FIELD(entropy), "self-attention") ||
            attention_of(p, f, b, FIELD(cross_entropy), "cross-attention"))
            return SEVERITY_WARNING;
    if (c->steps < OLD || !is_flat(c))
        return SEVERITY_NONE;
    say_seen(f, "self-attention of all blocks weighs all places alike, after %zu steps",
             c->steps);
    say_change(f, "optim.lr=%.2g, or model.init=xavier", p->conf->optim.lr * 3);
    return SEVERITY_WARNING;
}

/* The loss must depend on the source by more than the pairs' accident.  Translators find
 * out late that there is one: a note while the loss falls. */
enum severity check_source(const struct patient *p, struct finding *f)
{
    const double least = 0.01,
                 falling = 0.02; /* of the loss; of its fall, in a quarter */
    const struct signs *s = p->signs;
    if (!p->probe || is_stuck(p) || !(p->probe->right > 0) ||
        p->probe->wrong - p->probe->right > least * p->probe->right)
        return SEVERITY_NONE;
    say_seen(f,
             "held-out loss %.4f with the right sources, %.4f with those of other "
             "pairs (%zu pairs)",
             p->probe->right, p->probe->wrong, p->probe->pairs);
    say_change(f, "train longer; if it stays so, look whether sources and targets belong "
                  "together");
    const bool young = fmax(s->mid_fall, s->late_fall) > falling * (s->first - s->last);
    return young ? SEVERITY_NOTE : SEVERITY_WARNING;
}
