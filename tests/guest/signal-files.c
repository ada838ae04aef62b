/* SPDX-License-Identifier: ISC */
/* signalfd: what comes, several at once, with poll and epoll, the mask changed. */
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static struct signalfd_siginfo records[8];

static void show(const char *what, long result)
{
    printf("%s:", what);
    for (long i = 0; i < result / (long)sizeof *records; i++)
        printf(" %s code %d%s", strsignal((int)records[i].ssi_signo), records[i].ssi_code,
               records[i].ssi_pid == (unsigned)getpid() ? " of its own" : "");
    puts(result < 0 ? error_name(errno) : "");
}

static void *send_later(void *data)
{
    (void)data;
    usleep(20000);
    kill(getpid(), SIGUSR2);
    return NULL;
}

int main(void)
{
    const union sigval value = {.sival_int = 4711};
    const struct itimerval soon = {{0, 0}, {0, 10000}};
    int fd, instance, copy;
    struct epoll_event event = {.events = EPOLLIN};
    struct pollfd poller = {.events = POLLIN};
    pthread_t thread;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGALRM);
    sigaddset(&set, SIGRTMIN + 3);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    poller.fd = fd;
    check(fcntl(fd, F_GETFL) == (O_RDWR | O_NONBLOCK) && fcntl(fd, F_GETFD) == FD_CLOEXEC, "flags");
    show("nothing", read(fd, records, sizeof records));
    check(poll(&poller, 1, 0) == 0, "nothing to poll for");
    kill(getpid(), SIGUSR1);
    check(poll(&poller, 1, -1) == 1 && poller.revents == POLLIN, "it is there");
    show("kill", read(fd, records, sizeof records));
    raise(SIGUSR2);
    raise(SIGUSR1);
    raise(SIGUSR1);
    show("three, two of them alike", read(fd, records, sizeof records));
    sigqueue(getpid(), SIGRTMIN + 3, value);
    sigqueue(getpid(), SIGRTMIN + 3, value);
    check(read(fd, records, sizeof records) == 2 * sizeof *records &&
              records[0].ssi_signo == (unsigned)SIGRTMIN + 3 && records[1].ssi_int == 4711 &&
              records[0].ssi_code == SI_QUEUE,
          "two of sigqueue with their value");
    raise(SIGUSR1);
    raise(SIGUSR2);
    show("room for one", read(fd, records, sizeof *records));
    show("the other", read(fd, records, sizeof *records));
    raise(SIGCHLD);
    show("what would be ignored", read(fd, records, sizeof records));
    check_error(read(fd, records, sizeof *records - 1), EINVAL, "a small buffer");
    check_error(write(fd, records, sizeof *records), EINVAL, "write");

    instance = epoll_create1(0);
    epoll_ctl(instance, EPOLL_CTL_ADD, fd, &event);
    pthread_create(&thread, NULL, send_later, NULL);
    check(epoll_wait(instance, &event, 1, -1) == 1, "another thread sends one");
    pthread_join(thread, NULL);
    show("which", read(fd, records, sizeof records));
    setitimer(ITIMER_REAL, &soon, NULL);
    check(epoll_wait(instance, &event, 1, -1) == 1, "a timer sends one");
    show("which", read(fd, records, sizeof records));

    sigdelset(&set, SIGUSR1);
    copy = signalfd(fd, &set, 0);
    check(copy == fd, "another mask");
    raise(SIGUSR1);
    show("which has it no more", read(fd, records, sizeof records));
    copy = signalfd(-1, &set, 0);
    sigaddset(&set, SIGUSR1);
    signalfd(copy, &set, 0);
    show("a second one has it", read(copy, records, sizeof records));
    check_error(signalfd(0, &set, 0), EINVAL, "the mask of something else");
    check_error(signalfd(999, &set, 0), EBADF, "of nothing");
    check_error(signalfd(-1, &set, 1), EINVAL, "an unknown flag");
    return exit_status();
}
