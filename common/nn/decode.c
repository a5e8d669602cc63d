#include "nn/decode.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "nn/attend.h"
#include "nn/past.h"
#include "nn/stack.h"
#include "nn/view.h"
#include "nn/workspace.h"

/* Keys and values of the encoder's memory, as each block of the decoder sees them. */
struct sources {
    size_t most;                       /* rows */
    real *kv;                          /* [L, most, 2 G D] */
    uint32_t *length;                  /* [B] */
    size_t *first;                     /* [B] */
    uint32_t *of, *other;              /* [R]: source of a row; room for select() */
    uint32_t *run_length, *run_source; /* rows side by side with one source; its length */
    size_t *run_first;
};

struct decoder {
    const struct transformer *t; /* borrowed */
    struct workspace *w;
    size_t most; /* rows */
    size_t rows, length;
    struct past past;
    struct sources sources; /* empty without an encoder */
    real *weights;          /* of the rows that look together */
    real *logits;           /* [most, V] */
};

static void *array(size_t n, size_t bytes)
{
    return mem_zalloc(mem_mul(n, bytes));
}

/* Numbers of keys and values of one row. */
static size_t width(const struct shape *s)
{
    return 2 * s->G * s->D;
}

static void sources_init(struct sources *k, const struct shape *s, size_t rows,
                         size_t source_rows)
{
    *k = (struct sources){.most = source_rows,
                          .kv =
                              array(mem_mul(s->L, source_rows), width(s) * sizeof *k->kv),
                          .length = array(rows, sizeof *k->length),
                          .first = array(rows, sizeof *k->first),
                          .of = array(rows, sizeof *k->of),
                          .other = array(rows, sizeof *k->other),
                          .run_length = array(rows, sizeof *k->run_length),
                          .run_source = array(rows, sizeof *k->run_source),
                          .run_first = array(rows, sizeof *k->run_first)};
}

static void sources_fini(struct sources *k)
{
    mem_free(k->kv);
    mem_free(k->length);
    mem_free(k->first);
    mem_free(k->of);
    mem_free(k->other);
    mem_free(k->run_length);
    mem_free(k->run_source);
    mem_free(k->run_first);
}

struct decoder *decoder_new(const struct transformer *t, size_t rows, size_t source_rows)
{
    const struct shape *s = &t->shape;
    assert(rows >= 1 && (source_rows > 0) == (s->E > 0));
    const size_t together = s->E ? rows : 1;
    struct decoder *d = mem_alloc(sizeof *d);
    *d = (struct decoder){
        .t = t,
        .w = workspace_new(t, rows > source_rows ? rows : source_rows, false),
        .most = rows,
        .weights = array(attend_weights(together, s->T), sizeof *d->weights),
        .logits = array(rows, s->V * sizeof *d->logits)};
    past_init(&d->past, s, rows);
    if (s->E)
        sources_init(&d->sources, s, rows, source_rows);
    return d;
}

void decoder_free(struct decoder *d)
{
    if (!d)
        return;
    workspace_free(d->w);
    past_fini(&d->past);
    sources_fini(&d->sources);
    mem_free(d->weights);
    mem_free(d->logits);
    mem_free(d);
}

size_t decoder_rows(const struct decoder *d)
{
    return d->rows;
}

size_t decoder_length(const struct decoder *d)
{
    return d->length;
}

static struct pass pass_of(const struct decoder *d, const struct sequences *of)
{
    return (struct pass){.conf = &d->t->conf,
                         .gemm = &d->w->gemm,
                         .s = d->t->shape,
                         .of = *of,
                         .N = of->N,
                         .waves = d->w->waves,
                         .angles = d->w->angles};
}

/* --- sources ------------------------------------------------------------------------ */

