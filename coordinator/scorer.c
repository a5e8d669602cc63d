#include "coordinator/scorer.h"

#include <string.h>

#include "base/mem.h"
#include "score/bleu.h"

struct text {
    char *at;
    size_t bytes, room;
};

struct scorer {
    const struct supply *supply;
    struct bleu_options options;
    struct bleu_sums sums;
    struct text hypothesis, reference;
    uint32_t *source, *target; /* of a pair, the longest */
};

struct scorer *scorer_new(const struct supply *supply, const struct conf_translate *conf)
{
    const struct parallel_info *info = parallel_info(supply->data.held_out_pairs);
    struct scorer *s = mem_zalloc(sizeof *s);
    s->supply = supply;
    s->options = (struct bleu_options){
        .tokens = conf->bleu_tokens == BLEU_NONE ? BLEU_TOKENS_NONE : BLEU_TOKENS_13A,
        .smooth = BLEU_SMOOTH_EXP,
        .lowercase = conf->lowercase};
    s->source = mem_alloc(mem_mul(info->longest_source, sizeof *s->source));
    s->target = mem_alloc(mem_mul(info->longest_target, sizeof *s->target));
    return s;
}

void scorer_free(struct scorer *s)
{
    if (!s)
        return;
    mem_free(s->hypothesis.at);
    mem_free(s->reference.at);
    mem_free(s->source);
    mem_free(s->target);
    mem_free(s);
}

void scorer_begin(struct scorer *s)
{
    s->sums = (struct bleu_sums){0};
}

static void append(struct text *t, const char *bytes, size_t n)
{
    if (t->bytes + n > t->room) {
        t->room = 2 * t->room + n;
        t->at = mem_resize(t->at, t->room);
    }
    memcpy(t->at + t->bytes, bytes, n);
    t->bytes += n;
}

static struct span spell(struct text *t, const struct tokenizer *tokenizer,
                         const uint32_t *tokens, size_t n)
{
    t->bytes = 0;
    for (size_t i = 0; i < n; i++) {
        const char *bytes;
        size_t length;
        tokenizer_piece(tokenizer, tokens[i], &bytes, &length);
        append(t, bytes, length);
    }
    return (struct span){t->at, t->bytes};
}

static void score_pair(struct scorer *s, uint64_t pair, const uint32_t *tokens, size_t n)
{
    const struct dataset *data = &s->supply->data;
    uint32_t sources, targets;
    parallel_lengths(data->held_out_pairs, pair, &sources, &targets);
    parallel_get(data->held_out_pairs, pair, s->source, s->target);
    const struct span said = spell(&s->hypothesis, data->tokenizer, tokens, n),
                      right = spell(&s->reference, data->tokenizer, s->target, targets);
    bleu_add(&s->sums, &s->options, said, &right, 1);
}

void scorer_take(struct scorer *s, uint32_t v, const uint32_t *lengths,
                 const uint32_t *tokens)
{
    uint64_t first, n;
    held_out_batches_slice(&s->supply->held_out, v, &first, &n);
    for (size_t i = 0; i < n; i++) {
        score_pair(s, first + i, tokens, lengths[i]);
        tokens += lengths[i];
    }
}

double scorer_bleu(const struct scorer *s)
{
    return bleu_score(&s->sums, s->options.smooth).score;
}
