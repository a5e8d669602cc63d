#include "tensor/rows.h"

#include <assert.h>
#include <string.h>
#include <xmmintrin.h>

#include "base/err.h"
#include "base/log.h"
#include "tensor/rows_table.h"

static const struct {
    const char *name;
    const struct rows_table *table;
} sets[] = {{"v4", &rows_v4}, {"v3", &rows_v3}, {"v2", &rows_v2}}; /* best first */

enum { SETS = sizeof sets / sizeof *sets };

static const struct rows_table *rows = &rows_v2;

static bool supported(int i)
{
    __builtin_cpu_init();
    switch (i) {
    case 0:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl");
    case 1:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
               __builtin_cpu_supports("bmi2");
    default:
        return true;
    }
}

int rows_start(const char *want, const char **name)
{
    for (int i = 0; i < SETS; i++)
        if (supported(i) && (!want || strcmp(want, sets[i].name) == 0)) {
            rows = sets[i].table;
            *name = sets[i].name;
            return ERR_OK;
        }
    log_error("row kernels '%s': this CPU does not have them", want);
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

void rows_dropout(real *y, const real *x, size_t n, real p, struct rows_dropout_site at)
{
    rows_dropout_part(y, x, 0, n, p, at);
}
