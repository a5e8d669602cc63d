#include "coordinator/supply.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "coordinator/document.h"
#include "coordinator/supply_parts.h"

/* --- opening --------------------------------------------------------------------------
 */

static int check_kind(const struct supply *s, const struct conf *conf)
{
    const bool pairs = s->data.train_pairs != NULL;
    if (pairs == s->plan.pairs)
        return ERR_OK;
    log_error("%s has %s, but model.encoder_layers is %lu; %s", conf->data.dir,
              pairs ? "parallel text" : "a text without sources",
              (unsigned long)conf->model.encoder_layers,
              pairs ? "set it to 1 or more to learn to translate"
                    : "set it to 0, or prepare data with --source and --target");
    return ERR_CONFIG;
}

int supply_open(struct supply *s, const struct conf *conf)
{
    *s = (struct supply){.plan = plan_of(conf)};
    TRY(dataset_open(&s->data, conf->data.dir));
    s->buffer = mem_zalloc(sizeof *s->buffer);
    s->vocab = (uint32_t)tokenizer_vocab(s->data.tokenizer);
    s->counted = mem_zalloc(mem_mul(s->plan.slices, sizeof *s->counted));
    int err = check_kind(s, conf);
    if (!err)
        err = augment_init(&s->augment, conf, s->data.tokenizer);
    if (!err)
        err = s->plan.pairs ? supply_pairs_open(s, conf)
                            : supply_text_open(s, conf->train.seed);
    if (err)
        supply_close(s);
    return err;
}

void supply_open_document(struct supply *s, const struct conf *conf,
                          const struct document *d)
{
    *s = (struct supply){.plan = plan_of(conf), .document = d};
    s->buffer = mem_zalloc(sizeof *s->buffer);
    supply_document_open(s);
}

void supply_close(struct supply *s)
{
    struct supply_buffer *b = s->buffer;
    if (b) {
        mem_free(b->lengths.at);
        mem_free(b->tokens.at);
        mem_free(b->source_lengths.at);
        mem_free(b->source.at);
        mem_free(b->samples);
        ids_fini(&b->ids[AUGMENT_SOURCE]);
        ids_fini(&b->ids[AUGMENT_TARGET]);
    }
    mem_free(b);
    mem_free(s->slice);
    mem_free(s->counted);
    supply_pairs_close(s);
    dataset_close(&s->data);
    *s = (struct supply){0};
}

/* --- slices ---------------------------------------------------------------------------
 */

uint32_t *supply_more(struct supply_words *w, size_t n)
{
    if (w->n + n > w->room) {
        w->room = 2 * w->room + n;
        w->at = mem_resize(w->at, mem_mul(w->room, sizeof *w->at));
    }
    w->n += n;
    return w->at + w->n - n;
}

void supply_add_sample(struct supply_buffer *b, uint64_t sample, uint32_t length)
{
    const size_t i = b->lengths.n;
    *supply_more(&b->lengths, 1) = length;
    if (i == b->samples_room) {
        b->samples_room = b->lengths.room;
        b->samples = mem_resize(b->samples, mem_mul(b->samples_room, sizeof *b->samples));
    }
    b->samples[i] = sample;
}

static void clear(struct supply_buffer *b)
{
    b->lengths.n = b->tokens.n = b->source_lengths.n = b->source.n = 0;
}

/* The slices have their sequences counted; now nothing moves any more. */
static void point(const struct supply *supply, size_t n)
{
    const struct supply_buffer *b = supply->buffer;
    size_t sequence = 0, token = 0, source = 0;
    for (size_t i = 0; i < n; i++) {
        struct message_slice *s = &supply->slice[i];
        s->lengths = b->lengths.at + sequence;
        s->samples = b->samples + sequence;
        s->tokens = b->tokens.at + token;
        if (supply->plan.pairs) {
            s->source_lengths = b->source_lengths.at + sequence;
            s->source = b->source.at + source;
        }
        sequence += s->sequences;
        token += message_slice_tokens(s);
        source += message_slice_source(s);
        assert(message_slice_tokens(s) - s->sequences <= plan_rows(supply->plan));
        assert(message_slice_source(s) <= plan_rows(supply->plan));
    }
    assert(sequence == b->lengths.n && token == b->tokens.n && source == b->source.n);
}

