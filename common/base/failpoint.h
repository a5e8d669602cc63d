/* failpoint.h - places with a name, where a test can end, stop, delay or fail a process.
 *
 *      FAILPOINT("checkpoint.renamed");
 *
 * In builds with LOCKSTEP_FAILPOINTS (preset chaos) the environment says what happens:
 *
 *      LOCKSTEP_FAIL="checkpoint.renamed=kill@3/once:FILE;disk.sync=error:EIO@2"
 *
 *      kill           SIGKILL to this process
 *      stop           SIGSTOP to this process
 *      sleep:TIME     2s, 150ms: this thread
 *      error:ERRNO    EIO, ENOSPC, EDQUOT, EROFS, EACCES or a number; CALL rows only
 *      flip:I.BIT     turns bit BIT, 0 to 31, of the first number from element I (modulo
 *                     their count) on that is not zero; DATA rows only
 *      @N             at the N-th pass of this process; otherwise at every pass
 *      /once:FILE     only if FILE can be made, and it is: once for all processes
 *
 * In all other builds it is nothing.  The names are the rows of failpoints.def.
 */
#ifndef BASE_FAILPOINT_H
#define BASE_FAILPOINT_H

#include <stddef.h>
#include <stdio.h>

#ifdef LOCKSTEP_FAILPOINTS
#define FAILPOINT(name) ((void)failpoint_pass(name))
/* the errno value that was asked for here, or 0 */
#define FAILPOINT_ERRNO(name) failpoint_pass(name)
/* is one bit of @data [count] another now? */
#define FAILPOINT_FLIP(name, data, count) failpoint_flip(name, data, count)
/* @half is done first when something is to happen here: for what a kill leaves half done
 */
#define FAILPOINT_HALF(name, half)                                                       \
    do {                                                                                 \
        if (failpoint_asked(name))                                                       \
            (void)(half);                                                                \
        FAILPOINT(name);                                                                 \
    } while (0)
#else
#define FAILPOINT(name)                   ((void)0)
#define FAILPOINT_ERRNO(name)             0
#define FAILPOINT_FLIP(name, data, count) 0
#define FAILPOINT_HALF(name, half)        ((void)0)
#endif

/* Takes LOCKSTEP_FAIL; before there are threads.  ERR_UNKNOWN, ERR_INVALID: logged; also
 * when there are no fail points in this build and the variable is set. */
int failpoint_start(void);

/* Nothing happens in this process any more: what is asked for is meant for its children.
 */
void failpoint_forget(void);

/* The rows of the table, "name  text"; nothing when this build has none. */
void failpoint_list(FILE *out);

int failpoint_pass(const char *name);
int failpoint_flip(const char *name, float *data, size_t count);
int failpoint_asked(const char *name);

#endif
