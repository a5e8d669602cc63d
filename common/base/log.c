#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"

enum { LINE_MAX_BYTES = 4096, SAME_S = 60 };

static const char *const names[] = {"error", "warn", "info", "debug", "trace"};

static char speaker[32];
static enum log_level threshold = LOG_INFO;
static bool silence;
static void (*before_line)(void);

/* The last error or warning that was written. */
static struct {
    pthread_mutex_t lock;
    char text[LINE_MAX_BYTES];
    time_t since;
    unsigned more; /* times it came again, and was left out */
} last = {.lock = PTHREAD_MUTEX_INITIALIZER};

void log_init(const char *who, enum log_level shown)
{
    snprintf(speaker, sizeof speaker, "%s", who);
    threshold = shown;
    pthread_mutex_lock(&last.lock);
    *last.text = '\0';
    pthread_mutex_unlock(&last.lock);
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

/* Whether @text is to be written: not when it was the last error or warning, too, less
 * than a minute ago.  *left_out: how often it was not, since it was. */
static bool is_news(const char *text, time_t now, unsigned *left_out)
{
    pthread_mutex_lock(&last.lock);
    const bool same = strcmp(text, last.text) == 0;
    const bool news = !same || now - last.since >= SAME_S || now < last.since;
    *left_out = same ? last.more : 0;
    if (news) {
        snprintf(last.text, sizeof last.text, "%s", text);
        last.since = now;
    }
    last.more = news ? 0 : last.more + 1;
    pthread_mutex_unlock(&last.lock);
    return news;
}

static void write_all(const char *line, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t k = write(STDERR_FILENO, line + done, length - done);
        if (k <= 0)
            return; /* nobody listens any more; logging must not end the job */
        done += (size_t)k;
    }
}

void log_write(enum log_level level, const char *format, ...)
{
    if (silence || level > threshold)
        return;
    struct timespec now;
    struct tm local;
    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &local);

    char text[LINE_MAX_BYTES - 128], again[40] = "";
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    unsigned left_out = 0;
    if (level <= LOG_WARN && !is_news(text, now.tv_sec, &left_out))
        return;
    if (left_out)
        snprintf(again, sizeof again, " (%u times before)", left_out);

    char line[LINE_MAX_BYTES];
    const int n =
        snprintf(line, sizeof line, "%02d:%02d:%02d.%03d %-5s %s%s%s%s\n", local.tm_hour,
                 local.tm_min, local.tm_sec, (int)(now.tv_nsec / 1000000), names[level],
                 speaker, *speaker ? "  " : "", text, again);
    if (before_line)
        before_line();
    write_all(line, (size_t)n);
}
