/* clock.h - the time; cores never include this, they are told. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

uint64_t clock_ns(void);    /* monotonic */
uint64_t clock_ms(void);    /* monotonic */
double clock_seconds(void); /* monotonic */
double clock_wall(void);    /* seconds since 1970 */

#endif
