/* What a person sees: stderr is a file or, through a pseudo terminal, a screen. */
#include "support/test.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/log.h"
#include "metrics/progress.h"

enum { TEXT = 1 << 16 };

static struct metrics example(void)
{
    struct metrics m;
    metrics_unknown(&m);
    m.loss = 2.431;
    m.rate = 9.8e-4;
    m.norm = 0.83;
    m.clip = 0.5;
    m.tokens_per_second = 41200;
    m.flops = 12.3e9;
    m.flops_share = 0.58;
    m.seconds_left = 80;
    m.held_out_loss = 2;
    m.bleu = NAN;
    m.perplexity = 7.39;
    m.bits_per_byte = 1.5;
    return m;
}

static int saved;

static void redirect(int to)
{
    saved = dup(STDERR_FILENO);
    assert_true(saved >= 0 && dup2(to, STDERR_FILENO) >= 0);
}

static void restore(void)
{
    dup2(saved, STDERR_FILENO);
    close(saved);
}

static unsigned count(const char *text, const char *word)
{
    unsigned n = 0;
    for (; (text = strstr(text, word)); text += strlen(word))
        n++;
    return n;
}

/* --- no terminal -----------------------------------------------------------------------
 */

static void
in_a_file_there_is_a_plain_line_every_so_many_steps_and_at_the_end(void **state)
{
    (void)state;
    static char text[TEXT];
    const int file = open("plain", O_RDWR | O_CREAT | O_TRUNC, 0644);
    const struct metrics m = example();
    redirect(file);
    progress_start(10);
    for (uint64_t step = 1; step <= 25; step++)
        progress_step(step, 25, &m);
    progress_evaluated(25, &m, "best");
    progress_stop();
    restore();
    const ssize_t n = pread(file, text, TEXT - 1, 0);
    close(file);
    assert_true(n > 0);
    text[n] = '\0';
    assert_int_equal(count(text, "\n"), 4);
    assert_int_equal(count(text, "step 10/25  loss 2.4310  rate 9.80e-04  norm 0.83 clip "
                                 "0.50  41.2k tok/s  12.3 GFLOP/s (58 % of peak)  left"),
                     1);
    assert_int_equal(count(text, "step 20/25"), 1);
    assert_int_equal(count(text, "step 25/25"), 1);
    assert_int_equal(count(text, "step 25  held-out loss 2.0000  perplexity 7.39  1.500 "
                                 "bits/byte  best"),
                     1);
    assert_null(strchr(text, '\033'));
    assert_null(strchr(text, '\r'));
}

static void what_is_not_known_is_left_out(void **state)
{
    (void)state;
    static char text[TEXT];
    const int file = open("unknown", O_RDWR | O_CREAT | O_TRUNC, 0644);
    struct metrics m;
    metrics_unknown(&m);
    m.loss = -1.7e308; /* the longest */
    m.norm = 1;
    redirect(file);
    progress_start(1);
    progress_step(UINT64_MAX, UINT64_MAX, &m);
    progress_stop();
    restore();
    const ssize_t n = pread(file, text, TEXT - 1, 0);
    close(file);
    assert_true(n > 0);
    text[n] = '\0';
    assert_null(strstr(text, "tok/s"));
    assert_null(strstr(text, "FLOP"));
    assert_null(strstr(text, "left"));
    assert_null(strstr(text, "clip"));
    assert_non_null(strstr(text, "  norm 1\n"));
}

/* --- a terminal ------------------------------------------------------------------------
 */

/* What @act writes to a terminal @columns wide; false when there are no pseudo terminals.
 */
static bool on_terminal(unsigned short columns, void (*act)(void), char text[TEXT])
{
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
        return false;
    const int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    if (slave < 0)
        return false;
    const struct winsize size = {.ws_row = 24, .ws_col = columns};
    assert_int_equal(ioctl(slave, TIOCSWINSZ, &size), 0);
    redirect(slave);
    act();
    restore();
    fcntl(master, F_SETFL, O_NONBLOCK);
    size_t n = 0;
    for (ssize_t k; n < TEXT - 1 && (k = read(master, text + n, TEXT - 1 - n)) > 0;)
        n += (size_t)k;
    text[n] = '\0';
    close(slave);
    close(master);
    return true;
}

