/* rows_int8.h - inside rows_kernels.h: blocks of integers with one unit. */

/* A block on its way: bytes and floats may lie in the same room, so all of it is read
 * before any of it is written. */
struct int8_block {
    int8_t q[ROWS_BLOCK];
    uint8_t exponent; /* of the unit, as in a float; INT8_BROKEN: not a number */
};

enum {
    INT8_BROKEN = 255,
    INT8_SMALLEST = 3 /* Numbers below 2^-126, of which the processor may or may not make
                         0, are less than half of this unit: 0 either way. */
};

/* 1.5 * 2^23: a float of this size has no room for what is behind the point, so a small
 * number that is added is rounded to nearest even, and the last byte is that integer. */
static const float int8_round = 0x1.8p23f;

static inline float power_of_two(uint32_t exponent)
{
    const uint32_t bits = exponent << 23;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Of the largest magnitude: 2^6 units or more, below 127.5 of them.  As integers, floats
 * have the order of their magnitudes, infinite ones and what is not a number last; half
 * of the last bit of 7 carries 127.5 and more over to the next exponent. */
static inline uint8_t unit_exponent(const float x[ROWS_BLOCK])
{
    int32_t top = 0;
#pragma omp simd reduction(max : top)
    for (int i = 0; i < ROWS_BLOCK; i++) {
        int32_t u;
        memcpy(&u, &x[i], sizeof u);
        u &= 0x7fffffff;
        top = u > top ? u : top;
    }
    const uint32_t exponent = ((uint32_t)top + 0x10000) >> 23;
    if (exponent >= 0xff)
        return INT8_BROKEN;
    return (uint8_t)(exponent < INT8_SMALLEST + 6 ? INT8_SMALLEST : exponent - 6);
}

static inline void fill_broken(float x[ROWS_BLOCK])
{
    for (int i = 0; i < ROWS_BLOCK; i++)
        x[i] = NAN;
}

static inline void round_block(float x[ROWS_BLOCK])
{
    const uint8_t exponent = unit_exponent(x);
    if (exponent == INT8_BROKEN) {
        fill_broken(x);
        return;
    }
    const float unit = power_of_two(exponent), inverse = power_of_two(254u - exponent);
#pragma omp simd
    for (int i = 0; i < ROWS_BLOCK; i++)
        x[i] = (x[i] * inverse + int8_round - int8_round) * unit;
}

static inline void quantize(struct int8_block *b, const float x[ROWS_BLOCK])
{
    b->exponent = unit_exponent(x);
    if (b->exponent == INT8_BROKEN) {
        memset(b->q, 0, sizeof b->q);
        return;
    }
    const float inverse = power_of_two(254u - b->exponent);
#pragma omp simd
    for (int i = 0; i < ROWS_BLOCK; i++) {
        const float sum = x[i] * inverse + int8_round;
        uint32_t u;
        memcpy(&u, &sum, sizeof u);
        b->q[i] = (int8_t)u;
    }
}

static inline void restore(float x[ROWS_BLOCK], const struct int8_block *b)
{
    if (b->exponent == INT8_BROKEN) {
        fill_broken(x);
        return;
    }
    const float unit = power_of_two(b->exponent);
#pragma omp simd
    for (int i = 0; i < ROWS_BLOCK; i++)
        x[i] = (float)b->q[i] * unit;
}

/* The last block may be short: what is missing is 0. */
static inline void fill_up(float whole[ROWS_BLOCK], const float *x, size_t n)
{
    memset(whole, 0, ROWS_BLOCK * sizeof *whole);
    memcpy(whole, x, n * sizeof *x);
}

static void round_int8(float *x, size_t n)
{
    float last[ROWS_BLOCK];
    for (; n >= ROWS_BLOCK; n -= ROWS_BLOCK, x += ROWS_BLOCK)
        round_block(x);
    fill_up(last, x, n);
    round_block(last);
    memcpy(x, last, n * sizeof *x);
}

static void pack_int8(uint8_t *y, const float *x, size_t n)
{
    float last[ROWS_BLOCK];
    struct int8_block b;
    for (; n >= ROWS_BLOCK; n -= ROWS_BLOCK, x += ROWS_BLOCK, y += 1 + ROWS_BLOCK) {
        quantize(&b, x);
        y[0] = b.exponent;
        memcpy(y + 1, b.q, ROWS_BLOCK);
    }
    if (n == 0)
        return;
    fill_up(last, x, n);
    quantize(&b, last);
    y[0] = b.exponent;
    memcpy(y + 1, b.q, n);
}

static void unpack_int8(float *y, const uint8_t *x, size_t n)
{
    float last[ROWS_BLOCK];
    struct int8_block b = {0};
    for (; n >= ROWS_BLOCK; n -= ROWS_BLOCK, x += 1 + ROWS_BLOCK, y += ROWS_BLOCK) {
        b.exponent = x[0];
        memcpy(b.q, x + 1, ROWS_BLOCK);
        restore(y, &b);
    }
    if (n == 0)
        return;
    b.exponent = x[0];
    memcpy(b.q, x + 1, n);
    restore(last, &b);
    memcpy(y, last, n * sizeof *y);
}
