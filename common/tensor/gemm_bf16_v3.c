/* The bfloat16 products for x86-64-v3. */
#define GEMM_BFLOAT16
#define GEMM_TABLE gemm_bf16_v3
#define WIDE_BYTES 32
#define TILE_ROWS  6
#define TILE_WIDES 2
#include "tensor/gemm_kernels.h"
