/* heard.h - what a function under test says on the terminal, as text to compare with. */
#ifndef TESTS_UNIT_CONF_HEARD_H
#define TESTS_UNIT_CONF_HEARD_H

#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"

enum { HEARD_MAX = 1 << 16 };

static struct {
    int terminal; /* the real one, while we listen */
    char text[HEARD_MAX];
} heard;

static void hear(void)
{
    fflush(stderr);
    log_init("", LOG_INFO); /* what was said before may be said again */
    heard.terminal = dup(STDERR_FILENO);
    const int fd = open("heard.txt", O_RDWR | O_CREAT | O_TRUNC, 0644);
    assert_true(heard.terminal >= 0 && fd >= 0);
    assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    close(fd);
}

/* Stops listening; the log lines since hear(). */
static const char *said(void)
{
    const ssize_t n = pread(STDERR_FILENO, heard.text, HEARD_MAX - 1, 0);
    assert_int_equal(dup2(heard.terminal, STDERR_FILENO), STDERR_FILENO);
    close(heard.terminal);
    assert_true(n >= 0);
    heard.text[n] = '\0';
    return heard.text;
}

static void assert_said(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("expected '%s' in:\n%s", part, text);
}

static inline size_t lines(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

#endif
