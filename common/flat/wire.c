#include "flat/wire.h"

#include <stdint.h>
#include <string.h>

#include "tensor/rows.h"

const char *wire_name(enum wire w)
{
    static const char *const names[WIRES] = {"float32", "bfloat16"};
    return names[w];
}

void wire_round(enum wire w, float *x, size_t n)
{
    if (w == WIRE_IS_BFLOAT16)
        rows_round_bfloat16(x, n);
}

size_t wire_bytes(enum wire w, size_t n)
{
    return n * (w == WIRE_IS_BFLOAT16 ? sizeof(uint16_t) : sizeof(float));
}

void wire_pack(enum wire w, void *bytes, const float *x, size_t n)
{
    if (w == WIRE_IS_BFLOAT16)
        rows_pack_bfloat16(bytes, x, n);
    else if (bytes != x)
        memcpy(bytes, x, n * sizeof *x);
}

void wire_unpack(enum wire w, float *x, const void *bytes, size_t n)
{
    if (w == WIRE_IS_BFLOAT16)
        rows_unpack_bfloat16(x, bytes, n);
    else if (bytes != x)
        memcpy(x, bytes, n * sizeof *x);
}

void *wire_landing(enum wire w, float *x, size_t n)
{
    return (char *)x + (n * sizeof *x - wire_bytes(w, n));
}
