/* Beam search in languages made up from numbers: what follows a sequence is drawn for it.
 */
#include "support/test.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/philox.h"
#include "decode/beam.h"

enum { LONGEST = 5, ALL = 4096, END = 1 };

/* A sequence of tokens. */
struct sequence {
    uint32_t tokens[LONGEST + 1];
    size_t n;
};

static double uniform(uint32_t seed, uint32_t a, uint32_t b)
{
    const struct philox_key key = philox_key(seed, PHILOX_TEST);
    return philox_uniform(philox(key, (struct philox_block){{a, b}}).word[0]);
}

/* logits [V] of what follows @s */
static void listen(real *logits, size_t V, const struct sequence *s, uint32_t seed)
{
    uint32_t place = 1;
    for (size_t i = 0; i < s->n; i++)
        place = place * 31 + s->tokens[i] + 1;
    for (size_t v = 0; v < V; v++)
        logits[v] = (real)(4 * uniform(seed, place, (uint32_t)v));
}

static double log_probability(const real *logits, size_t V, uint32_t token)
{
    double sum = 0;
    for (size_t v = 0; v < V; v++)
        sum += exp((double)logits[v]);
    return (double)logits[token] - log(sum);
}

/* --- all sequences ------------------------------------------------------------------ */

struct found {
    struct sequence said;
    double score;
};

struct search {
    struct beam_options o;
    size_t V, longest;
    uint32_t seed;
    struct found all[ALL];
    size_t n;
};

static void look_at_all(struct search *s, struct sequence *prefix, double score)
{
    real logits[8];
    listen(logits, s->V, prefix, s->seed);
    const bool may_end = prefix->n >= s->o.shortest || prefix->n == s->longest;
    if (may_end) {
        const double sum = score + log_probability(logits, s->V, s->o.end);
        assert_true(s->n < ALL);
        s->all[s->n++] =
            (struct found){*prefix, sum / pow((double)prefix->n + 1, s->o.alpha)};
    }
    if (prefix->n == s->longest)
        return;
    for (uint32_t token = 0; token < s->V; token++) {
        if (token == s->o.end || token == s->o.forbidden)
            continue;
        prefix->tokens[prefix->n++] = token;
        look_at_all(s, prefix, score + log_probability(logits, s->V, token));
        prefix->n--;
    }
}

static int best_first(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    return x->score > y->score ? -1 : x->score < y->score;
}

/* --- the beam ----------------------------------------------------------------------- */

static void run_beam(struct beam *b, const struct search *s)
{
    const size_t K = s->o.beam;
    struct sequence *rows = calloc(2 * K, sizeof *rows), *next = rows + K;
    real *logits = calloc(K * s->V, sizeof *logits);
    uint32_t *parents = calloc(2 * K, sizeof *parents), *tokens = parents + K;
    beam_begin(b, s->longest);
    while (beam_rows(b) > 0) {
        for (size_t r = 0; r < beam_rows(b); r++)
            listen(logits + r * s->V, s->V, &rows[r], s->seed);
        assert_int_equal(0, beam_advance(b, logits, s->V, parents, tokens));
        for (size_t r = 0; r < beam_rows(b); r++) {
            next[r] = rows[parents[r]];
            next[r].tokens[next[r].n++] = tokens[r];
        }
        memcpy(rows, next, beam_rows(b) * sizeof *rows);
    }
    free(rows);
    free(logits);
    free(parents);
}

static void compare(const struct search *s)
{
    struct beam b;
    beam_init(&b, &s->o);
    run_beam(&b, s);
    assert_int_equal(s->n, beam_found(&b));
    for (size_t i = 0; i < s->n; i++) {
        uint32_t tokens[LONGEST];
        assert_true(fabs(s->all[i].score - beam_score(&b, i)) < 1e-5);
        assert_int_equal(s->all[i].said.n, beam_length(&b, i));
        beam_tokens(&b, i, tokens);
        assert_memory_equal(s->all[i].said.tokens, tokens,
                            s->all[i].said.n * sizeof *tokens);
    }
    beam_fini(&b);
}

static void a_wide_beam_finds_what_an_exhaustive_search_finds(void **state)
{
    (void)state;
    static struct search s;
    static const double alphas[] = {0, 0.6, 1, 2};
    for (uint32_t seed = 0; seed < 48; seed++) {
        const bool forbids = seed % 3 == 2;
        s = (struct search){
            .V = 4 + seed % 2, .longest = seed % (LONGEST + 1), .seed = seed};
        s.o =
            (struct beam_options){.beam = ALL,
                                  .alpha = alphas[seed / 2 % 4],
                                  .shortest = seed / 5 % 3,
                                  .end = seed % 4,
                                  .forbidden = forbids ? (seed + 1) % 4 : BEAM_NO_TOKEN};
        look_at_all(&s, &(struct sequence){0}, 0);
        qsort(s.all, s.n, sizeof *s.all, best_first);
        compare(&s);
    }
}

