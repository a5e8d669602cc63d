#include "base/failpoint.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/units.h"

#ifdef LOCKSTEP_FAILPOINTS

static const struct {
    const char *name, *text;
    enum { PLAIN, CALLS, HAS_DATA } kind;
} rows[] = {
#define POINT(name, text) {#name, text, PLAIN},
#define CALL(name, text)  {#name, text, CALLS},
#define DATA(name, text)  {#name, text, HAS_DATA},
#include "base/failpoints.def"
#undef POINT
#undef CALL
#undef DATA
};

enum { ROWS = sizeof rows / sizeof *rows, WISHES_MAX = 16 };

enum action { KILL, STOP, SLEEP, FAIL, FLIP };

static struct wish {
    size_t row;
    enum action action;
    double seconds;
    int errno_value;
    size_t element;
    unsigned bit;
    unsigned at;      /* pass, from 1; 0: every one */
    const char *once; /* file, or NULL */
    atomic_uint passes;
} wishes[WISHES_MAX];
static size_t wishes_n;

/* --- LOCKSTEP_FAIL ---------------------------------------------------------------------
 */

static int wrong(const char *word, const char *what)
{
    log_error("LOCKSTEP_FAIL: '%s': %s", word, what);
    return ERR_UNKNOWN;
}

static int find(const char *name, size_t *row)
{
    const char *names[ROWS];
    for (size_t i = 0; i < ROWS; i++) {
        names[i] = rows[i].name;
        if (strcmp(name, names[i]) == 0) {
            *row = i;
            return ERR_OK;
        }
    }
    const char *near = nearest(name, names, ROWS);
    log_error("LOCKSTEP_FAIL: there is no fail point '%s'%s%s%s; lockstep options "
              "--failpoints lists them",
              name, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return ERR_UNKNOWN;
}

static int read_errno(const char *text, int *value)
{
    static const struct {
        const char *name;
        int value;
    } known[] = {{"EIO", EIO},
                 {"ENOSPC", ENOSPC},
                 {"EDQUOT", EDQUOT},
                 {"EROFS", EROFS},
                 {"EACCES", EACCES}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(text, known[i].name) == 0) {
            *value = known[i].value;
            return ERR_OK;
        }
    *value = atoi(text);
    return *value > 0 ? ERR_OK : wrong(text, "expected an error as EIO or ENOSPC");
}

/* ELEMENT.BIT */
static int read_place(const char *text, struct wish *w)
{
    char *rest;
    w->element = strtoull(text, &rest, 10);
    if (rest == text || *rest != '.')
        return wrong(text, "expected ELEMENT.BIT as 1000.22");
    const char *bit = rest + 1;
    const unsigned long n = strtoul(bit, &rest, 10);
    w->bit = (unsigned)n;
    return rest == bit || *rest || n > 31 ? wrong(text, "expected a bit from 0 to 31")
                                          : ERR_OK;
}

static int read_action(struct wish *w, const char *text)
{
    if (strcmp(text, "kill") == 0) {
        w->action = KILL;
        return ERR_OK;
    }
    if (strcmp(text, "stop") == 0) {
        w->action = STOP;
        return ERR_OK;
    }
    if (strncmp(text, "sleep:", 6) == 0) {
        w->action = SLEEP;
        return units_parse_duration(text + 6, &w->seconds)
                   ? wrong(text, "expected a time as 2s or 150ms")
                   : ERR_OK;
    }
    if (strncmp(text, "error:", 6) == 0) {
        w->action = FAIL;
        if (rows[w->row].kind != CALLS)
            return wrong(rows[w->row].name, "nothing can fail here");
        return read_errno(text + 6, &w->errno_value);
    }
    if (strncmp(text, "flip:", 5) == 0) {
        w->action = FLIP;
        if (rows[w->row].kind != HAS_DATA)
            return wrong(rows[w->row].name, "there is no data here");
        return read_place(text + 5, w);
    }
    return wrong(text,
                 "expected kill, stop, sleep:TIME, error:ERRNO or flip:ELEMENT.BIT");
}

/* NAME=ACTION[@N][/once:FILE]; @text stays and is cut into pieces */
static int read_wish(char *text)
{
    static const char once[] = "/once:";
    if (wishes_n == WISHES_MAX)
        return wrong(text, "too many");
    struct wish *w = &wishes[wishes_n];
    *w = (struct wish){0};
    char *action = strchr(text, '=');
    if (!action)
        return wrong(text, "expected NAME=ACTION");
    *action++ = '\0';
    char *file = strstr(action, once), *at;
    if (file) {
        *file = '\0';
        w->once = file + strlen(once);
    }
    at = strchr(action, '@');
    if (at) {
        *at = '\0';
        w->at = (unsigned)atoi(at + 1);
        if (w->at == 0)
            return wrong(at + 1, "expected the number of a pass, from 1");
    }
    TRY(find(text, &w->row));
    TRY(read_action(w, action));
    wishes_n++;
    return ERR_OK;
}

int failpoint_start(void)
{
    const char *asked = getenv("LOCKSTEP_FAIL");
    if (!asked || !*asked)
        return ERR_OK;
    static char *text; /* wishes point into it */
    mem_free(text);
    wishes_n = 0;
    text = mem_strdup(asked);
    char *rest;
    for (char *word = strtok_r(text, ";", &rest); word; word = strtok_r(NULL, ";", &rest))
        TRY(read_wish(word));
    return ERR_OK;
}

void failpoint_list(FILE *out)
{
    for (size_t i = 0; i < ROWS; i++)
        fprintf(out, "%-28s %s\n", rows[i].name, rows[i].text);
}

/* --- passing ---------------------------------------------------------------------------
 */

static void pause_for(double seconds)
{
    struct timespec left = {(time_t)seconds,
                            (long)((seconds - (double)(time_t)seconds) * 1e9)};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

/* True unless all are zero. */
static bool flip(const struct wish *w, float *data, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float *x = &data[(w->element + i) % count];
        if (*x == 0)
            continue;
        const float before = *x;
        uint32_t bits;
        memcpy(&bits, x, sizeof bits);
        bits ^= UINT32_C(1) << w->bit;
        memcpy(x, &bits, sizeof bits);
        log_warn("element %zu was %g and is %g", (w->element + i) % count, (double)before,
                 (double)*x);
        return true;
    }
    return false;
}

static int act(const struct wish *w, unsigned pass, float *data, size_t count)
{
    if (pass == 1 || w->at || w->once) /* a sleep at every pass is said once */
        log_warn("fail point %s", rows[w->row].name);
    switch (w->action) {
    case KILL:
        raise(SIGKILL);
        break;
    case STOP:
        raise(SIGSTOP);
        break;
    case SLEEP:
        pause_for(w->seconds);
        break;
    case FAIL:
        return w->errno_value;
    case FLIP:
        assert(data);
        return flip(w, data, count);
    }
    return 0;
}

static bool once(const char *file)
{
    const int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static bool due(const struct wish *w, unsigned pass)
{
    return (w->at == 0 || w->at == pass) && (!w->once || once(w->once));
}

static int pass(const char *name, float *data, size_t count)
{
    int e = 0;
    for (struct wish *w = wishes; w < wishes + wishes_n; w++) {
        if (strcmp(rows[w->row].name, name) != 0)
            continue;
        const unsigned passes = 1 + atomic_fetch_add(&w->passes, 1);
        if (due(w, passes))
            e = act(w, passes, data, count);
    }
    return e;
}

int failpoint_pass(const char *name)
{
    return pass(name, NULL, 0);
}

int failpoint_flip(const char *name, float *data, size_t count)
{
    return pass(name, data, count);
}

int failpoint_asked(const char *name)
{
    for (const struct wish *w = wishes; w < wishes + wishes_n; w++)
        if (strcmp(rows[w->row].name, name) == 0 &&
            (w->at == 0 || w->at == 1 + atomic_load(&w->passes)) &&
            (!w->once || access(w->once, F_OK) != 0))
            return 1;
    return 0;
}

void failpoint_forget(void)
{
    wishes_n = 0;
}

#else

void failpoint_forget(void)
{
}

int failpoint_start(void)
{
    const char *asked = getenv("LOCKSTEP_FAIL");
    if (!asked || !*asked)
        return ERR_OK;
    log_error("LOCKSTEP_FAIL is set, but this build has no fail points; build with cmake "
              "--preset chaos");
    return ERR_UNKNOWN;
}

void failpoint_list(FILE *out)
{
    (void)out;
}

#endif
