#include "fuzz/fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

int fuzz_terminal = STDERR_FILENO;

__attribute__((constructor)) static void keep_terminal(void)
{
    fuzz_terminal = dup(STDERR_FILENO);
}

void fuzz_failed(const char *file, int line, const char *fact)
{
    dprintf(fuzz_terminal, "%s:%d: not true: %s\n", file, line, fact);
    abort();
}

/* What assert() calls: its own words would go to the log. */
_Noreturn void __assert_fail(const char *fact, const char *file, unsigned line,
                             const char *function);
_Noreturn void __assert_fail(const char *fact, const char *file, unsigned line,
                             const char *function)
{
    (void)function;
    fuzz_failed(file, (int)line, fact);
}

size_t fuzz_heap(void)
{
    return __sanitizer_get_current_allocated_bytes
               ? __sanitizer_get_current_allocated_bytes()
               : 0;
}

char *fuzz_text(const uint8_t *data, size_t bytes)
{
    char *text = malloc(bytes + 1);
    CHECK(text);
    if (bytes)
        memcpy(text, data, bytes);
    text[bytes] = '\0';
    return text;
}

static void fill(int fd, const void *data, size_t bytes)
{
    CHECK(fd >= 0);
    CHECK(ftruncate(fd, 0) == 0);
    CHECK(bytes == 0 || pwrite(fd, data, bytes, 0) == (ssize_t)bytes);
}

const char *fuzz_file(const void *data, size_t bytes)
{
    static int fd = -1;
    static char path[32];
    if (fd < 0) {
        fd = memfd_create("fuzz", MFD_CLOEXEC);
        CHECK(fd >= 0 && fchmod(fd, 0600) == 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    fill(fd, data, bytes);
    return path;
}

/* --- a folder
 * --------------------------------------------------------------------------- */

static char folder[256];

static void remove_folder(void)
{
    file_remove_tree(folder);
}

const char *fuzz_folder(void)
{
    if (!*folder) {
        const char *where = getenv("TMPDIR");
        snprintf(folder, sizeof folder, "%s/fuzz-XXXXXX", where ? where : "/dev/shm");
        CHECK(mkdtemp(folder));
        atexit(remove_folder);
    }
    return folder;
}

static int open_in_folder(const char *name)
{
    char path[320];
    snprintf(path, sizeof path, "%s/%s", fuzz_folder(), name);
    return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

void fuzz_put(const char *name, const void *data, size_t bytes)
{
    const int fd = open_in_folder(name);
    fill(fd, data, bytes);
    close(fd);
}

char *fuzz_get(const char *name, size_t *bytes)
{
    const int fd = open_in_folder(name);
    CHECK(fd >= 0);
    const off_t end = lseek(fd, 0, SEEK_END);
    CHECK(end >= 0);
    char *data = malloc((size_t)end + 1);
    CHECK(data);
    CHECK(pread(fd, data, (size_t)end, 0) == end);
    close(fd);
    *bytes = (size_t)end;
    return data;
}
