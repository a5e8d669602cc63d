/* The bfloat16 products for x86-64-v4 with AVX512-BF16. */
#define GEMM_BFLOAT16
#define GEMM_TABLE gemm_bf16_pairs
#define WIDE_BYTES 64
#define TILE_ROWS  12
#define TILE_WIDES 2
#include "tensor/gemm_kernels.h"
