/* Pairs: sources, and targets that begin and end with the end of text. */
#include <assert.h>
#include <string.h>

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

/* The token of a space, which stands between joined pairs. */
static struct supply_gap find_gap(const struct tokenizer *t)
{
    for (size_t id = 0; id < tokenizer_vocab(t); id++) {
        const char *bytes;
        size_t n;
        tokenizer_piece(t, (uint32_t)id, &bytes, &n);
        if (n == 1 && *bytes == ' ')
            return (struct supply_gap){true, (uint32_t)id};
    }
    return (struct supply_gap){0};
}

int supply_pairs_open(struct supply *s, const struct conf *conf)
{
    const struct parallel *train = s->data.train_pairs;
    const struct parallel_info *info = parallel_info(train);
    const struct conf_train *t = &conf->train;
    const bool end = tokenizer_end_of_text(s->data.tokenizer, &s->end);
    assert(end && "dataset_open() asks for one");
    (void)end;
    s->gap = find_gap(s->data.tokenizer);
    TRY(check_lengths(train, s->plan.context));
    TRY(batches_init(&s->batches, train, t->seed, t->batch_tokens, t->slices,
                     t->length_pool));
    assert(batches_largest(&s->batches) <= plan_rows(s->plan));
    const uint64_t targets = info->target_tokens + info->count;
    const double steps = (double)s->batches.steps_per_epoch;
    s->scale = (struct conf_scale){.ramp = s->plan.ramp,
                                   .slices = s->plan.slices,
                                   .steps_per_epoch = steps,
                                   .tokens_per_step = (double)targets / steps};
    s->length = (double)targets / (double)info->count;
    return open_held_out(s);
}

void supply_pairs_close(struct supply *s)
{
    batches_fini(&s->batches);
    held_out_batches_fini(&s->held_out);
}

/* --- slices ----------------------------------------------------------------------------
 */

static uint32_t *begin(struct ids *ids, size_t n)
{
    ids->n = 0;
    uint32_t *at = ids_reserve(ids, n);
    ids->n = n;
    return at;
}

/* The buffer's two lists  <-  pair @pair of the file */
static void read_pair(struct supply_buffer *b, const struct parallel *p, uint64_t pair)
{
    uint32_t source, target;
    parallel_lengths(p, pair, &source, &target);
    parallel_get(p, pair, begin(&b->ids[AUGMENT_SOURCE], source),
                 begin(&b->ids[AUGMENT_TARGET], target));
}

/* @words and an end. */
static void append(struct supply_words *to, const struct ids *words, uint32_t end)
{
    uint32_t *at = supply_more(to, words->n + 1);
    memcpy(at, words->at, words->n * sizeof *at);
    at[words->n] = end;
}

static void add_pair(struct supply *s, uint64_t sample)
{
    struct supply_buffer *b = s->buffer;
    const struct ids *source = &b->ids[AUGMENT_SOURCE], *target = &b->ids[AUGMENT_TARGET];
    *supply_more(&b->tokens, 1) = s->end;
    append(&b->tokens, target, s->end);
    append(&b->source, source, s->end);
    *supply_more(&b->source_lengths, 1) = (uint32_t)source->n + 1;
    supply_add_sample(b, sample, (uint32_t)target->n + 1);
}

/* --- what trains */

/* Puts more words behind the last ones, in the place of their end. */
static void extend(struct supply *s, struct supply_words *to,
                   struct supply_words *lengths, const struct ids *words)
{
    uint32_t *last = &lengths->at[lengths->n - 1];
    if (s->gap.exists)
        to->at[to->n - 1] = s->gap.token;
    else
        to->n--;
    append(to, words, s->end);
    *last += (uint32_t)words->n + s->gap.exists;
}

static bool fits(const struct supply *s, const struct supply_words *lengths,
                 const struct ids *words)
{
    return lengths->at[lengths->n - 1] + words->n + s->gap.exists <= s->plan.context;
}

/* Joins the pair with the one added last, if that has room for it. */
static bool join(struct supply *s)
{
    struct supply_buffer *b = s->buffer;
    const struct ids *source = &b->ids[AUGMENT_SOURCE], *target = &b->ids[AUGMENT_TARGET];
    if (!fits(s, &b->source_lengths, source) || !fits(s, &b->lengths, target))
        return false;
    extend(s, &b->source, &b->source_lengths, source);
    extend(s, &b->tokens, &b->lengths, target);
    return true;
}

/* Rows that are left, by side, when the pairs of the slice take what they have. */
struct spare {
    uint64_t rows[2];
};

static struct spare count_spare(struct supply *s, uint64_t first, uint64_t n)
{
    const uint64_t most = plan_rows(s->plan);
    struct spare spare = {{most, most}};
    for (uint64_t g = first; g < first + n; g++) {
        uint32_t source, target;
        parallel_lengths(s->data.train_pairs, batches_pair(&s->batches, g), &source,
                         &target);
        assert(source < spare.rows[AUGMENT_SOURCE]);
        assert(target < spare.rows[AUGMENT_TARGET]);
        spare.rows[AUGMENT_SOURCE] -= (uint64_t)source + 1;
        spare.rows[AUGMENT_TARGET] -= (uint64_t)target + 1;
    }
    return spare;
}

/* The buffer's two lists  <-  sample @g as it trains */
static void train(struct supply *s, uint64_t g, struct spare *spare)
{
    struct supply_buffer *b = s->buffer;
    read_pair(b, s->data.train_pairs, batches_pair(&s->batches, g));
    for (enum augment_side side = AUGMENT_SOURCE; side <= AUGMENT_TARGET; side++) {
        struct ids *words = &b->ids[side];
        const uint64_t room = spare->rows[side] + words->n,
                       most = room < s->plan.context ? room : s->plan.context - 1;
        augment_words(&s->augment, side, g, most, words);
        spare->rows[side] = room - words->n;
    }
}

static void add_training(struct supply *s, uint64_t first, uint64_t n)
{
    struct spare spare = count_spare(s, first, n);
    bool joined = true; /* the first has none before it */
    for (uint64_t g = first; g < first + n; g++) {
        train(s, g, &spare);
        joined = !joined && augment_joins(&s->augment, g - 1) && join(s);
        if (!joined)
            add_pair(s, g);
    }
}

void supply_pairs_add(struct supply *s, struct supply_slice which)
{
    uint64_t first, n;
    if (!which.held_out) {
        batches_slice(&s->batches, which.step, which.v, &first, &n);
        add_training(s, first, n);
        return;
    }
    held_out_batches_slice(&s->held_out, which.v, &first, &n);
    for (uint64_t i = first; i < first + n; i++) {
        read_pair(s->buffer, s->data.held_out_pairs, i);
        add_pair(s, i);
    }
}
