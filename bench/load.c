/* SPDX-License-Identifier: ISC
 *
 *     load PORT
 *
 * The other end of peer, always native: one byte to and fro, and data in either direction.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure.h"

#define SECONDS 0.3
#define AMOUNT  (512UL << 20)

static char data[256 << 10];
static int fd;

/* Servers take a while to start. */
static void start(const char *port, char wanted)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)atoi(port)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int on = 1;

    for (int i = 0; i < 500; i++) {
        fd = socket(AF_INET, SOCK_STREAM, 0);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0) {
            if (write(fd, &wanted, 1) != 1)
                measure_fail("write");
            return;
        }
        close(fd);
        usleep(10000);
    }
    measure_fail("connect");
}

static void round_trips(const char *port)
{
    unsigned long count = 0;
    double began, passed;

    start(port, 'e');
    began = measure_now();
    while ((passed = measure_now() - began) < SECONDS) {
        if (write(fd, data, 1) != 1 || read(fd, data, 1) != 1)
            measure_fail("round trip");
        count++;
    }
    close(fd);
    printf("round trip %.2f us\n", passed / (double)count * 1e6);
}

static void show_rate(const char *name, double began)
{
    printf("%s %.0f MiB/s\n", name, (double)(AMOUNT >> 20) / (measure_now() - began));
}

static void to_peer(const char *port)
{
    double began;

    start(port, 'd');
    began = measure_now();
    for (unsigned long sent = 0; sent < AMOUNT; sent += sizeof(data))
        if (write(fd, data, sizeof(data)) != sizeof(data))
            measure_fail("write");
    shutdown(fd, SHUT_WR);
    if (read(fd, data, 1) != 1)
        measure_fail("read");
    show_rate("to it", began);
    close(fd);
}

static void from_peer(const char *port)
{
    double began;

    start(port, 's');
    began = measure_now();
    for (unsigned long got = 0; got < AMOUNT;) {
        ssize_t n = read(fd, data, sizeof(data));

        if (n <= 0)
            measure_fail("read");
        got += (unsigned long)n;
    }
    show_rate("from it", began);
    close(fd);
}

int main(int argc, char **argv)
{
    const char *port = argc > 1 ? argv[1] : "";

    round_trips(port);
    to_peer(port);
    from_peer(port);
    return 0;
}
