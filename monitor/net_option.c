/* SPDX-License-Identifier: ISC
 *
 * Socket options that the guest may get and set.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "net.h"

/* The host's own limits (net.core.rmem_max and wmem_max) apply besides. */
#define BUFFER_MAX (8 << 20)

enum use {
    USE_READ = 1,  /* getsockopt asks the host */
    USE_WRITE = 2, /* setsockopt too */
    USE_COPY = 4,  /* goes along to a published host socket */
    USE_BUFFER = 8,
    USE_OWN = 16, /* kept here: the host's value means something else */
};

static const struct option {
    int level, name;
    uint8_t size, use;
} options[] = {
    {SOL_SOCKET, SO_REUSEADDR, sizeof(int), USE_OWN},
    {SOL_SOCKET, SO_REUSEPORT, sizeof(int), USE_OWN},
    {SOL_SOCKET, SO_BROADCAST, sizeof(int), USE_OWN},
    {SOL_SOCKET, SO_TYPE, sizeof(int), USE_OWN},
    {SOL_SOCKET, SO_ERROR, sizeof(int), USE_READ},
    {SOL_SOCKET, SO_ACCEPTCONN, sizeof(int), USE_OWN},
    {SOL_SOCKET, SO_PROTOCOL, sizeof(int), USE_OWN},
    {SOL_SOCKET, SO_DOMAIN, sizeof(int), USE_OWN},
    {SOL_SOCKET, SO_KEEPALIVE, sizeof(int), USE_READ | USE_WRITE | USE_COPY},
    {SOL_SOCKET, SO_LINGER, sizeof(struct linger), USE_READ | USE_WRITE | USE_COPY},
    {SOL_SOCKET, SO_RCVBUF, sizeof(int), USE_READ | USE_WRITE | USE_COPY | USE_BUFFER},
    {SOL_SOCKET, SO_SNDBUF, sizeof(int), USE_READ | USE_WRITE | USE_COPY | USE_BUFFER},
    {IPPROTO_TCP, TCP_NODELAY, sizeof(int), USE_READ | USE_WRITE | USE_COPY},
    {IPPROTO_TCP, TCP_MAXSEG, sizeof(int), USE_READ},
    {IPPROTO_TCP, TCP_CORK, sizeof(int), USE_READ | USE_WRITE | USE_COPY},
    {IPPROTO_TCP, TCP_KEEPIDLE, sizeof(int), USE_READ | USE_WRITE | USE_COPY},
    {IPPROTO_TCP, TCP_KEEPINTVL, sizeof(int), USE_READ | USE_WRITE | USE_COPY},
    {IPPROTO_TCP, TCP_KEEPCNT, sizeof(int), USE_READ | USE_WRITE | USE_COPY},
    {IPPROTO_TCP, TCP_DEFER_ACCEPT, sizeof(int), USE_READ | USE_WRITE | USE_COPY},
    {IPPROTO_TCP, TCP_QUICKACK, sizeof(int), USE_READ | USE_WRITE | USE_COPY},
    {IPPROTO_TCP, TCP_USER_TIMEOUT, sizeof(int), USE_READ | USE_WRITE | USE_COPY},
    {IPPROTO_IP, IP_TOS, sizeof(int), USE_READ | USE_WRITE | USE_COPY},
    {IPPROTO_IPV6, IPV6_TCLASS, sizeof(int), USE_READ | USE_WRITE | USE_COPY},
    {IPPROTO_IPV6, IPV6_V6ONLY, sizeof(int), USE_OWN},
};
#define OPTIONS (sizeof(options) / sizeof(options[0]))
_Static_assert(OPTIONS <= 32, "a bit for each in struct net_socket");

static const struct option *find(const struct net_socket *socket, uint64_t level, uint64_t name)
{
    for (size_t i = 0; i < OPTIONS; i++) {
        const struct option *option = &options[i];

        if ((uint64_t)option->level != level || (uint64_t)option->name != name)
            continue;
        if ((level == IPPROTO_TCP && socket->protocol != NET_TCP) ||
            (level == IPPROTO_IPV6 && !socket->ipv6))
            return NULL;
        return option;
    }
    return NULL;
}

