/* intern.h - numbers for byte strings: the first new string is 0, the next 1, and so on.
 *
 * Open addressing over XXH3; the strings lie one behind the other in one block, so that a
 * vocabulary, a table of words or a cache is three allocations and not a million.  Bytes
 * of any value, the empty string included.  One thread at a time.
 */
#ifndef TEXT_INTERN_H
#define TEXT_INTERN_H

#include <stddef.h>
#include <stdint.h>

#define INTERN_NONE UINT32_MAX

struct intern;

struct intern *intern_new(void);
void intern_free(struct intern *m);

uint32_t intern_add(struct intern *m, const char *bytes,
                    size_t n); /* old or new number */
uint32_t intern_find(const struct intern *m, const char *bytes, size_t n); /* or NONE */
size_t intern_count(const struct intern *m);

/* Borrowed until the next intern_add(). */
const char *intern_get(const struct intern *m, uint32_t number, size_t *n);

#endif
