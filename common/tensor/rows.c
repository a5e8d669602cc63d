#include "tensor/rows.h"

#include <assert.h>
#include <string.h>
#include <xmmintrin.h>

#include "base/err.h"
#include "base/log.h"
#include "tensor/rows_table.h"

enum { SETS = 3 };

static const struct {
    const char *name;
    const struct rows_table *table;
} sets[SETS] = {{"v4", &rows_v4}, {"v3", &rows_v3}, {"v2", &rows_v2}}; /* best first */

static const struct rows_table *rows = &rows_v2;

/* By the features of the CPU and what the kernel saves of them, never by its model. */
static bool supported(const struct rows_table *table)
{
    __builtin_cpu_init();
    if (table == &rows_v4)
        return __builtin_cpu_supports("x86-64-v4");
    if (table == &rows_v3)
        return __builtin_cpu_supports("x86-64-v3");
    return __builtin_cpu_supports("x86-64-v2");
}

int rows_start(const char *want, const char **name)
{
    for (int i = 0; i < SETS; i++)
        if (supported(sets[i].table) && (!want || strcmp(want, sets[i].name) == 0)) {
            rows = sets[i].table;
            *name = sets[i].name;
            return ERR_OK;
        }
    log_error("row kernels %s: this CPU does not have them; there are v2, v3 and v4, and "
              "the CPU must be x86-64-v2 (SSE 4.2) at least",
              want ? want : "of any kind");
    return ERR_RANGE;
}

void rows_thread_start(void)
{
    enum { FLUSH_TO_ZERO = 0x8000, DENORMALS_ARE_ZERO = 0x0040 };
    _mm_setcsr(_mm_getcsr() | FLUSH_TO_ZERO | DENORMALS_ARE_ZERO);
}

#define ROW(result, name, parameters, arguments)                                         \
    result rows_##name parameters                                                        \
    {                                                                                    \
        ROW_RETURN_##result rows->name arguments;                                        \
    }
#define ROW_RETURN_void
#define ROW_RETURN_double return
#include "tensor/rows.def"
#undef ROW

size_t rows_int8_bytes(size_t n)
{
    return n + (n + ROWS_BLOCK - 1) / ROWS_BLOCK;
}

void rows_dropout(real *y, const real *x, size_t n, real p, struct rows_dropout_site at)
{
    rows_dropout_part(y, x, 0, n, p, at);
}
