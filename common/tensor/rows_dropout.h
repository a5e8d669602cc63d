/* rows_dropout.h - inside rows_kernels.h: which elements are dropped, for 4 * COUNTERS of
 * them at a time. */

/* The product of the lower halves of 64-bit words: the one thing of Philox that a
 * compiler does not find by itself (it shuffles halves together and apart instead). */
#if defined __AVX512F__
enum { WIDE_BYTES = 64 };
typedef uint64_t wide __attribute__((vector_size(64)));
static inline wide wide_multiply(wide a, wide b)
{
    return (wide)_mm512_mul_epu32((__m512i)a, (__m512i)b);
}
#elif defined __AVX2__
enum { WIDE_BYTES = 32 };
typedef uint64_t wide __attribute__((vector_size(32)));
static inline wide wide_multiply(wide a, wide b)
{
    return (wide)_mm256_mul_epu32((__m256i)a, (__m256i)b);
}
#else
enum { WIDE_BYTES = 16 };
typedef uint64_t wide __attribute__((vector_size(16)));
static inline wide wide_multiply(wide a, wide b)
{
    return (wide)_mm_mul_epu32((__m128i)a, (__m128i)b);
}
#endif

enum { COUNTERS = 32 };

/* What philox() does with one counter, for WIDE_BYTES / 8 of them.  Words are in the
 * lower halves; the upper ones hold anything, nobody looks at them. */
static inline void philox_wide(wide x[4], struct philox_key key)
{
    const wide zero = {0}, m0 = zero + 0xD2511F53u, m2 = zero + 0xCD9E8D57u;
    uint32_t k0 = key.word[0], k1 = key.word[1];
#pragma GCC unroll 10
    for (int round = 0; round < 10; round++) {
        const wide a = wide_multiply(x[0], m0), c = wide_multiply(x[2], m2);
        x[0] = (c >> 32) ^ x[1] ^ k0;
        x[1] = c;
        x[2] = (a >> 32) ^ x[3] ^ k1;
        x[3] = a;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
}

union dropout_words { /* of 4 * COUNTERS elements, in their order */
    uint64_t pair[2 * COUNTERS];
    uint32_t word[4 * COUNTERS];
};

/* The random words of elements 4 * block ...  Two words at a time are put beside each
 * other before the counters' are: x86 is little-endian. */
static inline void dropout_words(union dropout_words *words, uint32_t block,
                                 struct rows_dropout_site at)
{
    uint64_t counters[COUNTERS], front[COUNTERS], back[COUNTERS];
    for (uint32_t b = 0; b < COUNTERS; b++)
        counters[b] = block + b;
    for (size_t b = 0; b < COUNTERS; b += WIDE_BYTES / 8) {
        const wide zero = {0};
        wide x[4] = {zero, zero + at.site, zero + at.sample, zero + at.step};
        memcpy(&x[0], counters + b, WIDE_BYTES);
        philox_wide(x, at.key);
        x[0] = (x[0] & 0xffffffff) | x[1] << 32;
        x[2] = (x[2] & 0xffffffff) | x[3] << 32;
        memcpy(front + b, &x[0], WIDE_BYTES);
        memcpy(back + b, &x[2], WIDE_BYTES);
    }
#pragma omp simd
    for (int b = 0; b < COUNTERS; b++) {
        words->pair[2 * b] = front[b];
        words->pair[2 * b + 1] = back[b];
    }
}

/* Words are compared as integers: keep when word >= p * 2^32. */
static void dropout_part(real *y, const real *x, size_t first, size_t n, real p,
                         struct rows_dropout_site at)
{
    assert(first % 4 == 0 && (first + n) / 4 <= UINT32_MAX && p < 1);
    if (!(p > 0)) {
        if (y != x)
            memcpy(y, x, n * sizeof *y);
        return;
    }
    const uint32_t threshold = (uint32_t)((double)p * 0x1p32);
    const real kept = 1 / (1 - p);
    for (size_t i = 0; i < n; i += 4 * COUNTERS) {
        union dropout_words words;
        dropout_words(&words, (uint32_t)((first + i) / 4), at);
        const size_t count = n - i < 4 * COUNTERS ? n - i : 4 * COUNTERS;
#pragma omp simd
        for (size_t k = 0; k < count; k++)
            y[i + k] = words.word[k] >= threshold ? x[i + k] * kept : 0;
    }
}
