/* rows_norm.h - inside rows_kernels.h: layer and root-mean-square normalization. */

static void norm(real *y, real *mean, real *rstd, const real *x, const real *gain,
                 const real *bias, size_t N, size_t C, real eps, bool rms)
{
    for (size_t n = 0; n < N; n++) {
        const real *x_n = x + n * C;
        real *y_n = y + n * C;
        const real m = rms ? 0 : row_sum(x_n, C) / (real)C;
        const real r = 1 / real_sqrt(row_sum_squares(x_n, m, C) / (real)C + eps);
        if (bias) {
#pragma omp simd
            for (size_t c = 0; c < C; c++)
                y_n[c] = muladd((x_n[c] - m) * r, gain[c], bias[c]);
        } else {
#pragma omp simd
            for (size_t c = 0; c < C; c++)
                y_n[c] = (x_n[c] - m) * r * gain[c];
        }
        if (!rms)
            mean[n] = m;
        rstd[n] = r;
    }
}

struct norm_row { /* what the backward pass of one row reads */
    const real *dy, *x, *gain;
    real mean, rstd;
};

/* The averages over the row of dh and of dh * h, h = (x - mean) * rstd, dh = dy * gain */
static inline void norm_averages(real *dh, real *dhh, struct norm_row row, size_t C)
{
    real s[LANES] = {0}, sh[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= C; i += LANES) {
#pragma omp simd
        for (int l = 0; l < LANES; l++) {
            const size_t c = i + (size_t)l;
            const real d = row.dy[c] * row.gain[c];
            s[l] += d;
            sh[l] = muladd(d, (row.x[c] - row.mean) * row.rstd, sh[l]);
        }
    }
    for (int l = 0; i < C; i++, l++) {
        const real d = row.dy[i] * row.gain[i];
        s[l] += d;
        sh[l] = muladd(d, (row.x[i] - row.mean) * row.rstd, sh[l]);
    }
    *dh = add_lanes(s) / (real)C;
    *dhh = add_lanes(sh) / (real)C;
}

/* y = h * gain + bias, h = (x - mean) * rstd: by the chain rule through mean and rstd
 *      dx = rstd * (dh - avg(dh) - h * avg(dh * h))
 * and rms, which has no mean, has no avg(dh). */
static void norm_backward(real *dx, real *dgain, real *dbias, const real *dy,
                          const real *x, const real *gain, const real *mean,
                          const real *rstd, size_t N, size_t C, bool rms)
{
    for (size_t n = 0; n < N; n++) {
        const struct norm_row row = {dy + n * C, x + n * C, gain, rms ? 0 : mean[n],
                                     rstd[n]};
        real *dx_n = dx + n * C;
        real avg_dh, avg_dhh;
        norm_averages(&avg_dh, &avg_dhh, row, C);
        if (rms)
            avg_dh = 0;
        if (dbias)
            add(dbias, row.dy, C);
#pragma omp simd
        for (size_t c = 0; c < C; c++) {
            const real h = (row.x[c] - row.mean) * row.rstd;
            dgain[c] = muladd(row.dy[c], h, dgain[c]);
            const real dh = muladd(row.dy[c], gain[c], -avg_dh);
            dx_n[c] = row.rstd * muladd(-h, avg_dhh, dh);
        }
    }
}
