/* The row kernels for x86-64-v2. */
#define ROWS_TABLE rows_v2
#include "tensor/rows_kernels.h"
