/* Pairs: sources, and targets that begin and end with the end of text. */
#include <assert.h>

#include "base/err.h"
#include "base/log.h"
#include "coordinator/supply_parts.h"

/* Both sides with their end, within the context. */
static int check_lengths(const struct parallel *p, uint32_t context)
{
    const struct parallel_info *info = parallel_info(p);
    const uint64_t longest = info->longest_source > info->longest_target
                                 ? info->longest_source
                                 : info->longest_target;
    if (longest < context)
        return ERR_OK;
    log_error("%s has a sentence of %llu tokens, which with its end do not fit "
              "model.context %lu; use model.context %llu, or prepare with --max-length "
              "%lu, which leaves longer pairs out",
              parallel_path(p), (unsigned long long)longest, (unsigned long)context,
              (unsigned long long)longest + 1, (unsigned long)context - 1);
    return ERR_DATA;
}

static int open_held_out(struct supply *s)
{
    const struct parallel_info *info = parallel_info(s->data.held_out_pairs);
    TRY(check_lengths(s->data.held_out_pairs, s->plan.context));
    TRY(held_out_batches_init(&s->held_out, s->data.held_out_pairs, plan_rows(s->plan)));
    if (s->held_out.slices > MESSAGE_SLICES_MAX) {
        log_error("%s makes %llu held-out slices, at most %u are possible; raise "
                  "train.batch_tokens or hold out less",
                  parallel_path(s->data.held_out_pairs),
                  (unsigned long long)s->held_out.slices, MESSAGE_SLICES_MAX);
        return ERR_DATA;
    }
    s->held_out_slices = (uint32_t)s->held_out.slices;
    s->held_out_bytes_per_token =
        (double)info->target_bytes / (double)(info->target_tokens + info->count);
    return ERR_OK;
}

int supply_pairs_open(struct supply *s, const struct conf *conf)
{
    const struct parallel *train = s->data.train_pairs;
    const struct parallel_info *info = parallel_info(train);
    const struct conf_train *t = &conf->train;
    const bool end = tokenizer_end_of_text(s->data.tokenizer, &s->end);
    assert(end && "dataset_open() asks for one");
    (void)end;
    TRY(check_lengths(train, s->plan.context));
    TRY(batches_init(&s->batches, train, t->seed, t->batch_tokens, t->slices,
                     t->length_pool));
    assert(batches_largest(&s->batches) <= plan_rows(s->plan));
    const uint64_t targets = info->target_tokens + info->count;
    const double steps = (double)s->batches.steps_per_epoch;
    s->scale = (struct conf_scale){.steps_per_epoch = steps,
                                   .tokens_per_step = (double)targets / steps};
    s->length = (double)targets / (double)info->count;
    return open_held_out(s);
}

void supply_pairs_close(struct supply *s)
{
    batches_fini(&s->batches);
    held_out_batches_fini(&s->held_out);
}

static void add_pair(struct supply *s, const struct parallel *p, uint64_t pair,
                     uint64_t sample)
{
    struct supply_buffer *b = s->buffer;
    uint32_t source, target;
    parallel_lengths(p, pair, &source, &target);
    uint32_t *tokens = supply_more(&b->tokens, (size_t)target + 2);
    uint32_t *words = supply_more(&b->source, (size_t)source + 1);
    parallel_get(p, pair, words, tokens + 1);
    tokens[0] = tokens[target + 1] = words[source] = s->end;
    *supply_more(&b->source_lengths, 1) = source + 1;
    supply_add_sample(b, sample, target + 1);
}

void supply_pairs_add(struct supply *s, struct supply_slice which)
{
    uint64_t first, n;
    if (which.held_out) {
        held_out_batches_slice(&s->held_out, which.v, &first, &n);
        for (uint64_t i = first; i < first + n; i++)
            add_pair(s, s->data.held_out_pairs, i, i);
        return;
    }
    batches_slice(&s->batches, which.step, which.v, &first, &n);
    for (uint64_t g = first; g < first + n; g++)
        add_pair(s, s->data.train_pairs, batches_pair(&s->batches, g), g);
}
