#include "support/test.h"

#include <unistd.h>

#include "base/log.h"

/* What @say writes to stderr, as one text. */
static char *heard(void (*say)(void))
{
    static char text[8192];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    const int before = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    say();
    dup2(before, STDERR_FILENO);
    close(before);
    const ssize_t n = read(ends[0], text, sizeof text - 1);
    close(ends[0]);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;
    for (; (text = strstr(text, what)); text++)
        n++;
    return n;
}

static void say_the_same_often(void)
{
    for (int i = 0; i < 20; i++) {
        log_error("nobody answers at %s", "node7");
        log_info("looking");
    }
    log_error("nobody answers at %s", "node8");
    log_error("nobody answers at %s", "node7");
}

static void an_error_that_comes_again_is_written_once(void **state)
{
    (void)state;
    const char *text = heard(say_the_same_often);
    assert_int_equal(count(text, "node7"), 2);
    assert_int_equal(count(text, "node8"), 1);
    assert_int_equal(count(text, "looking"), 20);
}

static void say_a_long_one(void)
{
    static char word[10000];
    memset(word, 'x', sizeof word - 1);
    log_warn("%s", word);
}

static void a_long_line_is_cut_and_ends(void **state)
{
    (void)state;
    const char *text = heard(say_a_long_one);
    assert_in_range(strlen(text), 3900, 4096);
    assert_int_equal(text[strlen(text) - 1], '\n');
    assert_int_equal(count(text, "\n"), 1);
}

RUN(T(an_error_that_comes_again_is_written_once), T(a_long_line_is_cut_and_ends))
