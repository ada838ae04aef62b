/* SPDX-License-Identifier: ISC
 *
 *     peer PORT
 *
 * The measured end of bench/net: serves one connection after the other. The first byte says what is
 * wanted: 'e' each byte back, 'd' all of it dropped and then one byte back, 's' data without end.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static char data[256 << 10];

static void serve(int fd, char wanted)
{
    ssize_t got;

    if (wanted == 'e')
        while ((got = read(fd, data, 1)) == 1 && write(fd, data, 1) == 1)
            continue;
    if (wanted == 'd') {
        while ((got = read(fd, data, sizeof(data))) > 0)
            continue;
        if (write(fd, data, 1) != 1)
            perror("peer: write");
    }
    if (wanted == 's')
        while (send(fd, data, sizeof(data), MSG_NOSIGNAL) > 0)
            continue;
}

int main(int argc, char **argv)
{
    const struct sockaddr_in at = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)atoi(argc > 1 ? argv[1] : ""))};
    const int on = 1;
    int server = socket(AF_INET, SOCK_STREAM, 0), fd;

    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(server, (const struct sockaddr *)&at, sizeof(at)) < 0 || listen(server, 5) < 0) {
        perror("peer");
        return 1;
    }
    while ((fd = accept(server, NULL, NULL)) >= 0) {
        char wanted = 0;

        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        if (read(fd, &wanted, 1) == 1)
            serve(fd, wanted);
        close(fd);
    }
    perror("peer: accept");
    return 1;
}
