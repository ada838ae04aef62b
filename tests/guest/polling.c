/* SPDX-License-Identifier: ISC */
/* poll, ppoll, select and pselect: all kinds of files together, timeouts, signals, errors. Standard
 * input is a file or /dev/null. */
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int ends[2];

static void show(const char *what, int result, const struct pollfd *fds, int count)
{
    printf("%s: %d", what, result);
    for (int i = 0; i < count; i++)
        printf(" %#x", (unsigned)fds[i].revents);
    putchar('\n');
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void kinds(void)
{
    int zero = open("/dev/null", O_RDWR), event = eventfd(0, 0), path = open("/", O_PATH),
        directory = open("/", O_RDONLY), result;
    short all = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM | POLLPRI;
    struct pollfd fds[] = {
        {.fd = ends[0], .events = all}, {.fd = ends[1], .events = all},
        {.fd = event, .events = all},   {.fd = zero, .events = all},
        {.fd = -1, .events = all},      {.fd = 999, .events = all},
        {.fd = path, .events = all},    {.fd = 0, .events = POLLIN},
        {.fd = 1, .events = POLLOUT},   {.fd = directory, .events = all},
        {.fd = -5, .events = 0},
    };

    result = poll(fds, 11, 1000);
    show("all kinds", result, fds, 11);
    result = poll(fds, 3, 0);
    show("without the file", result, fds, 3);
    check(write(ends[1], "x", 1) == 1 && eventfd_write(event, 7) == 0, "something comes");
    result = poll(fds, 4, -1);
    show("then", result, fds, 4);
    fds[0].events = fds[1].events = 0;
    result = poll(fds, 2, 0);
    show("events that nobody asked for", result, fds, 2);
    close(zero);
    close(event);
    close(path);
    close(directory);
}

static void hang_up(void)
{
    int pair[2], result;
    struct pollfd fds[2];

    if (pipe(pair) < 0)
        return;
    fds[0] = (struct pollfd){.fd = pair[0], .events = POLLIN};
    check(write(pair[1], "x", 1) == 1, "a last byte");
    close(pair[1]);
    result = poll(fds, 1, -1);
    show("the writer has gone, a byte is left", result, fds, 1);
    check(read(pair[0], fds + 1, 2) == 1, "it is read");
    result = poll(fds, 1, -1);
    show("nothing is left", result, fds, 1);
    close(pair[0]);
    if (pipe(pair) < 0)
        return;
    close(pair[0]);
    fds[0] = (struct pollfd){.fd = pair[1], .events = POLLOUT};
    result = poll(fds, 1, -1);
    show("the reader has gone", result, fds, 1);
    close(pair[1]);
}

static void fills(void)
{
    static char page[4096];
    struct pollfd fd = {.events = POLLOUT};
    int pair[2], pages = 0, result;

    if (pipe2(pair, O_NONBLOCK) < 0)
        return;
    fd.fd = pair[1];
    while (poll(&fd, 1, 0) == 1 && pages < 100)
        pages += write(pair[1], page, sizeof page) == sizeof page;
    printf("pages while it is ready: %d\n", pages);
    check(read(pair[0], page, sizeof page) == sizeof page, "one is read");
    result = poll(&fd, 1, 0);
    show("then", result, &fd, 1);
    close(pair[0]);
    close(pair[1]);
}

static void *send_later(void *fd)
{
    usleep(30000);
    if (write(*(int *)fd, "later", 5) != 5)
        puts("write (WRONG)");
    return NULL;
}

static void another_thread(void)
{
    struct pollfd fds[2] = {{.fd = ends[0], .events = POLLIN}, {.events = POLLIN}};
    char bytes[100];
    pthread_t thread;
    fd_set set;
    int result;

    fds[1].fd = eventfd(0, 0);
    check(read(ends[0], bytes, sizeof bytes) == 1, "it is emptied");
    pthread_create(&thread, NULL, send_later, &ends[1]);
    result = poll(fds, 2, -1);
    show("a thread writes later", result, fds, 2);
    pthread_join(thread, NULL);
    check(read(ends[0], bytes, sizeof bytes) == 5, "that is read");
    pthread_create(&thread, NULL, send_later, &ends[1]);
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    FD_SET(fds[1].fd, &set);
    check(select(fds[1].fd + 1, &set, NULL, NULL, NULL) == 1 && FD_ISSET(ends[0], &set) &&
              !FD_ISSET(fds[1].fd, &set),
          "the same for select");
    pthread_join(thread, NULL);
    check(read(ends[0], bytes, sizeof bytes) == 5, "that is read, too");
    close(fds[1].fd);
}

/* musl hides that the timeout changes. */
static int raw_select(int count, fd_set *reads, fd_set *writes, struct timeval *limit)
{
    return (int)syscall(SYS_select, count, reads, writes, NULL, limit);
}

static void timeouts(void)
{
    struct pollfd fd = {.fd = ends[0], .events = POLLIN};
    struct timespec span = {0, 30000000};
    struct timeval limit = {0, 30000};
    double start = now();
    fd_set set;

    check(poll(&fd, 1, 30) == 0 && now() - start >= 0.030, "poll waits 30 ms");
    start = now();
    check(ppoll(&fd, 1, &span, NULL) == 0 && now() - start >= 0.030, "ppoll, too");
    start = now();
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    check(raw_select(ends[0] + 1, &set, NULL, &limit) == 0 && now() - start >= 0.030,
          "select, too");
    check(!FD_ISSET(ends[0], &set), "and empties the set");
    check(limit.tv_sec == 0 && limit.tv_usec == 0, "and the timeout");
    check(poll(NULL, 0, 1) == 0, "poll for nothing");
    limit = (struct timeval){5, 0};
    FD_SET(ends[1], &set);
    check(raw_select(ends[1] + 1, NULL, &set, &limit) == 1 && limit.tv_sec == 4,
          "select tells what is left");
    span = (struct timespec){0, 1};
    check(pselect(0, NULL, NULL, NULL, &span, NULL) == 0, "pselect for nothing");
}

static volatile int signals;

static void on_signal(int signal)
{
    (void)signal;
    signals++;
}

static void interrupted(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct itimerval soon = {{0, 0}, {0, 20000}};
    struct pollfd fd = {.fd = ends[0], .events = POLLIN};
    struct timespec second = {1, 0};
    sigset_t blocked, open;
    fd_set set;

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    check_error(poll(&fd, 1, -1), EINTR, "a signal interrupts poll in spite of SA_RESTART");
    setitimer(ITIMER_REAL, &soon, NULL);
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    check_error(select(ends[0] + 1, &set, NULL, NULL, NULL), EINTR, "and select");
    check(signals == 2, "two signals");
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGALRM);
    sigprocmask(SIG_BLOCK, &blocked, &open);
    raise(SIGALRM);
    check(signals == 2, "it is blocked");
    check(poll(&fd, 1, 10) == 0 && signals == 2, "also in poll");
    check_error(ppoll(&fd, 1, NULL, &open), EINTR, "ppoll lets it through");
    check(signals == 3, "it came");
    raise(SIGALRM);
    check_error(pselect(ends[0] + 1, &set, NULL, NULL, &second, &open), EINTR,
                "pselect lets it through");
    check(signals == 4, "it came again");
    raise(SIGALRM);
    fd = (struct pollfd){.fd = ends[1], .events = POLLOUT};
    check(ppoll(&fd, 1, NULL, &open) == 1 && signals == 4, "unless something is there already");
    sigprocmask(SIG_SETMASK, &open, NULL);
    check(signals == 5, "then it comes later");
}

