#include "coordinator/access.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"


enum { DIGITS = 2 * AUTH_TOKEN, LINE = 128 };

/* The one line of a token file. */
static size_t print(char line[LINE], const uint8_t token[AUTH_TOKEN])
{
    int n = snprintf(line, LINE, "lockstep-token-1 ");
    for (int i = 0; i < AUTH_TOKEN; i++)
        n += snprintf(line + n, LINE - (size_t)n, "%02x", token[i]);
    n += snprintf(line + n, LINE - (size_t)n, " %016llx\n",
                  (unsigned long long)hash64(line, (size_t)n));
    return (size_t)n;
}

/* Nobody else can open it at any time. */
static int write_secret(const char *path, const char *data, size_t bytes)
{
    char *draft = mem_alloc(strlen(path) + sizeof ".tmp");
    sprintf(draft, "%s.tmp", path);
    unlink(draft);
    const int fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int e = fd < 0 ? errno : file_write_all(fd, data, bytes);
    if (fd >= 0 && close(fd) != 0 && !e)
        e = errno;
    if (!e && rename(draft, path) != 0)
        e = errno;
    if (e) {
        log_error("%s: cannot be written: %s", path, strerror(e));
        unlink(draft);
    }
    mem_free(draft);
    return e ? ERR_IO : ERR_OK;
}

int access_write(const char *run_dir, const char *address,
                 const uint8_t token[AUTH_TOKEN])
{
    char line[LINE];
    char *path = file_join(run_dir, ACCESS_TOKEN);
    int err = write_secret(path, line, print(line, token));
    mem_free(path);
    if (err)
        return err;
    FAILPOINT("access.token");
    char text[CONTROL_ADDRESS + 1];
    const int n = snprintf(text, sizeof text, "%s\n", address);
    path = file_join(run_dir, ACCESS_ADDRESS);
    err = file_replace(path, text, (size_t)n);
    mem_free(path);
    FAILPOINT("access.written");
    return err;
}

void access_remove(const char *run_dir)
{
    static const char *const names[] = {ACCESS_TOKEN, ACCESS_ADDRESS};
    for (int i = 0; i < 2; i++) {
        char *path = file_join(run_dir, names[i]);
        unlink(path);
        mem_free(path);
    }
    FAILPOINT("access.removed");
}

/* --- reading -------------------------------------------------------------------------- */

static int check_mode(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0 || (st.st_mode & (S_IRWXG | S_IRWXO)) == 0)
        return ERR_OK; /* if it is not there, reading says so */
    log_error("%s: others may read this token (mode %03o); chmod 600 %s, and restart the "
              "job if they are not to be trusted",
              path, (unsigned)(st.st_mode & 0777), path);
    return ERR_REFUSED;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Read as digits, then compared with what would have been written for them. */
static int parse(const char *data, size_t bytes, uint8_t token[AUTH_TOKEN])
{
    const size_t at = strlen("lockstep-token-1 ");
    char expected[LINE];
    if (bytes < at + DIGITS)
        return ERR_DATA;
    for (size_t i = 0; i < AUTH_TOKEN; i++) {
        const int high = digit(data[at + 2 * i]), low = digit(data[at + 2 * i + 1]);
        if (high < 0 || low < 0)
            return ERR_DATA;
        token[i] = (uint8_t)(16 * high + low);
    }
    return print(expected, token) == bytes && memcmp(expected, data, bytes) == 0
               ? ERR_OK
               : ERR_DATA;
}

int access_read_token(const char *path, uint8_t token[AUTH_TOKEN])
{
    char *data;
    size_t bytes;
    TRY(check_mode(path));
    TRY(file_read(path, LINE, &data, &bytes));
    const int err = parse(data, bytes, token);
    mem_free(data);
    if (err)
        log_error("%s: not a token file as the coordinator writes it; copy RUN/token of "
                  "the running job again",
                  path);
    return err;
}

int access_read_address(const char *run_dir, char address[CONTROL_ADDRESS])
{
    char *path = file_join(run_dir, ACCESS_ADDRESS), *data;
    size_t bytes;
    if (!file_exists(path)) {
        log_error("%s: no such file: no job runs in %s, or its disk is not shared with "
                  "this machine; then use --join HOST:PORT --token-file FILE",
                  path, run_dir);
        mem_free(path);
        return ERR_NO_FILE;
    }
    const int err = file_read(path, CONTROL_ADDRESS, &data, &bytes);
    mem_free(path);
    if (err)
        return err;
    data[strcspn(data, "\n")] = '\0';
    snprintf(address, CONTROL_ADDRESS, "%s", data);
    mem_free(data);
    return ERR_OK;
}
