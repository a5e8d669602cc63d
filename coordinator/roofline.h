/* roofline.h - what limits a run: where the time of its steps goes, as the coordinator
 * sees it, and what to change.
 *
 *      commit --computing--> the last partial is announced --gathering--> all are added
 *      --updating--> commit
 *
 * Computing has in it what of the workers' pull of the parameters is not hidden behind
 * their forward pass.  An evaluation is in none of them.  Pure functions.
 */
#ifndef COORDINATOR_ROOFLINE_H
#define COORDINATOR_ROOFLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "flat/wire.h"

struct roofline_step {
    double computing, gathering, updating; /* s */
    double received, sent;                 /* bytes of partials and of parameters */
};

/* Starts as {0}. */
struct roofline {
    uint64_t steps; /* but the first few, which warm up */
    struct roofline_step sum;
};

void roofline_add(struct roofline *r, const struct roofline_step *step);

/* What takes a fifth of the time beside the computing of the workers, if anything does:
 * the more of the two. */
enum roofline_limit { LIMIT_WORKERS, LIMIT_LINK, LIMIT_COORDINATOR };
enum roofline_limit roofline_limit(const struct roofline_step *s);

enum { ROOFLINE_TEXT = 400 };

/* One sentence, and what to change.  @flops_share: of the product rate of all threads, or
 * NAN; @wire: of partials.  False: there were too few steps to tell. */
bool roofline_text(const struct roofline *r, double flops_share, enum wire wire,
                   char text[ROOFLINE_TEXT]);

#endif