static void a_beam_of_one_is_greedy(void **state)
{
    (void)state;
    for (uint32_t seed = 0; seed < 50; seed++) {
        struct search s = {.V = 8, .longest = LONGEST, .seed = seed};
        s.o = (struct beam_options){
            .beam = 1, .alpha = 1, .end = END, .forbidden = BEAM_NO_TOKEN};
        struct sequence said = {0};
        double score = 0;
        for (uint32_t best = 0; best != END;) {
            real logits[8];
            listen(logits, s.V, &said, seed);
            best = said.n == s.longest ? END : 0;
            for (uint32_t v = 0; v < s.V && said.n < s.longest; v++)
                best = logits[v] > logits[best] ? v : best;
            score += log_probability(logits, s.V, best);
            if (best != END)
                said.tokens[said.n++] = best;
        }
        s.n = 1;
        s.all[0] = (struct found){said, score / (double)(said.n + 1)};
        compare(&s);
    }
}

/* --- one step ----------------------------------------------------------------------- */

static int as_candidates(const void *a, const void *b)
{
    const struct beam_candidate *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    if (x->token != y->token)
        return x->token < y->token ? -1 : 1;
    return x->parent < y->parent ? -1 : 1;
}

/* Few different logits, so that many are equal. */
static void the_best_continuations_live_on(void **state)
{
    (void)state;
    enum { V = 500, K = 7, STEPS = 4 };
    static real logits[K * V];
    static struct beam_candidate all[K * V];
    for (uint32_t seed = 0; seed < 20; seed++) {
        const struct beam_options o = {
            .beam = K, .shortest = STEPS, .end = END, .forbidden = 3};
        struct beam b;
        double scores[K] = {0};
        beam_init(&b, &o);
        beam_begin(&b, STEPS);
        for (uint32_t step = 0; step < STEPS; step++) {
            const size_t rows = beam_rows(&b);
            uint32_t parents[K], tokens[K];
            size_t n = 0;
            for (uint32_t r = 0; r < rows; r++) {
                real *x = logits + r * V;
                for (uint32_t v = 0; v < V; v++)
                    x[v] = (real)floor(9 * uniform(seed, step * K + r, v)) / 4;
                for (uint32_t v = 0; v < V; v++)
                    if (v != END && v != 3)
                        all[n++] = (struct beam_candidate){
                            scores[r] + log_probability(x, V, v), v, r};
            }
            qsort(all, n, sizeof *all, as_candidates);
            assert_int_equal(0, beam_advance(&b, logits, V, parents, tokens));
            assert_int_equal(K, beam_rows(&b));
            for (size_t i = 0; i < K; i++) { /* which of equal ones: the next test */
                const double got = scores[parents[i]] +
                                   log_probability(logits + parents[i] * V, V, tokens[i]);
                assert_true(fabs(all[i].score - got) < 1e-5);
                all[i].score = got;
            }
            for (size_t i = 0; i < K; i++)
                scores[i] = all[i].score;
        }
        beam_fini(&b);
    }
}

static void advance(struct beam *b, const real *logits, size_t V, const uint32_t *parents,
                    const uint32_t *tokens, size_t n)
{
    uint32_t got_parents[8], got_tokens[8];
    assert_int_equal(0, beam_advance(b, logits, V, got_parents, got_tokens));
    assert_int_equal(n, beam_rows(b));
    assert_memory_equal(parents, got_parents, n * sizeof *parents);
    assert_memory_equal(tokens, got_tokens, n * sizeof *tokens);
}

static void equal_scores_are_told_apart(void **state)
{
    (void)state;
    enum { V = 6, K = 4 };
    const struct beam_options o = {
        .beam = K, .shortest = 9, .end = 0, .forbidden = BEAM_NO_TOKEN};
    const real equal[K * V] = {0};
    struct beam b;
    beam_init(&b, &o);
    beam_begin(&b, 9);
    advance(&b, equal, V, (uint32_t[]){0, 0, 0, 0}, (uint32_t[]){1, 2, 3, 4}, K);
    advance(&b, equal, V, (uint32_t[]){0, 1, 2, 3}, (uint32_t[]){1, 1, 1, 1}, K);
    const real second[K * V] = {0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1};
    advance(&b, second, V, (uint32_t[]){1, 2, 1, 2}, (uint32_t[]){1, 1, 2, 2}, K);
    beam_fini(&b);
}

/* --- ends --------------------------------------------------------------------------- */

