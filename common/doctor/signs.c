#include "doctor/signs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { SMOOTH_PART = 20, SMOOTH_LEAST = 5, SPIKE_LEAST = 24 };

static const double scatter_of_deviation = 1.4826; /* of a normal distribution */

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double signs_median(double *values, size_t n)
{
    if (n == 0)
        return NAN;
    qsort(values, n, sizeof *values, ascending);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

int signs_is_matrix(const char *name)
{
    const size_t n = strlen(name);
    const char end[] = ".weight";
    return n > sizeof end && strcmp(name + n - (sizeof end - 1), end) == 0 &&
           !strstr(name, "norm");
}

/* --- the loss --- */

static void smooth(struct signs *s, const struct course *c)
{
    const size_t n = c->steps, part = n / SMOOTH_PART;
    s->window = part > SMOOTH_LEAST ? part : SMOOTH_LEAST;
    s->smooth = mem_alloc(mem_mul(n, sizeof *s->smooth));
    const size_t before = s->window / 2, after = s->window - before;
    double sum = 0, count = 0;
    for (size_t i = 0, from = 0, to = 0; i < n; i++) {
        for (; to < n && to < i + after; to++)
            if (isfinite(c->step[to].loss)) {
                sum += c->step[to].loss;
                count++;
            }
        for (; from + before < i; from++)
            if (isfinite(c->step[from].loss)) {
                sum -= c->step[from].loss;
                count--;
            }
        s->smooth[i] = count > 0 ? sum / count : NAN;
    }
}

static void look_at_smooth(struct signs *s, size_t n)
{
    s->best = s->peak = NAN;
    for (size_t i = 0; i < n; i++) {
        if (isnan(s->smooth[i]))
            continue;
        if (!(s->smooth[i] >= s->best)) {
            s->best = s->smooth[i];
            s->best_at = i;
        }
        if (!(s->smooth[i] <= s->peak))
            s->peak = s->smooth[i];
    }
    const size_t rest = s->window / 2; /* at the very end few steps are averaged */
    s->last = n > 0 ? s->smooth[n > rest ? n - 1 - rest / 2 : n - 1] : NAN;
    s->mid_fall = n > 0 ? s->smooth[n / 2] - s->smooth[3 * n / 4] : NAN;
    s->late_fall = n > 0 ? s->smooth[3 * n / 4] - s->last : NAN;
}

static void look_at_steps(struct signs *s, const struct course *c)
{
    const size_t n = c->steps, half = n / 2;
    double *apart = mem_alloc(mem_mul(n, sizeof *apart));
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(c->step[i].loss) || !isfinite(c->step[i].norm)) {
            s->first_not_finite = s->not_finite++ ? s->first_not_finite : i;
            continue;
        }
        if (i >= half)
            apart[m++] = fabs(c->step[i].loss - s->smooth[i]);
    }
    s->scatter = scatter_of_deviation * signs_median(apart, m);
    s->first = n > 0 ? c->step[0].loss : NAN;
    mem_free(apart);
}

/* --- spikes --- */

/* How many scatters value i lies above those before it; 0 while there are too few. */
static double sigmas_above(const double *value, size_t i, double least)
{
    double before[SPIKE_WINDOW], middle;
    size_t n = 0;
    for (size_t k = i > SPIKE_WINDOW ? i - SPIKE_WINDOW : 0; k < i; k++)
        if (isfinite(value[k]))
            before[n++] = value[k];
    if (n < SPIKE_LEAST || !isfinite(value[i]))
        return 0;
    middle = signs_median(before, n);
    for (size_t k = 0; k < n; k++)
        before[k] = fabs(before[k] - middle);
    const double scatter = scatter_of_deviation * signs_median(before, n);
    return (value[i] - middle) / fmax(scatter, least);
}

