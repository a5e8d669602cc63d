/* rows_plain.h - inside rows_kernels.h: sums, rotation and bfloat16. */

static void add(real *y, const real *x, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}

static void add_scaled(real *y, const real *x, real factor, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        y[i] = muladd(x[i], factor, y[i]);
}

static void scale(real *y, real factor, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        y[i] *= factor;
}

static void add_bias(real *y, const real *b, size_t N, size_t C)
{
    for (size_t n = 0; n < N; n++)
        add(y + n * C, b, C);
}

static void sum(real *db, const real *dy, size_t N, size_t C)
{
    for (size_t n = 0; n < N; n++)
        add(db, dy + n * C, C);
}

static void rotate(real *x, const real *cs, size_t D, bool inverse)
{
    assert(D % 2 == 0);
    const size_t half = D / 2;
    const real sign = inverse ? -1 : 1;
#pragma omp simd
    for (size_t i = 0; i < half; i++) {
        const real a = x[i], b = x[i + half], c = cs[i], s = sign * cs[i + half];
        x[i] = muladd(a, c, -(b * s));
        x[i + half] = muladd(b, c, a * s);
    }
}

/* --- bfloat16: the upper half of a float ------------------------------------------- */

/* Adds just below half a unit of the upper half, and one more when that half is odd: the
 * carry rounds to nearest, ties to even.  What is not a number must not be carried into
 * an infinity: it is made quiet instead. */
static inline uint32_t round_bits(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    const uint32_t rounded = u + 0x7fff + ((u >> 16) & 1);
    return (u & 0x7fffffff) > 0x7f800000 ? u | 0x400000 : rounded;
}

static void round_bfloat16(float *x, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        const uint32_t u = round_bits(x[i]) & 0xffff0000;
        memcpy(&x[i], &u, sizeof u);
    }
}

static void pack_bfloat16(uint16_t *y, const float *x, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        y[i] = (uint16_t)(round_bits(x[i]) >> 16);
}

static void unpack_bfloat16(float *y, const uint16_t *x, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        const uint32_t u = (uint32_t)x[i] << 16;
        memcpy(&y[i], &u, sizeof u);
    }
}