static void an_end_counts_among_the_first_alone(void **state)
{
    (void)state;
    enum { V = 4 };
    const struct beam_options o = {
        .beam = 2, .alpha = 1, .end = 0, .forbidden = BEAM_NO_TOKEN};
    struct beam b;
    beam_init(&b, &o);
    beam_begin(&b, 9);
    advance(&b, (real[]){1, 2, 3, 0}, V, (uint32_t[]){0, 0}, (uint32_t[]){2, 1}, 2);
    assert_int_equal(0, beam_found(&b)); /* the end was third */
    advance(&b, (real[]){5, 0, 0, 0, 0, 0, 0, 1}, V, (uint32_t[]){1, 1},
            (uint32_t[]){3, 1}, 2);
    assert_int_equal(1, beam_found(&b)); /* first; and the other three are told apart */
    uint32_t token;
    assert_int_equal(1, beam_length(&b, 0));
    beam_tokens(&b, 0, &token);
    assert_int_equal(2, token);
    advance(&b, (real[]){9, 0, 0, 0, 9, 0, 0, 0}, V, NULL, NULL, 0);
    assert_int_equal(2, beam_found(&b)); /* as many as the beam: the search has ended */
    beam_fini(&b);
}

static void the_end_may_come_at_once_or_not_before_its_time(void **state)
{
    (void)state;
    enum { V = 3 };
    const real ends[2 * V] = {0, 9, 1, 0, 9, 1};
    struct beam_options o = {
        .beam = 2, .alpha = 1, .end = END, .forbidden = BEAM_NO_TOKEN};
    for (size_t shortest = 0; shortest < 4; shortest++) {
        struct beam b;
        uint32_t parents[2], tokens[2], said[5];
        o.shortest = shortest;
        beam_init(&b, &o);
        beam_begin(&b, 5);
        while (beam_rows(&b))
            assert_int_equal(0, beam_advance(&b, ends, V, parents, tokens));
        assert_int_equal(2, beam_found(&b));
        assert_int_equal(shortest, beam_length(&b, 0));
        beam_tokens(&b, 0, said);
        for (size_t i = 0; i < shortest; i++)
            assert_int_equal(2, said[i]);
        beam_fini(&b);
    }
}

/* Two sequences: a short one that is likelier, a long one that is better by the token. */
static void alpha_decides_between_short_and_long(void **state)
{
    (void)state;
    enum { V = 3 };
    for (int alpha = 0; alpha < 3; alpha++) {
        const struct beam_options o = {
            .beam = 2, .alpha = alpha, .end = 0, .forbidden = BEAM_NO_TOKEN};
        struct beam b;
        uint32_t parents[2], tokens[2];
        beam_init(&b, &o);
        beam_begin(&b, 3);
        const real first[V] = {1, (real)0.9, -9};
        const real sure[2 * V] = {-9, 9, -9, -9, 9, -9},
                            end[2 * V] = {9, -9, -9, 9, -9, -9};
        assert_int_equal(0, beam_advance(&b, first, V, parents, tokens));
        assert_int_equal(0, beam_advance(&b, sure, V, parents, tokens));
        assert_int_equal(0, beam_advance(&b, sure, V, parents, tokens));
        assert_int_equal(0, beam_advance(&b, end, V, parents, tokens));
        assert_int_equal(2, beam_found(&b));
        assert_int_equal(alpha == 0 ? 0 : 3, beam_length(&b, 0));
        const double ended = log_probability(first, V, 0);
        assert_true(fabs(beam_score(&b, alpha == 0 ? 0 : 1) - ended) < 1e-6);
        beam_fini(&b);
    }
}

static void what_is_no_number_is_an_error(void **state)
{
    (void)state;
    const struct beam_options o = {.beam = 2, .end = 0, .forbidden = BEAM_NO_TOKEN};
    const real bad[] = {(real)NAN, (real)INFINITY};
    for (size_t i = 0; i < 2; i++)
        for (size_t at = 0; at < 3; at++) {
            struct beam b;
            uint32_t parents[2], tokens[2];
            real logits[3] = {0, 1, 2};
            logits[at] = bad[i];
            beam_init(&b, &o);
            beam_begin(&b, 3);
            assert_int_equal(ERR_DATA, beam_advance(&b, logits, 3, parents, tokens));
            assert_int_equal(0, beam_rows(&b));
            beam_fini(&b);
        }
}

RUN(T(a_wide_beam_finds_what_an_exhaustive_search_finds), T(a_beam_of_one_is_greedy),
    T(the_best_continuations_live_on), T(equal_scores_are_told_apart),
    T(an_end_counts_among_the_first_alone),
    T(the_end_may_come_at_once_or_not_before_its_time),
    T(alpha_decides_between_short_and_long), T(what_is_no_number_is_an_error))
