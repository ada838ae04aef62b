/* SPDX-License-Identifier: ISC */
/* How a program asks to be scheduled, its memory to be held, and for children that it has not. */
#define _GNU_SOURCE
#include "check.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* linux/membarrier.h, which musl-gcc does not find. */
enum { MEMBARRIER_CMD_QUERY = 0, MEMBARRIER_CMD_GLOBAL = 1 };

static void check_scheduling(void)
{
    struct sched_param parameter = {0};
    struct timespec turn;

    check(syscall(SYS_sched_getscheduler, 0) == SCHED_OTHER, "the policy is SCHED_OTHER");
    check(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &parameter) == 0, "and stays");
    check(syscall(SYS_sched_getparam, 0, &parameter) == 0 && parameter.sched_priority == 0,
          "its priority is 0");
    parameter.sched_priority = 5;
    check_error(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &parameter), EINVAL,
                "and cannot be 5");
    check_error(syscall(SYS_sched_setscheduler, 0, 77, &parameter), EINVAL, "an unknown policy");
    check_error(syscall(SYS_sched_getscheduler, -1), EINVAL, "a negative thread");
    check_error(syscall(SYS_sched_getscheduler, 4000000), ESRCH, "a thread that is none");
    printf("FIFO: %d..%d\n", sched_get_priority_min(SCHED_FIFO),
           sched_get_priority_max(SCHED_FIFO));
    check_error(sched_get_priority_max(77), EINVAL, "limits of an unknown policy");
    check(syscall(SYS_sched_rr_get_interval, 0, &turn) == 0, "a turn has a length");

    check(getpriority(PRIO_PROCESS, 0) == 0, "not nice at first");
    check(setpriority(PRIO_PROCESS, 0, 7) == 0 && getpriority(PRIO_PROCESS, 0) == 7, "then nice");
    check(setpriority(PRIO_PROCESS, 0, 100) == 0 && getpriority(PRIO_PROCESS, 0) == 19,
          "no more than 19");
    check_error(setpriority(9, 0, 0), EINVAL, "of what?");
}

static void check_memory(void)
{
    char *pages = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned char resident[3] = {0};

    pages[0] = pages[4096] = pages[8192] = 1;
    check(mlock(pages, 4096) == 0 && munlock(pages, 4096) == 0, "mlock");
    check(mincore(pages, 3 * 4096, resident) == 0 && (resident[0] & 1) && (resident[2] & 1),
          "mincore tells that what was written is there");
    check_error(mincore(pages + 1, 4096, resident), EINVAL, "mincore of half pages");
    munmap(pages + 4096, 4096);
    check_error(mlock(pages, 3 * 4096), ENOMEM, "mlock over a hole");
    check_error(mincore(pages, 3 * 4096, resident), ENOMEM, "mincore over a hole");
    check_error(mlockall(0), EINVAL, "mlockall of nothing");
    check(munlockall() == 0, "munlockall");
}

static void check_barriers(void)
{
    check(syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0) & MEMBARRIER_CMD_GLOBAL,
          "there are barriers");
    check(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) == 0, "one of them");
    check_error(syscall(SYS_membarrier, 1 << 30, 0, 0), EINVAL, "one that is none");
}

int main(void)
{
    check_scheduling();
    check_memory();
    check_barriers();
    check_error(waitpid(-1, NULL, 0), ECHILD, "no child to wait for");
    check_error(waitpid(-1, NULL, WNOHANG), ECHILD, "nor to look for");
    check_error(wait4(-1, NULL, 0x100, NULL), EINVAL, "an unknown option");
    check(personality(0xffffffff) == 0, "Linux's personality");
    return exit_status();
}
