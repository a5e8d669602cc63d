/* disk.h - the system calls by which files become durable, as a table, so that tests can
 * make the n-th of them fail. */
#ifndef CHECKPOINT_DISK_H
#define CHECKPOINT_DISK_H

#include <stddef.h>
#include <sys/types.h>

struct disk {
    int (*open)(const char *path, int flags, mode_t mode);
    int (*reserve)(int fd, off_t bytes); /* posix_fallocate: returns an errno value */
    ssize_t (*write)(int fd, const void *data, size_t bytes);
    int (*sync)(int fd);
    int (*close)(int fd);
    int (*mkdir)(const char *path, mode_t mode);
    int (*rename)(const char *from, const char *to);
    int (*sync_dir)(const char *path); /* returns an ERR_* value */
};

extern const struct disk disk_real;

/* A file that is being written. */
struct disk_file {
    const struct disk *disk;
    const char *path; /* borrowed; for messages */
    int fd;
};

/* All log with the path and return ERR_NO_SPACE, ERR_NO_FILE or ERR_IO.  After a failure
 * the file is closed and worthless: a failed fsync is never tried again on the same file.
 */
int disk_create(const struct disk *d, const char *path, off_t bytes, struct disk_file *f);
int disk_write(struct disk_file *f, const void *data, size_t bytes);
int disk_finish(struct disk_file *f); /* fsync and close */

#endif
