/* crash.h - every state in which a crash can leave a folder (after Pillai et al. 2014,
 * "All file systems are not created equal", whose tool is ALICE).
 *
 *      crash_record("run");                    from here on crash_disk writes down
 *      ... checkpoint_write(&crash_disk, "run", ...); crash_promise(3, 4); ...
 *      struct crash_result r = crash_try("state", false, check, ctx);
 *
 * A state is: what was done up to some moment, without any subset of what was not synced,
 * the last write whole, torn, or only as zeros.  A write to a file is synced by sync() of
 * that file, a name by sync_dir() of its folder, and by nothing else.  Of more than
 * CRASH_FREE calls that were not synced, subsets are drawn from a fixed seed: all, none,
 * each one alone, each one missing, and some hundred more.
 *
 * One recording at a time.  Renames stay in their folder.
 */
#ifndef SUPPORT_CRASH_H
#define SUPPORT_CRASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/disk.h"

enum { CRASH_FREE = 9 };

enum crash_kind {
    CRASH_NAME,   /* a file or folder got its first name */
    CRASH_RENAME, /* another name in the same folder */
    CRASH_REMOVE,
    CRASH_WRITE,
    CRASH_SIZE, /* cut, or room reserved */
    CRASH_SYNC,
    CRASH_SYNC_DIR,
    CRASH_PROMISE
};

/* Does what disk_real does, and writes it down. */
extern const struct disk crash_disk;

void crash_record(const char *root); /* what is there already is there to stay */
void crash_promise(uint64_t a, uint64_t b);
void crash_end(void); /* frees the recording */

/* Change the recording, to plant a mistake. */
size_t crash_count(enum crash_kind kind);
void crash_forget(enum crash_kind kind, size_t nth); /* SIZE_MAX: all */
/* The first @name is made, written and synced before all its neighbours. */
void crash_hurry(const char *name);

/* NULL, or what is wrong with @dir after @a, @b had been promised. */
typedef const char *crash_check(void *ctx, const char *dir, uint64_t a, uint64_t b);

struct crash_result {
    size_t states, bad;
    char why[256]; /* of the first bad one */
};

/* Makes every state in @dir, one after the other.  @killed: the process was killed and
 * the machine lives, so that nothing is lost.  Ends at the first bad one. */
struct crash_result crash_try(const char *dir, bool killed, crash_check *check,
                              void *ctx);

#endif
