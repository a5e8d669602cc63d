#include "support/test.h"

#include <stdbool.h>

#include "base/philox.h"
#include "decode/bundle.h"

enum { N = 300 };

static uint32_t draw(uint32_t i)
{
    const struct philox_key key = philox_key(5, PHILOX_TEST);
    return 1 + philox(key, (struct philox_block){{i}}).word[0] % 40;
}

static void sentences_are_bundled_longest_first_and_all_once(void **state)
{
    (void)state;
    uint32_t length[N];
    bool seen[N] = {false};
    for (uint32_t i = 0; i < N; i++)
        length[i] = draw(i);
    struct bundles b;
    bundles_make(&b, length, N, 12, 200);
    assert_int_equal(0, b.first[0]);
    assert_int_equal(N, b.first[b.n]);
    for (size_t i = 0; i < N; i++) {
        assert_false(seen[b.order[i]]);
        seen[b.order[i]] = true;
        if (i == 0)
            continue;
        const uint32_t a = b.order[i - 1], c = b.order[i];
        assert_true(length[a] > length[c] || (length[a] == length[c] && a < c));
    }
    bundles_fini(&b);
}

static void a_bundle_is_as_large_as_may_be(void **state)
{
    (void)state;
    uint32_t length[N];
    for (uint32_t i = 0; i < N; i++)
        length[i] = draw(i);
    struct bundles b;
    bundles_make(&b, length, N, 12, 200);
    for (size_t i = 0; i < b.n; i++) {
        const size_t n = b.first[i + 1] - b.first[i];
        size_t tokens = 0;
        for (size_t k = b.first[i]; k < b.first[i + 1]; k++)
            tokens += length[b.order[k]];
        assert_in_range(n, 1, 12);
        assert_in_range(tokens, 1, 200);
        if (i + 1 < b.n) /* the next does not fit */
            assert_true(n == 12 || tokens + length[b.order[b.first[i + 1]]] > 200);
    }
    bundles_fini(&b);
}

static void a_sentence_longer_than_a_bundle_has_one_of_its_own(void **state)
{
    (void)state;
    const uint32_t length[] = {3, 90, 70, 2};
    struct bundles b;
    bundles_make(&b, length, 4, 10, 50);
    assert_int_equal(3, b.n);
    assert_int_equal(1, b.order[0]);
    assert_int_equal(2, b.order[1]);
    assert_int_equal(2, b.first[2]);
    bundles_fini(&b);
    bundles_make(&b, length, 0, 10, 50);
    assert_int_equal(0, b.n);
    bundles_fini(&b);
}

RUN(T(sentences_are_bundled_longest_first_and_all_once),
    T(a_bundle_is_as_large_as_may_be),
    T(a_sentence_longer_than_a_bundle_has_one_of_its_own))
