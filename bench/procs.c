/* SPDX-License-Identifier: ISC */
#include "procs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static bool says_a_line(int fd)
{
    char byte = 0;

    while (byte != '\n' && read(fd, &byte, 1) == 1)
        continue;
    return byte == '\n';
}

pid_t proc_start(char **command)
{
    posix_spawn_file_actions_t actions;
    int pipes[2], failed;
    bool ready;
    pid_t pid;

    if (pipe2(pipes, O_CLOEXEC) < 0)
        return -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, pipes[1], 1);
    failed = posix_spawnp(&pid, command[0], &actions, NULL, command, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(pipes[1]);
    ready = !failed && says_a_line(pipes[0]);
    close(pipes[0]);
    if (!failed && !ready)
        proc_end(pid);
    errno = failed ? failed : ENODATA;
    return ready ? pid : -1;
}

const char *proc_error(void)
{
    return errno == ENODATA ? "ended before it was ready" : strerror(errno);
}

void proc_end(pid_t pid)
{
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}

static void add_mappings(FILE *smaps, struct memory_use *use)
{
    unsigned long kib, private_here = 0;
    char line[512];

    while (fgets(line, sizeof(line), smaps)) {
        if (sscanf(line, "Private_Clean: %lu kB", &kib) == 1 ||
            sscanf(line, "Private_Dirty: %lu kB", &kib) == 1) {
            private_here += kib;
        } else if (sscanf(line, "Pss: %lu kB", &kib) == 1) {
            use->pss += kib;
        } else if (strncmp(line, "VmFlags:", 8) == 0) {
            *(strstr(line, " nr ") ? &use->guest : &use->own) += private_here;
            private_here = 0;
        }
    }
}

static void add_children(pid_t pid, struct memory_use *use);

static int add_process(pid_t pid, struct memory_use *use)
{
    char path[64];
    FILE *smaps;

    snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
    smaps = fopen(path, "r");
    if (!smaps)
        return -1;
    add_mappings(smaps, use);
    fclose(smaps);
    add_children(pid, use);
    return 0;
}

static void add_children(pid_t pid, struct memory_use *use)
{
    char path[64];
    FILE *children;
    int child;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
    children = fopen(path, "r");
    while (children && fscanf(children, "%d", &child) == 1)
        add_process(child, use);
    if (children)
        fclose(children);
}

int proc_memory(pid_t pid, struct memory_use *use)
{
    *use = (struct memory_use){0};
    return add_process(pid, use);
}
