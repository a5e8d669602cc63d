#include "base/mem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/log.h"

enum { HUGE_PAGE = 2 << 20 };

static _Atomic uint64_t calls;

static void *must(void *p, size_t bytes)
{
    atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
    if (!p && bytes) {
        log_error("out of memory: could not get %zu bytes; use a smaller model, batch or "
                  "number of threads",
                  bytes);
        abort();
    }
    return p;
}

void *mem_alloc(size_t bytes)
{
    return must(malloc(bytes), bytes);
}

void *mem_zalloc(size_t bytes)
{
    return must(calloc(1, bytes), bytes);
}

void *mem_resize(void *p, size_t bytes)
{
    return must(realloc(p, bytes), bytes);
}

void mem_free(void *p)
{
    free(p);
}

char *mem_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    return memcpy(mem_alloc(n), s, n);
}

size_t mem_mul(size_t a, size_t b)
{
    size_t product;
    if (__builtin_mul_overflow(a, b, &product))
        must(NULL, SIZE_MAX);
    return product;
}

static size_t slab_bytes(size_t bytes)
{
    return (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE + HUGE_PAGE;
}

/* Map one huge page more than asked, so that an aligned start exists, and give back what
 * lies before and behind it. */
void *mem_slab(size_t bytes)
{
    const size_t size = slab_bytes(bytes), wanted = size - HUGE_PAGE;
    char *p =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(p == MAP_FAILED ? NULL : p, size);
    const size_t head = (HUGE_PAGE - (uintptr_t)p % HUGE_PAGE) % HUGE_PAGE;
    if (head)
        munmap(p, head);
    if (HUGE_PAGE - head)
        munmap(p + head + wanted, HUGE_PAGE - head);
    if (wanted)
        madvise(p + head, wanted, MADV_HUGEPAGE);
    return p + head;
}

void mem_slab_free(void *p, size_t bytes)
{
    if (p)
        munmap(p, slab_bytes(bytes) - HUGE_PAGE);
}

uint64_t mem_count(void)
{
    return atomic_load_explicit(&calls, memory_order_relaxed);
}
