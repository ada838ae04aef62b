/* SPDX-License-Identifier: ISC
 *
 * Sockets of the guest and the host sockets behind them. A socket starts with a host socket of its
 * own, which can only reach out; when the guest binds it to a published port, the publication's
 * host socket takes the place of that.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "net.h"

#define STALE_DATAGRAMS_MAX 65536

void net_report_refusal(const struct network *network, const char *what,
                        const struct net_socket *socket, const struct net_address *address,
                        const char *why)
{
    char text[NET_ADDRESS_TEXT];

    if (network->trace_fd < 0)
        return;
    net_address_format(address, text);
    dprintf(network->trace_fd, "husk: %s %s/%s refused (EACCES): %s\n", what, text,
            net_protocol_name(socket->protocol), why);
}

static int open_host_socket(int family, int type)
{
    return socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

int net_socket_open(const struct network *network, uint64_t family, uint64_t type,
                    uint64_t protocol, struct net_socket **opened, int *fd)
{
    const bool tcp = type == SOCK_STREAM;

    if (family != AF_INET && family != AF_INET6)
        return -EAFNOSUPPORT;
    if (!net_policy_is_open(&network->policy))
        return -EACCES;
    if (!tcp && type != SOCK_DGRAM)
        return -ESOCKTNOSUPPORT;
    if (protocol != 0 && protocol != (tcp ? IPPROTO_TCP : IPPROTO_UDP))
        return -EPROTONOSUPPORT;
    *opened = calloc(1, sizeof(**opened));
    if (!*opened)
        return -ENOMEM;
    (*opened)->protocol = tcp ? NET_TCP : NET_UDP;
    (*opened)->ipv6 = (*opened)->host_ipv6 = family == AF_INET6;
    *fd = open_host_socket((int)family, (int)type);
    if (*fd < 0) {
        free(*opened);
        return -errno;
    }
    return 0;
}

/* The publication is free again; its host socket must not serve anybody meanwhile. */
static void give_back(struct net_publication *publication)
{
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    const int off = 0;

    if (publication->protocol == NET_TCP) {
        setsockopt(publication->fd, SOL_SOCKET, SO_REUSEADDR, &off, sizeof(off));
        shutdown(publication->fd, SHUT_RD);
    } else {
        connect(publication->fd, &nobody, sizeof(nobody));
    }
    publication->claimed = false;
}

void net_socket_close(struct net_socket *socket, int fd)
{
    if (socket->publication && !socket->accepted) {
        socket->publication->options |= socket->options;
        give_back(socket->publication);
    }
    close(fd);
    free(socket);
}

/* What came before the guest bound the port is not its business. */
static void drop_stale_datagrams(int fd)
{
    char byte;

    for (unsigned i = 0; i < STALE_DATAGRAMS_MAX; i++)
        if (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) < 0 && errno == EAGAIN)
            return;
}

static void announce(struct net_publication *publication)
{
    char text[NET_ADDRESS_TEXT];

    if (publication->announced)
        return;
    publication->announced = true;
    net_address_format(&publication->host, text);
    fprintf(stderr, "husk: listening on %s -> %u/%s\n", text, publication->guest_port,
            net_protocol_name(publication->protocol));
}

static int claim(struct net_publication *publication, struct net_socket *socket, int fd)
{
    net_copy_options(socket, fd, publication->fd, publication->options);
    if (publication->protocol == NET_UDP)
        drop_stale_datagrams(publication->fd);
    if (dup3(publication->fd, fd, O_CLOEXEC) < 0)
        return -errno;
    publication->claimed = true;
    socket->publication = publication;
    socket->host_ipv6 = !net_address_is_ipv4(&publication->host);
    if (publication->protocol == NET_UDP)
        announce(publication);
    return 0;
}

