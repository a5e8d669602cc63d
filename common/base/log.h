/* log.h - one line per event, for people.
 *
 *      12:04:31.207 info  worker 3  push: sent 12.3 MiB in 4.1 ms
 *
 * Lower case, units, the value after its noun, no '='.  error: could not; warn:
 * unexpected, went on; info: joins, evictions, checkpoints, every Nth step; debug:
 * objects; trace: messages.  Lines go to stderr in one write() each, so lines of several
 * processes do not mix.  An error or a warning that says what the one before it said is left
 * out for a minute; then it says how often it was.  Any thread may log.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_TRACE };

/* Who is speaking ("coordinator", "worker 3"; "" leaves the column out) and how much of
 * it is shown. @who is copied, at most 31 bytes. Call before other threads exist. */
void log_init(const char *who, enum log_level shown);

/* Say nothing at all from now on: for ranks whose errors the coordinator reports. */
void log_silence(bool silent);

/* ERR_UNKNOWN when @name is no level; *level is then unchanged. */
int log_level_parse(const char *name, enum log_level *level);

/* Called before a line is written, so that a progress line can get out of the way. */
void log_before_line(void (*hook)(void));

void log_write(enum log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)
#define log_trace(...) log_write(LOG_TRACE, __VA_ARGS__)

#endif
