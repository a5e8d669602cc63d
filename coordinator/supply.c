#include "coordinator/supply.h"

#include <assert.h>

#include "base/err.h"
#include "base/mem.h"

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

int supply_open(struct supply *s, const struct conf *conf)
{
    *s = (struct supply){
        .plan = {conf->train.batch, conf->train.slices, conf->model.context}};
    TRY(dataset_open(&s->data, conf->data.dir));
    s->vocab = (uint32_t)tokenizer_vocab(s->data.tokenizer);
    int err = windows_init(&s->windows, s->data.train, s->plan.context, conf->train.seed);
    if (!err)
        err = open_held_out(s);
    if (err)
        supply_close(s);
    else
        s->steps_per_epoch = (double)s->windows.n / s->plan.batch;
    return err;
}

void supply_close(struct supply *s)
{
    dataset_close(&s->data);
    mem_free(s->slice);
    mem_free(s->lengths);
    mem_free(s->tokens);
    mem_free(s->samples);
    *s = (struct supply){0};
}

uint64_t supply_targets(const struct supply *s, uint32_t first, uint32_t end)
{
    uint64_t sequences = 0;
    for (uint32_t v = first; v < end; v++)
        sequences += plan_slice(s->plan, v).sequences;
    return sequences * s->plan.context;
}

static struct plan_piece piece_of(const struct supply *s, bool held_out, uint32_t v)
{
    return held_out ? plan_held_out(s->plan, s->held_out_windows, s->last_length, v)
                    : plan_slice(s->plan, v);
}

/* tokens [length + 1] <- one sequence; returns its length */
static uint32_t read_sequence(const struct supply *s, uint64_t step, bool held_out,
                              uint64_t number, uint32_t *tokens)
{
    size_t length = s->plan.context;
    if (held_out)
        held_out_get(s->data.held_out, s->plan.context, number, tokens, &length);
    else
        windows_get(&s->windows, step * s->plan.batch + number, tokens);
    return (uint32_t)length;
}

const struct message_slice *supply_slices(struct supply *s, uint64_t step, bool held_out,
                                          uint32_t first, uint32_t end)
{
    assert(first < end);
    size_t sequences = 0;
    for (uint32_t v = first; v < end; v++)
        sequences += piece_of(s, held_out, v).sequences;
    s->slice = mem_resize(s->slice, (end - first) * sizeof *s->slice);
    s->lengths = mem_resize(s->lengths, sequences * sizeof *s->lengths);
    s->samples = mem_resize(s->samples, sequences * sizeof *s->samples);
    s->tokens =
        mem_resize(s->tokens, sequences * (s->plan.context + 1) * sizeof *s->tokens);

    uint32_t *tokens = s->tokens, *lengths = s->lengths;
    uint64_t *samples = s->samples;
    for (uint32_t v = first; v < end; v++) {
        const struct plan_piece piece = piece_of(s, held_out, v);
        struct message_slice *slice = &s->slice[v - first];
        *slice = (struct message_slice){.sequences = piece.sequences,
                                        .lengths = lengths,
                                        .tokens = tokens,
                                        .samples = samples};
        for (uint32_t b = 0; b < piece.sequences; b++) {
            *lengths = read_sequence(s, step, held_out, piece.first + b, tokens);
            tokens += *lengths++ + 1;
            *samples++ = piece.first + b;
        }
    }
    return s->slice;
}
