/* SPDX-License-Identifier: ISC
 *
 * Calls on sockets that cannot work, and what each says.
 */
#include "net.h"

static void making(void)
{
    check_error(socket(AF_INET, 99, 0), EINVAL, "socket of a type that is none");
    check_error(socket(AF_INET, SOCK_STREAM | O_APPEND, 0), EINVAL, "socket with another flag");
    check_error(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT, "a stream by UDP");
    check_error(socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP), EPROTONOSUPPORT, "datagrams by TCP");
    check_error(socket(AF_INET, SOCK_SEQPACKET, 0), ESOCKTNOSUPPORT, "SOCK_SEQPACKET");
    check_error(socket(77, SOCK_STREAM, 0), EAFNOSUPPORT, "a family that is none");
}

static void naming(void)
{
    struct sockaddr_in at, second;
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    int fd = bound(SOCK_STREAM, &at), other = need(socket(AF_INET, SOCK_STREAM, 0), "socket");
    socklen_t length = sizeof(at), negative = (socklen_t)-1;

    second = loopback(0);
    check_error(bind(fd, (struct sockaddr *)&second, sizeof(second)), EINVAL, "bind again");
    check_error(bind(other, (struct sockaddr *)&at, sizeof(at)), EADDRINUSE, "bind to a used port");
    check_error(bind(other, (struct sockaddr *)&second, 4), EINVAL, "bind with a short address");
    check_error(bind(other, (struct sockaddr *)&six, sizeof(six)), EAFNOSUPPORT,
                "bind to another family");
    check_error(bind(other, NULL, sizeof(at)), EFAULT, "bind to no address");
    second.sin_addr.s_addr = inet_addr("198.51.100.7");
    check_error(bind(other, (struct sockaddr *)&second, sizeof(second)), EADDRNOTAVAIL,
                "bind to an address of others");
    check_error(bind(0, (struct sockaddr *)&second, sizeof(second)), ENOTSOCK, "bind of a file");
    check_error(bind(99, (struct sockaddr *)&second, sizeof(second)), EBADF, "bind of nothing");
    check_error(getpeername(other, (struct sockaddr *)&at, &length), ENOTCONN, "getpeername");
    check_error(getsockname(fd, NULL, &length), EFAULT, "getsockname to nowhere");
    check_error(getsockname(fd, (struct sockaddr *)&at, &negative), EINVAL,
                "getsockname with a negative length");
    close(fd);
    fd = need(socket(AF_INET, SOCK_STREAM, 0), "socket");
    check(bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0, "a closed socket's port is free");
    close(fd);
    close(other);
}

static void connecting(void)
{
    struct sockaddr_in at;
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int server = listening(&at), client = connected(&at);
    int udp = need(socket(AF_INET, SOCK_DGRAM, 0), "socket");
    int fresh = need(socket(AF_INET, SOCK_STREAM, 0), "socket");
    char byte;

    check_error(connect(client, (struct sockaddr *)&at, sizeof(at)), EISCONN, "connect again");
    check_error(connect(server, (struct sockaddr *)&at, sizeof(at)), EISCONN,
                "connect of a listening socket");
    check_error(connect(fresh, (struct sockaddr *)&at, 3), EINVAL, "connect, short address");
    check_error(connect(fresh, (struct sockaddr *)&six, sizeof(six)), EAFNOSUPPORT,
                "connect to another family");
    check_error(connect(fresh, NULL, sizeof(at)), EFAULT, "connect to no address");
    check_error(accept(client, NULL, NULL), EINVAL, "accept without listen");
    check_error(accept(udp, NULL, NULL), EOPNOTSUPP, "accept of UDP");
    check_error(listen(udp, 1), EOPNOTSUPP, "listen of UDP");
    check_error(listen(client, 1), EINVAL, "listen of a connection");
    check_error(listen(0, 1), ENOTSOCK, "listen of a file");
    check_error(recv(fresh, &byte, 1, 0), ENOTCONN, "recv without a connection");
    check_error(shutdown(fresh, SHUT_RDWR), ENOTCONN, "shutdown of no connection");
    check_error(shutdown(udp, SHUT_RDWR), ENOTCONN, "shutdown of UDP");
    check_error(shutdown(client, 3), EINVAL, "shutdown of nothing");
    check_error(send(fresh, &byte, 1, MSG_NOSIGNAL), EPIPE, "send without a connection");
    check_error(recv(server, &byte, 1, 0), ENOTCONN, "recv of a listening socket");
    check_error(send(udp, &byte, 1, 0), EDESTADDRREQ, "send of UDP to nobody");
    check_error(recv(0, &byte, 1, 0), ENOTSOCK, "recv of a file");
    check_error(send(99, &byte, 1, 0), EBADF, "send of nothing");
    check(listen(server, 3) == 0, "listen again");
    close(fresh);
    close(udp);
    close(client);
    close(server);
}

static void pointers(void)
{
    struct sockaddr_in at;
    struct msghdr message = {0};
    struct iovec iov = {NULL, 10};
    char buffer[16];
    int ends[2], udp = bound(SOCK_DGRAM, &at);

    tcp_pair(ends);
    check_error(send(ends[0], NULL, 5, 0), EFAULT, "send from nowhere");
    check(send(ends[0], "text", 4, 0) == 4, "send");
    check_error(recv(ends[1], NULL, 5, 0), EFAULT, "recv to nowhere");
    check(recv(ends[1], buffer, 4, 0) == 4, "nothing was lost");
    check_error(sendmsg(ends[0], NULL, 0), EFAULT, "sendmsg of nothing");
    message.msg_iov = &iov;
    message.msg_iovlen = 1;
    check_error(sendmsg(ends[0], &message, 0), EFAULT, "sendmsg from nowhere");
    message.msg_iovlen = 5000;
    check_error(sendmsg(ends[0], &message, 0), EMSGSIZE, "sendmsg of too many parts");
    check_error(sendto(udp, NULL, 5, 0, (struct sockaddr *)&at, sizeof(at)), EFAULT,
                "sendto from nowhere");
    check_error(sendto(udp, buffer, 5, 0, (struct sockaddr *)&at, 5), EINVAL,
                "sendto a short address");
    close(ends[0]);
    close(ends[1]);
    close(udp);
}

int main(void)
{
    making();
    naming();
    connecting();
    pointers();
    return exit_status();
}
