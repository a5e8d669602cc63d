/* access.h - how a worker that was not started with the job finds it and is let in: the
 * files RUN/address ("HOST:PORT") and RUN/token, which the coordinator writes at every
 * start and removes at its end.
 *
 * The token file is for its owner only (mode 0600), one line:
 *
 *      lockstep-token-1 <64 hexadecimal digits> <XXH3-64 of what stands before>
 */
#ifndef COORDINATOR_ACCESS_H
#define COORDINATOR_ACCESS_H

#include "net/control.h"

#define ACCESS_TOKEN   "token"
#define ACCESS_ADDRESS "address"

int access_write(const char *run_dir, const char *address,
                 const uint8_t token[AUTH_TOKEN]);
void access_remove(const char *run_dir);

/* The errors are logged with path and remedy.  ERR_NO_FILE; ERR_REFUSED: others may
 * read the token; ERR_DATA: it is not what was written. */
int access_read_token(const char *path, uint8_t token[AUTH_TOKEN]);
int access_read_address(const char *run_dir, char address[CONTROL_ADDRESS]);

#endif
