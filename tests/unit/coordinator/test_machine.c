/* What a host says of itself, which may be anything. */
#include "support/test.h"

#include "coordinator/machine.h"

static void cores_and_model_are_what_a_shell_answers(void **state)
{
    (void)state;
    struct machine m = {.name = "node07"};
    machine_parse(&m, "64\nmodel name\t: AMD EPYC 9004\n");
    assert_int_equal(m.cores, 64);
    assert_string_equal(m.cpu, "AMD EPYC 9004");
    assert_string_equal(m.name, "node07");
}

static void what_is_no_answer_says_nothing(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "", "no such command\n", "-3\n", "0\n", "99999999999999999999\n", "\nmodel name"};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct machine m = {.cores = 7, .cpu = "old"};
        machine_parse(&m, answers[i]);
        assert_int_equal(m.cores, 0);
        assert_string_equal(m.cpu, "");
    }
}

static void a_model_moves_no_cursor_and_fits(void **state)
{
    (void)state;
    char answer[600] = "2\nmodel name : \033[2Jevil";
    memset(answer + strlen(answer), 'x', 400);
    struct machine m = {0};
    machine_parse(&m, answer);
    assert_int_equal(m.cores, 2);
    assert_memory_equal(m.cpu, "?[2Jevilx", 9);
    assert_int_equal(strlen(m.cpu), MACHINE_TEXT - 1);
}

static void this_machine_has_a_core(void **state)
{
    (void)state;
    struct machine m;
    machine_here(&m);
    assert_true(m.cores >= 1);
    assert_true(*m.name);
}

RUN(T(cores_and_model_are_what_a_shell_answers), T(what_is_no_answer_says_nothing),
    T(a_model_moves_no_cursor_and_fits), T(this_machine_has_a_core))
