/* disk.h - the system calls by which files last, as a table: the program has one, tests
 * have others, which make the n-th call fail or write down what was done in which order.
 *
 *      disk_create(d, path, bytes, &f), disk_write(&f, ...), disk_finish(&f)  a new file
 *      disk_replace(d, path, data, bytes, true)                a file, whole or as it was
 *      disk_make_dirs(d, path)                                 folders that will be there
 *
 * What lasts after a crash is what the kernel was told to make last, and nothing else: a
 * file's bytes after sync(), a name after sync_dir() of its folder.  Everything between
 * two of them may have happened, or not, in any order (Pillai et al. 2014, "All file
 * systems are not created equal").  tests/support/crash.h makes all these states.
 */
#ifndef BASE_DISK_H
#define BASE_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct disk {
    int (*open)(const char *path, int flags, mode_t mode);
    int (*reserve)(int fd, off_t bytes); /* posix_fallocate: returns an errno value */
    ssize_t (*write)(int fd, const void *data, size_t bytes, off_t at);
    int (*truncate)(int fd, off_t bytes);
    int (*sync)(int fd);
    int (*close)(int fd);
    int (*mkdir)(const char *path, mode_t mode);
    int (*rename)(const char *from, const char *to);
    int (*remove)(const char *path); /* a file or an empty folder */
    int (*sync_dir)(const char *path);
};

extern const struct disk disk_real;

/* A file that is being written. */
struct disk_file {
    const struct disk *disk;
    const char *path; /* borrowed; for messages */
    int fd;
    off_t at;
};

/* All log with the path and return ERR_NO_SPACE, ERR_NO_FILE or ERR_IO.  After a failure
 * the file is closed and worthless: a failed fsync is never tried again on the same file.
 */
int disk_create(const struct disk *d, const char *path, off_t bytes, struct disk_file *f);
int disk_write(struct disk_file *f, const void *data, size_t bytes);
int disk_finish(struct disk_file *f); /* sync and close */

/* Writes path.tmp and renames it over @path; @durable: with all that makes it last. */
int disk_replace(const struct disk *d, const char *path, const void *data, size_t bytes,
                 bool durable);

/* Makes the names in this folder last. */
int disk_sync_dir(const struct disk *d, const char *path);
int disk_rename(const struct disk *d, const char *from, const char *to);

/* mkdir -p whose new folders last; an existing directory is success. */
int disk_make_dirs(const struct disk *d, const char *path);

/* Removes @path and, when it is a directory, all below it (links are not followed);
 * success when there is none. */
int disk_remove_tree(const struct disk *d, const char *path);

#endif
