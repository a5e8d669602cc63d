/* The line "statistics" of log.jsonl, and the noise of a gradient whose noise is known.
 */
#include "support/test.h"

#include <jansson.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "metrics/statistics.h"

static json_t *written(const struct statistics *s)
{
    struct jsonl *j;
    char *text;
    size_t bytes;
    unlink("log.jsonl");
    assert_int_equal(jsonl_open("log.jsonl", &j), ERR_OK);
    jsonl_statistics(j, 50, s);
    jsonl_close(j);
    assert_int_equal(file_read("log.jsonl", 1 << 20, &text, &bytes), ERR_OK);
    assert_ptr_equal(memchr(text, '\n', bytes), text + bytes - 1);
    json_t *line = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(line);
    mem_free(text);
    return line;
}

static double number(const json_t *of, const char *key)
{
    const json_t *x = json_object_get(of, key);
    assert_true(json_is_real(x));
    return json_real_value(x);
}

static void a_line_has_every_number_under_its_key_to_six_digits(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b"};
    const struct tensor_statistics tensors[2] = {{1, 2, 3, 4}, {5, 6, 7, 1 / 3.0}};
    struct block_statistics blocks[3] = {{1, 2, 3, 4, 5, 6, 7, 8, 9}};
    block_statistics_unknown(&blocks[1]);
    blocks[2] = (struct block_statistics){.stream = 11, .cross = INFINITY};
    const struct statistics s = {.slice = 3,
                                 .accuracy = 0.25,
                                 .noise = {1, 2, 3, 4, 5, NAN},
                                 .tensors = 2,
                                 .name = names,
                                 .tensor = tensors,
                                 .encoder = 2,
                                 .decoder = 1,
                                 .block = blocks};
    json_t *line = written(&s);
    assert_string_equal(json_string_value(json_object_get(line, "event")), "statistics");
    assert_int_equal(json_integer_value(json_object_get(line, "step")), 50);
    assert_int_equal(json_integer_value(json_object_get(line, "slice")), 3);
    assert_true(number(line, "time") > 1e9);
    assert_true(number(line, "accuracy") == 0.25);

    const json_t *noise = json_object_get(line, "noise"),
                 *list = json_object_get(line, "tensors"), *b = json_array_get(list, 1);
    assert_int_equal(json_object_size(noise), 5);
    assert_true(number(noise, "slice") == 1 && number(noise, "scale") == 5);
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(json_string_value(json_object_get(b, "name")), "b");
    assert_true(number(b, "weight") == 5 && number(b, "gradient") == 6);
    assert_true(number(b, "update") == 7 && number(b, "largest") == 0.333333);

    list = json_object_get(line, "blocks");
    assert_int_equal(json_array_size(list), 3);
    static const char *const keys[] = {"stream", "gradient", "attention",
                                       "cross",  "mlp",      "dead",
                                       "zero",   "entropy",  "cross_entropy"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_true(number(json_array_get(list, 0), keys[i]) == (double)(i + 1));
    assert_int_equal(json_object_size(json_array_get(list, 1)), 2);
    assert_int_equal(
        json_integer_value(json_object_get(json_array_get(list, 1), "block")), 1);
    const json_t *last = json_array_get(list, 2);
    assert_string_equal(json_string_value(json_object_get(last, "stack")), "decoder");
    assert_int_equal(json_integer_value(json_object_get(last, "block")), 0);
    assert_true(number(last, "stream") == 11);
    assert_null(json_object_get(last, "cross"));
    json_decref(line);
}

/* Lengths as their formula has them, |G|^2 = 4 and variance 300, are taken apart again.
 */
static void signal_and_variance_follow_from_two_sizes(void **state)
{
    (void)state;
    const double targets[4] = {10, 20, 25, 45}, signal = 4, variance = 300;
    double squares = 0, inverse = 0, tokens = 0;
    for (int v = 0; v < 4; v++) {
        squares += signal + variance / targets[v];
        inverse += 1 / targets[v];
        tokens += targets[v];
    }
    const struct noise_statistics n =
        noise_of(squares, inverse, 4, sqrt(signal + variance / tokens), tokens);
    assert_true(fabs(n.signal - signal) < 1e-9);
    assert_true(fabs(n.variance - variance) < 1e-9);
    assert_true(fabs(n.scale - 75) < 1e-9);
    assert_true(fabs(n.ratio - 0.75) < 1e-9);
    assert_true(n.slice == squares / 4 && fabs(n.step - 7) < 1e-12);
}

static void noise_without_a_signal_or_a_second_slice_has_no_scale(void **state)
{
    (void)state;
    struct noise_statistics n = noise_of(100, 0.4, 4, 0.1, 40);
    assert_true(n.signal < 0 && isnan(n.scale) && isnan(n.ratio));
    n = noise_of(9, 0.1, 1, 3, 10);
    assert_true(n.step == 9 && isnan(n.slice) && isnan(n.variance) && isnan(n.signal));
}

RUN(T(a_line_has_every_number_under_its_key_to_six_digits),
    T(signal_and_variance_follow_from_two_sizes),
    T(noise_without_a_signal_or_a_second_slice_has_no_scale))
