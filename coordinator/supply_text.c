/* A text: windows of the context's length. */
#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "coordinator/supply_parts.h"

static int open_held_out(struct supply *s)
{
    const size_t T = s->plan.context;
    TRY(held_out_count(s->data.held_out, T, &s->held_out_windows));
    uint32_t *window = mem_alloc((T + 1) * sizeof *window);
    size_t length;
    held_out_get(s->data.held_out, T, s->held_out_windows - 1, window, &length);
    mem_free(window);
    s->last_length = (uint32_t)length;
    s->held_out_slices =
        plan_held_out_slices(s->plan, s->held_out_windows, s->last_length);
    const struct tokens_info *info = tokens_info(s->data.held_out);
    s->held_out_bytes_per_token = (double)info->source_bytes / (double)info->count;
    return ERR_OK;
}

int supply_text_open(struct supply *s, uint64_t seed)
{
    TRY(windows_init(&s->windows, s->data.train, s->plan.context, seed));
    TRY(open_held_out(s));
    s->scale = (struct conf_scale){
        .ramp = s->plan.ramp,
        .slices = s->plan.slices,
        .steps_per_epoch = (double)s->windows.n / s->plan.batch,
        .tokens_per_step = (double)s->plan.batch * s->plan.context};
    s->length = s->plan.context;
    return ERR_OK;
}

/* tokens [T + 1]  <-  sample @number of the step as it trains */
static void train(const struct supply *s, uint64_t step, uint64_t number,
                  uint32_t *tokens)
{
    const size_t n = (size_t)s->plan.context + 1;
    const uint64_t sample = step * s->plan.batch + number;
    struct ids *window = &s->buffer->ids[AUGMENT_TARGET];
    window->n = 0;
    windows_get(&s->windows, sample, ids_reserve(window, n));
    window->n = n;
    augment_words(&s->augment, AUGMENT_TARGET, sample, SIZE_MAX, window);
    assert(window->n >= n);
    memcpy(tokens, window->at, n * sizeof *tokens);
}

void supply_text_add(struct supply *s, struct supply_slice which)
{
    struct supply_buffer *b = s->buffer;
    const struct plan_piece piece =
        which.held_out
            ? plan_held_out(s->plan, s->held_out_windows, s->last_length, which.v)
            : plan_slice(s->plan, which.v);
    for (uint64_t i = piece.first; i < piece.first + piece.sequences; i++) {
        size_t length = s->plan.context;
        uint32_t *tokens = supply_more(&b->tokens, length + 1);
        if (which.held_out)
            held_out_get(s->data.held_out, length, i, tokens, &length);
        else
            train(s, which.step, i, tokens);
        b->tokens.n -= s->plan.context - length;
        supply_add_sample(b, i, (uint32_t)length);
    }
}
