/* A metric read back: what its writer wrote, and what a run that went back meant. */
#include "support/test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "metrics/history.h"
#include "metrics/metrics.h"

static struct history read_text(const char *text, const char *key)
{
    struct history h;
    assert_int_equal(file_write_atomic("log.jsonl", text, strlen(text)), ERR_OK);
    assert_int_equal(history_read(&h, "log.jsonl", history_metric(key)), ERR_OK);
    return h;
}

static void assert_points(const struct history *h, const uint64_t *step,
                          const double *value, size_t n)
{
    assert_int_equal(h->n, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(h->step[i], step[i]);
        assert_true(isnan(value[i]) ? isnan(h->value[i]) : h->value[i] == value[i]);
    }
}

static void a_log_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    struct history h;
    const struct history_metric *loss = history_metric("loss");
    assert_int_equal(history_read(&h, "no/log.jsonl", loss), ERR_NO_FILE);
    mkdir("folder", 0755);
    assert_int_equal(history_read(&h, "folder", loss), ERR_IO);
}

static void what_was_written_is_read(void **state)
{
    (void)state;
    struct jsonl *j;
    struct metrics m;
    unlink("own.jsonl");
    assert_int_equal(jsonl_open("own.jsonl", &j), ERR_OK);
    metrics_unknown(&m);
    jsonl_write(j, "start", 0, NULL, "2 workers");
    m.tokens = 100;
    for (uint64_t s = 1; s <= 2; s++) {
        m.loss = 4.0 - (double)s;
        m.norm = s == 1 ? INFINITY : 0.5;
        jsonl_write(j, "step", s, &m, NULL);
    }
    struct metrics held;
    metrics_unknown(&held);
    held.held_out_loss = 2.25;
    jsonl_write(j, "evaluation", 2, &held, "best");
    jsonl_write(j, "checkpoint", 2, NULL, "written in 1 ms");
    jsonl_close(j);

    static const struct {
        const char *key;
        size_t n;
        uint64_t step[2];
        double value[2];
    } rows[] = {{"loss", 2, {1, 2}, {3, 2}},
                {"gradient_norm", 2, {1, 2}, {NAN, 0.5}},
                {"held_out_loss", 1, {2}, {2.25}},
                {"perplexity", 0, {0}, {0}}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct history h;
        assert_int_equal(history_read(&h, "own.jsonl", history_metric(rows[i].key)),
                         ERR_OK);
        assert_points(&h, rows[i].step, rows[i].value, rows[i].n);
        assert_int_equal(h.last_step, 2);
        assert_int_equal(h.bad, 0);
        history_fini(&h);
    }
}

#define LINE(time, event, step, rest)                                                    \
    "{\"time\":" time ",\"event\":\"" event "\",\"step\":" step rest "}\n"

static void of_a_run_that_went_back_the_last_way_counts(void **state)
{
    (void)state;
    static const char *const text = LINE("100", "start", "0", "")
        LINE("101", "step", "1", ",\"loss\":4,\"tokens\":10")
            LINE("102", "step", "2", ",\"loss\":3,\"tokens\":10")
                LINE("103", "evaluation", "2", ",\"held_out_loss\":3.5")
                    LINE("104", "step", "3", ",\"loss\":9,\"tokens\":10")
                        LINE("105", "step", "4", ",\"loss\":8,\"tokens\":10")
                            LINE("106", "evaluation", "4", ",\"held_out_loss\":8.5")
                                LINE("200", "start", "2",
                                     "") /* 94 seconds later, from a checkpoint */
        LINE("201", "evaluation", "2", ",\"held_out_loss\":3.5")
            LINE("203", "step", "3", ",\"loss\":2,\"tokens\":10");
    struct history h = read_text(text, "loss");
    assert_points(&h, (uint64_t[]){1, 2, 3}, (double[]){4, 3, 2}, 3);
    assert_int_equal(h.last_step, 3);
    assert_true(h.seconds == 6 + 3);
    assert_true(h.tokens_per_second == 50 / (1 + 1 + 1 + 1 + 2.0));
    history_fini(&h);
    h = read_text(text, "held_out_loss");
    assert_points(&h, (uint64_t[]){2}, (double[]){3.5}, 1);
    history_fini(&h);
}

static void a_line_without_a_time_is_counted_and_left_out(void **state)
{
    (void)state;
    static const char *const bad[] = {"nonsense", "{\"event\":\"step\",\"step\":2}",
                                      "{\"time\":\"1\",\"event\":\"step\",\"step\":2}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[512];
        snprintf(text, sizeof text, "%s%s\n%s", LINE("1", "step", "1", ",\"loss\":4"),
                 bad[i], LINE("2", "step", "2", ",\"loss\":3"));
        struct history h = read_text(text, "loss");
        assert_points(&h, (uint64_t[]){1, 2}, (double[]){4, 3}, 2);
        assert_int_equal(h.bad, 1);
        assert_int_equal(h.first_bad, 2);
        history_fini(&h);
    }
}

static void of_no_step_there_is_no_speed(void **state)
{
    (void)state;
    struct history h = read_text("", "loss");
    assert_int_equal(h.n, 0);
    assert_true(isnan(h.tokens_per_second) && h.seconds == 0);
    history_fini(&h);
}

static void the_best_is_the_first_of_the_lowest_or_the_highest(void **state)
{
    (void)state;
    uint64_t step[] = {1, 2, 3, 4, 5};
    double value[] = {NAN, 2, 1, 1, 3};
    const struct history h = {.step = step, .value = value, .n = 5};
    assert_int_equal(history_best(&h, history_metric("loss")), 2);
    assert_int_equal(history_best(&h, history_metric("held_out_loss")), 2);
    assert_int_equal(history_best(&h, history_metric("tokens_per_second")), 4);
    const struct history nothing = {.step = step, .value = value, .n = 1};
    assert_int_equal(history_best(&nothing, history_metric("loss")), 1);
    assert_null(history_metric("los"));
}

int main(void)
{
    log_silence(true);
    const struct CMUnitTest tests[] = {
        T(a_log_that_is_not_there_is_an_error),
        T(what_was_written_is_read),
        T(of_a_run_that_went_back_the_last_way_counts),
        T(a_line_without_a_time_is_counted_and_left_out),
        T(of_no_step_there_is_no_speed),
        T(the_best_is_the_first_of_the_lowest_or_the_highest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