/* Keys and values for all blocks  <-  memory [M,C]. */
static void keep_sources(struct decoder *d, const real *theta, const real *memory,
                         const struct sequences *of)
{
    const struct transformer *t = d->t;
    struct pass pass = pass_of(d, of);
    pass.source = of;
    pass.memory = memory;
    for (size_t l = 0; l < t->shape.L; l++) {
        const struct block block =
            view_block(&t->conf, &t->shape, theta, SECTION_DECODER, l);
        real *kv = d->sources.kv + l * d->sources.most * width(&t->shape);
        cross_source(kv, block.cross, &pass);
    }
}

static void read_sources(struct decoder *d, const real *theta, const struct sequences *of,
                         const uint32_t *tokens)
{
    struct pass pass = pass_of(d, of);
    pass.encoder = true;
    workspace_place(d->w, of, of);
    keep_sources(d, theta, stack_encode(d->w, theta, tokens, &pass), of);
    size_t first = 0;
    for (size_t b = 0; b < of->B; b++) {
        d->sources.of[b] = (uint32_t)b;
        d->sources.length[b] = of->length[b];
        d->sources.first[b] = first;
        first += of->length[b];
    }
}

/* Rows with one source that stand side by side look at it together. */
static struct look look_at_sources(struct sources *k, size_t rows)
{
    size_t runs = 0;
    for (size_t r = 0; r < rows; r++) {
        const uint32_t source = k->of[r];
        if (r > 0 && source == k->of[r - 1]) {
            k->run_length[runs - 1]++;
            continue;
        }
        k->run_length[runs] = 1;
        k->run_source[runs] = k->length[source];
        k->run_first[runs++] = k->first[source];
    }
    return (struct look){.of = sequences_of(runs, k->run_length),
                         .at = sequences_of(runs, k->run_source),
                         .first = k->run_first,
                         .kv = k->kv,
                         .rows = k->most};
}

static void select_sources(struct sources *k, const uint32_t *parents, size_t n)
{
    for (size_t i = 0; i < n; i++)
        k->other[i] = k->of[parents[i]];
    uint32_t *const before = k->of;
    k->of = k->other;
    k->other = before;
}

/* --- rows --------------------------------------------------------------------------- */

void decoder_begin(struct decoder *d, const real *theta, size_t B, const uint32_t *length,
                   const uint32_t *tokens)
{
    const size_t E = d->t->shape.E;
    assert(B >= 1 && B <= d->most && (length != NULL) == (E > 0));
    if (E) {
        const struct sequences of = sequences_of(B, length);
        assert(of.N <= d->sources.most && of.longest <= d->t->shape.T);
        read_sources(d, theta, &of, tokens);
    }
    past_begin(&d->past, B);
    d->rows = B;
    d->length = 0;
}

void decoder_select(struct decoder *d, const uint32_t *parents, size_t n)
{
    assert(n <= d->most);
    for (size_t i = 0; i < n; i++)
        assert(parents[i] < d->rows);
    past_select(&d->past, parents, n, d->length);
    if (d->t->shape.E)
        select_sources(&d->sources, parents, n);
    d->rows = n;
}

const real *decoder_step(struct decoder *d, const real *theta, const uint32_t *tokens)
{
    const struct transformer *t = d->t;
    const bool has_sources = t->shape.E > 0;
    assert(d->rows >= 1 && d->length < t->shape.T && "the caller begins anew");
    const struct look past = past_look(&d->past, d->rows, d->length);
    const struct look sources =
        has_sources ? look_at_sources(&d->sources, d->rows) : (struct look){0};
    struct pass pass = pass_of(d, &past.of);
    pass.start = d->length;
    pass.past = &past;
    pass.sources = has_sources ? &sources : NULL;
    /* what it lays out for sources is not used: they are kept here */
    workspace_place(d->w, &pass.of, has_sources ? &pass.of : NULL);
    d->w->scratch.attention.weights = d->w->scratch.cross.weights = d->weights;
    embed_forward(d->w->decoder.x, tokens, view_embed(&t->conf, &t->shape, theta), &pass);
    const real *x = stack_forward(d->w, theta, d->w->decoder.x, &pass);
    head_logits(d->logits, d->w->head, x, view_head(&t->conf, &t->shape, theta), &pass);
    d->length++;
    return d->logits;
}
