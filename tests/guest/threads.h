/* SPDX-License-Identifier: ISC */
/* What the tests of threads, signals and timers share. Include check.h first. */
#ifndef GUEST_THREADS_H
#define GUEST_THREADS_H

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const int64_t MILLISECOND = 1000000;
static const int64_t SECOND = 1000000000;

static inline int64_t nanoseconds(struct timespec time)
{
    return time.tv_sec * SECOND + time.tv_nsec;
}

static inline struct timespec to_timespec(int64_t ns)
{
    return (struct timespec){ns / SECOND, ns % SECOND};
}

static inline int64_t now(clockid_t clock)
{
    struct timespec time = {0};

    clock_gettime(clock, &time);
    return nanoseconds(time);
}

/* For functions that take a time on a clock. */
static inline struct timespec in_ms(clockid_t clock, int64_t ms)
{
    return to_timespec(now(clock) + ms * MILLISECOND);
}

static inline void sleep_ms(int64_t ms)
{
    struct timespec time = to_timespec(ms * MILLISECOND);

    while (nanosleep(&time, &time) != 0)
        ;
}

static inline pthread_t spawn(void *(*function)(void *), void *argument)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, function, argument);

    if (error) {
        printf("pthread_create: %s (WRONG)\n", error_name(error));
        exit(1);
    }
    return thread;
}

static inline void *join(pthread_t thread)
{
    void *result = NULL;

    if (pthread_join(thread, &result))
        puts("pthread_join (WRONG)");
    return result;
}

/* glibc keeps gettid and tgkill to itself in older versions; musl has no gettid before 1.2.2. */
static inline int thread_number(void)
{
    return (int)syscall(SYS_gettid);
}

/* Wait for another thread to set *FLAG, for ten seconds at most. */
static inline bool await(const volatile int *flag)
{
    int64_t end = now(CLOCK_MONOTONIC) + 10 * SECOND;

    while (!__atomic_load_n(flag, __ATOMIC_SEQ_CST) && now(CLOCK_MONOTONIC) < end)
        sleep_ms(1);
    return *flag;
}

#endif