static void errors(void)
{
    struct pollfd fd = {.fd = ends[0], .events = POLLIN};
    struct timespec bad = {0, 1000000000};
    struct timeval negative = {-1, 0};
    fd_set set;

    check_error(poll(nowhere, 1, 0), EFAULT, "poll at nowhere");
    check_error(poll(nowhere, 2000000, 0), EINVAL, "poll of too many");
    check_error(ppoll(&fd, 1, &bad, NULL), EINVAL, "too many nanoseconds");
    check_error(select(1, NULL, NULL, NULL, &negative), EINVAL, "a negative timeout");
    check_error(select(-1, NULL, NULL, NULL, NULL), EINVAL, "a negative number");
    FD_ZERO(&set);
    FD_SET(50, &set);
    check_error(select(51, &set, NULL, NULL, NULL), EBADF, "select of a closed descriptor");
}

static void many(void)
{
    static struct pollfd fds[900];
    static int pairs[450][2];
    int result, last = 0;

    for (int i = 0; i < 450; i++) {
        if (pipe(pairs[i]) < 0)
            break;
        fds[last++] = (struct pollfd){.fd = pairs[i][0], .events = POLLIN};
        fds[last++] = (struct pollfd){.fd = pairs[i][1], .events = i % 3 ? POLLIN : POLLOUT};
    }
    check(last == 900, "450 pipes");
    result = poll(fds, 900, -1);
    printf("ready: %d\n", result);
    check(write(pairs[449][1], "x", 1) == 1, "a byte in the last");
    result = poll(fds, 900, -1);
    printf("ready: %d\n", result);
    check(fds[898].revents == POLLIN && fds[896].revents == 0, "which is the one");
    for (int i = 0; i < 450; i++) {
        close(pairs[i][0]);
        close(pairs[i][1]);
    }
}

int main(void)
{
    if (pipe(ends) < 0)
        return 1;
    kinds();
    hang_up();
    fills();
    another_thread();
    timeouts();
    interrupted();
    errors();
    many();
    return exit_status();
}
