/* SPDX-License-Identifier: ISC */
/* CPU time of each thread and of all; sleeping; resource usage. */
#include "check.h"
#include "threads.h"

#include <semaphore.h>
#include <sys/resource.h>
#include <sys/times.h>

static sem_t stop, done;

static void work_for(clockid_t clock, int64_t ms)
{
    int64_t end = now(clock) + ms * MILLISECOND;

    while (now(clock) < end)
        for (volatile int i = 0; i < 1000; i++)
            ;
}

static void *work_60_ms(void *argument)
{
    int64_t start = now(CLOCK_THREAD_CPUTIME_ID);

    check(start >= 0 && start < 60 * MILLISECOND, "a new thread has used hardly any CPU time");
    work_for(CLOCK_THREAD_CPUTIME_ID, 60);
    *(int64_t *)argument = now(CLOCK_THREAD_CPUTIME_ID);
    sem_post(&done);
    sem_wait(&stop);
    return NULL;
}

static void check_thread_clock(void)
{
    int64_t before = now(CLOCK_THREAD_CPUTIME_ID), all = now(CLOCK_PROCESS_CPUTIME_ID), used = 0;
    pthread_t thread = spawn(work_60_ms, &used);
    struct rusage own, process;
    clockid_t clock;

    while (sem_wait(&done) != 0)
        ;
    check(used >= 60 * MILLISECOND, "a thread works, and its clock tells so");
    check(now(CLOCK_THREAD_CPUTIME_ID) - before < used, "ours went on less");
    check(now(CLOCK_PROCESS_CPUTIME_ID) - all >= 25 * MILLISECOND, "the process's has it");
    check_code(pthread_getcpuclockid(thread, &clock), 0, "pthread_getcpuclockid");
    check(now(clock) >= used && now(clock) < used + SECOND, "its clock can be read from here");
    check(getrusage(RUSAGE_THREAD, &own) == 0 && getrusage(RUSAGE_SELF, &process) == 0,
          "getrusage of the thread and of the process");
    check(own.ru_utime.tv_sec * 1000000 + own.ru_utime.tv_usec + own.ru_stime.tv_usec <=
              process.ru_utime.tv_sec * 1000000 + process.ru_utime.tv_usec +
                  process.ru_stime.tv_usec + 20000,
          "which has at least as much");
    check(getrusage(RUSAGE_CHILDREN, &own) == 0 && own.ru_utime.tv_sec == 0, "and no children");
    check_error(getrusage(77, &own), EINVAL, "getrusage of nothing");
    sem_post(&stop);
    join(thread);
}

static void *sleep_argument(void *argument)
{
    sleep_ms((intptr_t)argument);
    return NULL;
}

static void check_sleeping(void)
{
    int64_t start = now(CLOCK_MONOTONIC);
    pthread_t threads[10];

    for (intptr_t i = 0; i < 10; i++)
        threads[i] = spawn(sleep_argument, (void *)(i * 10));
    for (int i = 0; i < 10; i++)
        join(threads[i]);
    check(now(CLOCK_MONOTONIC) - start >= 90 * MILLISECOND, "ten threads sleep up to 90 ms");
    check(now(CLOCK_MONOTONIC) - start < 10 * SECOND, "at the same time");
}

static void check_clock_nanosleep(void)
{
    struct timespec time = in_ms(CLOCK_REALTIME, 10), past = {1, 0}, bad = {0, SECOND};

    check_code(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &time, NULL), 0, "until a time");
    check(now(CLOCK_REALTIME) >= nanoseconds(time), "which is reached");
    check_code(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &past, NULL), 0, "until 1970");
    check_code(clock_nanosleep(CLOCK_MONOTONIC, 0, &bad, NULL), EINVAL, "too many nanoseconds");
    check_code(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &past, NULL), EINVAL,
               "on the thread's CPU clock");
    check_code(clock_nanosleep(CLOCK_BOOTTIME, 0, &(struct timespec){0, 1}, NULL), 0,
               "on the clock since boot");
}

static void check_process_times(void)
{
    struct tms first, second;
    clock_t start = times(&first), end;

    work_for(CLOCK_PROCESS_CPUTIME_ID, 60);
    end = times(&second);
    check(start != (clock_t)-1 && end >= start, "times goes forward");
    check(second.tms_utime + second.tms_stime > first.tms_utime + first.tms_stime,
          "and tells that we worked");
    check(second.tms_cutime == 0 && second.tms_cstime == 0, "and no children");
}

static void check_resolutions(void)
{
    static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID,
                                       CLOCK_THREAD_CPUTIME_ID, CLOCK_BOOTTIME};
    struct timespec resolution;
    bool good = true;

    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++)
        good &= clock_getres(clocks[i], &resolution) == 0 && nanoseconds(resolution) == 1;
    check(good, "clocks count nanoseconds");
}

int main(void)
{
    sem_init(&stop, 0, 0);
    sem_init(&done, 0, 0);
    check_thread_clock();
    check_sleeping();
    check_clock_nanosleep();
    check_process_times();
    check_resolutions();
    return exit_status();
}
