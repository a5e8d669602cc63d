/* How what was learnt fits: to the training data, to other data, to the batch. */
#include <math.h>

#include "doctor/checks.h"

enum severity check_overfitting(const struct patient *p, struct finding *f)
{
    const double rise = 0.02, much = 0.05; /* of the best held-out loss */
    const struct signs *s = p->signs;
    const struct course *c = p->course;
    if (c->evaluations < 2)
        return SEVERITY_NONE;
    const struct course_evaluation *best = &c->evaluation[s->held_out_best],
                                   *last = &c->evaluation[c->evaluations - 1];
    if (!(s->held_out_rise > rise * best->loss) || !(s->train_fall > 0))
        return SEVERITY_NONE;
    say_seen(f,
             "held-out loss %.3f at step %llu, %.3f at step %llu; the training loss "
             "fell by %.3f on the way, to %.3f",
             best->loss, (unsigned long long)best->step, last->loss,
             (unsigned long long)last->step, s->train_fall, s->last);
    say_change(f,
               "model.dropout=%.1f, or more data, or a smaller model; stop at step "
               "%llu",
               p->conf->model.dropout < 0.1 ? 0.2 : p->conf->model.dropout + 0.1,
               (unsigned long long)best->step);
    return s->held_out_rise > much * best->loss ? SEVERITY_SEVERE : SEVERITY_WARNING;
}

enum severity check_too_good(const struct patient *p, struct finding *f)
{
    const double low = 0.1, right = 0.97;
    const struct course *c = p->course;
    const double held_out =
        c->evaluations > 0 ? c->evaluation[c->evaluations - 1].loss : NAN;
    if (!(p->signs->last < low) || !(held_out < 2 * low) || !(p->signs->accuracy > right))
        return SEVERITY_NONE;
    say_seen(f,
             "training loss %.4f, held-out loss %.4f, %.1f %% of the predictions are "
             "right",
             p->signs->last, held_out, 100 * p->signs->accuracy);
    say_change(f, "look at the data: is what is to be predicted in what it is predicted "
                  "from?");
    return SEVERITY_SEVERE;
}

enum severity check_noise(const struct patient *p, struct finding *f)
{
    const double much = 8;
    const struct signs *s = p->signs;
    if (!(s->noise > much))
        return SEVERITY_NONE;
    const double tokens = p->course->step[p->course->steps - 1].tokens;
    if (isfinite(s->noise))
        say_seen(f,
                 "the gradient's noise scale is %.3g tokens, %.3g times those of a "
                 "step (%.0f)",
                 s->noise * tokens, s->noise, tokens);
    else
        say_seen(f, "no signal stands out of the gradient's noise at %.0f tokens a step",
                 tokens);
    if (p->conf->model.encoder_layers > 0)
        say_change(f, "train.batch_tokens=%llu",
                   8 * (unsigned long long)p->conf->train.batch_tokens);
    else
        say_change(f, "train.batch=%lu", 8 * (unsigned long)p->conf->train.batch);
    return SEVERITY_WARNING;
}
