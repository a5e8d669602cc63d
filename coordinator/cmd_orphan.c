/* cmd_orphan.c - `lockstep orphan PID`: what the last rank on a host that was cut off
 * leaves behind (net/orphan.h). */
#include <stdlib.h>

#include "base/err.h"
#include "coordinator/command.h"
#include "net/orphan.h"

int command_orphan(int argc, char **argv)
{
    const long pid = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
    if (pid < 2 || pid > INT32_MAX) {
        fprintf(stderr, "Usage: lockstep orphan PID\n");
        return err_exit_code(ERR_INVALID);
    }
    orphan_watch((pid_t)pid);
    return 0;
}
