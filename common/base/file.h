/* file.h - whole files, read with a limit and written so that they are whole or absent.
 * Functions log the failure with the path, and return ERR_NO_FILE, ERR_NO_SPACE, ERR_IO
 * or ERR_TOO_BIG. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Reads all of @path, at most @limit bytes.  *data ends with an extra zero byte that
 * *bytes does not count; the caller frees it with mem_free(). */
int file_read(const char *path, size_t limit, char **data, size_t *bytes);

/* Writes path.tmp, fsyncs, renames over @path, fsyncs the directory. */
int file_write_atomic(const char *path, const void *data, size_t bytes);

/* The same without making anything durable: for files that only tell how it goes. */
int file_replace(const char *path, const void *data, size_t bytes);

/* write() until done; returns 0 or an errno value.  Does not log. */
int file_write_all(int fd, const void *data, size_t bytes);

/* fsync() of a directory, which makes names in it durable. */
int file_sync_dir(const char *path);

/* mkdir -p; an existing directory is success. */
int file_make_dirs(const char *path);

/* Unlinks @path and, when it is a directory, all below it (links are not followed). */
int file_remove_tree(const char *path);

bool file_exists(const char *path);

/* "dir/name", to be freed with mem_free() */
char *file_join(const char *dir, const char *name);

#endif
