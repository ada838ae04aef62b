/* SPDX-License-Identifier: ISC */
/*
 * What comes while a stack's next piece is being reached, to a program that makes no system call
 * afterwards: alarms arrive, and other threads get their turns.
 */
#include "check.h"
#include "stacks.h"
#include "threads.h"

#include <signal.h>
#include <sys/time.h>

enum { SIZE = 64 * MIB, ROUNDS = 20, STEP = 100 /* microseconds */ };

static volatile int arrived;

/* Tens of seconds of any CPU. Who asks a clock may make a system call. */
static const uint64_t PATIENCE = 80000000000;

static void on_alarm(int signal)
{
    arrived = signal == SIGALRM;
}

/* Down a new stack until it has arrived, then on the spot. */
static bool arrives_meanwhile(volatile char *stack)
{
    uint64_t start;

    for (size_t left = SIZE; left > 0 && !arrived; left -= PIECE)
        stack[left - PIECE] = 1;
    start = __builtin_ia32_rdtsc();
    while (!arrived && __builtin_ia32_rdtsc() - start < PATIENCE)
        ;
    return arrived;
}

static bool alarm_arrives(int round)
{
    struct itimerval timer = {.it_value = {0, (round + 1) * STEP}};
    char *stack = new_stack(SIZE);
    bool all_right;

    arrived = 0;
    setitimer(ITIMER_REAL, &timer, NULL);
    all_right = arrives_meanwhile(stack);
    munmap(stack, SIZE);
    return all_right;
}

static void *sleep_and_tell(void *microseconds)
{
    struct timespec time = to_timespec((intptr_t)microseconds * 1000);

    nanosleep(&time, NULL);
    arrived = 1;
    return NULL;
}

static bool thread_gets_its_turn(int round)
{
    char *stack = new_stack(SIZE);
    bool all_right;
    pthread_t thread;

    arrived = 0;
    thread = spawn(sleep_and_tell, (void *)(intptr_t)((round + 1) * STEP));
    all_right = arrives_meanwhile(stack);
    join(thread);
    munmap(stack, SIZE);
    return all_right;
}

/* Up to the first that fails: that takes long. */
static bool all_rounds(bool (*function)(int round))
{
    for (int round = 0; round < ROUNDS; round++)
        if (!function(round))
            return false;
    return true;
}

int main(void)
{
    signal(SIGALRM, on_alarm);
    check(all_rounds(alarm_arrives), "alarms arrive while a stack grows");
    check(all_rounds(thread_gets_its_turn), "another thread gets its turn");
    return exit_status();
}
