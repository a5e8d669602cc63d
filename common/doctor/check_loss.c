/* What the loss does, and how long the updates are. */
#include <math.h>
#include <stdio.h>

#include "doctor/checks.h"

/* --- instability --- */

static void say_of_loss(const struct patient *p, struct finding *f)
{
    const struct signs *s = p->signs;
    if (s->not_finite > 0)
        say_seen(f,
                 "loss or gradient is not finite at step %llu, and at %zu steps in "
                 "all",
                 step_at(p->course, s->first_not_finite), s->not_finite);
    else if (p->course->skipped > 0)
        say_seen(f, "%llu steps were skipped: not finite",
                 (unsigned long long)p->course->skipped);
    else
        say_seen(f,
                 "loss %.3f at first, at best %.3f about step %llu, %.3f at most, "
                 "%.3f at last",
                 s->first, s->best, step_at(p->course, s->best_at), s->peak, s->last);
}

static bool is_adam(const struct conf *c)
{
    return c->optim.name != OPTIMIZER_SGD;
}

/* The configuration alone is no finding: shallow models get away with it. */
enum severity check_post_norm(const struct patient *p, struct finding *f)
{
    const double rate = 5e-4, share = 0.01; /* of the steps */
    const struct conf_steps w = p->conf->optim.warmup, n = p->conf->train.steps;
    const bool warms_up = w.count > 0 && (w.unit != CONF_STEPS || n.unit != CONF_STEPS ||
                                          w.count >= share * n.count);
    if (p->conf->model.norm_place != PLACE_POST || warms_up || !is_adam(p->conf) ||
        p->conf->optim.lr < rate || !(is_stuck(p) || is_diverged(p)))
        return SEVERITY_NONE;
    say_seen(f, "model.norm_place post, optim.warmup %g, optim.lr %g; ", w.count,
             p->conf->optim.lr);
    say_of_loss(p, f);
    say_change(f, "optim.warmup=1000 (a twentieth of the steps or more), or "
                  "model.norm_place=pre");
    return SEVERITY_SEVERE;
}

enum severity check_divergence(const struct patient *p, struct finding *f)
{
    if (!is_diverged(p))
        return SEVERITY_NONE;
    say_of_loss(p, f);
    if (p->conf->optim.clip == 0) /* NOLINT: 0 is the word for none */
        say_change(f, "optim.clip=1, and ");
    say_change(f, "optim.lr=%.2g%s; `lockstep tune lr` proposes a rate",
               p->conf->optim.lr / 3,
               p->conf->optim.warmup.count > 0 ? "" : " with optim.warmup=100");
    return SEVERITY_SEVERE;
}

enum severity check_spikes(const struct patient *p, struct finding *f)
{
    const double often = 0.05; /* of the steps: that is no exception */
    const struct signs *s = p->signs;
    if (s->spikes == 0 || is_diverged(p) ||
        (double)s->spikes > often * (double)p->course->steps)
        return SEVERITY_NONE;
    for (size_t i = 0; i < s->spikes && i < SPIKES_NAMED; i++) {
        const struct spike *k = &s->spike[i];
        if (k->loss_sigma > SPIKE_SIGMA)
            say_seen(f, "%sstep %llu: loss %.3f (%.0f sigma)", i ? "; " : "",
                     (unsigned long long)k->step, k->loss, k->loss_sigma);
        else
            say_seen(f, "%sstep %llu: gradient norm %.3g (%.0f sigma)", i ? "; " : "",
                     (unsigned long long)k->step, k->norm, k->norm_sigma);
    }
    if (s->spikes > SPIKES_NAMED)
        say_seen(f, "; %zu in all", s->spikes);
    const struct spike *k = &s->spike[0];
    say_change(f, "look at the %s of these steps",
               p->conf->model.encoder_layers ? "pairs" : "samples");
    if (k->first_sample >= 0)
        say_change(f, " (of step %llu number %.0f to %.0f)", (unsigned long long)k->step,
                   k->first_sample, k->last_sample);
    say_change(f, "; optim.clip=%.2g limits the damage",
               p->conf->optim.clip > 0 ? p->conf->optim.clip / 2 : 1);
    return SEVERITY_WARNING;
}

/* --- the rate --- */

/* By the longest update there was: Adam at a high rate makes the weights grow until its
 * updates are a small part of them. */
enum severity check_rate_high(const struct patient *p, struct finding *f)
{
    const double much = 0.1, little = 0.5; /* of the weights; nats learnt */
    const struct signs *s = p->signs;
    if (!(s->ratio_peak > much))
        return SEVERITY_NONE;
    say_seen(f,
             "the update of step %llu is %.2g of the weights (median of the matrices), "
             "optim.lr %g; the loss ends at %.3f",
             (unsigned long long)s->ratio_at, s->ratio_peak, p->conf->optim.lr, s->last);
    say_change(f, "optim.lr=%.2g; `lockstep tune lr` proposes a rate",
               p->conf->optim.lr / 10);
    return s->last > loss_of_frequencies(p) - little ? SEVERITY_SEVERE : SEVERITY_WARNING;
}

/* Still falling: in the third quarter most schedules are up, in the last many are not. */
enum severity check_rate_low(const struct patient *p, struct finding *f)
{
    const double little = 2e-3, falling = 0.04; /* of the whole fall, in a quarter */
    const struct signs *s = p->signs;
    const double fall = s->first - s->last;
    if (!(s->ratio_peak < little) || !(s->ratio_peak > 0) || is_diverged(p) ||
        !(fmax(s->mid_fall, s->late_fall) > falling * fall))
        return SEVERITY_NONE;
    say_seen(f,
             "updates are at most %.2g of the weights (median of the matrices), "
             "optim.lr %g; of its fall from %.3f to %.3f the loss made %.0f %% in the "
             "third and %.0f %% in the last quarter",
             s->ratio_peak, p->conf->optim.lr, s->first, s->last,
             100 * s->mid_fall / fall, 100 * s->late_fall / fall);
    say_change(f, "optim.lr=%.2g; `lockstep tune lr` proposes a rate",
               p->conf->optim.lr * 10);
    return is_stuck(p) ? SEVERITY_SEVERE : SEVERITY_WARNING;
}

enum severity check_stuck(const struct patient *p, struct finding *f)
{
    if (!is_stuck(p))
        return SEVERITY_NONE;
    say_seen(f, "loss %.3f after %zu steps; %s %.3f", p->signs->last, p->course->steps,
             p->survey ? "the entropy of the tokens is" : "ln V is",
             loss_of_frequencies(p));
    say_change(f, "another rate (`lockstep tune lr`), a longer optim.warmup, "
                  "model.norm_place=pre");
    return SEVERITY_SEVERE;
}

enum severity check_clipping(const struct patient *p, struct finding *f)
{
    enum { STEPS = 50 };
    const double often = 0.5;
    const struct signs *s = p->signs;
    const double hard = 0.9; /* the median factor: a touch does nothing */
    if (p->course->steps < STEPS || !(s->clipped > often) || s->clip > hard)
        return SEVERITY_NONE;
    say_seen(f,
             "%.0f %% of the steps are clipped, half of them to less than %.2f of "
             "their length; optim.clip %g",
             100 * s->clipped, s->clip, p->conf->optim.clip);
    say_change(f,
               "optim.lr=%.2g; or optim.clip=%.2g, above which a tenth of the "
               "gradients should be",
               p->conf->optim.lr / 2, p->conf->optim.clip / s->clip * 1.5);
    return SEVERITY_WARNING;
}
