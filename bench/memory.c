/* SPDX-License-Identifier: ISC
 *
 *     memory COMMAND...
 *
 * Prints the private memory of a process that idles, as `run -v` reads it. COMMAND prints a line
 * when it is there to be looked at.
 */
#include <stdio.h>

#include "procs.h"

int main(int argc, char **argv)
{
    struct memory_use use;
    int failed;
    pid_t pid;

    if (argc < 2) {
        fputs("usage: memory COMMAND...\n", stderr);
        return 2;
    }
    pid = proc_start(argv + 1);
    failed = pid < 0 ? -1 : proc_memory(pid, &use);
    if (failed)
        fprintf(stderr, "bench/memory: %s: %s\n", argv[1], proc_error());
    else
        printf("own private %lu KiB\nguest private %lu KiB\n", use.own, use.guest);
    if (pid > 0)
        proc_end(pid);
    return failed ? 1 : 0;
}
