/* typical.h - how large a result usually is: the median of the last ones, which a few
 * wrong ones do not move, and which follows what lasts.
 *
 * Pure state: zeroed it knows nothing.
 */
#ifndef COORDINATOR_TYPICAL_H
#define COORDINATOR_TYPICAL_H

enum { TYPICAL_OVER = 21, TYPICAL_FROM = 9 };

struct typical { /* private */
    unsigned n;  /* so far */
    double last[TYPICAL_OVER];
};

void typical_add(struct typical *t, double value);
/* 0 until TYPICAL_FROM values are known. */
double typical_value(const struct typical *t);

#endif
