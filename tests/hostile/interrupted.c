/* SPDX-License-Identifier: ISC
 *
 *     interrupted pending       what the monitor and guest-rt tell each other changes at random
 *     interrupted faults        faults and their handlers, while signals come all the time
 *     interrupted timers        a thousand timers that expire every nanosecond
 *     interrupted jump OFFSET   into the middle of guest-rt, while signals come
 *
 * The first three go on until somebody ends them.
 */
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include "hostile.h"

static sigjmp_buf escape;

static void nothing(int signal)
{
    (void)signal;
}

static void leave(int signal)
{
    siglongjmp(escape, signal);
}

static void storm(void)
{
    const struct itimerval often = {{0, 200}, {0, 200}};

    signal(SIGALRM, nothing);
    setitimer(ITIMER_REAL, &often, NULL);
}

static void change_pending(void)
{
    volatile struct husk_pending *pending = &((struct husk_doorbell *)HUSK_DESC_PAGE)->pending;
    uint64_t random = 88172645463325252;

    for (int number = 1; number <= 64; number++)
        signal(number, nothing);
    for (;;) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        if (random % 3)
            pending->due = (uint32_t)random;
        else
            pending->signals = random;
    }
}

static void fault_for_ever(void)
{
    signal(SIGSEGV, leave);
    signal(SIGFPE, leave);
    for (volatile uint64_t address = 8;; address += 8)
        if (sigsetjmp(escape, 1) == 0)
            *(volatile char *)(address & 0xff8) = 1;
}

static void start_timers(void)
{
    const struct itimerspec often = {{0, 1}, {0, 1}};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    timer_t timer;

    signal(SIGRTMIN, nothing);
    for (int i = 0; i < 1000; i++)
        if (timer_create(CLOCK_MONOTONIC, &event, &timer) == 0)
            timer_settime(timer, 0, &often, NULL);
    for (;;)
        ;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    storm();
    if (strcmp(what, "pending") == 0)
        change_pending();
    if (strcmp(what, "faults") == 0)
        fault_for_ever();
    if (strcmp(what, "timers") == 0)
        start_timers();
    if (strcmp(what, "jump") == 0 && argc == 3)
        ((void (*)(void))(HUSK_RT_BASE + strtoull(argv[2], NULL, 0)))();
    __builtin_trap();
}
