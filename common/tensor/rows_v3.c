/* The row kernels for x86-64-v3. */
#define ROWS_TABLE rows_v3
#include "tensor/rows_kernels.h"
