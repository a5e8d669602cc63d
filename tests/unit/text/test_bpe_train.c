/* The trainer with its incremental counts against one that counts everything anew for
 * each merge, as the definition says. */
#include "support/test.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/philox.h"
#include "text/bpe_train.h"
#include "text/symbol.h"
#include "text/words.h"

enum { WORDS = 64, LENGTH = 48 };

/* The definition, literally. Pieces are strings; words are lists of them. */
struct naive {
    char piece[WORDS][LENGTH][LENGTH];
    size_t length[WORDS], words;
};

struct learned {
    char left[LENGTH], right[LENGTH];
};

static void split_at_spaces(struct naive *v, const char *text)
{
    memset(v, 0, sizeof *v);
    for (const char *at = text; *at;) {
        const size_t n = strcspn(at, " \n");
        assert_true(v->words < WORDS && n < LENGTH - 5);
        for (size_t i = 0; i < n; i++) {
            v->piece[v->words][i][0] = at[i];
            if (i + 1 == n)
                strcat(v->piece[v->words][i], "</w>");
        }
        v->words += n > 0;
        v->length[v->words - (n > 0)] = n;
        at += n + (at[n] != '\0');
    }
}

static void split_naively(struct naive *v, const char *text, enum bpe_units units)
{
    struct words *w = words_new();
    const size_t bytes = units == BPE_BYTES ? strlen(text) : 0;
    memset(v, 0, sizeof *v);
    if (units == BPE_CHARACTERS)
        split_at_spaces(v, text);
    for (size_t at = 0, n; at < bytes; at += n) {
        assert_int_equal(words_next(w, text, bytes, at, &n), ERR_OK);
        assert_true(v->words < WORDS && n < LENGTH);
        for (size_t i = 0; i < n; i++)
            v->piece[v->words][i][0] = text[at + i];
        v->length[v->words++] = n;
    }
    words_free(w);
}

static size_t count_naively(const struct naive *v, const char *left, const char *right)
{
    size_t count = 0;
    for (size_t w = 0; w < v->words; w++)
        for (size_t i = 0; i + 1 < v->length[w]; i++)
            count += strcmp(v->piece[w][i], left) == 0 &&
                     strcmp(v->piece[w][i + 1], right) == 0;
    return count;
}

/* "</w>" stands at the end of a word and nowhere else. */
static int stays_apart(const char *left, const char *right)
{
    char joined[2 * LENGTH];
    const int n = snprintf(joined, sizeof joined, "%s%s", left, right);
    return symbol_is_last(joined, (size_t)n) && !symbol_is_last(right, strlen(right));
}

static size_t best_naively(const struct naive *v, struct learned *best)
{
    size_t most = 0;
    for (size_t w = 0; w < v->words; w++)
        for (size_t i = 0; i + 1 < v->length[w]; i++) {
            const char *left = v->piece[w][i], *right = v->piece[w][i + 1];
            const size_t count = count_naively(v, left, right);
            const int order = strcmp(left, best->left);
            if (stays_apart(left, right))
                continue;
            if (count > most ||
                (count == most &&
                 (order > 0 || (order == 0 && strcmp(right, best->right) > 0)))) {
                most = count;
                strcpy(best->left, left);
                strcpy(best->right, right);
            }
        }
    return most;
}

static void merge_naively(struct naive *v, const struct learned *m)
{
    for (size_t w = 0; w < v->words; w++)
        for (size_t i = 0; i + 1 < v->length[w]; i++)
            if (strcmp(v->piece[w][i], m->left) == 0 &&
                strcmp(v->piece[w][i + 1], m->right) == 0) {
                strcat(v->piece[w][i], m->right);
                for (size_t k = i + 1; k + 1 < v->length[w]; k++)
                    strcpy(v->piece[w][k], v->piece[w][k + 1]);
                v->length[w]--;
            }
}

static void check_piece(const struct intern *pieces, uint32_t id, const char *expected)
{
    size_t n;
    const char *piece = intern_get(pieces, id, &n);
    assert_int_equal(n, strlen(expected));
    assert_memory_equal(piece, expected, n);
}

