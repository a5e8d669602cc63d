/* log.jsonl as a reader finds it: one whole object per line, null for what is not known.
 */
#include "support/test.h"

#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "metrics/metrics.h"

enum { LINES = 64 };

static struct jsonl *open_new(const char *path)
{
    struct jsonl *j;
    unlink(path);
    assert_int_equal(jsonl_open(path, &j), ERR_OK);
    return j;
}

/* The lines of @path, each parsed; returns how many. */
static size_t parse(const char *path, json_t *line[LINES])
{
    char *text;
    size_t bytes, n = 0;
    assert_int_equal(file_read(path, 1 << 20, &text, &bytes), ERR_OK);
    assert_true(bytes > 0 && text[bytes - 1] == '\n');
    for (char *at = text, *next; at < text + bytes; at = next) {
        next = memchr(at, '\n', (size_t)(text + bytes - at));
        assert_non_null(next);
        line[n] = json_loadb(at, (size_t)(next++ - at), JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(line[n++]);
    }
    mem_free(text);
    return n;
}

static void a_path_that_cannot_be_opened_is_an_error(void **state)
{
    (void)state;
    struct jsonl *j = NULL;
    assert_int_equal(jsonl_open("no/such/folder/log.jsonl", &j), ERR_NO_FILE);
    assert_null(j);
}

static void the_rest_of_a_line_that_was_not_finished_is_cut_off(void **state)
{
    (void)state;
    enum { LONG = 10000 };
    static char torn[LONG + 1];
    memset(torn, 'x', LONG);
    const char *const starts[] = {"", "{}\n"};
    for (int i = 0; i < 2; i++) {
        char text[LONG + 8];
        const int n = snprintf(text, sizeof text, "%s%s", starts[i], torn);
        assert_int_equal(file_write_atomic("torn.jsonl", text, (size_t)n), ERR_OK);
        struct jsonl *j;
        json_t *line[LINES];
        assert_int_equal(jsonl_open("torn.jsonl", &j), ERR_OK);
        jsonl_write(j, "end", 1, NULL, NULL);
        jsonl_close(j);
        const size_t lines = parse("torn.jsonl", line);
        assert_int_equal(lines, 1 + i);
        for (size_t k = 0; k < lines; k++)
            json_decref(line[k]);
    }
}

static void a_step_has_its_numbers_and_null_for_what_is_not_known(void **state)
{
    (void)state;
    struct metrics m;
    metrics_unknown(&m);
    m.loss = 2.5;
    m.rate = 1e-3;
    m.norm = INFINITY; /* a model may diverge: JSON knows no infinity */
    struct jsonl *j = open_new("step.jsonl");
    jsonl_write(j, "step", 12, &m, NULL);
    jsonl_close(j);

    json_t *line[LINES];
    assert_int_equal(parse("step.jsonl", line), 1);
    assert_string_equal(json_string_value(json_object_get(line[0], "event")), "step");
    assert_int_equal(json_integer_value(json_object_get(line[0], "step")), 12);
    assert_true(json_real_value(json_object_get(line[0], "time")) > 1e9);
    assert_true(json_real_value(json_object_get(line[0], "loss")) == 2.5);
    assert_true(json_real_value(json_object_get(line[0], "learning_rate")) == 1e-3);
    static const char *const nulls[] = {
        "gradient_norm", "clip_coefficient",  "flops",
        "flops_share",   "tokens_per_second", "seconds_left"};
    for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++)
        assert_true(json_is_null(json_object_get(line[0], nulls[i])));
    assert_null(json_object_get(line[0], "held_out_loss"));
    assert_null(json_object_get(line[0], "text"));
    json_decref(line[0]);
}

static void other_events_leave_out_what_is_not_known(void **state)
{
    (void)state;
    struct metrics m;
    metrics_unknown(&m);
    m.held_out_loss = 1.25;
    struct jsonl *j = open_new("other.jsonl");
    jsonl_write(j, "evaluation", 1ull << 53, &m, "best");
    jsonl_write(j, "end", 3, NULL, "quoted \"text\"\nof two lines");
    jsonl_close(j);

    json_t *line[LINES];
    assert_int_equal(parse("other.jsonl", line), 2);
    assert_int_equal(json_object_size(line[0]), 5); /* time event step loss text */
    assert_true(json_integer_value(json_object_get(line[0], "step")) == 1ll << 53);
    assert_true(json_real_value(json_object_get(line[0], "held_out_loss")) == 1.25);
    assert_string_equal(json_string_value(json_object_get(line[0], "text")), "best");
    assert_int_equal(json_object_size(line[1]), 4);
    assert_string_equal(json_string_value(json_object_get(line[1], "text")),
                        "quoted \"text\"\nof two lines");
    json_decref(line[0]);
    json_decref(line[1]);
}

static void a_resumed_run_appends(void **state)
{
    (void)state;
    struct jsonl *j = open_new("resumed.jsonl");
    for (uint64_t start = 0; start < 3; start++) {
        jsonl_write(j, "start", start, NULL, NULL);
        jsonl_close(j);
        assert_int_equal(jsonl_open("resumed.jsonl", &j), ERR_OK);
    }
    jsonl_close(j);
    json_t *line[LINES];
    assert_int_equal(parse("resumed.jsonl", line), 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(json_integer_value(json_object_get(line[i], "step")), i);
        json_decref(line[i]);
    }
}

static void a_full_disk_is_told_once_and_does_not_stop_anything(void **state)
{
    (void)state;
    struct jsonl *j;
    if (access("/dev/full", W_OK) != 0) {
        print_message("skipped: no /dev/full\n");
        skip();
    }
    const int err = open("told", O_RDWR | O_CREAT | O_TRUNC, 0644), saved = dup(2);
    dup2(err, 2);
    const int opened = jsonl_open("/dev/full", &j);
    if (!opened) {
        for (uint64_t i = 0; i < 5; i++)
            jsonl_write(j, "step", i, NULL, NULL);
        jsonl_close(j);
    }
    dup2(saved, 2);
    close(saved);
    char text[4096];
    const ssize_t n = pread(err, text, sizeof text - 1, 0);
    close(err);
    assert_int_equal(opened, ERR_OK);
    assert_true(n > 0);
    text[n] = '\0';
    const char *first = strstr(text, "/dev/full");
    assert_non_null(first);
    assert_null(strstr(first + 1, "/dev/full"));
}

RUN(T(a_path_that_cannot_be_opened_is_an_error),
    T(a_step_has_its_numbers_and_null_for_what_is_not_known),
    T(other_events_leave_out_what_is_not_known), T(a_resumed_run_appends),
    T(the_rest_of_a_line_that_was_not_finished_is_cut_off),
    T(a_full_disk_is_told_once_and_does_not_stop_anything))
