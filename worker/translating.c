#include "worker/translating.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "decode/bundle.h"
#include "decode/translate.h"

struct translating {
    const struct transformer *model;
    const struct conf_translate *conf;
    size_t rows;
    uint32_t end;
    struct translator *translator; /* made for the first slice, which says the end */
};

struct translating *translating_new(const struct transformer *t,
                                    const struct conf_translate *conf, size_t rows)
{
    struct translating *made = mem_zalloc(sizeof *made);
    *made = (struct translating){.model = t, .conf = conf, .rows = rows};
    return made;
}

void translating_free(struct translating *t)
{
    if (t)
        translator_free(t->translator);
    mem_free(t);
}

void hypotheses_fini(struct hypotheses *h)
{
    mem_free(h->lengths);
    mem_free(h->tokens);
    *h = (struct hypotheses){0};
}

/* Targets begin with the token that ends all sentences. */
static struct translator *translator_for(struct translating *t, uint32_t end)
{
    if (t->translator && t->end == end)
        return t->translator;
    translator_free(t->translator);
    struct translate_options o = translate_defaults(end);
    o.beam.beam = t->conf->beam;
    o.beam.alpha = t->conf->alpha;
    o.longest = t->conf->max_length;
    o.ratio = t->conf->max_ratio;
    t->end = end;
    return t->translator = translator_new(t->model, &o, TRANSLATE_SENTENCES, t->rows);
}

/* Sources without their ends. */
static struct sentence *sentences_of(const struct slice *slice)
{
    struct sentence *s = mem_alloc(mem_mul(slice->sequences, sizeof *s));
    const uint32_t *at = slice->source;
    for (size_t b = 0; b < slice->sequences; b++) {
        s[b] = (struct sentence){at, slice->source_length[b] - 1};
        at += slice->source_length[b];
    }
    return s;
}

/* all [B]  <-  the best of each, in the order of the slice */
static int translate_all(struct translator *tr, const float *theta,
                         const struct sentence *s, const uint32_t *lengths, size_t B,
                         size_t rows, struct translations *all)
{
    struct bundles bundles;
    struct sentence some[TRANSLATE_SENTENCES];
    struct translations found[TRANSLATE_SENTENCES];
    int err = ERR_OK;
    bundles_make(&bundles, lengths, B, TRANSLATE_SENTENCES, rows);
    for (size_t i = 0; i < bundles.n && !err; i++) {
        const uint32_t *numbers = bundles.order + bundles.first[i];
        const size_t n = bundles.first[i + 1] - bundles.first[i];
        for (size_t k = 0; k < n; k++)
            some[k] = s[numbers[k]];
        err = translate(tr, theta, some, n, found);
        for (size_t k = 0; k < n && !err; k++)
            all[numbers[k]] = found[k];
    }
    bundles_fini(&bundles);
    return err;
}

static void put_together(const struct translations *all, size_t B, struct hypotheses *out)
{
    *out = (struct hypotheses){.lengths = mem_alloc(mem_mul(B, sizeof *out->lengths))};
    for (size_t b = 0; b < B; b++)
        out->words += out->lengths[b] = (uint32_t)all[b].at[0].n;
    out->tokens = mem_alloc(mem_mul(out->words, sizeof *out->tokens));
    uint32_t *at = out->tokens;
    for (size_t b = 0; b < B; b++) {
        memcpy(at, all[b].at[0].tokens, out->lengths[b] * sizeof *at);
        at += out->lengths[b];
    }
}

int translating_slice(struct translating *t, const float *theta,
                      const struct slice *slice, struct hypotheses *out)
{
    const size_t B = slice->sequences;
    assert(slice->source && B >= 1);
    struct sentence *s = sentences_of(slice);
    struct translations *all = mem_zalloc(mem_mul(B, sizeof *all));
    const int err = translate_all(translator_for(t, slice->tokens[0]), theta, s,
                                  slice->source_length, B, t->rows, all);
    if (!err)
        put_together(all, B, out);
    for (size_t b = 0; b < B; b++)
        translations_fini(&all[b]);
    mem_free(all);
    mem_free(s);
    return err;
}
