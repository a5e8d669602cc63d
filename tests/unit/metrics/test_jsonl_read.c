/* The lines of log.jsonl as they are read: which are lines, which are counted and left
 * out, and what is not there yet. */
#include "support/test.h"

#include <sys/stat.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "metrics/jsonl_read.h"

enum { MOST = 8 };

struct taken {
    size_t n;
    char event[MOST][16];
    uint64_t step[MOST];
    double loss[MOST];
};

/* Everything but "unwanted". */
static bool take(void *ctx, const struct jsonl_line *line)
{
    struct taken *t = ctx;
    assert_true(t->n < MOST);
    snprintf(t->event[t->n], sizeof t->event[0], "%s", line->event);
    t->step[t->n] = line->step;
    t->loss[t->n++] = jsonl_number(line->json, "loss");
    return strcmp(line->event, "unwanted") != 0;
}

static struct jsonl_bad read_text(struct taken *t, const char *text)
{
    struct jsonl_bad bad;
    *t = (struct taken){0};
    assert_int_equal(file_write_atomic("log.jsonl", text, strlen(text)), ERR_OK);
    assert_int_equal(jsonl_read("log.jsonl", take, t, &bad), ERR_OK);
    return bad;
}

#define LINE(event, step, rest)                                                          \
    "{\"event\":\"" event "\",\"step\":" #step ",\"loss\":" rest "}\n"

static void a_log_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    struct taken t = {0};
    struct jsonl_bad bad;
    assert_int_equal(jsonl_read("no/log.jsonl", take, &t, &bad), ERR_NO_FILE);
    mkdir("folder", 0755);
    assert_int_equal(jsonl_read("folder", take, &t, &bad), ERR_IO);
    assert_int_equal(t.n, 0);
}

static void lines_are_taken_in_their_order(void **state)
{
    (void)state;
    struct taken t;
    const struct jsonl_bad bad =
        read_text(&t, LINE("start", 0, "null") LINE("step", 7, "2.5")
                          LINE("step", 3, "\"2\"") "{\"step\":9,\"event\":\"other\"}\n");
    assert_true(bad.n == 0 && bad.first == 0);
    assert_int_equal(t.n, 4);
    assert_string_equal(t.event[0], "start");
    assert_string_equal(t.event[3], "other");
    assert_true(t.step[0] == 0 && t.step[1] == 7 && t.step[2] == 3 && t.step[3] == 9);
    assert_true(t.loss[1] == 2.5);
    assert_true(isnan(t.loss[0]) && isnan(t.loss[2]) && isnan(t.loss[3]));
}

static void what_is_no_line_is_counted_and_left_out(void **state)
{
    (void)state;
    static const char *const rows[] = {"",
                                       "{",
                                       "nonsense",
                                       "[1]",
                                       "{\"step\":1}",
                                       "{\"event\":\"step\"}",
                                       "{\"event\":\"step\",\"step\":-1}",
                                       "{\"event\":\"step\",\"step\":1.5}",
                                       "{\"event\":\"step\",\"step\":\"1\"}",
                                       "{\"event\":7,\"step\":1}",
                                       "{\"event\":\"\",\"step\":1}",
                                       "{\"event\":\"step\",\"step\":1}{}",
                                       "{\"event\":\"st\xff\",\"step\":1}"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[512];
        struct taken t;
        snprintf(text, sizeof text, "%s%s\n%s", LINE("step", 1, "4"), rows[i],
                 LINE("step", 2, "3"));
        const struct jsonl_bad bad = read_text(&t, text);
        assert_true(bad.n == 1 && bad.first == 2);
        assert_true(t.n == 2 && t.step[0] == 1 && t.step[1] == 2);
    }
}

static void so_is_a_line_that_the_caller_does_not_want(void **state)
{
    (void)state;
    struct taken t;
    const struct jsonl_bad bad =
        read_text(&t, LINE("step", 1, "4") LINE("step", 2, "4") LINE("unwanted", 3, "4")
                          LINE("step", 4, "4") LINE("unwanted", 5, "4"));
    assert_true(bad.n == 2 && bad.first == 3);
    assert_int_equal(t.n, 5);
}

static void a_last_line_without_its_end_is_not_there_yet(void **state)
{
    (void)state;
    static const char *const ends[] = {"{\"event\":\"step\",\"step\":2,\"lo",
                                       "{\"event\":\"step\",\"step\":2}", ""};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char text[512];
        struct taken t;
        snprintf(text, sizeof text, "%s%s", LINE("step", 1, "4"), ends[i]);
        const struct jsonl_bad bad = read_text(&t, text);
        assert_true(t.n == 1 && bad.n == 0);
    }
    struct taken t;
    assert_true(read_text(&t, "").n == 0 && t.n == 0);
}

/* 16 MiB are taken, one byte more is not; what follows is. */
static void a_line_has_its_longest(void **state)
{
    (void)state;
    enum { LONGEST = 16 << 20 };
    static const char begin[] = "{\"event\":\"step\",\"step\":1}";
    for (size_t more = 0; more <= 1; more++) {
        struct taken t;
        char *text = malloc(LONGEST + 200);
        assert_non_null(text);
        memset(text, ' ', LONGEST + more);
        memcpy(text, begin, strlen(begin));
        snprintf(text + LONGEST + more, 100, "\n%s", LINE("step", 2, "3"));
        const struct jsonl_bad bad = read_text(&t, text);
        free(text);
        assert_true(bad.n == more && bad.first == more);
        assert_true(t.n == 2 - more && t.step[t.n - 1] == 2);
    }
}

int main(void)
{
    log_silence(true);
    const struct CMUnitTest tests[] = {
        T(a_log_that_is_not_there_is_an_error),
        T(lines_are_taken_in_their_order),
        T(what_is_no_line_is_counted_and_left_out),
        T(so_is_a_line_that_the_caller_does_not_want),
        T(a_last_line_without_its_end_is_not_there_yet),
        T(a_line_has_its_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
