/* SPDX-License-Identifier: ISC
 *
 * Data through sockets. TCP talks to whom it is connected; of UDP each datagram's other end is
 * checked: what the guest may not send to is also not heard, but for published ports, which hear
 * everybody and may answer.
 */
#include <errno.h>
#include <string.h>

#include "net.h"

/* Datagrams of others that one call drops before it says that there is none. */
#define STRANGERS_MAX 64

int64_t net_send(struct network *network, const struct net_socket *socket, int fd,
                 const struct iovec *iov, size_t count, int flags, const struct net_address *to)
{
    struct sockaddr_storage sockaddr;
    struct msghdr message = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (int)count};
    struct net_address host;
    ssize_t sent;

    if (socket->listening)
        return -EPIPE; /* as Linux says of what is not connected */
    if (socket->protocol == NET_UDP && !to && socket->mute)
        return -EACCES;
    if (socket->protocol == NET_UDP && to) {
        host = *to;
        if (!net_may_send(network, socket, &host)) {
            net_report_refusal(network, "send to", socket, to, "no --connect allows it");
            return -EACCES;
        }
        message.msg_name = &sockaddr;
        message.msg_namelen =
            net_address_to(&host, socket->host_ipv6 ? AF_INET6 : AF_INET, &sockaddr);
        if (message.msg_namelen == 0)
            return -ENETUNREACH;
    }
    sent = sendmsg(fd, &message, flags | MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent < 0 ? -errno : sent;
}

/* May the guest hear from ADDRESS, which the host saw? */
static bool may_hear(const struct network *network, const struct net_socket *socket,
                     const struct net_address *address)
{
    struct net_address own = *address;

    return socket->publication || net_policy_permits(&network->policy, address) ||
           net_policy_to_guest(&network->policy, NET_UDP, &own);
}

/* Drop waiting datagrams of strangers. 0, or -EAGAIN if nothing else waits, or -errno. */
static int skip_strangers(const struct network *network, const struct net_socket *socket, int fd)
{
    for (unsigned i = 0; i < STRANGERS_MAX; i++) {
        struct sockaddr_storage sockaddr;
        socklen_t length = sizeof(sockaddr);
        struct net_address from;

        if (recvfrom(fd, NULL, 0, MSG_PEEK | MSG_DONTWAIT, (struct sockaddr *)&sockaddr, &length) <
            0)
            return -errno;
        if (net_address_from(&sockaddr, length, &from) == 0 && may_hear(network, socket, &from))
            return 0;
        recv(fd, NULL, 0, MSG_DONTWAIT);
    }
    return -EAGAIN;
}

int64_t net_receive(struct network *network, const struct net_socket *socket, int fd,
                    const struct iovec *iov, size_t count, int flags, struct net_address *from,
                    bool *from_known, int *message_flags)
{
    struct sockaddr_storage sockaddr;
    struct msghdr message = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (int)count};
    bool udp = socket->protocol == NET_UDP;
    ssize_t got;

    *from_known = false;
    *message_flags = 0;
    if (socket->listening)
        return -ENOTCONN;
    if (udp) {
        message.msg_name = &sockaddr;
        message.msg_namelen = sizeof(sockaddr);
        if (!socket->publication) {
            int ret = skip_strangers(network, socket, fd);

            if (ret < 0)
                return ret;
        }
    }
    got = recvmsg(fd, &message, flags | MSG_DONTWAIT);
    if (got < 0)
        return -errno;
    *message_flags = message.msg_flags;
    if (udp && net_address_from(&sockaddr, message.msg_namelen, from) == 0) {
        if (socket->publication)
            net_peers_note(socket->publication->peers, from);
        net_policy_to_guest(&network->policy, NET_UDP, from);
        *from_known = true;
    }
    return got;
}

/* Less than what waits is dropped at once only where urgent data lies in between. */
void net_skip(int fd, size_t length)
{
    while (length > 0) {
        ssize_t got = recv(fd, NULL, length, MSG_TRUNC | MSG_DONTWAIT);

        if (got <= 0)
            return;
        length -= (size_t)got;
    }
}
