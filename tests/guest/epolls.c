/* SPDX-License-Identifier: ISC */
/* epoll over pipes, eventfds and epoll itself: level, edge, one-shot, changes, limits, threads. */
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int instance;

static int control(int operation, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u64 = 0x1234567800000000u | (unsigned)fd};

    return epoll_ctl(instance, operation, fd, &event);
}

static int compare(const void *left, const void *right)
{
    const struct epoll_event *a = left, *b = right;

    return (int)(uint32_t)a->data.u64 - (int)(uint32_t)b->data.u64;
}

/* What comes within TIMEOUT, by number of descriptor from FIRST on. */
static void show(const char *what, int timeout, int first)
{
    struct epoll_event events[16];
    int count = epoll_wait(instance, events, 16, timeout);

    printf("%s:", what);
    qsort(events, count > 0 ? (size_t)count : 0, sizeof *events, compare);
    for (int i = 0; i < count; i++)
        printf(" %d%s %#x", (int)(uint32_t)events[i].data.u64 - first,
               events[i].data.u64 >> 32 == 0x12345678 ? "" : "(WRONG)", events[i].events);
    puts(count < 0 ? error_name(errno) : count == 0 ? " nothing" : "");
}

static void new_pipe(int ends[2])
{
    if (pipe2(ends, O_NONBLOCK) < 0)
        check(false, "pipe2");
}

static void put(int fd, int count)
{
    static const char bytes[100];

    if (write(fd, bytes, (size_t)count) != count)
        check(false, "write");
}

static void drain(int fd)
{
    char bytes[1000];

    while (read(fd, bytes, sizeof bytes) > 0)
        ;
}

static void levels(void)
{
    int ends[2], first;

    new_pipe(ends);
    first = ends[0];
    check(control(EPOLL_CTL_ADD, ends[0], EPOLLIN) == 0, "the reading end is added");
    show("an empty pipe", 0, first);
    put(ends[1], 10);
    show("10 bytes", -1, first);
    show("they are still there", -1, first);
    check(read(ends[0], (char[5]){0}, 5) == 5, "half of them are read");
    show("the other half", -1, first);
    drain(ends[0]);
    show("nothing is left", 10, first);
    check(control(EPOLL_CTL_ADD, ends[1], EPOLLIN | EPOLLOUT) == 0, "the writing end is added");
    show("it can be written", -1, first);
    put(ends[1], 10);
    show("both", -1, first);
    check(control(EPOLL_CTL_MOD, ends[1], 0) == 0, "nothing more of the writing end");
    show("only the reading end", -1, first);
    check(control(EPOLL_CTL_DEL, ends[0], 0) == 0, "the reading end is taken out");
    show("nothing", 0, first);
    close(ends[0]);
    show("an error comes without being asked for", -1, first);
    close(ends[1]);
    show("a closed one is out", 0, first);
}

static void edges(void)
{
    int ends[2], first;

    new_pipe(ends);
    first = ends[0];
    put(ends[1], 1);
    check(control(EPOLL_CTL_ADD, ends[0], EPOLLIN | EPOLLET) == 0, "edges of the reading end");
    show("what was there", -1, first);
    show("not again", 0, first);
    put(ends[1], 1);
    show("more comes", -1, first);
    show("not again", 0, first);
    put(ends[1], 1);
    drain(ends[0]);
    show("it came and has gone", 0, first);
    put(ends[1], 1);
    check(control(EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLET) == 0, "a change looks again");
    show("what is there", -1, first);
    show("once", 0, first);
    close(ends[1]);
    show("the writer goes", -1, first);
    show("once, too", 0, first);
    close(ends[0]);

    new_pipe(ends);
    first = ends[0];
    check(control(EPOLL_CTL_ADD, ends[1], EPOLLOUT | EPOLLET) == 0, "edges of the writing end");
    show("there is room", -1, first);
    show("not again", 0, first);
    for (int i = 0; i < 1000 && write(ends[1], (char[4096]){0}, 4096) == 4096; i++)
        ;
    show("it is full", 0, first);
    drain(ends[0]);
    show("there is room again", -1, first);
    close(ends[0]);
    close(ends[1]);
}

static void one_shots(void)
{
    int ends[2], first;

    new_pipe(ends);
    first = ends[0];
    check(control(EPOLL_CTL_ADD, ends[0], EPOLLIN | EPOLLONESHOT) == 0, "one shot");
    put(ends[1], 1);
    show("it comes", -1, first);
    show("once", 0, first);
    put(ends[1], 1);
    show("whatever happens", 0, first);
    check(control(EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLONESHOT) == 0, "another shot");
    show("it comes", -1, first);
    show("once", 0, first);
    close(ends[1]);
    show("even at the end", 0, first);
    close(ends[0]);
}