static uint64_t sum(const uint32_t *x, size_t n)
{
    uint64_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += x[i];
    return total;
}

static void count(struct supply *s, struct supply_slice which, uint64_t targets)
{
    assert(targets > 0);
    if (which.held_out)
        return;
    if (which.step != s->counted_step)
        memset(s->counted, 0, s->plan.slices * sizeof *s->counted);
    s->counted_step = which.step;
    s->counted[which.v] = targets;
}

/* Adds one slice to the buffer; returns its sequences. */
static uint32_t add(struct supply *s, struct supply_slice which)
{
    const struct supply_buffer *b = s->buffer;
    const size_t first = b->lengths.n;
    const struct supply_slice asked = which;
    if (!which.held_out) {
        const struct plan_place at = plan_place(s->plan, which.step, which.v);
        which.step = at.step;
        which.v = at.v;
    }
    (s->document     ? supply_document_add
     : s->plan.pairs ? supply_pairs_add
                     : supply_text_add)(s, which);
    const size_t n = b->lengths.n - first;
    count(s, asked, sum(b->lengths.at + first, n));
    return (uint32_t)n;
}

const struct message_slice *supply_slices(struct supply *s, uint64_t step, bool held_out,
                                          uint32_t first, uint32_t end)
{
    assert(first < end);
    clear(s->buffer);
    s->slice = mem_resize(s->slice, (end - first) * sizeof *s->slice);
    for (uint32_t v = first; v < end; v++) {
        const struct supply_slice which = {step, held_out, v};
        s->slice[v - first] = (struct message_slice){.sequences = add(s, which)};
    }
    point(s, end - first);
    return s->slice;
}

uint64_t supply_held_out_sequences(const struct supply *s, uint32_t v)
{
    assert(v < s->held_out_slices);
    if (s->document)
        return document_sentences(s->document, v);
    uint64_t first, n;
    held_out_batches_slice(&s->held_out, v, &first, &n);
    return n;
}

uint32_t supply_step_slices(const struct supply *s, uint64_t step)
{
    return ramp_slices(s->plan.ramp, s->plan.slices, step);
}

uint64_t supply_targets(struct supply *s, uint64_t step, uint32_t first, uint32_t end)
{
    uint64_t targets = 0;
    for (uint32_t v = first; v < end; v++) {
        if (s->counted_step != step || s->counted[v] == 0)
            supply_slices(s, step, false, v, v + 1);
        targets += s->counted[v];
    }
    return targets;
}

/* Samples of one slice. */
static void samples(struct supply *s, uint64_t step, uint32_t v, uint64_t *first,
                    uint64_t *last)
{
    const struct plan_place at = plan_place(s->plan, step, v);
    if (s->plan.pairs) {
        batches_slice(&s->batches, at.step, at.v, first, last);
        *last += *first - 1;
        return;
    }
    const struct plan_piece piece = plan_slice(s->plan, at.v);
    *first = at.step * s->plan.batch + piece.first;
    *last = *first + piece.sequences - 1;
}

void supply_samples(struct supply *s, uint64_t step, uint64_t *first, uint64_t *last)
{
    const uint32_t slices = ramp_slices(s->plan.ramp, s->plan.slices, step);
    *first = UINT64_MAX;
    *last = 0;
    for (uint32_t v = 0; v < slices; v++) {
        uint64_t a, b;
        samples(s, step, v, &a, &b);
        *first = a < *first ? a : *first;
        *last = b > *last ? b : *last;
    }
}