static void find_spikes(struct signs *s, const struct course *c)
{
    const double least_loss = 0.01,
                 least_norm = 0.05; /* of nothing, nothing stands out */
    double *loss = mem_alloc(mem_mul(c->steps, sizeof *loss)),
           *norm = mem_alloc(mem_mul(c->steps, sizeof *norm));
    for (size_t i = 0; i < c->steps; i++) {
        loss[i] = c->step[i].loss;
        norm[i] = log(c->step[i].norm);
    }
    for (size_t i = 0; i < c->steps; i++) {
        const double a = sigmas_above(loss, i, least_loss),
                     b = sigmas_above(norm, i, least_norm);
        if (a <= SPIKE_SIGMA && b <= 2 * SPIKE_SIGMA)
            continue;
        if (s->spikes < SPIKES_NAMED)
            s->spike[s->spikes] = (struct spike){.step = c->step[i].step,
                                                 .loss = loss[i],
                                                 .norm = c->step[i].norm,
                                                 .loss_sigma = a,
                                                 .norm_sigma = b,
                                                 .first_sample = c->step[i].first_sample,
                                                 .last_sample = c->step[i].last_sample};
        s->spikes++;
    }
    mem_free(loss);
    mem_free(norm);
}

/* --- the update --- */

static void look_at_clipping(struct signs *s, const struct course *c)
{
    double *clip = mem_alloc(mem_mul(c->steps, sizeof *clip));
    size_t n = 0, clipped = 0;
    for (size_t i = c->steps / 10; i < c->steps; i++) {
        if (!isfinite(c->step[i].clip))
            continue;
        clip[n++] = c->step[i].clip;
        clipped += c->step[i].clip < 1;
    }
    s->clipped = n > 0 ? (double)clipped / (double)n : NAN;
    s->clip = signs_median(clip, n);
    mem_free(clip);
}

static double rate_at(const struct course *c, uint64_t step)
{
    size_t low = 0, high = c->steps;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (c->step[middle].step < step)
            low = middle + 1;
        else
            high = middle;
    }
    return low < c->steps && c->step[low].step == step ? c->step[low].rate : NAN;
}

static double ratio_of(const struct course *c, const struct course_statistics *at)
{
    double *ratio = mem_alloc(mem_mul(c->tensors, sizeof *ratio));
    size_t n = 0;
    for (size_t i = 0; i < c->tensors; i++) {
        const double r = at->tensor[i].update / at->tensor[i].weight;
        if (signs_is_matrix(c->name[i]) && isfinite(r))
            ratio[n++] = r;
    }
    const double median = signs_median(ratio, n);
    mem_free(ratio);
    return median;
}

static void look_at_ratio(struct signs *s, const struct course *c)
{
    double *ratio = mem_alloc(mem_mul(c->examined, sizeof *ratio)), peak = 0;
    size_t n = 0;
    s->ratio_peak = NAN;
    for (size_t i = 0; i < c->steps; i++)
        peak = fmax(peak, c->step[i].rate);
    for (size_t i = 0; i < c->examined; i++) {
        const double rate = rate_at(c, c->statistics[i].step);
        const double r = ratio_of(c, &c->statistics[i]);
        if (rate >= peak / 2 && rate > 0 && isfinite(r))
            ratio[n++] = r;
        if (i > 0 && isfinite(r) && !(r <= s->ratio_peak)) {
            s->ratio_peak = r;
            s->ratio_at = c->statistics[i].step;
        }
    }
    s->ratio = signs_median(ratio, n);
    mem_free(ratio);
}

/* --- held-out loss --- */

static double smooth_at(const struct signs *s, const struct course *c, uint64_t step)
{
    size_t i = 0;
    while (i + 1 < c->steps && c->step[i].step < step)
        i++;
    return c->steps > 0 ? s->smooth[i] : NAN;
}

