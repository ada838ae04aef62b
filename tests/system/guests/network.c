/* SPDX-License-Identifier: ISC
 *
 * One step on the network, as the tests ask for it; prints what came of it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static int report(const char *what, int result)
{
    printf("%s: %s\n", what, result < 0 ? strerror(errno) : "done");
    fflush(stdout);
    return result < 0 ? 1 : 0;
}

static struct sockaddr_in address(const char *ip, const char *port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((unsigned short)atoi(port)),
        .sin_addr.s_addr = inet_addr(ip),
    };
}

static int make_sockets(char **args)
{
    (void)args;
    return report("tcp", socket(AF_INET, SOCK_STREAM, 0)) +
           report("udp", socket(AF_INET6, SOCK_DGRAM, 0));
}

/* IP PORT: connect, send "ping", print the answer. */
static int reach(char **args)
{
    struct sockaddr_in to = address(args[0], args[1]);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char answer[64] = "";

    if (report("connect", connect(fd, (struct sockaddr *)&to, sizeof(to))))
        return 1;
    write(fd, "ping", 4);
    if (read(fd, answer, sizeof(answer) - 1) < 0)
        return report("read", -1);
    printf("answer: %s\n", answer);
    return 0;
}

/* IP PORT: the same by UDP. */
static int reach_udp(char **args)
{
    struct sockaddr_in to = address(args[0], args[1]);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    char answer[64] = "";

    if (report("sendto",
               (int)sendto(fd, "ping", 4, 0, (struct sockaddr *)&to, sizeof(to)) < 0 ? -1 : 0))
        return 1;
    if (read(fd, answer, sizeof(answer) - 1) < 0)
        return report("read", -1);
    printf("answer: %s\n", answer);
    return 0;
}

/* NAME PORT: connect to the first address that works. */
static int reach_name(char **args)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *found;
    int error = getaddrinfo(args[0], args[1], &hints, &found);

    if (error) {
        printf("getaddrinfo: %s\n", gai_strerror(error));
        return 1;
    }
    for (; found; found = found->ai_next) {
        int fd = socket(found->ai_family, SOCK_STREAM, 0);

        if (connect(fd, found->ai_addr, found->ai_addrlen) == 0)
            return report("connect", 0);
        close(fd);
    }
    return report("connect", -1);
}

static int listen_at(const char *port)
{
    struct sockaddr_in at = address("0.0.0.0", port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (report("bind", bind(fd, (struct sockaddr *)&at, sizeof(at))) ||
        report("listen", listen(fd, 2000)))
        exit(1);
    return fd;
}

/* PORT COUNT: echo COUNT connections, one after the other. */
static int echo(char **args)
{
    int server = listen_at(args[0]), served = 0;
    static char data[65536];

    for (; served < atoi(args[1]); served++) {
        int fd = accept(server, NULL, NULL);
        long got;

        if (fd < 0)
            return report("accept", -1);
        while ((got = read(fd, data, sizeof(data))) > 0)
            if (write(fd, data, (size_t)got) < 0)
                break;
        close(fd);
    }
    printf("served %d\n", served);
    return 0;
}

/* PORT COUNT: hold COUNT connections at once. */
static int hold(char **args)
{
    int server = listen_at(args[0]), held = 0;

    for (; held < atoi(args[1]); held++)
        if (accept(server, NULL, NULL) < 0)
            return report("accept", -1);
    printf("held %d\n", held);
    return 0;
}

/* PORT: echo one datagram, then say who asked. */
static int echo_udp(char **args)
{
    struct sockaddr_in at = address("0.0.0.0", args[0]);
    socklen_t length = sizeof(at);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    char data[100];

    if (report("bind", bind(fd, (struct sockaddr *)&at, sizeof(at))))
        return 1;
    long got = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&at, &length);
    if (got < 0)
        return report("recvfrom", -1);
    return report("sendto", (int)sendto(fd, data, (size_t)got, 0, (struct sockaddr *)&at, length));
}

/* Sockets until there are no more, twice. */
static int exhaust(char **args)
{
    int counts[2], errors[2];

    (void)args;
    for (int round = 0; round < 2; round++) {
        int fd, last = 0;

        while ((fd = socket(AF_INET, SOCK_DGRAM, 0)) >= 0)
            last = fd;
        errors[round] = errno;
        counts[round] = last;
        for (fd = 3; fd <= last; fd++)
            close(fd);
    }
    printf("%s, %s, %s\n", counts[0] > 500 ? "hundreds" : "few",
           errors[0] == EMFILE ? "EMFILE" : strerror(errors[0]),
           counts[0] == counts[1] ? "the same again" : "leaked");
    return 0;
}

/* PORT: read what a client sends when it is announced, and never ask for anything again. */
static int spin(char **args)
{
    int fd = accept(listen_at(args[0]), NULL, NULL), epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    volatile unsigned long turns = 0;
    char text[64];

    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    epoll_wait(epoll, &event, 1, -1);
    if (read(fd, text, sizeof(text)) <= 0)
        return 1;
    for (;;)
        turns++;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*step)(char **args);
        int count;
    } steps[] = {
        {"sockets", make_sockets, 0}, {"connect", reach, 2},   {"sendto", reach_udp, 2},
        {"name", reach_name, 2},      {"echo", echo, 2},       {"hold", hold, 2},
        {"echo-udp", echo_udp, 1},    {"exhaust", exhaust, 0}, {"spin", spin, 1},
    };

    for (unsigned i = 0; argc > 1 && i < sizeof(steps) / sizeof(steps[0]); i++)
        if (strcmp(argv[1], steps[i].name) == 0 && argc == 2 + steps[i].count)
            return steps[i].step(argv + 2);
    fprintf(stderr, "network: no such step\n");
    return 2;
}
