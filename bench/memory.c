/* SPDX-License-Identifier: ISC
 *
 *     memory COMMAND...
 *
 * Prints the private memory of a process that runs a guest, as `run -v` reads it. COMMAND prints a
 * line when it is there to be looked at. What is the guest's is told by MAP_NORESERVE: the monitor
 * reserves guest memory, and nothing else, with it (`nr` in smaps' VmFlags, proc(5)).
 */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "bench/memory: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* Start COMMAND and wait for its first line. */
static pid_t start(char **command)
{
    posix_spawn_file_actions_t actions;
    int pipes[2];
    pid_t pid;
    char byte;

    if (pipe(pipes) < 0)
        fail("pipe");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipes[1], 1);
    posix_spawn_file_actions_addclose(&actions, pipes[0]);
    errno = posix_spawnp(&pid, command[0], &actions, NULL, command, environ);
    if (errno)
        fail(command[0]);
    close(pipes[1]);
    do
        if (read(pipes[0], &byte, 1) != 1)
            fail("the command said nothing");
    while (byte != '\n');
    return pid;
}

int main(int argc, char **argv)
{
    unsigned long kib, private_here = 0, own = 0, guest = 0;
    char path[64], line[512];
    FILE *smaps;
    pid_t pid;

    if (argc < 2) {
        fputs("usage: memory COMMAND...\n", stderr);
        return 2;
    }
    pid = start(argv + 1);
    snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
    smaps = fopen(path, "r");
    if (!smaps)
        fail(path);
    while (fgets(line, sizeof(line), smaps)) {
        if (sscanf(line, "Private_Clean: %lu kB", &kib) == 1 ||
            sscanf(line, "Private_Dirty: %lu kB", &kib) == 1) {
            private_here += kib;
        } else if (strncmp(line, "VmFlags:", 8) == 0) {
            bool reserved = strstr(line, " nr ");

            *(reserved ? &guest : &own) += private_here;
            private_here = 0;
        }
    }
    fclose(smaps);
    printf("own private %lu KiB\nguest private %lu KiB\n", own, guest);
    kill(pid, SIGKILL);
    return waitpid(pid, NULL, 0) == pid ? 0 : 1;
}
