/* The products of short attention against those of the definition (gemm_reference.c). */
#include "support/sets.h"

#include "tensor/gemm.h"

enum { LONGEST = 37, WIDEST = 48, APART = 3 }; /* rows are further apart than D */

/* Weights, and as factors rows of a query or output, and of a key or value. */
struct products {
    size_t T, S, D, ld, ldx;
    bool causal;
    real *a, *x, *y;
};

static bool looks(const struct products *p, size_t t, size_t j)
{
    return j < p->S && (!p->causal || j <= t);
}

/* Weights are 0 where rows do not look, and traps where nobody may. */
static struct products products_new(size_t T, size_t S, size_t D, bool causal)
{
    const size_t ld = (S + ROWS_UNIT - 1) / ROWS_UNIT * ROWS_UNIT, ldx = D + APART;
    struct products p = {T, S, D, ld, ldx, causal, NULL, NULL, NULL};
    p.a = random_reals(T * ld, 1, (uint32_t)(T + S));
    p.x = random_reals(T * ldx, 1, (uint32_t)D);
    p.y = random_reals(S * ldx, 1, (uint32_t)D + 1);
    for (size_t i = 0; i < T * ld; i++)
        if (!looks(&p, i / ld, i % ld))
            p.a[i] = i % ld < S ? 0 : (real)NAN;
    return p;
}

static void products_free(struct products p)
{
    free(p.a);
    free(p.x);
    free(p.y);
}

/* Numbers of [-1,1): see test_gemm.c. */
static void expect_near(real got, real want, size_t K, int set, const char *what,
                        const struct products *p)
{
    if (!(fabs((double)(got - want)) <= (double)REAL_EPS * (2 + 2 * (double)K)))
        fail_msg("%s %s, T %zu, S %zu, D %zu%s: %g instead of %g", set_names[set], what,
                 p->T, p->S, p->D, p->causal ? ", causal" : "", (double)got,
                 (double)want);
}

static void check_scores(int set, const struct products *p)
{
    real *got = malloc(p->T * p->ld * sizeof *got),
         *want = random_reals(p->T * p->S, 1, 1);
    rows_scores(got, p->ld, p->x, p->ldx, p->y, p->ldx, p->T, p->S, p->D, p->causal);
    gemm_reference_nt(want, p->S, p->x, p->ldx, p->y, p->ldx, p->T, p->S, p->D, false);
    for (size_t t = 0; t < p->T; t++)
        for (size_t j = 0; j < p->S; j++)
            if (looks(p, t, j))
                expect_near(got[t * p->ld + j], want[t * p->S + j], p->D, set, "scores",
                            p);
    free(got);
    free(want);
}

/* What lies between the rows of a result is not touched. */
static void check_rows(const real *got, const real *want, size_t rows, size_t K, int set,
                       const char *what, const struct products *p)
{
    for (size_t i = 0; i < rows * p->ldx; i++)
        if (i % p->ldx < p->D)
            expect_near(got[i], want[i], K, set, what, p);
        else
            assert_true(got[i] == want[i]);
}

static void check_mix(int set, const struct products *p)
{
    real *got = random_reals(p->T * p->ldx, 1, 2),
         *want = random_reals(p->T * p->ldx, 1, 2);
    rows_mix(got, p->ldx, p->a, p->ld, p->y, p->ldx, p->T, p->S, p->D, p->causal);
    gemm_reference_nn(want, p->ldx, p->a, p->ld, p->y, p->ldx, p->T, p->D, p->S, false);
    check_rows(got, want, p->T, p->S, set, "mix", p);
    free(got);
    free(want);
}

static void check_mix_transposed(int set, const struct products *p, bool add)
{
    real *got = random_reals(p->S * p->ldx, 1, 3),
         *want = random_reals(p->S * p->ldx, 1, 3);
    rows_mix_transposed(got, p->ldx, p->a, p->ld, p->x, p->ldx, p->T, p->S, p->D,
                        p->causal, add);
    gemm_reference_tn(want, p->ldx, p->a, p->ld, p->x, p->ldx, p->S, p->D, p->T, add);
    check_rows(got, want, p->S, p->T, set, add ? "added" : "mix_transposed", p);
    free(got);
    free(want);
}

static void check_all(int set, size_t T, size_t S, size_t D, bool causal)
{
    const struct products p = products_new(T, S, D, causal);
    check_scores(set, &p);
    check_mix(set, &p);
    check_mix_transposed(set, &p, false);
    check_mix_transposed(set, &p, true);
    products_free(p);
}

static void products_follow_their_definitions_at_all_sizes(void **state)
{
    (void)state;
    FOR_EACH_SET(set)
    {
        for (size_t T = 1; T <= LONGEST; T++)
            for (size_t D = ROWS_UNIT; D <= WIDEST; D += ROWS_UNIT) {
                check_all(set, T, T, D, true);
                check_all(set, T, LONGEST + 1 - T, D, false);
            }
        check_all(set, LONGEST, LONGEST, ROWS_HEAD_MAX, true);
    }
}

/* --- bits -----------------------------------------------------------------------------
 */

