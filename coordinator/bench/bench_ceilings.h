/* bench_ceilings.h - what the machine can do at most: multiply-adds in registers, memory
 * far beyond the caches, the first touch of pages.  Rows of BENCH_CEILINGS.
 *
 * Rates of memory count every byte that moves, also those of lines that are read only to
 * be written:
 *
 *      read     sum += a          4 bytes an element
 *      copy     memcpy            8, as libraries write past the caches
 *      triad    a = b + s * c     16 (STREAM, McCalpin 1995, counts 12)
 */
#ifndef COORDINATOR_BENCH_CEILINGS_H
#define COORDINATOR_BENCH_CEILINGS_H

#include "coordinator/bench/bench_repeat.h"

void bench_multiply_adds(struct bench *b);
void bench_memory(struct bench *b);

/* Operations/s of a precision's multiply-adds, of one thread; bytes/s of the best of
 * read, copy and triad.  The highest that was seen: nothing but disturbance makes it
 * lower.  NAN before they are measured. */
double bench_ceiling_flops(const struct bench *b, bool bfloat16);
double bench_ceiling_bytes(const struct bench *b, unsigned threads);

#endif