static void copies(void)
{
    int ends[2], copy, first;

    new_pipe(ends);
    first = ends[0];
    check(control(EPOLL_CTL_ADD, ends[0], EPOLLIN) == 0, "added");
    copy = dup(ends[0]);
    check(control(EPOLL_CTL_ADD, copy, EPOLLIN) == 0, "its copy, too");
    put(ends[1], 1);
    show("both come", -1, first);
    check(control(EPOLL_CTL_DEL, copy, 0) == 0, "the copy is taken out");
    close(ends[0]);
    show("a closed one comes while it has a copy", -1, first);
    close(copy);
    show("then no longer", 0, first);
    close(ends[1]);
}

static void order_is_fair(void)
{
    int events[5], seen[5] = {0}, all = 0;

    for (int i = 0; i < 5; i++) {
        events[i] = eventfd(1, 0);
        control(EPOLL_CTL_ADD, events[i], EPOLLIN);
    }
    for (int i = 0; i < 10; i++) {
        struct epoll_event two[2];
        int count = epoll_wait(instance, two, 2, -1);

        for (int j = 0; j < count; j++)
            for (int k = 0; k < 5; k++)
                seen[k] += (int)(uint32_t)two[j].data.u64 == events[k];
    }
    for (int i = 0; i < 5; i++)
        all += seen[i] == 4;
    check(all == 5, "each of five comes as often as the others, two by two");
    for (int i = 0; i < 5; i++)
        close(events[i]);
}

static void errors(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    char name[] = "/tmp/epolls-XXXXXX";
    int ends[2], file = mkstemp(name), other = epoll_create1(EPOLL_CLOEXEC);

    new_pipe(ends);
    check(fcntl(other, F_GETFD) == FD_CLOEXEC, "EPOLL_CLOEXEC");
    check_error(epoll_create1(1), EINVAL, "an unknown flag");
    check_error(syscall(SYS_epoll_create, 0), EINVAL, "size 0");
    check_error(control(EPOLL_CTL_MOD, ends[0], EPOLLIN), ENOENT, "change what was not added");
    check_error(control(EPOLL_CTL_DEL, ends[0], EPOLLIN), ENOENT, "take it out");
    check(control(EPOLL_CTL_ADD, ends[0], EPOLLIN) == 0, "add it");
    check_error(control(EPOLL_CTL_ADD, ends[0], EPOLLIN), EEXIST, "add it again");
    check_error(control(7, ends[0], EPOLLIN), EINVAL, "an unknown operation");
    check_error(control(EPOLL_CTL_ADD, 999, EPOLLIN), EBADF, "a closed descriptor");
    check_error(control(EPOLL_CTL_ADD, instance, EPOLLIN), EINVAL, "itself");
    check_error(epoll_ctl(999, EPOLL_CTL_ADD, ends[0], &event), EBADF, "no instance");
    check_error(epoll_ctl(ends[0], EPOLL_CTL_ADD, ends[1], &event), EINVAL, "a pipe as one");
    check_error(epoll_ctl(instance, EPOLL_CTL_ADD, ends[1], nowhere), EFAULT, "nowhere");
    unlink(name);
    check_error(control(EPOLL_CTL_ADD, file, EPOLLIN), EPERM, "a regular file");
    check_error(epoll_wait(instance, &event, 0, 0), EINVAL, "no room");
    check_error(epoll_wait(ends[0], &event, 1, 0), EINVAL, "wait for a pipe");
    check_error(epoll_wait(999, &event, 1, 0), EBADF, "wait for nothing");
    put(ends[1], 1);
    check_error(epoll_wait(instance, nowhere, 1, -1), EFAULT, "events to nowhere");
    check_error(read(instance, &event, 1), EINVAL, "read");
    check_error(control(EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLEXCLUSIVE), EINVAL,
                "made exclusive later");
    check(control(EPOLL_CTL_ADD, ends[1], EPOLLOUT | EPOLLEXCLUSIVE) == 0, "exclusive");
    check_error(control(EPOLL_CTL_MOD, ends[1], EPOLLOUT), EINVAL, "changed then");
    show("it comes", -1, ends[0]);
    close(ends[0]);
    close(ends[1]);
    close(other);
    close(file);
}

