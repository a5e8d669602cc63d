/* rows_softmax.h - inside rows_kernels.h: attention weights and the loss. */

/* x [LANES]  <-  exp(factor * (x - max)), added to s */
static inline void exp_lanes(real s[LANES], real *x, real max, real factor)
{
#pragma omp simd
    for (int l = 0; l < LANES; l++) {
        const real e = vector_exp(factor * (x[l] - max));
        x[l] = e;
        s[l] += e;
    }
}

/* x [n]  <-  exp(factor * (x - max)); returns the sum.  The rest of the row that does not
 * fill all lanes is filled up with what becomes 0: attention rows are short, and exp one
 * at a time would take as long as the rest of them. */
static real row_exp(real *x, real max, real factor, size_t n)
{
    real s[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        exp_lanes(s, x + i, max, factor);
    if (i < n) {
        real rest[LANES];
        for (size_t l = 0; l < LANES; l++)
            rest[l] = l < n - i ? x[i + l] : (real)-INFINITY;
        exp_lanes(s, rest, max, factor);
        memcpy(x + i, rest, (n - i) * sizeof *x);
    }
    return add_lanes(s);
}

static inline size_t whole_lanes(size_t n)
{
    return (n + LANES - 1) / LANES * LANES;
}

/* Row t looks at [0, t] when causal, else at [0, S).  What follows, up to a whole number
 * of lanes, is first filled with @value, the rest with 0; returns where that begins.  So
 * rows have no odd rests, which would take longer than the row itself. */
static inline size_t mask_row(real *x, size_t t, size_t S, bool causal, real value)
{
    const size_t n = causal ? t + 1 : S, end = whole_lanes(n);
    const int kept = (int)(n + LANES - end);
    real *last = x + end - LANES;
#pragma omp simd
    for (int l = 0; l < LANES; l++)
        last[l] = l < kept ? last[l] : value;
    if (end < S)
        memset(x + end, 0, (whole_lanes(S) - end) * sizeof *x);
    return end;
}

static void softmax(real *a, size_t ld, size_t first, size_t T, size_t S, bool causal,
                    real factor)
{
    assert(factor > 0 && ld >= S && ld % LANES == 0);
    for (size_t t = 0; t < T; t++) {
        real *a_t = a + t * ld;
        const size_t n =
            mask_row(a_t, first + t, S, causal, (real)-INFINITY); /* 0 by exp */
        const real total = row_exp(a_t, row_max(a_t, n), factor, n);
        scale(a_t, 1 / total, n);
    }
}

/* a = softmax(factor * x)  =>  dx_j = factor * a_j * (da_j - sum_k a_k da_k) */
static void softmax_backward(real *da, const real *a, size_t ld, size_t first, size_t T,
                             size_t S, bool causal, real factor)
{
    assert(ld >= S && ld % LANES == 0);
    for (size_t t = 0; t < T; t++) {
        const real *a_t = a + t * ld;
        real *da_t = da + t * ld;
        const size_t n = mask_row(da_t, first + t, S, causal, 0); /* as a is */
        const real dot = row_dot(a_t, da_t, n);
#pragma omp simd
        for (size_t j = 0; j < n; j++)
            da_t[j] = factor * a_t[j] * (da_t[j] - dot);
    }
}

/* A row as long as a vocabulary is summed in float over pieces, in double over the pieces,
 * so that it is as good for 100,000 words as for 100.  (Equal terms are rounded the same
 * way every time: 50,000 of them in float were 4e-5 off.) */
enum { VOCABULARY_PIECE = 512 };

static inline size_t piece(size_t i, size_t V)
{
    return V - i < VOCABULARY_PIECE ? V - i : VOCABULARY_PIECE;
}

/* x  <-  exp(x - max); returns the sum. */
static double vocabulary_exp(real *x, real max, size_t V)
{
    double total = 0;
    for (size_t i = 0; i < V; i += VOCABULARY_PIECE)
        total += (double)row_exp(x + i, max, 1, piece(i, V));
    return total;
}

static double vocabulary_sum(const real *x, size_t V)
{
    double total = 0;
    for (size_t i = 0; i < V; i += VOCABULARY_PIECE)
        total += (double)row_sum(x + i, piece(i, V));
    return total;
}

static double log_sum_exp(const real *x, size_t n)
{
    const real max = row_max(x, n);
    real room[VOCABULARY_PIECE];
    double total = 0;
    for (size_t i = 0; i < n; i += VOCABULARY_PIECE) {
        memcpy(room, x + i, piece(i, n) * sizeof *room);
        total += (double)row_exp(room, max, 1, piece(i, n));
    }
    return (double)max + log(total);
}

static void take_away(real *x, real constant, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        x[i] -= constant;
}

/* loss = log(sum_j exp(x_j)) - sum_j w_j x_j  =>  dx_j = softmax_j - w_j, where
 * w_j = (1 - smoothing) (j == target) + smoothing / V */
static double cross_entropy(real *logits, size_t ld, const uint32_t *targets, size_t n,
                            size_t V, real smoothing, bool backward)
{
    assert(ld >= V && smoothing >= 0 && smoothing < 1);
    const double s = (double)smoothing;
    double loss = 0;
    for (size_t i = 0; i < n; i++) {
        assert(targets[i] < V);
        real *row = logits + i * ld;
        const real max = row_max(row, V), at_target = row[targets[i]];
        double expected = (double)at_target;
        if (s > 0)
            expected += s * (vocabulary_sum(row, V) / (double)V - expected);
        const double total = vocabulary_exp(row, max, V);
        loss += log(total) + ((double)max - expected);
        if (!backward)
            continue;
        scale(row, (real)(1 / total), V);
        if (s > 0)
            take_away(row, smoothing / (real)V, V);
        row[targets[i]] -= 1 - smoothing;
    }
    return loss;
}