struct bits {
    real scores[LONGEST * WIDEST], mixed[LONGEST * WIDEST], transposed[LONGEST * WIDEST];
};

/* Of the first T rows and S keys of @p; rows of results are WIDEST apart. */
static void compute(struct bits *b, const struct products *p, size_t T, size_t S)
{
    memset(b, 0, sizeof *b);
    rows_scores(b->scores, WIDEST, p->x, p->ldx, p->y, p->ldx, T, S, p->D, p->causal);
    rows_mix(b->mixed, WIDEST, p->a, p->ld, p->y, p->ldx, T, S, p->D, p->causal);
    rows_mix_transposed(b->transposed, WIDEST, p->a, p->ld, p->x, p->ldx, T, S, p->D,
                        p->causal, false);
}

static void sets_with_fused_multiply_add_give_the_same_bits(void **state)
{
    (void)state;
    static struct bits bits[SETS];
    if (!set_present(2))
        skip();
    for (int causal = 0; causal < 2; causal++) {
        const struct products p = products_new(LONGEST, LONGEST, WIDEST, causal);
        for (int set = 1; set < SETS; set++) {
            set_start(set);
            compute(&bits[set], &p, LONGEST, LONGEST);
        }
        for (size_t t = 0; t < LONGEST; t++)
            for (size_t j = 0; looks(&p, t, j); j++)
                assert_true(bits[1].scores[t * WIDEST + j] ==
                            bits[2].scores[t * WIDEST + j]);
        assert_memory_equal(bits[1].mixed, bits[2].mixed, sizeof bits[1].mixed);
        assert_memory_equal(bits[1].transposed, bits[2].transposed,
                            sizeof bits[1].transposed);
        products_free(p);
    }
}

/* A row of scores, or of what is mixed, is that of the same row in a shorter sequence; a
 * key's share that of the same key when fewer are looked at. */
static void bits_of_a_row_do_not_depend_on_how_many_there_are(void **state)
{
    (void)state;
    static struct bits whole, part;
    FOR_EACH_SET(set)
    for (size_t n = 1; n < LONGEST; n++) {
        const struct products causal = products_new(LONGEST, LONGEST, WIDEST, true),
                              all = products_new(LONGEST, LONGEST, WIDEST, false);
        compute(&whole, &causal, LONGEST, LONGEST);
        compute(&part, &causal, n, n);
        for (size_t t = 0; t < n; t++)
            assert_memory_equal(whole.scores + t * WIDEST, part.scores + t * WIDEST,
                                (t + 1) * sizeof(real));
        assert_memory_equal(whole.mixed, part.mixed, n * WIDEST * sizeof(real));
        compute(&whole, &all, LONGEST, LONGEST);
        compute(&part, &all, n, LONGEST);
        assert_memory_equal(whole.mixed, part.mixed, n * WIDEST * sizeof(real));
        compute(&part, &all, LONGEST, n);
        assert_memory_equal(whole.transposed, part.transposed, n * WIDEST * sizeof(real));
        products_free(causal);
        products_free(all);
    }
}

static void causal_rows_do_not_see_what_follows(void **state)
{
    (void)state;
    static struct bits before, after;
    FOR_EACH_SET(set)
    for (size_t changed = 1; changed < LONGEST; changed++) {
        const struct products p = products_new(LONGEST, LONGEST, WIDEST, true);
        compute(&before, &p, LONGEST, LONGEST);
        for (size_t d = 0; d < p.D; d++)
            p.y[changed * p.ldx + d] += 1;
        compute(&after, &p, LONGEST, LONGEST);
        const size_t rows = changed * WIDEST;
        for (size_t t = 0; t < changed; t++)
            assert_memory_equal(before.scores + t * WIDEST, after.scores + t * WIDEST,
                                (t + 1) * sizeof(real));
        assert_memory_equal(before.mixed, after.mixed, rows * sizeof(real));
        assert_memory_not_equal(before.mixed + rows, after.mixed + rows,
                                p.D * sizeof(real));
        products_free(p);
    }
}

static void what_is_no_number_makes_all_that_looks_at_it_none(void **state)
{
    (void)state;
    static struct bits b;
    FOR_EACH_SET(set)
    for (size_t bad = 0; bad < LONGEST; bad++) {
        const struct products p = products_new(LONGEST, LONGEST, WIDEST, true);
        p.y[bad * p.ldx] = p.x[bad * p.ldx] = (real)NAN;
        compute(&b, &p, LONGEST, LONGEST);
        for (size_t t = bad; t < LONGEST; t++) {
            assert_true(isnan(b.scores[t * WIDEST + bad]));
            assert_true(isnan(b.mixed[t * WIDEST]));
        }
        for (size_t j = 0; j <= bad; j++)
            assert_true(isnan(b.transposed[j * WIDEST]));
        products_free(p);
    }
}

RUN(T(products_follow_their_definitions_at_all_sizes),
    T(sets_with_fused_multiply_add_give_the_same_bits),
    T(bits_of_a_row_do_not_depend_on_how_many_there_are),
    T(causal_rows_do_not_see_what_follows),
    T(what_is_no_number_makes_all_that_looks_at_it_none))
