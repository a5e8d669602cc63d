/* err.h - what went wrong, and how far the damage reaches.
 *
 * Functions that can fail return an int: 0 is success, an ERR_* value is not.  Output
 * arguments are written only on success.  Whoever first sees the failure logs it, with
 * the facts (path, peer, sizes) and the remedy; everyone above passes it on with TRY().
 *
 * Mistakes of ours are not errors: assert() them.  Exhausted memory is not one either:
 * mem_alloc() ends the process, the cluster treats that as a lost peer.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum err {
    ERR_OK = 0,
#define ERR(name, scope, exit_code, text) name,
#include "base/errors.def"
#undef ERR
    ERR_COUNT
};

enum err_scope {
    ERR_SCOPE_NONE,
    ERR_SCOPE_CALL,
    ERR_SCOPE_MESSAGE,
    ERR_SCOPE_PEER,
    ERR_SCOPE_SELF
};

const char *err_name(int err); /* "ERR_STALE" */
const char *err_text(int err); /* "message belongs to an older term" */
enum err_scope err_scope(int err);
int err_exit_code(int err); /* what main() returns when this error ends the process */

/* The error for a failed system call: ERR_NO_FILE, ERR_NO_SPACE, ERR_BUSY or ERR_IO. */
int err_from_errno(int errno_value);

/* Return from the calling function if @call fails. */
#define TRY(call)                                                                        \
    do {                                                                                 \
        int try_err_ = (call);                                                           \
        if (try_err_ != 0)                                                               \
            return try_err_;                                                             \
    } while (0)

#endif