static void terminal(unsigned short columns, void (*act)(void), char text[TEXT])
{
    if (!on_terminal(columns, act, text)) {
        print_message("skipped: no pseudo terminal\n");
        skip();
    }
}

static void two_steps_and_a_message(void)
{
    const struct metrics m = example();
    progress_start(1);
    progress_step(2, 20, &m);
    log_info("a message");
    progress_step(2, 20, &m);
    progress_stop();
    log_info("after the end");
}

static void on_a_terminal_one_line_lives_and_gives_way_to_messages(void **state)
{
    (void)state;
    static char text[TEXT];
    unsetenv("NO_COLOR");
    setenv("TERM", "xterm", 1);
    terminal(200, two_steps_and_a_message, text);
    assert_int_equal(count(text, "\r\033[36mstep 2/20"), 2);
    assert_int_equal(count(text, "\033[0m\033[K"), 2);
    const char *message = strstr(text, "a message"), *end = strstr(text, "after the end");
    assert_non_null(message);
    assert_non_null(end);
    assert_int_equal(count(text, "\r\033[K"), 2); /* erased before each, and only then */
    assert_true(strstr(text, "\r\033[K") < message);
    assert_int_equal(count(message, "\r\033[K"), 1);
    assert_true(strstr(message, "\r\033[K") < end);
    assert_int_equal(count(text, "\n"), 2);
}

static void no_color_is_honoured(void **state)
{
    (void)state;
    static char text[TEXT];
    setenv("TERM", "xterm", 1);
    setenv("NO_COLOR", "1", 1);
    terminal(200, two_steps_and_a_message, text);
    assert_int_equal(count(text, "\rstep 2/20"), 2);
    assert_null(strstr(text, "\033[36m"));
    setenv("NO_COLOR", "", 1); /* empty is not set: no-color.org */
    terminal(200, two_steps_and_a_message, text);
    assert_non_null(strstr(text, "\033[36m"));
    unsetenv("NO_COLOR");
}

static void a_dumb_terminal_gets_plain_lines(void **state)
{
    (void)state;
    static char text[TEXT];
    setenv("TERM", "dumb", 1);
    terminal(200, two_steps_and_a_message, text);
    assert_null(strchr(text, '\033'));
    assert_int_equal(count(text, "step 2/20"), 2);
    assert_int_equal(count(text, "\n"), 4);
}

static void the_live_line_is_cut_to_the_width_of_the_terminal(void **state)
{
    (void)state;
    static char text[TEXT];
    setenv("TERM", "xterm", 1);
    setenv("NO_COLOR", "1", 1);
    terminal(20, two_steps_and_a_message, text);
    assert_non_null(strstr(text, "\rstep 2/20  loss 2.4\033[K")); /* 19 columns */
    unsetenv("NO_COLOR");
}

static void many_fast_steps(void)
{
    const struct metrics m = example();
    progress_start(1);
    for (uint64_t step = 1; step <= 10000; step++)
        progress_step(step, 10000, &m);
    progress_stop();
}

static void fast_steps_do_not_flood_the_terminal(void **state)
{
    (void)state;
    static char text[TEXT];
    setenv("TERM", "xterm", 1);
    terminal(60, many_fast_steps, text);
    assert_in_range(count(text, "step "), 1, 100);
}

int main(void)
{
    log_init("", LOG_INFO);
    const struct CMUnitTest tests[] = {
        T(in_a_file_there_is_a_plain_line_every_so_many_steps_and_at_the_end),
        T(what_is_not_known_is_left_out),
        T(on_a_terminal_one_line_lives_and_gives_way_to_messages),
        T(no_color_is_honoured),
        T(a_dumb_terminal_gets_plain_lines),
        T(the_live_line_is_cut_to_the_width_of_the_terminal),
        T(fast_steps_do_not_flood_the_terminal)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
