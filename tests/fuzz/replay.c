/* replay.c - runs a fuzz target without libFuzzer, understanding the part of its command
 * line that is needed:
 *
 *      fuzz.frame [-seed=N] [-runs=N] [-only=N] FILE|FOLDER...
 *
 * All files of the corpus first, then -runs mutations of them; mutation n is a function
 * of seed, n and corpus.  They run in a child, whose stderr is kept: when it fails its
 * input is written to a file, and the end of what it said and the command that repeats it
 * are shown.  An input may take TOO_LONG.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "fuzz/fuzz.h"
#include "fuzz/mutate.h"

enum {
    ROOM = 1 << 14,
    CHANGES = 5,
    FILES = 256,
    FILE_MAX = 1 << 20,
    TOO_LONG = 60, /* s */
    LOG_MAX = 1 << 16,
    SAID = 4000
};

#pragma weak LLVMFuzzerCustomMutator

static struct {
    const char *name;
    uint64_t seed, runs, only; /* only: 0 is all */
    struct entry {
        char *path, *data;
        size_t bytes;
    } file[FILES];
    size_t files;
    int log;       /* what the child says */
    uint64_t *run; /* shared with it: files of the corpus, then mutations, from 1 */
} now;

/* --- one input
 * -------------------------------------------------------------------------- */

size_t LLVMFuzzerMutate(uint8_t *data, size_t bytes, size_t room)
{
    for (uint64_t left = 1 + mutate_below(CHANGES); left > 0; left--)
        bytes = mutate(data, bytes, room);
    return bytes;
}

/* In memory that ends where the bytes do. */
static void run(const void *data, size_t bytes)
{
    uint8_t *copy = mem_alloc(bytes);
    if (bytes)
        memcpy(copy, data, bytes);
    if (lseek(now.log, 0, SEEK_END) > LOG_MAX)
        CHECK(ftruncate(now.log, 0) == 0);
    alarm(TOO_LONG);
    LLVMFuzzerTestOneInput(copy, bytes);
    mem_free(copy);
}

/* Input number @number; its length. */
static size_t make(uint64_t number, uint8_t data[FILE_MAX])
{
    if (number <= now.files) {
        const struct entry *e = &now.file[number - 1];
        memcpy(data, e->data, e->bytes);
        return e->bytes;
    }
    mutate_seed(now.seed << 32 ^ (number - now.files));
    const struct entry *from = &now.file[mutate_below(now.files)];
    const size_t bytes = from->bytes < ROOM ? from->bytes : ROOM;
    memcpy(data, from->data, bytes);
    return LLVMFuzzerCustomMutator
               ? LLVMFuzzerCustomMutator(data, bytes, ROOM,
                                         (unsigned)mutate_below(UINT_MAX))
               : LLVMFuzzerMutate(data, bytes, ROOM);
}

static uint8_t input[FILE_MAX];

static void run_all(void)
{
    CHECK(dup2(now.log, STDERR_FILENO) == STDERR_FILENO);
    fuzz_terminal = STDERR_FILENO;
    const uint64_t first = now.only ? now.only : 1,
                   last = now.only ? now.only : now.files + now.runs;
    for (*now.run = first; *now.run <= last; ++*now.run)
        run(input, make(*now.run, input));
}

static void tell(int status)
{
    char path[64], said[SAID + 1];
    const size_t bytes = make(*now.run, input);
    const off_t end = lseek(now.log, 0, SEEK_END);
    const ssize_t n = pread(now.log, said, SAID, end > SAID ? end - SAID : 0);
    said[n > 0 ? n : 0] = '\0';
    snprintf(path, sizeof path, "crash-%d", (int)getpid());
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    CHECK(fd >= 0 && file_write_all(fd, input, bytes) == 0);
    close(fd);
    printf("%s\nFAILED (wait status %#x) at or after: %s -seed=%llu -only=%llu CORPUS\n"
           "the input is in %s\n",
           said, (unsigned)status, now.name, (unsigned long long)now.seed,
           (unsigned long long)*now.run, path);
}

/* --- the corpus
 * ------------------------------------------------------------------------- */

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

static void add_file(const char *path)
{
    struct entry *e = &now.file[now.files++];
    CHECK(now.files <= FILES);
    CHECK(file_read(path, FILE_MAX, &e->data, &e->bytes) == 0);
    e->path = mem_strdup(path);
}

static void add(const char *path)
{
    DIR *dir = opendir(path);
    if (!dir) {
        add_file(path);
        return;
    }
    for (const struct dirent *d; (d = readdir(dir));) {
        char *inner = file_join(path, d->d_name);
        if (*d->d_name != '.')
            add_file(inner);
        mem_free(inner);
    }
    closedir(dir);
}

static bool option(const char *word, const char *name, uint64_t *value)
{
    const size_t n = strlen(name);
    if (strncmp(word, name, n) != 0)
        return false;
    *value = strtoull(word + n, NULL, 10);
    return true;
}

static void prepare(void)
{
    qsort(now.file, now.files, sizeof *now.file, by_path);
    now.log = memfd_create("log", MFD_CLOEXEC);
    now.run = mmap(NULL, sizeof *now.run, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(now.log >= 0 && now.run != MAP_FAILED);
    CHECK(fcntl(now.log, F_SETFL, O_APPEND) == 0);
    fuzz_folder(); /* before the fork: removed also when the child fails */
}

static int finish(int status)
{
    if (status)
        tell(status);
    else
        printf("%s: %zu files, %llu mutations, seed %llu\n", now.name, now.files,
               (unsigned long long)now.runs, (unsigned long long)now.seed);
    for (size_t i = 0; i < now.files; i++) {
        mem_free(now.file[i].path);
        mem_free(now.file[i].data);
    }
    return status != 0;
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    now.name = slash ? slash + 1 : argv[0];
    now.seed = 1;
    for (int i = 1; i < argc; i++)
        if (!option(argv[i], "-seed=", &now.seed) &&
            !option(argv[i], "-runs=", &now.runs) &&
            !option(argv[i], "-only=", &now.only))
            add(argv[i]);
    if (now.files == 0) {
        fprintf(stderr, "%s [-seed=N] [-runs=N] [-only=N] FILE|FOLDER...: no corpus\n",
                now.name);
        return 64;
    }
    prepare();
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        run_all();
        exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    return finish(status);
}
