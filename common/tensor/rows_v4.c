/* The row kernels for x86-64-v4. */
#define ROWS_TABLE rows_v4
#include "tensor/rows_kernels.h"
