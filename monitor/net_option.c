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
    {SOL_SOCKET, SO_TYPE, sizeof(int), USE_READ},
    {SOL_SOCKET, SO_ERROR, sizeof(int), USE_READ},
    {SOL_SOCKET, SO_ACCEPTCONN, sizeof(int), USE_OWN},
    {SOL_SOCKET, SO_PROTOCOL, sizeof(int), USE_READ},
    {SOL_SOCKET, SO_DOMAIN, sizeof(int), USE_OWN},
    {SOL_SOCKET, SO_KEEPALIVE, sizeof(int), USE_READ | USE_WRITE | USE_COPY},
    {SOL_SOCKET, SO_LINGER, sizeof(struct linger), USE_READ | USE_WRITE | USE_COPY},
    {SOL_SOCKET, SO_RCVBUF, sizeof(int), USE_READ | USE_WRITE | USE_COPY | USE_BUFFER},
    {SOL_SOCKET, SO_SNDBUF, sizeof(int), USE_READ | USE_WRITE | USE_COPY | USE_BUFFER},
    {IPPROTO_TCP, TCP_NODELAY, sizeof(int), USE_READ | USE_WRITE | USE_COPY},
    {IPPROTO_IPV6, IPV6_V6ONLY, sizeof(int), USE_OWN},
};

static const struct option *find(const struct net_socket *socket, uint64_t level, uint64_t name)
{
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
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

static int own_value(const struct net_socket *socket, const struct option *option)
{
    if (option->level == IPPROTO_IPV6)
        return socket->v6only;
    if (option->name == SO_DOMAIN)
        return socket->ipv6 ? AF_INET6 : AF_INET;
    return option->name == SO_REUSEADDR ? socket->reuse_address : socket->listening;
}

int net_get_option(const struct net_socket *socket, int fd, uint64_t level, uint64_t name,
                   void *value, socklen_t *length)
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
    if (option->level == SOL_SOCKET && option->name != SO_REUSEADDR)
        return -ENOPROTOOPT;
    if (option->level == SOL_SOCKET) {
        socket->reuse_address = value != 0;
        return 0;
    }
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
    if (option->use & USE_BUFFER) {
        number = number > BUFFER_MAX ? BUFFER_MAX : number;
        value = &number;
    }
    return setsockopt(fd, option->level, option->name, value, option->size) < 0 ? -errno : 0;
}

void net_copy_options(int from, int fd)
{
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        const struct option *option = &options[i];
        uint8_t wanted[NET_OPTION_MAX] = {0}, there[NET_OPTION_MAX] = {0};
        socklen_t length = option->size, there_length = option->size;

        if (!(option->use & USE_COPY) ||
            getsockopt(from, option->level, option->name, wanted, &length) < 0 ||
            getsockopt(fd, option->level, option->name, there, &there_length) < 0 ||
            memcmp(wanted, there, option->size) == 0)
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
