/* SPDX-License-Identifier: ISC
 *
 * Sockets of the guest in a test program, on real host sockets of loopback.
 */
#ifndef NET_FIXTURE_H
#define NET_FIXTURE_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "net.h"

static struct network network;
static struct run_options options;
static struct husk_error error;

/* What the guest has. */
struct guest_socket {
    struct net_socket *socket;
    int fd;
};

static inline int clear(void **state)
{
    (void)state;
    for (size_t i = 0; i < network.policy.publication_count; i++) {
        close(network.policy.publications[i].fd);
        free(network.policy.publications[i].peers);
    }
    memset(&network, 0, sizeof(network));
    memset(&options, 0, sizeof(options));
    return 0;
}

static inline void publish(const char *text)
{
    assert_null(net_parse_publish(text, &options.publish[options.publish_count++]));
}

static inline void permit(const char *text)
{
    assert_null(net_parse_connect(text, &options.connect[options.connect_count++]));
}

static inline void start(void)
{
    if (net_start(&network, &options, -1, &error) < 0)
        fail_msg("%s", error.text);
    for (size_t i = 0; i < network.policy.publication_count; i++)
        network.policy.publications[i].announced = true; /* quiet */
}

static inline uint16_t host_port(size_t i)
{
    return network.policy.publications[i].host.port;
}

static inline struct guest_socket open_socket(int family, int type)
{
    struct guest_socket s;

    assert_int_equal(
        net_socket_open(&network, (uint64_t)family, (uint64_t)type, 0, &s.socket, &s.fd), 0);
    return s;
}

static inline void close_socket(struct guest_socket s)
{
    net_socket_close(s.socket, s.fd);
}

static inline struct net_address loopback(uint16_t port)
{
    return net_address_loopback(true, port);
}

static inline int bind_port(struct guest_socket s, uint16_t port)
{
    struct net_address address = loopback(port);

    return net_bind(&network, s.socket, s.fd, 7, &address);
}

static inline struct sockaddr_in in_loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

/* Another process of the host: what connect(2) says, or the descriptor in *FD. */
static inline int host_connect(uint16_t port, int *fd)
{
    struct sockaddr_in to = in_loopback(port);
    int ret;

    *fd = socket(AF_INET, SOCK_STREAM, 0);
    ret = connect(*fd, (struct sockaddr *)&to, sizeof(to)) < 0 ? -errno : 0;
    if (ret < 0)
        close(*fd);
    return ret;
}

static inline int host_udp(uint16_t *port)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in at = in_loopback(0);
    socklen_t length = sizeof(at);

    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &length), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static inline void host_send(int fd, uint16_t port, const char *text)
{
    struct sockaddr_in to = in_loopback(port);

    assert_int_equal(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&to, sizeof(to)),
                     strlen(text));
}

static inline void wait_for(int fd)
{
    struct pollfd pollfd = {.fd = fd, .events = POLLIN};

    assert_int_equal(poll(&pollfd, 1, 10000), 1);
}

static inline int64_t receive(struct guest_socket s, char *text, size_t size,
                              struct net_address *from)
{
    struct iovec iov = {text, size - 1};
    bool known;
    int flags;
    int64_t got = net_receive(&network, s.socket, s.fd, &iov, 1, 0, from, &known, &flags);

    text[got < 0 ? 0 : got] = '\0';
    return got;
}

static inline int64_t send_to(struct guest_socket s, const char *text, const struct net_address *to)
{
    struct iovec iov = {(char *)text, strlen(text)};

    return net_send(&network, s.socket, s.fd, &iov, 1, 0, to);
}

#endif
