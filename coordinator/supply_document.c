/* A document: sources, and targets that are but the token with which translations start
 * and end. */
#include <assert.h>
#include <string.h>

#include "coordinator/document.h"
#include "coordinator/supply_parts.h"

void supply_document_open(struct supply *s)
{
    s->end = document_end_of_text(s->document);
    s->vocab = (uint32_t)tokenizer_vocab(document_tokenizer(s->document));
    s->held_out_slices = document_slices(s->document);
    s->scale = (struct conf_scale){.steps_per_epoch = 1, .tokens_per_step = 1};
    s->length = 1;
    s->held_out_bytes_per_token = 1;
    assert(document_rows(s->document) <= plan_rows(s->plan));
}

void supply_document_add(struct supply *s, struct supply_slice which)
{
    struct supply_buffer *b = s->buffer;
    size_t n;
    const struct sentence *sentence = document_slice(s->document, which.v, &n);
    assert(which.held_out);
    for (size_t i = 0; i < n; i++) {
        uint32_t *target = supply_more(&b->tokens, 2),
                 *source = supply_more(&b->source, sentence[i].n + 1);
        target[0] = target[1] = s->end;
        memcpy(source, sentence[i].tokens, sentence[i].n * sizeof *source);
        source[sentence[i].n] = s->end;
        *supply_more(&b->source_lengths, 1) = (uint32_t)sentence[i].n + 1;
        supply_add_sample(b, i, 1);
    }
}
