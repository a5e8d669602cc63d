#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"

enum { LINE_MAX_BYTES = 4096 };

static const char *const names[] = {"error", "warn", "info", "debug", "trace"};

static char speaker[32];
static enum log_level threshold = LOG_INFO;
static bool silence;
static void (*before_line)(void);

void log_init(const char *who, enum log_level shown)
{
    snprintf(speaker, sizeof speaker, "%s", who);
    threshold = shown;
}

void log_silence(bool silent)
{
    silence = silent;
}

int log_level_parse(const char *name, enum log_level *level)
{
    for (int i = LOG_ERROR; i <= LOG_TRACE; i++)
        if (strcmp(name, names[i]) == 0) {
            *level = (enum log_level)i;
            return ERR_OK;
        }
    return ERR_UNKNOWN;
}

void log_before_line(void (*hook)(void))
{
    before_line = hook;
}

void log_write(enum log_level level, const char *format, ...)
{
    if (silence || level > threshold)
        return;
    struct timespec now;
    struct tm local;
    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &local);

    char line[LINE_MAX_BYTES];
    int n = snprintf(line, sizeof line, "%02d:%02d:%02d.%03d %-5s %s%s", local.tm_hour,
                     local.tm_min, local.tm_sec, (int)(now.tv_nsec / 1000000),
                     names[level], speaker, *speaker ? "  " : "");
    va_list args;
    va_start(args, format);
    int m = vsnprintf(line + n, sizeof line - (size_t)n, format, args);
    va_end(args);
    size_t length = (size_t)n + (m > 0 ? (size_t)m : 0);
    if (length > sizeof line - 2)
        length = sizeof line - 2;
    line[length++] = '\n';

    if (before_line)
        before_line();
    for (size_t done = 0; done < length;) {
        ssize_t k = write(STDERR_FILENO, line + done, length - done);
        if (k <= 0)
            return; /* nobody listens any more; logging must not end the job */
        done += (size_t)k;
    }
}
