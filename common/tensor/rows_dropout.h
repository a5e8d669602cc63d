/* rows_dropout.h - inside rows_kernels.h: which elements are dropped, for 4 * COUNTERS of
 * them at a time. */

enum { COUNTERS = 32 };

struct philox_rows { /* word w of counter b at word[w][b] */
    uint32_t word[4][COUNTERS];
};

/* What philox() does with one counter, with COUNTERS of them side by side: the rounds
 * outside, so that the loop inside becomes vector instructions. */
static inline void philox_rows(struct philox_rows *x, struct philox_key key)
{
    uint32_t k0 = key.word[0], k1 = key.word[1];
    for (int round = 0; round < 10; round++) {
#pragma omp simd
        for (int b = 0; b < COUNTERS; b++) {
            const uint64_t a = (uint64_t)0xD2511F53u * x->word[0][b];
            const uint64_t c = (uint64_t)0xCD9E8D57u * x->word[2][b];
            x->word[0][b] = (uint32_t)(c >> 32) ^ x->word[1][b] ^ k0;
            x->word[1][b] = (uint32_t)c;
            x->word[2][b] = (uint32_t)(a >> 32) ^ x->word[3][b] ^ k1;
            x->word[3][b] = (uint32_t)a;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
}

/* The random words of elements 4 * block ... in their order */
static inline void dropout_words(uint32_t words[4 * COUNTERS], uint32_t block,
                                 struct rows_dropout_site at)
{
    struct philox_rows x;
    for (uint32_t b = 0; b < COUNTERS; b++) {
        x.word[0][b] = block + b;
        x.word[1][b] = at.site;
        x.word[2][b] = at.sample;
        x.word[3][b] = at.step;
    }
    philox_rows(&x, at.key);
#pragma omp simd
    for (int b = 0; b < COUNTERS; b++) {
        words[4 * b] = x.word[0][b];
        words[4 * b + 1] = x.word[1][b];
        words[4 * b + 2] = x.word[2][b];
        words[4 * b + 3] = x.word[3][b];
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
        uint32_t words[4 * COUNTERS];
        dropout_words(words, (uint32_t)((first + i) / 4), at);
        const size_t count = n - i < 4 * COUNTERS ? n - i : 4 * COUNTERS;
#pragma omp simd
        for (size_t k = 0; k < count; k++)
            y[i + k] = words[k] >= threshold ? x[i + k] * kept : 0;
    }
}
