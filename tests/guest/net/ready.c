/* SPDX-License-Identifier: ISC
 *
 * poll, select and epoll over sockets, together with a pipe and an eventfd.
 */
#include "net.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>

/* What poll tells of FD at once. */
static int events_of(int fd, short wanted)
{
    struct pollfd pollfd = {.fd = fd, .events = wanted};

    return poll(&pollfd, 1, 0) == 1 ? pollfd.revents : 0;
}

static int wait_for(int fd, short wanted)
{
    struct pollfd pollfd = {.fd = fd, .events = wanted};

    return poll(&pollfd, 1, 10000) == 1 ? pollfd.revents : 0;
}

static void polling(void)
{
    struct sockaddr_in at;
    int server = listening(&at), client, end;
    char byte;

    check(events_of(server, POLLIN) == 0, "nobody connects");
    client = need(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), "socket");
    check(events_of(client, POLLIN | POLLOUT) == (POLLOUT | POLLHUP), "a fresh socket hangs up");
    int ret = connect(client, (struct sockaddr *)&at, sizeof(at));
    check(ret == 0 || errno == EINPROGRESS, "connect starts");
    check(wait_for(client, POLLOUT) == POLLOUT, "it is connected");
    check(wait_for(server, POLLIN) == POLLIN, "and can be accepted");
    end = need(accept(server, NULL, NULL), "accept");
    check(events_of(end, POLLIN | POLLOUT) == POLLOUT, "there is room and no data");
    write(client, "x", 1);
    check(wait_for(end, POLLIN) == POLLIN, "data");
    read(end, &byte, 1);
    check(events_of(end, POLLIN) == 0, "it was read");
    shutdown(client, SHUT_WR);
    check(wait_for(end, POLLIN | POLLRDHUP) == (POLLIN | POLLRDHUP), "the end");
    close(end);
    check(wait_for(client, POLLHUP) == POLLHUP || wait_for(client, POLLIN) & POLLHUP,
          "both ends are closed");
    close(client);
    close(server);
}

static void selecting(void)
{
    struct timeval none = {0};
    fd_set reads, writes;
    int ends[2], pipes[2], most;

    tcp_pair(ends);
    need(pipe(pipes), "pipe");
    write(ends[1], "x", 1);
    wait_for(ends[0], POLLIN);
    FD_ZERO(&reads);
    FD_ZERO(&writes);
    FD_SET(ends[0], &reads);
    FD_SET(ends[1], &reads);
    FD_SET(pipes[0], &reads);
    FD_SET(ends[0], &writes);
    FD_SET(pipes[1], &writes);
    most = pipes[1] > ends[1] ? pipes[1] : ends[1];
    check(select(most + 1, &reads, &writes, NULL, &none) == 3, "three of five are ready");
    check(FD_ISSET(ends[0], &reads) && !FD_ISSET(ends[1], &reads) && !FD_ISSET(pipes[0], &reads),
          "the socket with data");
    check(FD_ISSET(ends[0], &writes) && FD_ISSET(pipes[1], &writes), "and two with room");
    close(ends[0]);
    close(ends[1]);
    close(pipes[0]);
    close(pipes[1]);
}

static int epoll;

static void watch(int fd, uint32_t events, int operation)
{
    struct epoll_event event = {.events = events, .data.fd = fd};

    need(epoll_ctl(epoll, operation, fd, &event), "epoll_ctl");
}

/* One event for FD, or -1 if there is none or another. */
static int one_event(int fd, int timeout)
{
    struct epoll_event events[4];
    int count = epoll_wait(epoll, events, 4, timeout);

    return count == 1 && events[0].data.fd == fd ? (int)events[0].events : -1;
}

static void epolling(void)
{
    struct epoll_event events[4];
    int ends[2], counter = need(eventfd(0, 0), "eventfd");
    uint64_t value = 1;
    char byte;

    tcp_pair(ends);
    epoll = need(epoll_create1(0), "epoll_create1");
    watch(ends[0], EPOLLIN, EPOLL_CTL_ADD);
    watch(counter, EPOLLIN, EPOLL_CTL_ADD);
    check(epoll_wait(epoll, events, 4, 0) == 0, "nothing");
    write(ends[1], "ab", 2);
    check(one_event(ends[0], 10000) == EPOLLIN, "the socket");
    check(one_event(ends[0], 0) == EPOLLIN, "level-triggered: again");
    write(counter, &value, sizeof(value));
    check(epoll_wait(epoll, events, 4, 10000) == 2, "socket and eventfd");
    read(counter, &value, sizeof(value));

    watch(ends[0], EPOLLIN | EPOLLET, EPOLL_CTL_MOD);
    check(one_event(ends[0], 10000) == EPOLLIN, "edge-triggered: once");
    read(ends[0], &byte, 1);
    check(epoll_wait(epoll, events, 4, 0) == 0, "not again while a byte is left");
    write(ends[1], "c", 1);
    check(one_event(ends[0], 10000) == EPOLLIN, "but when more comes");

    watch(ends[0], EPOLLIN | EPOLLONESHOT, EPOLL_CTL_MOD);
    check(one_event(ends[0], 10000) == EPOLLIN, "one-shot: once");
    write(ends[1], "d", 1);
    check(epoll_wait(epoll, events, 4, 50) == 0, "then no more");
    watch(ends[0], EPOLLIN | EPOLLONESHOT, EPOLL_CTL_MOD);
    check(one_event(ends[0], 10000) == EPOLLIN, "until it is asked for again");
    close(ends[0]);
    write(counter, &value, sizeof(value));
    check(one_event(counter, 10000) == EPOLLIN, "a closed socket is forgotten");
    close(ends[1]);
    close(counter);
    close(epoll);
}

int main(void)
{
    polling();
    selecting();
    epolling();
    return exit_status();
}
