/* SPDX-License-Identifier: ISC */
/* timerfd: once, at intervals, absolute, on each clock; with poll and epoll. */
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { MS = 1000000, SECOND = 1000000000 };

static struct itimerspec span(long value, long interval)
{
    return (struct itimerspec){.it_value = {value / SECOND, value % SECOND},
                               .it_interval = {interval / SECOND, interval % SECOND}};
}

static int set(int fd, long value, long interval)
{
    const struct itimerspec spec = span(value, interval);

    return timerfd_settime(fd, 0, &spec, NULL);
}

static long long take(int fd)
{
    uint64_t ticks;

    return read(fd, &ticks, sizeof ticks) == sizeof ticks ? (long long)ticks : -1;
}

static long long now(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void once(void)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    long long start = now(CLOCK_MONOTONIC);
    struct itimerspec spec;

    check(set(fd, 20 * MS, 0) == 0 && take(fd) == 1, "once");
    check(now(CLOCK_MONOTONIC) - start >= 20 * MS, "after 20 ms");
    check(timerfd_gettime(fd, &spec) == 0 && spec.it_value.tv_sec == 0 &&
              spec.it_value.tv_nsec == 0,
          "then it is off");
    check(set(fd, 1000 * (long)SECOND, 5 * (long)SECOND) == 0, "set far ahead");
    check(timerfd_gettime(fd, &spec) == 0 && spec.it_value.tv_sec == 999 &&
              spec.it_interval.tv_sec == 5,
          "what is left");
    spec = span(0, 0);
    check(timerfd_settime(fd, 0, &spec, &spec) == 0 && spec.it_value.tv_sec == 999,
          "switched off, and what was left");
    check(fcntl(fd, F_SETFL, O_NONBLOCK) == 0, "O_NONBLOCK");
    check_error(take(fd), EAGAIN, "nothing comes");
    close(fd);
}

static void at_intervals(void)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct pollfd poller = {.fd = fd, .events = POLLIN | POLLOUT};
    long long ticks = 0, start = now(CLOCK_MONOTONIC);

    check(fcntl(fd, F_GETFL) == (O_RDWR | O_NONBLOCK) && fcntl(fd, F_GETFD) == FD_CLOEXEC, "flags");
    check(set(fd, 5 * MS, 5 * MS) == 0, "every 5 ms");
    while (ticks < 6 && poll(&poller, 1, -1) == 1 && poller.revents == POLLIN)
        ticks += take(fd);
    check(ticks >= 6 && now(CLOCK_MONOTONIC) - start >= 30 * MS, "six times in 30 ms");
    usleep(30000);
    check(take(fd) >= 5, "those that were not read add up");
    start = now(CLOCK_MONOTONIC);
    while (now(CLOCK_MONOTONIC) - start < 20 * MS)
        ;
    check(take(fd) >= 3, "also while the program does not wait");
    check(set(fd, 10 * (long)SECOND, 0) == 0, "set again");
    check_error(take(fd), EAGAIN, "which forgets what was not read");
    check(poll(&poller, 1, 0) == 0, "poll, too");
    close(fd);
}

static void absolute(clockid_t clock, const char *name)
{
    int fd = timerfd_create(clock, 0);
    long long target = now(clock) + 10 * MS;
    struct itimerspec spec = {.it_value = {target / SECOND, target % SECOND}};

    check(timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, NULL) == 0 && take(fd) == 1 &&
              now(clock) >= target,
          "%s: at a certain time", name);
    target = now(clock) - 10 * (long long)SECOND - SECOND / 2;
    spec =
        (struct itimerspec){.it_value = {target / SECOND, target % SECOND}, .it_interval = {1, 0}};
    check(timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, NULL) == 0 && take(fd) == 11,
          "%s: ten seconds late, every second", name);
    check(timerfd_gettime(fd, &spec) == 0 && spec.it_value.tv_sec == 0 &&
              spec.it_value.tv_nsec <= SECOND / 2,
          "%s: the next in half a second", name);
    close(fd);
}

static void with_epoll(void)
{
    int instance = epoll_create1(0), fast = timerfd_create(CLOCK_MONOTONIC, 0),
        slow = timerfd_create(CLOCK_MONOTONIC, 0), order = 0;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fast};

    epoll_ctl(instance, EPOLL_CTL_ADD, fast, &event);
    event = (struct epoll_event){.events = EPOLLIN | EPOLLET, .data.fd = slow};
    epoll_ctl(instance, EPOLL_CTL_ADD, slow, &event);
    set(slow, 25 * MS, 0);
    set(fast, 5 * MS, 0);
    check(epoll_wait(instance, &event, 1, -1) == 1 && event.data.fd == fast, "the fast one first");
    order += take(fast) == 1;
    check(epoll_wait(instance, &event, 1, -1) == 1 && event.data.fd == slow, "then the slow one");
    check(epoll_wait(instance, &event, 1, 20) == 0 && order == 1, "whose edge comes once");
    close(slow);
    close(fast);
    close(instance);
}

static void errors(void)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, 0), ends[2];
    struct itimerspec bad = span(0, 0), good = span(MS, 0);

    bad.it_value.tv_nsec = SECOND;
    check_error(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0), EINVAL, "a clock of CPU time");
    check_error(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL, "an unknown flag");
    check_error(timerfd_settime(fd, 0, &bad, NULL), EINVAL, "too many nanoseconds");
    check_error(timerfd_settime(fd, 8, &good, NULL), EINVAL, "an unknown flag of settime");
    check_error(timerfd_settime(fd, 0, nowhere, NULL), EFAULT, "a time nowhere");
    check_error(timerfd_settime(999, 0, &good, NULL), EBADF, "a closed descriptor");
    check_error(pipe(ends), 0, "a pipe");
    check_error(timerfd_settime(ends[0], 0, &good, NULL), EINVAL, "the time of a pipe");
    check_error(read(fd, ends, sizeof ends[0]), EINVAL, "a small buffer");
    check_error(write(fd, &good, 8), EINVAL, "write");
}

int main(void)
{
    once();
    at_intervals();
    absolute(CLOCK_MONOTONIC, "monotonic");
    absolute(CLOCK_REALTIME, "realtime");
    absolute(CLOCK_BOOTTIME, "boottime");
    with_epoll();
    errors();
    return exit_status();
}