static void look_at_evaluations(struct signs *s, const struct course *c)
{
    s->held_out_rise = s->train_fall = NAN;
    size_t best = c->evaluations;
    for (size_t i = 0; i < c->evaluations; i++)
        if (isfinite(c->evaluation[i].loss) &&
            (best == c->evaluations || c->evaluation[i].loss < c->evaluation[best].loss))
            best = i;
    if (best == c->evaluations)
        return;
    const struct course_evaluation *b = &c->evaluation[best],
                                   *last = &c->evaluation[c->evaluations - 1];
    s->held_out_best = best;
    s->held_out_rise = last->loss - b->loss;
    s->train_fall = smooth_at(s, c, b->step) - smooth_at(s, c, last->step);
}

/* --- what was examined --- */

double signs_block(const struct course *c, size_t block, size_t field)
{
    double *value = mem_alloc(mem_mul(c->examined, sizeof *value));
    size_t n = 0;
    for (size_t i = c->examined / 2; i < c->examined; i++) {
        if (!c->statistics[i].block)
            continue;
        const char *b = (const char *)&c->statistics[i].block[block];
        const double x = *(const double *)(const void *)(b + field);
        if (isfinite(x))
            value[n++] = x;
    }
    const double median = signs_median(value, n);
    mem_free(value);
    return median;
}

/* Of the blocks of each stack. */
static struct depth depth_of(const struct course *c, size_t field)
{
    struct depth worst = {.ratio = NAN};
    const struct course_statistics *first = c->examined > 0 ? &c->statistics[0] : NULL;
    for (size_t from = 0, to; first && first->block && from < c->blocks; from = to) {
        struct depth d = {from, from, 1};
        double low = INFINITY, high = 0;
        for (to = from; to < c->blocks && strcmp(c->at[to].stack, c->at[from].stack) == 0;
             to++) {
            const char *b = (const char *)&first->block[to];
            const double x = *(const double *)(const void *)(b + field);
            if (x < low)
                low = x, d.low = to;
            if (x > high)
                high = x, d.high = to;
        }
        d.ratio = high / low;
        if (!(d.ratio <= worst.ratio))
            worst = d;
    }
    return worst;
}

/* Signal and variance are averaged before they are divided, as statistics.h asks; over
 * the part of the run where there is most to learn, for at the end little signal is left.
 */
static void look_at_noise(struct signs *s, const struct course *c)
{
    enum { LEAST = 4 };
    double signal = 0, variance = 0, tokens = 0;
    size_t n = 0;
    for (size_t i = c->examined / 10; i < c->examined / 2; i++) {
        const struct noise_statistics *noise = &c->statistics[i].noise;
        if (!isfinite(noise->signal) || !isfinite(noise->variance))
            continue;
        signal += noise->signal;
        variance += noise->variance;
        n++;
    }
    for (size_t i = 0; i < c->steps; i++)
        tokens += c->step[i].tokens / (double)c->steps;
    s->noise = n < LEAST || !(variance > 0) ? NAN
               : signal > 0                 ? variance / signal / tokens
                                            : INFINITY;
}

static void look_at_accuracy(struct signs *s, const struct course *c)
{
    double sum = 0;
    size_t n = 0;
    for (size_t i = 3 * c->examined / 4; i < c->examined; i++)
        if (isfinite(c->statistics[i].accuracy)) {
            sum += c->statistics[i].accuracy;
            n++;
        }
    s->accuracy = n > 0 ? sum / (double)n : NAN;
}

void signs_take(struct signs *s, const struct course *c)
{
    *s = (struct signs){0};
    smooth(s, c);
    look_at_smooth(s, c->steps);
    look_at_steps(s, c);
    find_spikes(s, c);
    look_at_clipping(s, c);
    look_at_ratio(s, c);
    look_at_evaluations(s, c);
    s->gradient = depth_of(c, offsetof(struct block_statistics, gradient));
    s->stream = depth_of(c, offsetof(struct block_statistics, stream));
    look_at_noise(s, c);
    look_at_accuracy(s, c);
}

void signs_fini(struct signs *s)
{
    mem_free(s->smooth);
    *s = (struct signs){0};
}