static void compare_units(const char *text, uint64_t min_count, enum bpe_units units)
{
    static struct naive v;
    split_naively(&v, text, units);

    struct bpe_train *t = bpe_train_new(units);
    struct intern *pieces = intern_new();
    struct bpe_merge *merges;
    size_t n, i = 0;
    assert_int_equal(bpe_train_add(t, text, strlen(text)), ERR_OK);
    const struct bpe_train_options o = {.min_count = min_count};
    bpe_train_run(t, &o, pieces, &merges, &n);
    for (;; i++) {
        struct learned m = {"", ""};
        if (best_naively(&v, &m) < min_count)
            break;
        if (i == n)
            fail_msg("merge %zu (%s %s) is missing for: %s", i, m.left, m.right, text);
        check_piece(pieces, merges[i].pair.left, m.left);
        check_piece(pieces, merges[i].pair.right, m.right);
        merge_naively(&v, &m);
    }
    assert_int_equal(i, n);
    mem_free(merges);
    intern_free(pieces);
    bpe_train_free(t);
}

static void compare(const char *text, uint64_t min_count)
{
    compare_units(text, min_count, BPE_BYTES);
    compare_units(text, min_count, BPE_CHARACTERS);
}

static void merges_are_those_of_the_definition(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "a",
        "aaaaaaaaaa",
        "abababab abab ba ab",
        "low low low low low lower lower widest widest widest newest newest newest "
        "newest "
        "newest newest", /* Sennrich et al. 2016 */
        "the cat sat on the mat; the rat sat on the cat",
        "x</w>y x</w>y </w> </w>\nab</w> ab</w> ab ab", /* looks like the mark */
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        compare(texts[i], 1);
        compare(texts[i], 2);
    }
}

static void merges_of_random_texts_are_those_of_the_definition(void **state)
{
    (void)state;
    const struct philox_key key = philox_key(20240, PHILOX_TEST);
    for (uint32_t round = 0; round < 150; round++) {
        char text[161];
        const uint32_t letters = 2 + round % 3, space = round % 4 == 0 ? 37 : 6;
        uint32_t run = 0;
        for (uint32_t i = 0; i < 160; i++) {
            const struct philox_block r = philox(key, (struct philox_block){{i, round}});
            const int gap = r.word[0] % space == 0 || run == LENGTH - 10;
            run = gap ? 0 : run + 1;
            text[i] = gap ? ' ' : (char)('a' + r.word[1] % letters);
        }
        text[160] = '\0';
        compare(text, 1 + round % 2);
    }
}

/* Of equally frequent pairs the greater: (b, a) and not (a, b). */
static void ties_go_to_the_greater_pair(void **state)
{
    (void)state;
    struct bpe_train *t = bpe_train_new(BPE_BYTES);
    struct intern *pieces = intern_new();
    struct bpe_merge *merges;
    size_t n;
    assert_int_equal(bpe_train_add(t, "ab\nba", 5), ERR_OK);
    bpe_train_run(t, &(struct bpe_train_options){.tokens = 257}, pieces, &merges, &n);
    assert_int_equal(n, 1);
    assert_int_equal(merges[0].pair.left, 'b');
    assert_int_equal(merges[0].pair.right, 'a');
    assert_int_equal(merges[0].result, 256);
    mem_free(merges);
    intern_free(pieces);
    bpe_train_free(t);
}

static void as_many_merges_as_wanted(void **state)
{
    (void)state;
    struct bpe_train *t = bpe_train_new(BPE_CHARACTERS);
    struct intern *pieces = intern_new();
    struct bpe_merge *merges;
    size_t n;
    assert_int_equal(bpe_train_add(t, "low low\nlower lower", 19), ERR_OK);
    bpe_train_run(t, &(struct bpe_train_options){.merges = 3}, pieces, &merges, &n);
    assert_int_equal(n, 3);
    check_piece(pieces, merges[0].result, "lo"); /* 4 times */
    check_piece(pieces, merges[1].result, "we"); /* of six that occur twice */
    check_piece(pieces, merges[2].result, "wer</w>");
    mem_free(merges);
    intern_free(pieces);
    bpe_train_free(t);
}

RUN(T(merges_are_those_of_the_definition),
    T(merges_of_random_texts_are_those_of_the_definition), T(ties_go_to_the_greater_pair),
    T(as_many_merges_as_wanted))
