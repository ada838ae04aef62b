/* SPDX-License-Identifier: ISC
 *
 * What the programs of the network share. Each is server and client in one: it binds to port 0 of
 * loopback and connects to itself. Under husk, -p 0:0 gives it such ports.
 */
#ifndef GUEST_NET_H
#define GUEST_NET_H

#include "../check.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Something that the rest needs did not work: say what. */
static inline int need(int result, const char *what)
{
    if (result < 0) {
        printf("%s: %s (WRONG)\n", what, strerror(errno));
        exit(1);
    }
    return result;
}

static inline struct sockaddr_in loopback(unsigned port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

/* A socket that is bound to a port of its own, which goes to *AT. */
static inline int bound(int type, struct sockaddr_in *at)
{
    int fd = need(socket(AF_INET, type, 0), "socket");
    socklen_t length = sizeof(*at);

    *at = loopback(0);
    need(bind(fd, (struct sockaddr *)at, sizeof(*at)), "bind");
    need(getsockname(fd, (struct sockaddr *)at, &length), "getsockname");
    return fd;
}

static inline int listening(struct sockaddr_in *at)
{
    int fd = bound(SOCK_STREAM, at);

    need(listen(fd, 16), "listen");
    return fd;
}

static inline int connected(const struct sockaddr_in *to)
{
    int fd = need(socket(AF_INET, SOCK_STREAM, 0), "socket");

    need(connect(fd, (const struct sockaddr *)to, sizeof(*to)), "connect");
    return fd;
}

/* Both ends of a TCP connection, through a listening socket that is closed again. */
static inline void tcp_pair(int ends[2])
{
    struct sockaddr_in at;
    int server = listening(&at);

    ends[0] = connected(&at);
    ends[1] = need(accept(server, NULL, NULL), "accept");
    close(server);
}

/* Nanoseconds of a clock that only goes forward. */
static inline long long now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

#endif
