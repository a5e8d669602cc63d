/* cmd_agent.c - `lockstep agent PROGRAM [ARGUMENT...]`: what `launch` gives mpirun as its
 * remote shell.  Runs the program and ends with 0 whatever became of it: mpirun takes any
 * other code, as that of an ssh whose host is gone, for a failed start and ends the job,
 * --enable-recovery or not (Open MPI 4.1.4).  That a host does not answer is found out
 * before the start (probe.h). */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "coordinator/command.h"

static volatile pid_t child;

static void pass_on(int signum)
{
    if (child > 0)
        kill(child, signum);
}

int command_agent(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "Usage: lockstep agent PROGRAM [ARGUMENT...]\n");
        return err_exit_code(ERR_INVALID);
    }
    const struct sigaction pass = {.sa_handler = pass_on};
    sigaction(SIGTERM, &pass, NULL);
    sigaction(SIGINT, &pass, NULL);
    sigaction(SIGHUP, &pass, NULL);
    child = fork();
    if (child == 0) {
        execvp(argv[1], argv + 1);
        fprintf(stderr, "could not start the remote shell %s\n", argv[1]);
        _exit(127);
    }
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    return 0;
}
