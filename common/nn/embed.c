#include "nn/embed.h"

#include <assert.h>
#include <string.h>

#include "tensor/rows.h"

static real scale(const struct pass *pass)
{
    return pass->waves ? real_sqrt((real)pass->s.C) : 1;
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
        if (pass->waves)
            rows_scale(x_n, scale(pass), C);
        if (place_n)
            rows_add(x_n, place_n, C);
    }
    if (drop > 0)
        dropout_apply(x, x, &pass->dropout, drop, DROPOUT_SITE_EMBED, &pass->of, C);
}

void embed_backward(struct embed dw, real *dx, const uint32_t *tokens, bool add,
                    const struct pass *pass)
{
    const size_t C = pass->s.C;
    const double drop = pass_drop(pass, pass->conf->dropout_embed);
    if (drop > 0)
        dropout_apply(dx, dx, &pass->dropout, drop, DROPOUT_SITE_EMBED, &pass->of, C);
    if (!add)
        memset(dw.token, 0, pass->s.V * C * sizeof(real));
    if (dw.position)
        memset(dw.position, 0, pass->s.T * C * sizeof(real));
    FOR_EACH_ROW(pass->of, b, t, n)
    {
        real *dx_n = dx + n * C;
        /* x_n = token[tokens[n]] * scale + place[t] */
        if (dw.position)
            rows_add(dw.position + t * C, dx_n, C);
        if (pass->waves)
            rows_scale(dx_n, scale(pass), C);
        rows_add(dw.token + tokens[n] * C, dx_n, C);
    }
}
