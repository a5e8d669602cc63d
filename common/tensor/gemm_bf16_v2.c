/* The bfloat16 products for x86-64-v2. */
#define GEMM_BFLOAT16
#define GEMM_TABLE gemm_bf16_v2
#define WIDE_BYTES 16
#define TILE_ROWS  2
#define TILE_WIDES 2
#include "tensor/gemm_kernels.h"
