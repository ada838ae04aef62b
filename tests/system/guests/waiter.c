/* SPDX-License-Identifier: ISC */
/*
 * Arguments: WAY [MILLISECONDS]. Copies standard input to standard output, waiting for it by WAY:
 * poll, select, epoll, edge (epoll, by edges) or once (epoll, by one-shots); meanwhile a thread
 * ticks five times through an eventfd, which is waited for as well. With MILLISECONDS nothing but
 * one wait of that length for standard input; tells whether it came.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <unistd.h>

static int event, instance;
static uint32_t flags;

static void watch(int operation, int fd)
{
    struct epoll_event wanted = {.events = EPOLLIN | flags, .data.fd = fd};

    if (epoll_ctl(instance, operation, fd, &wanted) < 0)
        perror("epoll_ctl");
}

static int wait_poll(int timeout, int ready[2])
{
    struct pollfd fds[] = {{.fd = 0, .events = POLLIN}, {.fd = event, .events = POLLIN}};
    int count = poll(fds, 2, timeout);

    ready[0] = fds[0].revents != 0;
    ready[1] = fds[1].revents != 0;
    return count;
}

static int wait_select(int timeout, int ready[2])
{
    struct timeval limit = {timeout / 1000, timeout % 1000 * 1000};
    fd_set set;
    int count;

    FD_ZERO(&set);
    FD_SET(0, &set);
    FD_SET(event, &set);
    count = select(event + 1, &set, NULL, NULL, timeout < 0 ? NULL : &limit);
    ready[0] = FD_ISSET(0, &set);
    ready[1] = FD_ISSET(event, &set);
    return count;
}

static int wait_epoll(int timeout, int ready[2])
{
    struct epoll_event events[4];
    int count = epoll_wait(instance, events, 4, timeout);

    ready[0] = ready[1] = 0;
    for (int i = 0; i < count; i++) {
        ready[events[i].data.fd == event] = 1;
        if (flags & EPOLLONESHOT)
            watch(EPOLL_CTL_MOD, events[i].data.fd);
    }
    return count;
}

static void *tick(void *data)
{
    (void)data;
    for (int i = 0; i < 5; i++) {
        usleep(3000);
        eventfd_write(event, 1);
    }
    return NULL;
}

/* One piece, so that an edge that is no new one would not bring the rest; by edges all there is. */
static int copy(void)
{
    char bytes[1000];
    struct pollfd more = {.fd = 0, .events = POLLIN};
    ssize_t got;

    do {
        got = read(0, bytes, sizeof bytes);
        if (got <= 0 || write(1, bytes, (size_t)got) != got)
            return 0;
    } while (flags & EPOLLET && poll(&more, 1, 0) == 1);
    return 1;
}

int main(int argc, char **argv)
{
    int (*wait)(int timeout, int ready[2]) = wait_epoll;
    eventfd_t ticks = 0, more;
    int ready[2], open = 1;
    pthread_t thread;

    event = eventfd(0, 0);
    if (argc < 2)
        return 2;
    if (strcmp(argv[1], "poll") == 0)
        wait = wait_poll;
    if (strcmp(argv[1], "select") == 0)
        wait = wait_select;
    if (strcmp(argv[1], "edge") == 0)
        flags = EPOLLET;
    if (strcmp(argv[1], "once") == 0)
        flags = EPOLLONESHOT;
    if (wait == wait_epoll) {
        instance = epoll_create1(0);
        watch(EPOLL_CTL_ADD, 0);
        watch(EPOLL_CTL_ADD, event);
    }
    if (argc > 2) {
        printf("%d\n", wait(atoi(argv[2]), ready));
        return 0;
    }
    pthread_create(&thread, NULL, tick, NULL);
    while (open || ticks < 5) {
        if (wait(-1, ready) < 0)
            return 1;
        if (ready[1] && eventfd_read(event, &more) == 0)
            ticks += more;
        if (ready[0] && open) {
            open = copy();
            if (!open && wait == wait_epoll)
                epoll_ctl(instance, EPOLL_CTL_DEL, 0, NULL);
        }
        if (!open && wait != wait_epoll)
            break;
    }
    pthread_join(thread, NULL);
    return 0;
}
