/* inspect.h - parts of `lockstep inspect`: lines of a name and a value, and what is said
 * of data. */
#ifndef COORDINATOR_INSPECT_H
#define COORDINATOR_INSPECT_H

#include <stdint.h>

void inspect_row(const char *what, const char *value);
void inspect_number(const char *what, double x); /* "-" when it is none */
void inspect_count(const char *what, uint64_t x);

/* Verify and print; logged errors as of dataset_open(). */
int inspect_data(const char *dir);
int inspect_data_file(const char *path); /* *.pairs; anything else is taken for tokens */

#endif
