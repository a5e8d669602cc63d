#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "metrics/line.h"
#include "metrics/metrics.h"

struct jsonl {
    int fd;
    char *path;
    bool complained;
};

void metrics_unknown(struct metrics *m)
{
#define METRIC(field, ...) m->field = NAN;
#include "metrics/metrics.def"
#undef METRIC
}

/* A line that its writer did not live to finish would make the next one unreadable. */
static int cut_torn_line(int fd)
{
    char piece[4096];
    off_t end = lseek(fd, 0, SEEK_END);
    const off_t bytes = end;
    while (end > 0) {
        const off_t from = end > (off_t)sizeof piece ? end - (off_t)sizeof piece : 0;
        if (pread(fd, piece, (size_t)(end - from), from) != end - from)
            return -1;
        const char *last = memrchr(piece, '\n', (size_t)(end - from));
        end = last ? from + (last - piece) + 1 : from;
        if (last)
            break;
    }
    return end == bytes ? 0 : ftruncate(fd, end);
}

int jsonl_open(const char *path, struct jsonl **out)
{
    const int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0) {
        log_error("could not open %s: %s", path, strerror(errno));
        return err_from_errno(errno);
    }
    if (cut_torn_line(fd) != 0)
        log_warn("%s: its last line may not be whole: %s", path, strerror(errno));
    struct jsonl *j = mem_zalloc(sizeof *j);
    j->fd = fd;
    j->path = mem_strdup(path);
    *out = j;
    return ERR_OK;
}

void jsonl_close(struct jsonl *j)
{
    close(j->fd);
    mem_free(j->path);
    mem_free(j);
}

static bool always(const char *event, size_t field)
{
    return strcmp(event, "step") == 0 && field <= offsetof(struct metrics, seconds_left);
}

static void add(json_t *line, const char *event, size_t field, const char *key, double x)
{
    if (isfinite(x))
        json_object_set_new(line, key, json_real(x));
    else if (always(event, field))
        json_object_set_new(line, key, json_null());
}

json_t *line_begin(const char *event, uint64_t step)
{
    return json_pack("{s:f, s:s, s:I}", "time", clock_wall(), "event", event, "step",
                     (json_int_t)step);
}

void line_write(struct jsonl *j, json_t *line)
{
    char *json = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(15));
    json_decref(line);

    const size_t n = strlen(json);
    json[n] = '\n'; /* in place of the end: one write, one line */
    FAILPOINT_HALF("commit.half_logged", file_write_all(j->fd, json, n / 2));
    const int e = file_write_all(j->fd, json, n + 1);
    if (e && !j->complained) {
        log_warn("could not write %s: %s; the log has a gap", j->path, strerror(e));
        j->complained = true;
    }
    free(json);
}

void jsonl_write(struct jsonl *j, const char *event, uint64_t step,
                 const struct metrics *m, const char *text)
{
    json_t *line = line_begin(event, step);
#define METRIC(field, key, ...)                                                          \
    add(line, event, offsetof(struct metrics, field), key, m->field);
    if (m) {
#include "metrics/metrics.def"
    }
#undef METRIC
    if (text)
        json_object_set_new(line, "text", json_string(text));
    line_write(j, line);
}