static int timed_wait(int timeout)
{
    struct epoll_event event;

    return epoll_wait(instance, &event, 1, timeout);
}

static void nested(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    int outer = epoll_create1(0), ends[2], chain[7], depth = 0;
    struct pollfd poller = {.fd = outer, .events = POLLIN};

    new_pipe(ends);
    check(epoll_ctl(outer, EPOLL_CTL_ADD, instance, &event) == 0, "one in another");
    check_error(epoll_ctl(instance, EPOLL_CTL_ADD, outer, &event), ELOOP, "in a circle");
    check(control(EPOLL_CTL_ADD, ends[0], EPOLLIN) == 0, "a pipe in the inner one");
    check(epoll_wait(outer, &event, 1, 0) == 0 && poll(&poller, 1, 0) == 0, "nothing");
    put(ends[1], 1);
    check(poll(&poller, 1, -1) == 1 && poller.revents == POLLIN, "poll sees it through both");
    check(epoll_wait(outer, &event, 1, -1) == 1 && event.events == EPOLLIN, "so does epoll");
    check(timed_wait(0) == 1, "and the inner one");
    drain(ends[0]);
    check(epoll_wait(outer, &event, 1, 0) == 0, "all are empty again");
    close(outer);
    close(ends[0]);
    close(ends[1]);
    for (int i = 0; i < 7; i++)
        chain[i] = epoll_create1(0);
    while (depth < 6 && epoll_ctl(chain[depth + 1], EPOLL_CTL_ADD, chain[depth], &event) == 0)
        depth++;
    check(depth == 4 || depth == 5, "kernels allow 4 or 5 levels");
    for (int i = 0; i < 7; i++)
        close(chain[i]);
}

static int later_ends[2];

static void *write_later(void *data)
{
    (void)data;
    usleep(30000);
    put(later_ends[1], 3);
    return NULL;
}

static void threads_and_time(void)
{
    struct timespec before, after;
    pthread_t thread;
    double elapsed;

    new_pipe(later_ends);
    check(control(EPOLL_CTL_ADD, later_ends[0], EPOLLIN) == 0, "a pipe");
    pthread_create(&thread, NULL, write_later, NULL);
    show("a thread writes later", -1, later_ends[0]);
    pthread_join(thread, NULL);
    drain(later_ends[0]);
    clock_gettime(CLOCK_MONOTONIC, &before);
    show("30 ms", 30, later_ends[0]);
    clock_gettime(CLOCK_MONOTONIC, &after);
    elapsed = (double)(after.tv_sec - before.tv_sec) * 1e3 +
              (double)(after.tv_nsec - before.tv_nsec) / 1e6;
    check(elapsed >= 29.9, "have passed");
    close(later_ends[0]);
    close(later_ends[1]);
}

static volatile int signals;

static void on_signal(int signal)
{
    (void)signal;
    signals++;
}

static void interrupted(void)
{
    struct epoll_event event;
    sigset_t blocked, open;

    signal(SIGALRM, on_signal);
    ualarm(20000, 0);
    check_error(timed_wait(-1), EINTR, "a signal interrupts");
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGALRM);
    sigprocmask(SIG_BLOCK, &blocked, &open);
    raise(SIGALRM);
    check(timed_wait(10) == 0 && signals == 1, "unless it is blocked");
    check_error(epoll_pwait(instance, &event, 1, -1, &open), EINTR, "epoll_pwait lets it through");
    check(signals == 2, "two signals");
    sigprocmask(SIG_SETMASK, &open, NULL);
}

static void many(void)
{
    static struct epoll_event events[1000];
    static int all[900];
    int count = 0, sum;

    while (count < 900 && (all[count] = eventfd(0, EFD_NONBLOCK)) >= 0 &&
           control(EPOLL_CTL_ADD, all[count], EPOLLIN | (count % 2 ? EPOLLET : 0u)) == 0)
        count++;
    check(count == 900, "900 descriptors");
    for (int i = 0; i < 900; i += 3)
        eventfd_write(all[i], 1);
    sum = epoll_wait(instance, events, 1000, -1);
    printf("ready: %d\n", sum);
    sum = epoll_wait(instance, events, 1000, -1);
    printf("of them not by edges: %d\n", sum);
    for (int i = 0; i < 900; i++)
        close(all[i]);
    show("all are closed", 0, 0);
}

int main(void)
{
    instance = epoll_create1(0);
    levels();
    edges();
    one_shots();
    copies();
    order_is_fair();
    errors();
    nested();
    threads_and_time();
    interrupted();
    many();
    return exit_status();
}
