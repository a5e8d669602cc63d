/* mem.h - memory that is there, or the process is not.
 *
 * Three lifetimes: the *process slab* (parameters, gradients, moments: mem_slab at
 * start), the *step arena* (activations, tensor/arena.h), the *message pool*.  No
 * allocation in the step path: mem_count() lets a test prove it.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

/* Never NULL: exhausted memory ends the process with a message. Size 0 is allowed. */
void *mem_alloc(size_t bytes);
void *mem_zalloc(size_t bytes);
void *mem_resize(void *p, size_t bytes);
void mem_free(void *p);

char *mem_strdup(const char *s);

/* a * b, or the end of the process when it does not fit a size_t. */
size_t mem_mul(size_t a, size_t b);

/* Large zeroed blocks, 2 MiB aligned and advised to huge pages.  Freed with the same
 * size. */
void *mem_slab(size_t bytes);
void mem_slab_free(void *p, size_t bytes);

uint64_t mem_count(void); /* calls of the functions above since the start; any thread */

#endif
