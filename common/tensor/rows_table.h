/* rows_table.h - inside tensor/rows: the kernels of one instruction set as a table. */
#ifndef TENSOR_ROWS_TABLE_H
#define TENSOR_ROWS_TABLE_H

#include "tensor/rows.h"

struct rows_table {
#define ROW(result, name, parameters, arguments) result(*name) parameters;
#include "tensor/rows.def"
#undef ROW
};

extern const struct rows_table rows_v2, rows_v3, rows_v4;

#endif