/* What the guest sets, is told again, and has no effect: ports are -p's, and nobody is reached by
 * broadcasting. NULL for other options. */
static bool *own_flag(struct net_socket *socket, const struct option *option)
{
    if (option->level != SOL_SOCKET)
        return NULL;
    switch (option->name) {
    case SO_REUSEADDR:
        return &socket->reuse_address;
    case SO_REUSEPORT:
        return &socket->reuse_port;
    case SO_BROADCAST:
        return &socket->broadcast;
    default:
        return NULL;
    }
}

static int own_value(struct net_socket *socket, const struct option *option)
{
    const bool *flag = own_flag(socket, option);

    if (flag)
        return *flag;
    if (option->level == IPPROTO_IPV6)
        return socket->v6only;
    switch (option->name) {
    case SO_DOMAIN:
        return socket->ipv6 ? AF_INET6 : AF_INET;
    case SO_TYPE:
        return socket->protocol == NET_TCP ? SOCK_STREAM : SOCK_DGRAM;
    case SO_PROTOCOL:
        return socket->protocol == NET_TCP ? IPPROTO_TCP : IPPROTO_UDP;
    default:
        return socket->listening;
    }
}

int net_get_option(struct net_socket *socket, int fd, uint64_t level, uint64_t name, void *value,
                   socklen_t *length)
{
    const struct option *option = find(socket, level, name);

    if (!option)
        return -ENOPROTOOPT;
    if (option->use & USE_OWN) {
        int own = own_value(socket, option);

        if (*length > sizeof(own))
            *length = sizeof(own);
        memcpy(value, &own, *length);
        return 0;
    }
    return getsockopt(fd, option->level, option->name, value, length) < 0 ? -errno : 0;
}

static int set_own(struct net_socket *socket, int fd, const struct option *option, int value)
{
    bool *flag = own_flag(socket, option);

    if (flag) {
        *flag = value != 0;
        return 0;
    }
    if (option->level == SOL_SOCKET)
        return -ENOPROTOOPT;
    if (socket->bound || socket->connected)
        return -EINVAL;
    socket->v6only = value != 0;
    value = socket->v6only;
    return setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, sizeof(value)) < 0 ? -errno : 0;
}

int net_set_option(struct net_socket *socket, int fd, uint64_t level, uint64_t name,
                   const void *value, socklen_t length)
{
    const struct option *option = find(socket, level, name);
    int number;

    if (!option || !(option->use & (USE_OWN | USE_WRITE)))
        return -ENOPROTOOPT;
    if (length < option->size)
        return -EINVAL;
    memcpy(&number, value, sizeof(number));
    if (option->use & USE_OWN)
        return set_own(socket, fd, option, number);
    if (option->level == IPPROTO_TCP && socket->unheard && socket->listening)
        return 0; /* its descriptor is no TCP socket: net_socket.c */
    if (option->use & USE_BUFFER) {
        number = number > BUFFER_MAX ? BUFFER_MAX : number;
        value = &number;
    }
    if (setsockopt(fd, option->level, option->name, value, option->size) < 0)
        return -errno;
    socket->options |= 1U << (option - options);
    return 0;
}

void net_copy_options(const struct net_socket *socket, int from, int fd, uint32_t others)
{
    uint32_t changed = socket->options | others;

    for (size_t i = 0; i < OPTIONS; i++) {
        const struct option *option = &options[i];
        uint8_t wanted[NET_OPTION_MAX] = {0};
        socklen_t length = option->size;

        if (!(option->use & USE_COPY) || !(changed & 1U << i) ||
            getsockopt(from, option->level, option->name, wanted, &length) < 0)
            continue;
        if (option->use & USE_BUFFER) {
            int doubled; /* socket(7): what is read is twice what was set */

            memcpy(&doubled, wanted, sizeof(doubled));
            doubled /= 2;
            memcpy(wanted, &doubled, sizeof(doubled));
        }
        setsockopt(fd, option->level, option->name, wanted, option->size);
    }
}
