/* SPDX-License-Identifier: ISC */
/* Clocks and sleeping. Shows relations only, with margins wide enough for a busy machine. */
#include "check.h"

#include <stdint.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const int64_t MILLISECOND = 1000000;
static const int64_t SECOND = 1000000000;
static const time_t START_OF_2024 = 1704067200;

static const struct {
    const char *name;
    clockid_t id;
} clocks[] = {
    {"REALTIME", CLOCK_REALTIME},
    {"MONOTONIC", CLOCK_MONOTONIC},
    {"BOOTTIME", CLOCK_BOOTTIME},
    {"MONOTONIC_RAW", CLOCK_MONOTONIC_RAW},
    {"REALTIME_COARSE", CLOCK_REALTIME_COARSE},
    {"MONOTONIC_COARSE", CLOCK_MONOTONIC_COARSE},
    {"PROCESS_CPUTIME_ID", CLOCK_PROCESS_CPUTIME_ID},
    {"THREAD_CPUTIME_ID", CLOCK_THREAD_CPUTIME_ID},
};

static int64_t nanoseconds(struct timespec time)
{
    return time.tv_sec * SECOND + time.tv_nsec;
}

static int64_t now(clockid_t clock)
{
    struct timespec time = {0};

    clock_gettime(clock, &time);
    return nanoseconds(time);
}

static void check_each_clock(void)
{
    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        struct timespec time = {-1, -1}, resolution = {-1, -1};
        bool valid = clock_gettime(clocks[i].id, &time) == 0 && time.tv_sec >= 0 &&
                     time.tv_nsec >= 0 && time.tv_nsec < SECOND;
        check(valid, "%s gives a valid time", clocks[i].name);

        bool forward = true;
        int64_t last = now(clocks[i].id);
        for (int n = 0; n < 5000; n++) {
            int64_t next = now(clocks[i].id);
            forward &= next >= last;
            last = next;
        }
        check(forward, "%s never goes back", clocks[i].name);
        check(clock_getres(clocks[i].id, &resolution) == 0 && resolution.tv_sec == 0 &&
                  resolution.tv_nsec >= 1 && resolution.tv_nsec <= 20 * MILLISECOND,
              "%s has a resolution of at most 20 ms", clocks[i].name);
    }
    check_error(clock_gettime(999, &(struct timespec){0}), EINVAL, "unknown clock");
    check_error(clock_getres(999, NULL), EINVAL, "resolution of an unknown clock");
    check(clock_getres(CLOCK_MONOTONIC, NULL) == 0, "clock_getres accepts no place for a result");
}

static void check_time_of_day(void)
{
    struct timeval day = {0};
    int64_t real = now(CLOCK_REALTIME);

    gettimeofday(&day, NULL);
    int64_t difference = day.tv_sec * SECOND + day.tv_usec * 1000 - real;
    check(difference > -SECOND && difference < SECOND, "gettimeofday agrees with REALTIME");
    check(day.tv_usec >= 0 && day.tv_usec < 1000000, "its microseconds are valid");
    check(time(NULL) > START_OF_2024, "the year is 2024 or later");
    difference = syscall(SYS_time, NULL) * SECOND - real;
    check(difference > -2 * SECOND && difference < 2 * SECOND, "time agrees with REALTIME");
    difference = now(CLOCK_REALTIME_COARSE) - real;
    check(difference > -SECOND && difference < SECOND, "REALTIME_COARSE agrees with REALTIME");
    difference = now(CLOCK_MONOTONIC_COARSE) - now(CLOCK_MONOTONIC);
    check(difference > -SECOND && difference < SECOND, "MONOTONIC_COARSE agrees with MONOTONIC");
    int64_t monotonic = now(CLOCK_MONOTONIC);
    check(now(CLOCK_BOOTTIME) >= monotonic, "BOOTTIME is not behind MONOTONIC");
}

/* The vDSO's function and the system call are two ways to the same clock. */
static void check_vdso(void)
{
    const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME};

    check(getauxval(AT_SYSINFO_EHDR) != 0, "there is a vDSO");
    for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
        int64_t before = now(clocks[i]), between, after;
        struct timespec called;

        syscall(SYS_clock_gettime, clocks[i], &called);
        between = called.tv_sec * SECOND + called.tv_nsec;
        after = now(clocks[i]);
        check(before <= between && between <= after, "system call and vDSO agree");
    }
}

static void check_sleep(void)
{
    struct timespec sleep = {0, 20 * MILLISECOND};
    int64_t real = now(CLOCK_REALTIME), monotonic = now(CLOCK_MONOTONIC);

    check(nanosleep(&sleep, NULL) == 0, "nanosleep of 20 ms");
    int64_t slept = now(CLOCK_MONOTONIC) - monotonic;
    check(slept >= 20 * MILLISECOND, "it takes at least 20 ms");
    check(slept < 5 * SECOND, "it takes less than 5 s");
    int64_t drift = now(CLOCK_REALTIME) - real - slept;
    check(drift > -SECOND && drift < SECOND, "REALTIME goes as fast as MONOTONIC");

    monotonic = now(CLOCK_MONOTONIC);
    int64_t wake = monotonic + 10 * MILLISECOND;
    struct timespec deadline = {wake / SECOND, wake % SECOND};
    check(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL) == 0 &&
              now(CLOCK_MONOTONIC) >= wake,
          "clock_nanosleep until a time");
    check(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL) == 0,
          "and until a time that has passed");
    check(nanosleep(&(struct timespec){0, 0}, NULL) == 0, "nanosleep of nothing");
    check_error(nanosleep(&(struct timespec){0, SECOND}, NULL), EINVAL, "too many nanoseconds");
    check_error(nanosleep(&(struct timespec){-1, 0}, NULL), EINVAL, "negative seconds");
}

static void check_cpu_time(void)
{
    int64_t cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    int64_t give_up = now(CLOCK_MONOTONIC) + 10 * SECOND;

    while (now(CLOCK_PROCESS_CPUTIME_ID) - cpu < 20 * MILLISECOND && now(CLOCK_MONOTONIC) < give_up)
        ;
    check(now(CLOCK_PROCESS_CPUTIME_ID) - cpu >= 20 * MILLISECOND, "CPU time rises with work");
    check(clock() != (clock_t)-1 && clock() > 0, "clock tells it too");

    cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    nanosleep(&(struct timespec){0, 80 * MILLISECOND}, NULL);
    check(now(CLOCK_PROCESS_CPUTIME_ID) - cpu < 40 * MILLISECOND, "and hardly while sleeping");
}

int main(void)
{
    check_each_clock();
    check_time_of_day();
    check_vdso();
    check_sleep();
    check_cpu_time();
    return exit_status();
}
