#include "flat/wire.h"

#include <stdint.h>
#include <string.h>

const char *wire_name(enum wire w)
{
    static const char *const names[WIRES] = {"float32", "bfloat16", "int8"};
    return names[w];
}

void wire_round(enum wire w, float *x, size_t n)
{
    switch (w) {
    case WIRE_IS_BFLOAT16:
        rows_round_bfloat16(x, n);
        return;
    case WIRE_IS_INT8:
        rows_round_int8(x, n);
        return;
    case WIRE_IS_FLOAT32:
        return;
    }
}

size_t wire_bytes(enum wire w, size_t n)
{
    switch (w) {
    case WIRE_IS_BFLOAT16:
        return n * sizeof(uint16_t);
    case WIRE_IS_INT8:
        return rows_int8_bytes(n);
    case WIRE_IS_FLOAT32:
        break;
    }
    return n * sizeof(float);
}

void wire_pack(enum wire w, void *bytes, const float *x, size_t n)
{
    switch (w) {
    case WIRE_IS_BFLOAT16:
        rows_pack_bfloat16(bytes, x, n);
        return;
    case WIRE_IS_INT8:
        rows_pack_int8(bytes, x, n);
        return;
    case WIRE_IS_FLOAT32:
        if (bytes != x)
            memcpy(bytes, x, n * sizeof *x);
        return;
    }
}

void wire_unpack(enum wire w, float *x, const void *bytes, size_t n)
{
    switch (w) {
    case WIRE_IS_BFLOAT16:
        rows_unpack_bfloat16(x, bytes, n);
        return;
    case WIRE_IS_INT8:
        rows_unpack_int8(x, bytes, n);
        return;
    case WIRE_IS_FLOAT32:
        if (bytes != x)
            memcpy(x, bytes, n * sizeof *x);
        return;
    }
}

void *wire_landing(enum wire w, float *x, size_t n)
{
    return (char *)x + (n * sizeof *x - wire_bytes(w, n));
}
