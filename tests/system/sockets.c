/* SPDX-License-Identifier: ISC */
#include "sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

int host_socket(int type, uint16_t *port)
{
    struct sockaddr_in at = loopback(0);
    socklen_t length = sizeof(at);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(fd, 100), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &length), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

uint16_t port_free(void)
{
    uint16_t port;

    close(host_socket(SOCK_STREAM, &port));
    return port;
}

static int connect_once(uint16_t port, int *fd)
{
    struct sockaddr_in to = loopback(port);

    *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(*fd >= 0);
    if (connect(*fd, (struct sockaddr *)&to, sizeof(to)) == 0)
        return 0;
    int error = errno;
    close(*fd);
    return error;
}

int host_try(uint16_t port)
{
    int fd, error = connect_once(port, &fd);

    if (error == 0)
        close(fd);
    return error;
}

int host_connect(uint16_t port)
{
    const struct timespec pause = {.tv_nsec = 10000000};
    int fd, error = 0;

    for (int i = 0; i < 1000; i++) {
        error = connect_once(port, &fd);
        if (error == 0)
            return fd;
        nanosleep(&pause, NULL);
    }
    fail_msg("connect to port %u: %d", port, error);
    return -1;
}

void host_reset(int fd)
{
    const struct linger now = {1, 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(fd);
}