int net_bind(struct network *network, struct net_socket *socket, int fd, unsigned index,
             const struct net_address *address)
{
    struct net_publication *publication;
    int ret;

    if (socket->bound || socket->connected || socket->accepted)
        return -EINVAL;
    if (socket->v6only && net_address_is_ipv4(address))
        return -EINVAL;
    ret = net_policy_bind(&network->policy, socket->protocol, socket->ipv6, socket->v6only, address,
                          &publication);
    if (ret == -EACCES)
        net_report_refusal(network, "bind to", socket, address, "no -p publishes this port");
    if (ret == 0 && publication)
        ret = claim(publication, socket, fd);
    if (ret < 0)
        return ret;
    socket->bound = true;
    socket->unheard = !publication && address->port;
    socket->own = *address;
    if (publication)
        socket->own.port = publication->guest_port;
    else if (!address->port)
        socket->own.port = (uint16_t)(NET_VIRTUAL_FIRST + index);
    return 0;
}

/*
 * The program listens where nobody can be. listen(2) would take a port of the host's; instead its
 * descriptor becomes a UDP socket, which hears nothing as long as it is not bound.
 */
static int listen_unheard(const struct network *network, struct net_socket *socket, int fd)
{
    int nobody = open_host_socket(socket->host_ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM);
    int ret = nobody < 0 || dup3(nobody, fd, O_CLOEXEC) < 0 ? -errno : 0;

    if (nobody >= 0)
        close(nobody);
    if (ret == 0 && network->trace_fd >= 0)
        dprintf(network->trace_fd,
                "husk: nobody reaches port %u by IPv%c: -p publishes the other\n", socket->own.port,
                socket->ipv6 ? '6' : '4');
    socket->listening = ret == 0;
    return ret;
}

int net_listen(struct network *network, struct net_socket *socket, int fd, int backlog)
{
    const struct net_address any = {0};
    const int on = 1;

    if (socket->protocol != NET_TCP)
        return -EOPNOTSUPP;
    if (socket->connected || socket->accepted)
        return -EINVAL;
    if (!socket->bound) {
        int ret = net_bind(network, socket, fd, 0, &any);

        if (ret < 0)
            return ret;
    }
    if (socket->unheard)
        return socket->listening ? 0 : listen_unheard(network, socket, fd);
    if (!socket->publication) {
        net_report_refusal(network, "listen at", socket, &socket->own,
                           "no -p HOST:0 publishes a port for it");
        return -EACCES;
    }
    /* Connections of an earlier listening socket may linger. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        listen(fd, backlog < 0 || backlog > SOMAXCONN ? SOMAXCONN : backlog) < 0)
        return -errno;
    socket->listening = true;
    announce(socket->publication);
    return 0;
}

bool net_may_send(const struct network *network, const struct net_socket *socket,
                  struct net_address *address)
{
    const struct net_publication *publication = socket->publication;

    if (net_address_is_wildcard(address))
        *address = net_address_loopback(net_address_is_ipv4(address), address->port);
    return net_policy_to_host(&network->policy, socket->protocol, address) ||
           net_policy_permits(&network->policy, address) ||
           (publication && publication->peers && net_peers_has(publication->peers, address));
}

/*
 * musl's getaddrinfo asks whether a family works (AI_ADDRCONFIG) by connecting UDP to this port of
 * loopback. Nothing is sent by that, and nothing can be sent afterwards.
 */
static bool is_probe(const struct net_socket *socket, const struct net_address *address)
{
    return socket->protocol == NET_UDP && address->port == 65535 &&
           net_address_is_loopback(address);
}

int net_connect(struct network *network, struct net_socket *socket, int fd,
                const struct net_address *address)
{
    struct net_address to = *address;
    struct sockaddr_storage sockaddr;
    bool allowed = net_may_send(network, socket, &to);
    socklen_t length;
    int ret;

    if (socket->protocol == NET_TCP && (socket->publication || socket->listening))
        return socket->listening || socket->accepted ? -EISCONN : -EOPNOTSUPP;
    if (!allowed && !is_probe(socket, address)) {
        net_report_refusal(network, "connect to", socket, address, "no --connect allows it");
        return -EACCES;
    }
    length = net_address_to(&to, socket->host_ipv6 ? AF_INET6 : AF_INET, &sockaddr);
    if (length == 0)
        return -ENETUNREACH;
    ret = connect(fd, (struct sockaddr *)&sockaddr, length) < 0 ? -errno : 0;
    if (ret == 0 || ret == -EINPROGRESS) {
        socket->mute = !allowed;
        socket->connected = true;
    }
    return ret;
}

int net_disconnect(struct net_socket *socket, int fd)
{
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};

    if (socket->protocol != NET_UDP)
        return -EAFNOSUPPORT;
    if (connect(fd, &nobody, sizeof(nobody)) < 0)
        return -errno;
    socket->connected = socket->mute = false;
    return 0;
}

