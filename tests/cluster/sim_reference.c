#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/sim_world.h"

/* --- the toy --------------------------------------------------------------------------
 */

uint64_t toy_start(const struct sim *s)
{
    return sim_mix(s->o.seed);
}

uint64_t toy_gradient(uint64_t theta, uint64_t step, uint32_t slice)
{
    return sim_mix(theta ^ sim_mix(step * 65537 + slice));
}

uint64_t toy_update(uint64_t theta, uint64_t sum)
{
    return sim_mix(theta + 3 * sum);
}

double toy_loss(uint64_t theta, uint64_t step, uint32_t slice)
{
    return (double)(toy_gradient(theta, step, slice) % 4096);
}

uint32_t sim_slices(const struct sim *s, uint64_t data)
{
    return ramp_slices(s->o.ramp, s->o.slices, data);
}

double toy_step_loss(const struct sim *s, uint64_t theta, uint64_t step)
{
    const uint32_t slices = sim_slices(s, step);
    double loss = 0;
    for (uint32_t v = 0; v < slices; v++)
        loss += toy_loss(theta, step, v);
    return loss / slices;
}

double toy_norm(uint64_t theta, uint64_t step)
{
    return (double)(1 + sim_mix(theta + step) % 64);
}

double toy_held_out(uint64_t theta, uint32_t slice)
{
    return (double)(sim_mix(theta + slice) % 4096);
}

double toy_held_out_loss(const struct sim *s, uint64_t theta)
{
    double loss = 0;
    for (uint32_t v = 0; v < s->o.eval_slices; v++)
        loss += toy_held_out(theta, v);
    return loss / s->o.eval_slices;
}

uint32_t toy_word(uint64_t theta, uint32_t slice)
{
    return (uint32_t)(sim_mix(theta ^ (slice + 1)) % 64);
}

double toy_bleu(const struct sim *s, uint64_t theta)
{
    double words = 0;
    for (uint32_t v = 0; v < s->o.eval_slices; v++)
        words += toy_word(theta, v);
    return words;
}

/* --- undisturbed ----------------------------------------------------------------------
 */

struct undisturbed {
    uint64_t version, offset;
    struct memory { /* what a version remembers */
        struct guard guard;
        double best, best_bleu; /* held-out loss, score */
        uint32_t stale, stale_bleu;
    } * memory; /* [steps + 1] */
};

static bool spike(const struct sim *s, const struct guard *g, double loss, double norm)
{
    const double l =
        spikes_limit(&g->spikes, SPIKES_LOSS, s->o.skip_window, s->o.skip_loss_z);
    const double n =
        spikes_limit(&g->spikes, SPIKES_NORM, s->o.skip_window, s->o.skip_norm_z);
    return loss > l || norm > n;
}

static void make_step(struct sim *s, struct undisturbed *u)
{
    uint64_t *theta = s->reference.theta[s->reference.turns.n] + u->version;
    struct guard *guard = &u->memory[u->version + 1].guard;
    const uint64_t data = u->version + u->offset;
    const double loss = toy_step_loss(s, *theta, data), norm = toy_norm(*theta, data);
    u->memory[u->version + 1] = u->memory[u->version];
    u->version++;
    if (spike(s, guard, loss, norm)) {
        theta[1] = theta[0];
        spikes_skip(&guard->spikes, s->o.skip_window);
        return;
    }
    uint64_t sum = 0;
    for (uint32_t v = 0; v < sim_slices(s, data); v++)
        sum += toy_gradient(*theta, data, v);
    theta[1] = toy_update(theta[0], sum);
    if (s->o.skip_loss_z > 0 || s->o.skip_norm_z > 0)
        spikes_accept(&guard->spikes, s->o.skip_window, loss, norm);
    trend_add(&guard->trend, SIM_TREND_FAST, SIM_TREND_SLOW, s->o.divergence, loss);
}

/* True: it has had patience enough. */
static bool evaluate(const struct sim *s, const struct undisturbed *u)
{
    struct memory *m = &u->memory[u->version];
    if (s->o.eval_slices == 0 || u->version % s->o.eval_every)
        return false;
    const uint64_t theta = s->reference.theta[s->reference.turns.n][u->version];
    const double loss = toy_held_out_loss(s, theta), bleu = toy_bleu(s, theta);
    m->stale = loss < m->best ? 0 : m->stale + 1;
    m->best = loss < m->best ? loss : m->best;
    m->stale_bleu = bleu > m->best_bleu ? 0 : m->stale_bleu + 1;
    m->best_bleu = bleu > m->best_bleu ? bleu : m->best_bleu;
    const bool over = s->o.scores && m->stale_bleu >= s->o.patience;
    return s->o.patience > 0 && (m->stale >= s->o.patience || over);
}

/* A new way: what is before the turn is common to both. */
static void turn(struct sim *s, struct undisturbed *u)
{
    struct reference *r = &s->reference;
    const uint64_t back =
        turns_back(u->version, s->o.rewind_steps, s->o.checkpoint_every);
    const size_t bytes = (s->o.steps + 1) * sizeof *r->theta[0];
    u->offset += u->version - back;
    r->turns.list[r->turns.n++] = (struct turn){back, u->offset, 0.5};
    r->theta[r->turns.n] = malloc(bytes);
    memcpy(r->theta[r->turns.n], r->theta[r->turns.n - 1], bytes);
    u->version = back;
}

/* As often as it must; false: it need not, or may not. */
static bool go_back(struct sim *s, struct undisturbed *u)
{
    struct reference *r = &s->reference;
    const uint32_t n = r->turns.n;
    while (trend_diverges(&u->memory[u->version].guard.trend, SIM_TREND_FAST,
                          s->o.divergence)) {
        r->diverges = r->turns.n == s->o.rewind_limit;
        if (r->diverges)
            return false;
        turn(s, u);
    }
    return r->turns.n > n;
}

void reference_make(struct sim *s)
{
    struct reference *r = &s->reference;
    struct undisturbed u = {.memory = calloc(s->o.steps + 1, sizeof *u.memory)};
    bool early = false;
    u.memory[0].best = INFINITY;
    u.memory[0].best_bleu = -INFINITY;
    r->theta[0] = calloc(s->o.steps + 1, sizeof *r->theta[0]);
    r->theta[0][0] = toy_start(s);
    while (u.version < s->o.steps && !r->diverges && !early) {
        make_step(s, &u);
        if (!go_back(s, &u) && !r->diverges)
            early = evaluate(s, &u);
    }
    r->end = u.version;
    free(u.memory);
}

void reference_free(struct sim *s)
{
    for (uint32_t i = 0; i <= s->reference.turns.n; i++)
        free(s->reference.theta[i]);
}

uint64_t reference_theta(const struct sim *s, uint32_t turns, uint64_t version)
{
    assert(turns <= s->reference.turns.n);
    return s->reference.theta[turns][version];
}
