/* SPDX-License-Identifier: ISC
 *
 * What a system call costs: one that stays in the guest, the clock, and one that needs the host.
 * `syscalls exit` prints the last under the name that floor uses for a bare exit.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "measure.h"

static int file;

static void call_getpid(unsigned long i)
{
    (void)i;
    syscall(SYS_getpid);
}

/* As programs do it: natively musl asks the vDSO. */
static void call_clock_gettime(unsigned long i)
{
    struct timespec now;

    (void)i;
    clock_gettime(CLOCK_MONOTONIC, &now);
}

static void call_read(unsigned long i)
{
    char nothing;

    (void)i;
    if (read(file, &nothing, 0) != 0)
        measure_fail("read");
}

int main(int argc, char **argv)
{
    file = STDIN_FILENO;
    if (argc == 2 && strcmp(argv[1], "exit") == 0) {
        measure_step("exit", call_read);
        return 0;
    }
    measure_step("getpid", call_getpid);
    measure_step("clock_gettime", call_clock_gettime);
    measure_step("read of 0 bytes", call_read);
    return 0;
}