int net_shutdown(const struct net_socket *socket, int fd, int how)
{
    /* The flags would stay on a published host socket, which others use after this one. */
    if (socket->protocol == NET_UDP && !socket->connected)
        return how < SHUT_RD || how > SHUT_RDWR ? -EINVAL : -ENOTCONN;
    return shutdown(fd, how) < 0 ? -errno : 0;
}

/* A name that the host tells, as the guest's socket of the other family perhaps would see it. */
static int read_name(const struct net_socket *socket, const struct sockaddr_storage *sockaddr,
                     socklen_t length, struct net_address *address)
{
    int ret = net_address_from(sockaddr, length, address);

    /* An IPv4 wildcard for an IPv6 socket is :: */
    if (ret == 0 && socket->ipv6 && net_address_is_wildcard(address))
        memset(address->ip, 0, sizeof(address->ip));
    return ret;
}

int net_accept(const struct network *network, const struct net_socket *socket, int fd,
               struct net_socket **accepted, int *accepted_fd, struct net_address *peer)
{
    struct sockaddr_storage sockaddr;
    socklen_t length = sizeof(sockaddr);

    if (socket->protocol != NET_TCP)
        return -EOPNOTSUPP;
    if (socket->unheard)
        return socket->listening ? -EAGAIN : -EINVAL;
    /* musl's accept4 takes EINVAL for an old kernel's and calls accept. */
    *accepted_fd = (int)syscall(SYS_accept4, fd, &sockaddr, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (*accepted_fd < 0)
        return -errno;
    *accepted = calloc(1, sizeof(**accepted));
    if (!*accepted) {
        close(*accepted_fd);
        return -ENOMEM;
    }
    **accepted = *socket;
    (*accepted)->listening = false;
    (*accepted)->accepted = (*accepted)->connected = true;
    if (read_name(socket, &sockaddr, length, peer) < 0)
        *peer = (struct net_address){0};
    net_policy_to_guest(&network->policy, socket->protocol, peer);
    return 0;
}

int net_own_name(const struct network *network, const struct net_socket *socket, int fd,
                 struct net_address *address)
{
    struct sockaddr_storage sockaddr;
    socklen_t length = sizeof(sockaddr);
    int ret;

    if (getsockname(fd, (struct sockaddr *)&sockaddr, &length) < 0)
        return -errno;
    ret = read_name(socket, &sockaddr, length, address);
    if (ret < 0 || !socket->bound) {
        net_policy_to_guest(&network->policy, socket->protocol, address);
        return ret;
    }
    address->port = socket->own.port;
    if (!socket->connected || net_address_is_wildcard(address))
        *address = socket->own;
    return 0;
}

int net_peer_name(const struct network *network, const struct net_socket *socket, int fd,
                  struct net_address *address)
{
    struct sockaddr_storage sockaddr;
    socklen_t length = sizeof(sockaddr);
    int ret;

    if (getpeername(fd, (struct sockaddr *)&sockaddr, &length) < 0)
        return -errno;
    ret = read_name(socket, &sockaddr, length, address);
    if (ret == 0)
        net_policy_to_guest(&network->policy, socket->protocol, address);
    return ret;
}
