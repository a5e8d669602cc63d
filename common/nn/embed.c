#include "nn/embed.h"

#include <assert.h>
#include <string.h>

#include "tensor/rows.h"

static uint32_t site(const struct pass *pass)
{
    return pass_site(pass, DROPOUT_STREAM, 0);
}

/* 0 for a word that is dropped, else what makes up for those. */
static real kept_word(size_t b, size_t t, const struct pass *pass)
{
    const double p = pass_drop(pass, pass->conf->dropout_word);
    const uint32_t words = pass_site(pass, DROPOUT_WORD, 0);
    real four[4] = {1, 1, 1, 1}; /* of a sequence, whose words are counted */
    if (p > 0)
        rows_dropout_part(four, four, t / 4 * 4, 4, (real)p,
                          dropout_at(&pass->dropout, words, b));
    return four[t % 4];
}

/* By what the row of word @t of sequence @b is multiplied. */
static real factor(size_t b, size_t t, const struct pass *pass)
{
    return (pass->waves ? real_sqrt((real)pass->s.C) : 1) * kept_word(b, t, pass);
}

/* Row @t of what is added for the position, or NULL. */
static const real *place(struct embed w, size_t t, const struct pass *pass)
{
    const real *table = pass->waves ? pass->waves : w.position;
    return table ? table + (pass->start + t) * pass->s.C : NULL;
}

void embed_forward(real *x, const uint32_t *tokens, struct embed w,
                   const struct pass *pass)
{
    const size_t C = pass->s.C;
    const double drop = pass_drop(pass, pass->conf->dropout_embed);
    FOR_EACH_ROW(pass->of, b, t, n)
    {
        real *x_n = x + n * C;
        const real *place_n = place(w, t, pass);
        assert(tokens[n] < pass->s.V);
        memcpy(x_n, w.token + tokens[n] * C, C * sizeof *x);
        rows_scale(x_n, factor(b, t, pass), C);
        if (place_n)
            rows_add(x_n, place_n, C);
    }
    if (drop > 0)
        dropout_apply(x, x, &pass->dropout, drop, site(pass), &pass->of, C);
}

void embed_backward(struct embed dw, real *dx, const uint32_t *tokens, bool add,
                    const struct pass *pass)
{
    const size_t C = pass->s.C;
    const double drop = pass_drop(pass, pass->conf->dropout_embed);
    if (drop > 0)
        dropout_apply(dx, dx, &pass->dropout, drop, site(pass), &pass->of, C);
    if (!add)
        memset(dw.token, 0, pass->s.V * C * sizeof(real));
    if (dw.position)
        memset(dw.position, 0, pass->s.T * C * sizeof(real));
    FOR_EACH_ROW(pass->of, b, t, n)
    {
        real *dx_n = dx + n * C;
        /* x_n = token[tokens[n]] * factor + place[t] */
        if (dw.position)
            rows_add(dw.position + t * C, dx_n, C);
        rows_scale(dx_n, factor(b, t, pass), C);
        rows_add(dw.token + tokens[n] * C, dx_n, C);
    }
}
