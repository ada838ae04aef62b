/* SPDX-License-Identifier: ISC */
/* eventfd: counting, semaphores, limits, blocking. */
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

static long add(int fd, uint64_t value)
{
    return write(fd, &value, sizeof value);
}

/* What was read, or -1. */
static long long take(int fd)
{
    uint64_t value;

    return read(fd, &value, sizeof value) == sizeof value ? (long long)value : -1;
}

static int events(int fd)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN | POLLOUT};

    poll(&poller, 1, 0);
    return poller.revents;
}

static void counts(void)
{
    int fd = eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC);
    uint32_t small;

    check(fcntl(fd, F_GETFL) == (O_RDWR | O_NONBLOCK), "flags");
    check(fcntl(fd, F_GETFD) == FD_CLOEXEC, "EFD_CLOEXEC");
    check(take(fd) == 3, "the initial value");
    check_error(take(fd), EAGAIN, "then nothing");
    check(events(fd) == POLLOUT, "nothing to read");
    check(add(fd, 1) == 8 && add(fd, 41) == 8 && take(fd) == 42, "a sum");
    check(add(fd, 0) == 8 && events(fd) == POLLOUT, "0 is nothing");
    check_error(add(fd, UINT64_MAX), EINVAL, "too much");
    check(add(fd, UINT64_MAX - 1) == 8, "the most");
    check(events(fd) == POLLIN, "no room");
    check_error(add(fd, 1), EAGAIN, "no more");
    check(take(fd) == (long long)(UINT64_MAX - 1), "the most is read");
    check_error(read(fd, &small, sizeof small), EINVAL, "a small buffer");
    check_error(write(fd, &small, sizeof small), EINVAL, "a small value");
    check_error(write(fd, nowhere, 8), EFAULT, "a value from nowhere");
    close(fd);
}

static void semaphore(void)
{
    int fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);

    check(take(fd) == 1 && take(fd) == 1, "a semaphore gives 1");
    check_error(take(fd), EAGAIN, "as often as it has");
    close(fd);
    check_error(eventfd(0, 0x100), EINVAL, "an unknown flag");
}

static int there, back;

static void *answer(void *data)
{
    (void)data;
    for (int i = 0; i < 1000; i++)
        if (take(there) < 0 || add(back, 1) != 8)
            break;
    return NULL;
}

static void threads_talk(void)
{
    pthread_t thread;
    int rounds = 0;

    there = eventfd(0, 0);
    back = eventfd(0, 0);
    pthread_create(&thread, NULL, answer, NULL);
    while (rounds < 1000 && add(there, 1) == 8 && take(back) == 1)
        rounds++;
    pthread_join(thread, NULL);
    check(rounds == 1000, "1,000 rounds between two threads");
    close(there);
    close(back);
}

static void *make_room(void *data)
{
    usleep(20000);
    *(long long *)data = take(there);
    return NULL;
}

static void writer_waits(void)
{
    pthread_t thread;
    long long got = 0;

    there = eventfd(0, 0);
    check(add(there, UINT64_MAX - 1) == 8, "it is full");
    pthread_create(&thread, NULL, make_room, &got);
    check(add(there, 5) == 8, "a writer waits");
    pthread_join(thread, NULL);
    check(got == (long long)(UINT64_MAX - 1) && take(there) == 5, "until there is room");
    close(there);
}

int main(void)
{
    counts();
    semaphore();
    threads_talk();
    writer_waits();
    return exit_status();
}
