/* real.h - the number type of all tensors.
 *
 * float in production.  The preset "double" compiles the very same sources with double,
 * so that derivative checks separate wrong mathematics from rounding.
 */
#ifndef TENSOR_REAL_H
#define TENSOR_REAL_H

#include <math.h>

#ifdef REAL_DOUBLE
typedef double real;
#define REAL_EPS  2.220446049250313e-16
#define real_sqrt sqrt
#define real_exp  exp
#define real_erf  erf
#define real_tanh tanh
#define real_log  log
#define real_cos  cos
#define real_sin  sin
#else
typedef float real;
#define REAL_EPS  1.1920929e-07f
#define real_sqrt sqrtf
#define real_exp  expf
#define real_erf  erff
#define real_tanh tanhf
#define real_log  logf
#define real_cos  cosf
#define real_sin  sinf
#endif

#endif
