/* log.jsonl read back: what its writer wrote, what a run that went back meant, and what
 * is no line of it. */
#include "support/test.h"

#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "doctor/course.h"
#include "metrics/metrics.h"

static struct course read_text(const char *text)
{
    struct course c;
    assert_int_equal(file_write_atomic("log.jsonl", text, strlen(text)), ERR_OK);
    assert_int_equal(course_read(&c, "log.jsonl"), ERR_OK);
    return c;
}

#define STEP(n, loss) "{\"event\":\"step\",\"step\":" #n ",\"loss\":" #loss "}\n"
#define HELD_OUT(n, loss)                                                                \
    "{\"event\":\"evaluation\",\"step\":" #n ",\"held_out_loss\":" #loss "}\n"
#define SKIPPED(n) "{\"event\":\"skipped\",\"step\":" #n "}\n"
#define TENSOR_A   "{\"name\":\"a\",\"weight\":1,\"update\":2}"
#define EXAMINED(n, tensors, blocks)                                                     \
    "{\"event\":\"statistics\",\"step\":" #n ",\"tensors\":[" tensors                    \
    "],\"blocks\":[" blocks "]}\n"
#define BLOCK_0 "{\"stack\":\"decoder\",\"block\":0,\"dead\":0.5}"

static void a_log_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    struct course c;
    log_silence(true);
    assert_int_equal(course_read(&c, "no/log.jsonl"), ERR_NO_FILE);
    assert_int_equal(course_read(&c, "."), ERR_IO);
    log_silence(false);
}

static struct statistics example(struct tensor_statistics tensor[2],
                                 struct block_statistics *block)
{
    static const char *const names[] = {"a.weight", "b.weight"};
    tensor[0] = (struct tensor_statistics){1, 2, 3, 4};
    tensor[1] = (struct tensor_statistics){5, 6, NAN, 8};
    block_statistics_unknown(block);
    block->stream = 0.5;
    return (struct statistics){.slice = 3,
                               .accuracy = 0.25,
                               .noise = {1, 2, 3, 4, 5, 6},
                               .tensors = 2,
                               .name = names,
                               .tensor = tensor,
                               .decoder = 1,
                               .block = block};
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct jsonl *j;
    struct course c;
    struct metrics m;
    struct tensor_statistics tensor[2];
    struct block_statistics block;
    const struct statistics s = example(tensor, &block);
    unlink("log.jsonl");
    assert_int_equal(jsonl_open("log.jsonl", &j), ERR_OK);
    metrics_unknown(&m);
    m.loss = 2.5;
    m.rate = 0.125;
    m.norm = INFINITY;
    m.clip = 0.5;
    m.tokens = 100;
    jsonl_write(j, "step", 1, &m, NULL);
    jsonl_statistics(j, 1, &s);
    metrics_unknown(&m);
    m.held_out_loss = 3.5;
    jsonl_write(j, "evaluation", 1, &m, "best");
    jsonl_write(j, "skipped", 2, NULL, "not finite");
    jsonl_write(j, "checkpoint", 1, NULL, "written");
    jsonl_write(j, "end", 1, NULL, "all steps are done");
    jsonl_close(j);

    assert_int_equal(course_read(&c, "log.jsonl"), ERR_OK);
    assert_int_equal(c.steps, 1);
    assert_true(c.step[0].step == 1 && c.step[0].loss == 2.5 && c.step[0].clip == 0.5);
    assert_true(c.step[0].rate == 0.125 && isnan(c.step[0].norm));
    assert_true(c.step[0].tokens == 100);
    assert_true(c.evaluations == 1 && c.evaluation[0].loss == 3.5);
    assert_true(c.skipped == 1 && c.bad == 0);
    assert_string_equal(c.end, "all steps are done");
    assert_true(c.examined == 1 && c.tensors == 2 && c.blocks == 1);
    assert_string_equal(c.name[1], "b.weight");
    assert_true(c.statistics[0].tensor[0].update == 3);
    assert_true(isnan(c.statistics[0].tensor[1].update));
    assert_true(c.statistics[0].block[0].stream == 0.5);
    assert_true(isnan(c.statistics[0].block[0].dead));
    assert_true(c.statistics[0].noise.variance == 4 && c.statistics[0].accuracy == 0.25);
    assert_string_equal(c.at[0].stack, "decoder");
    course_fini(&c);
}

static void what_is_no_line_is_counted_and_left_out(void **state)
{
    (void)state;
    struct course c = read_text(STEP(1, 3) "not json\n[1]\n" STEP(2, null)
                                    STEP(3, 1) "{\"event\":\"step\",\"st");
    assert_int_equal(c.steps, 3);
    assert_true(isnan(c.step[1].loss) && c.step[2].loss == 1);
    assert_int_equal(c.bad, 2);
    assert_int_equal(c.first_bad, 2);
    course_fini(&c);
    c = read_text("");
    assert_true(c.steps == 0 && c.bad == 0 && c.examined == 0);
    course_fini(&c);
}

static void what_a_run_went_back_on_is_dropped(void **state)
{
    (void)state;
    struct course c = read_text(
        STEP(1, 5) SKIPPED(2) SKIPPED(3) STEP(2, 4) EXAMINED(2, TENSOR_A, "")
            HELD_OUT(2, 9) STEP(3, 3) HELD_OUT(3, 8) EXAMINED(
                3, TENSOR_A, "") "{\"event\":\"end\",\"step\":3,\"text\":\"x\"}\n"
                                 "{\"event\":\"start\",\"step\":1}\n" SKIPPED(2)
                                     STEP(2, 7) HELD_OUT(2, 6));
    assert_int_equal(c.steps, 2);
    assert_true(c.step[1].step == 2 && c.step[1].loss == 7);
    assert_true(c.evaluations == 1 && c.evaluation[0].loss == 6);
    assert_true(c.examined == 0 && c.end == NULL && c.skipped == 2);
    course_fini(&c);
}

static void statistics_of_another_model_are_left_out(void **state)
{
    (void)state;
    struct course c = read_text(EXAMINED(1, TENSOR_A, BLOCK_0)         /* the model */
                                EXAMINED(2, TENSOR_A "," TENSOR_A, "") /* two tensors */
                                EXAMINED(3, "{\"name\":\"b\"}", "")    /* another */
                                EXAMINED(4, TENSOR_A, BLOCK_0 "," BLOCK_0)       /* two */
                                EXAMINED(5, TENSOR_A, "{\"stack\":\"encoder\"}") /* */
                                EXAMINED(6, TENSOR_A, "") /* not told */
                                EXAMINED(7, "", BLOCK_0)  /* nothing */
                                EXAMINED(8, TENSOR_A, BLOCK_0));
    assert_int_equal(c.examined, 3);
    assert_int_equal(c.bad, 5);
    assert_true(c.statistics[1].step == 6 && c.statistics[1].block == NULL);
    assert_true(c.statistics[2].block[0].dead == 0.5);
    course_fini(&c);
}

RUN(T(a_log_that_is_not_there_is_an_error), T(what_is_written_is_read),
    T(what_is_no_line_is_counted_and_left_out), T(what_a_run_went_back_on_is_dropped),
    T(statistics_of_another_model_are_left_out))
