/* SPDX-License-Identifier: ISC
 *
 * httpd: serve the files of a directory by HTTP/1.1. One thread, which waits in epoll.
 *
 *     husk run -p 8080:80 -v ./site:/srv build/apps/httpd /srv
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "connection.h"

#define EVENTS_MAX  256
#define ACCEPTS_MAX 64          /* at once: clients that are there get their turn */
#define IDLE_NS     30000000000 /* without a byte moved: the connection is closed */

static int epoll, listener;
static bool accepts = true; /* the listener is in the epoll set */
static struct connection *oldest, *newest;

static void list_remove(struct connection *connection)
{
    *(connection->older ? &connection->older->newer : &oldest) = connection->newer;
    *(connection->newer ? &connection->newer->older : &newest) = connection->older;
}

static void list_add(struct connection *connection)
{
    connection->moved_ns = clock_ns;
    connection->older = newest;
    connection->newer = NULL;
    *(newest ? &newest->newer : &oldest) = connection;
    newest = connection;
}

static void watch(int fd, void *what, uint32_t events, int operation)
{
    struct epoll_event event = {.events = events, .data.ptr = what};

    if (epoll_ctl(epoll, operation, fd, &event) < 0 && operation == EPOLL_CTL_ADD) {
        perror("httpd: epoll_ctl");
        exit(1);
    }
}

/* Without a descriptor or memory for another client they wait in the host's queue. */
static void set_accepting(bool on)
{
    if (on != accepts)
        watch(listener, NULL, EPOLLIN, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL);
    accepts = on;
}

static void end(struct connection *connection)
{
    list_remove(connection);
    connection_end(connection);
    free(connection);
    set_accepting(true);
}

static void accept_clients(void)
{
    const int on = 1;

    for (unsigned i = 0; i < ACCEPTS_MAX; i++) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        struct connection *connection;

        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
                set_accepting(oldest == NULL);
            return;
        }
        connection = malloc(sizeof(*connection));
        if (!connection) {
            close(fd);
            return;
        }
        memset(connection, 0, offsetof(struct connection, response));
        connection->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        list_add(connection);
        watch(fd, connection, EPOLLIN, EPOLL_CTL_ADD);
    }
}

static void serve(struct connection *connection)
{
    bool wanted_room = connection->wants_room;
    enum connection_result result =
        wanted_room ? connection_send(connection) : connection_receive(connection);

    if (result == CONNECTION_OVER) {
        end(connection);
        return;
    }
    if (connection->wants_room != wanted_room)
        watch(connection->fd, connection, wanted_room ? EPOLLIN : EPOLLOUT, EPOLL_CTL_MOD);
    list_remove(connection);
    list_add(connection);
}

/* Close who has been idle for too long. Returns milliseconds until the next one is, or -1. */
static int expire(void)
{
    clock_look();
    while (oldest && clock_ns - oldest->moved_ns >= IDLE_NS)
        end(oldest);
    return oldest ? (int)((oldest->moved_ns + IDLE_NS - clock_ns) / 1000000) + 1 : -1;
}

static _Noreturn void run(void)
{
    static struct epoll_event events[EVENTS_MAX];

    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS_MAX, expire());

        if (count < 0 && errno != EINTR) {
            perror("httpd: epoll_wait");
            exit(1);
        }
        clock_look();
        for (int i = 0; i < count; i++)
            if (events[i].data.ptr)
                serve(events[i].data.ptr);
        /* Last: a new client may get the memory of one that just ended. */
        for (int i = 0; i < count; i++)
            if (!events[i].data.ptr)
                accept_clients();
    }
}

static int listen_at(int family, unsigned short port)
{
    const struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    const struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    const int on = 1, off = 0;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, family == AF_INET ? (const struct sockaddr *)&in : (const struct sockaddr *)&in6,
             family == AF_INET ? sizeof(in) : sizeof(in6)) == 0 &&
        listen(fd, SOMAXCONN) == 0)
        return fd;
    close(fd);
    return -1;
}

static const char usage[] = "usage: httpd [--help] [-p PORT] [-v] DIRECTORY\n"
                            "Serves the files of DIRECTORY at PORT (80). -v prints each request.\n";

static _Noreturn void refuse(void)
{
    fputs(usage, stderr);
    exit(2);
}

static unsigned short parse_port(const char *text)
{
    char *end_of_number;
    unsigned long port = strtoul(text, &end_of_number, 10);

    if (*text < '0' || *text > '9' || *end_of_number || port > 65535) {
        fprintf(stderr, "httpd: -p %s: not a port; give 1 to 65535\n", text);
        exit(2);
    }
    return (unsigned short)port;
}

int main(int argc, char **argv)
{
    unsigned short port = 80;

    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return fputs(usage, stdout) == EOF || fflush(stdout) == EOF;
    for (int option; (option = getopt(argc, argv, "p:v")) != -1;) {
        if (option == 'p')
            port = parse_port(optarg);
        else if (option == 'v')
            connection_log = true;
        else
            refuse();
    }
    if (argc - optind != 1)
        refuse();
    if (content_root(argv[optind]) < 0) {
        fprintf(stderr, "httpd: %s: %s\n", argv[optind], strerror(errno));
        return 1;
    }
    listener = listen_at(AF_INET6, port);
    if (listener < 0)
        listener = listen_at(AF_INET, port);
    if (listener < 0) {
        fprintf(stderr, "httpd: port %u: %s\n", port, strerror(errno));
        return 1;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) {
        perror("httpd: epoll_create1");
        return 1;
    }
    watch(listener, NULL, EPOLLIN, EPOLL_CTL_ADD);
    run();
}
