/* SPDX-License-Identifier: ISC
 *
 *     requests PORT CONNECTIONS ROUNDS
 *
 * A client of HTTP that counts instead of measuring: in each round one request goes out on every
 * connection, and then all answers are read. Connections are kept alive.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure.h"

#define CONNECTIONS_MAX 256

static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
static int fds[CONNECTIONS_MAX];

static int connect_to(const char *port)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)atoi(port)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Servers take a while to start. One that resets a connection has not started yet. */
static void await(const char *port)
{
    for (int i = 0; i < 3000; i++) {
        int fd = connect_to(port);
        char byte;
        bool serves =
            fd >= 0 && write(fd, request, sizeof(request) - 1) > 0 && read(fd, &byte, 1) == 1;

        if (fd >= 0)
            close(fd);
        if (serves)
            return;
        usleep(10000);
    }
    measure_fail("connect");
}

static void ask(int fd)
{
    if (write(fd, request, sizeof(request) - 1) != sizeof(request) - 1)
        measure_fail("write");
}

/* The head and as much behind it as it says. */
static void read_answer(int fd)
{
    char text[8192];
    size_t used = 0, wanted = sizeof(text);

    while (used < wanted) {
        ssize_t got = read(fd, text + used, sizeof(text) - 1 - used);
        const char *end, *length;

        if (got <= 0)
            measure_fail("read");
        used += (size_t)got;
        text[used] = '\0';
        end = strstr(text, "\r\n\r\n");
        length = strcasestr(text, "\r\nContent-Length: ");
        if (end && length)
            wanted = (size_t)(end + 4 - text) + strtoul(length + 18, NULL, 10);
    }
    if (strncmp(text, "HTTP/1.1 200", 12) != 0) {
        fprintf(stderr, "requests: %.12s\n", text);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    int connections = argc == 4 ? atoi(argv[2]) : 0, rounds = argc == 4 ? atoi(argv[3]) : 0;

    if (connections < 1 || connections > CONNECTIONS_MAX || rounds < 0) {
        fputs("usage: requests PORT CONNECTIONS ROUNDS\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    await(argv[1]);
    for (int i = 0; i < connections; i++)
        if ((fds[i] = connect_to(argv[1])) < 0)
            measure_fail("connect");
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < connections; i++)
            ask(fds[i]);
        for (int i = 0; i < connections; i++)
            read_answer(fds[i]);
    }
    return 0;
}
