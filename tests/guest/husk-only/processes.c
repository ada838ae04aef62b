/* SPDX-License-Identifier: ISC */
/* One program, one VM: what would make another process does not exist. Not to be run natively. */
#include "../check.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Natively the call succeeds: the child must not print what the parent prints. */
static long in_parent(long result)
{
    if (result == 0)
        _exit(0);
    return result;
}

int main(void)
{
    static char *arguments[] = {"program", NULL};
    static char *environment[] = {NULL};
    pid_t child;

    fflush(stdout);
    check_error(in_parent(fork()), ENOSYS, "fork");
    check_error(in_parent(syscall(SYS_fork)), ENOSYS, "the fork system call");
    check_error(in_parent(syscall(SYS_clone, 17, NULL, NULL, NULL, 0)), ENOSYS, "clone");
    check_error(execve("/program", arguments, environment), ENOSYS, "execve");
    check(posix_spawn(&child, "/program", NULL, NULL, arguments, environment) != 0,
          "posix_spawn fails");
    /* Not ENOSYS: that way programs read and write instead. */
    check_error(splice(0, NULL, 1, NULL, 1, 0), EINVAL, "splice");
    return exit_status();
}
