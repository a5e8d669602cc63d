/* checks.h - inside doctor: the functions of the table in rules.c, by what they look at,
 * and what they share. */
#ifndef DOCTOR_CHECKS_H
#define DOCTOR_CHECKS_H

#include <stdbool.h>

#include "doctor/rules.h"

void say_seen(struct finding *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void say_change(struct finding *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "block 3 of the decoder", until the next call but three. */
const char *block_name(const struct course *c, size_t block);
/* Step of the course's index @i. */
unsigned long long step_at(const struct course *c, size_t i);
/* The loss of who knows only how often tokens come: that of the data, or ln V. */
double loss_of_frequencies(const struct patient *p);
/* Has it learnt no more than that, after its warm-up?  Or less than it once knew? */
bool is_stuck(const struct patient *p);
bool is_diverged(const struct patient *p);

/* data */
enum severity check_order(const struct patient *p, struct finding *f);
enum severity check_leak(const struct patient *p, struct finding *f);
enum severity check_known(const struct patient *p, struct finding *f);
enum severity check_repeated(const struct patient *p, struct finding *f);
/* how it starts, and the model */
enum severity check_depth(const struct patient *p, struct finding *f);
enum severity check_start(const struct patient *p, struct finding *f);
enum severity check_frozen(const struct patient *p, struct finding *f);
enum severity check_scales(const struct patient *p, struct finding *f);
enum severity check_dead(const struct patient *p, struct finding *f);
enum severity check_attention(const struct patient *p, struct finding *f);
enum severity check_source(const struct patient *p, struct finding *f);
/* rate and loss */
enum severity check_post_norm(const struct patient *p, struct finding *f);
enum severity check_divergence(const struct patient *p, struct finding *f);
enum severity check_rate_high(const struct patient *p, struct finding *f);
enum severity check_rate_low(const struct patient *p, struct finding *f);
enum severity check_stuck(const struct patient *p, struct finding *f);
enum severity check_spikes(const struct patient *p, struct finding *f);
enum severity check_clipping(const struct patient *p, struct finding *f);
/* fit */
enum severity check_overfitting(const struct patient *p, struct finding *f);
enum severity check_too_good(const struct patient *p, struct finding *f);
enum severity check_noise(const struct patient *p, struct finding *f);

#endif
