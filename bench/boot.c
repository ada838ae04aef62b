/* SPDX-License-Identifier: ISC
 *
 * The first process of a Linux guest, bench/peers.sh: runs /program and ends the machine.
 */
#include <spawn.h>
#include <stdio.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    char *argv[] = {"/program", NULL}, *environment[] = {NULL};
    pid_t pid;

    if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environment) == 0)
        waitpid(pid, NULL, 0);
    else
        puts("boot: /program cannot be started");
    reboot(RB_AUTOBOOT);
    return 1;
}
