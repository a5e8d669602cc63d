#include "support/test.h"

#include "base/nearest.h"

static const char *const known[] = {"model.layers", "model.heads",  "model.kv_heads",
                                    "optim.lr",     "optim.lr_min", "train.steps",
                                    "gelu",         "relu",         "on"};
enum { KNOWN = sizeof known / sizeof *known };

static void distance_counts_letters_and_swaps(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        size_t distance;
    } cases[] = {
        {"", "", 0},
        {"", "abc", 3},
        {"abc", "", 3},
        {"layer", "layers", 1},
        {"kitten", "sitting", 3},
        {"steps", "setps", 1},
        {"ab", "ba", 1},
        {"ca", "abc", 3}, /* restricted: no letters into a swap */
        {"Kv-Heads", "kv_heads", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(nearest_distance(cases[i].a, cases[i].b), cases[i].distance);
        assert_int_equal(nearest_distance(cases[i].b, cases[i].a), cases[i].distance);
    }
}

static void a_word_of_any_length_is_bounded_work(void **state)
{
    (void)state;
    static char word[1 << 20];
    memset(word, 'a', sizeof word - 1);
    assert_null(nearest(word, known, KNOWN));
    assert_true(nearest_distance(word, "a") == SIZE_MAX);
    assert_true(nearest_distance("a", word) == SIZE_MAX);
    word[64] = '\0';
    assert_int_equal(nearest_distance(word, "a"), 63);
}

static void the_nearest_word_is_found_and_a_far_one_is_not_suggested(void **state)
{
    (void)state;
    static const struct {
        const char *word, *expected;
    } cases[] = {
        {"model.layer", "model.layers"},
        {"modle.layers", "model.layers"},
        {"MODEL.LAYERS", "model.layers"},
        {"model.kv-heads", "model.kv_heads"},
        {"optim.lrmin", "optim.lr_min"},
        {"optim.lr", "optim.lr"},
        {"train.stesp", "train.steps"},
        {"glu", "gelu"},
        {"", NULL},
        {"x", NULL},
        {"tanh", NULL},
        {"learning_rate", NULL},
        {"\xff\xfe", NULL},
        {"no", "on"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *found = nearest(cases[i].word, known, KNOWN);
        if (cases[i].expected)
            assert_string_equal(found ? found : "nothing", cases[i].expected);
        else
            assert_null(found);
    }
    assert_null(nearest("word", known, 0));
}

RUN(T(distance_counts_letters_and_swaps), T(a_word_of_any_length_is_bounded_work),
    T(the_nearest_word_is_found_and_a_far_one_is_not_suggested))
