/* SPDX-License-Identifier: ISC
 *
 * IPv6, and IPv4 through IPv6 sockets.
 */
#include "net.h"

static int bound_six(int type, const struct in6_addr *address, struct sockaddr_in6 *at)
{
    int fd = need(socket(AF_INET6, type, 0), "socket");
    socklen_t length = sizeof(*at);

    *at = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = *address};
    need(bind(fd, (struct sockaddr *)at, sizeof(*at)), "bind");
    need(getsockname(fd, (struct sockaddr *)at, &length), "getsockname");
    return fd;
}

static void streams(void)
{
    struct sockaddr_in6 at, peer, own;
    socklen_t length = sizeof(peer);
    int server = bound_six(SOCK_STREAM, &in6addr_loopback, &at), client, end;
    char text[8];

    need(listen(server, 5), "listen");
    client = need(socket(AF_INET6, SOCK_STREAM, 0), "socket");
    check(connect(client, (struct sockaddr *)&at, sizeof(at)) == 0, "connect to ::1");
    end = need(accept(server, (struct sockaddr *)&peer, &length), "accept");
    check(length == sizeof(peer) && IN6_IS_ADDR_LOOPBACK(&peer.sin6_addr), "from ::1");
    length = sizeof(own);
    getsockname(client, (struct sockaddr *)&own, &length);
    check(memcmp(&own, &peer, sizeof(own)) == 0, "both ends agree");
    length = sizeof(own);
    getpeername(client, (struct sockaddr *)&own, &length);
    check(own.sin6_port == at.sin6_port, "and about the server");
    check(write(client, "six", 3) == 3 && read(end, text, 8) == 3, "data");
    close(client);
    close(end);
    close(server);
}

static void datagrams(void)
{
    struct sockaddr_in6 at_a, at_b, from;
    socklen_t length = sizeof(from);
    int a = bound_six(SOCK_DGRAM, &in6addr_loopback, &at_a);
    int b = bound_six(SOCK_DGRAM, &in6addr_loopback, &at_b);
    char text[8];

    check(sendto(a, "six", 3, 0, (struct sockaddr *)&at_b, sizeof(at_b)) == 3, "sendto");
    check(recvfrom(b, text, 8, 0, (struct sockaddr *)&from, &length) == 3 &&
              memcmp(&from, &at_a, sizeof(from)) == 0,
          "recvfrom tells the sender");
    close(a);
    close(b);
}

static void mapped(void)
{
    struct sockaddr_in at;
    struct sockaddr_in6 to = {.sin6_family = AF_INET6}, own;
    socklen_t length = sizeof(own);
    int server = listening(&at), client = need(socket(AF_INET6, SOCK_STREAM, 0), "socket"), on = 1;

    inet_pton(AF_INET6, "::ffff:127.0.0.1", &to.sin6_addr);
    to.sin6_port = at.sin_port;
    check(connect(client, (struct sockaddr *)&to, sizeof(to)) == 0, "connect to ::ffff:127.0.0.1");
    getsockname(client, (struct sockaddr *)&own, &length);
    check(IN6_IS_ADDR_V4MAPPED(&own.sin6_addr), "the own address is of that kind");
    close(client);
    client = need(socket(AF_INET6, SOCK_STREAM, 0), "socket");
    setsockopt(client, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    check_error(connect(client, (struct sockaddr *)&to, sizeof(to)), ENETUNREACH,
                "not with IPV6_V6ONLY");
    check_error(bind(client, (struct sockaddr *)&to, sizeof(to)), EINVAL, "nor can it be bound");
    close(client);
    close(server);
}

/* As servers do that want both families: each with a socket of its own, at one port. */
static void both(void)
{
    struct sockaddr_in at;
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    int server = listening(&at), other = need(socket(AF_INET6, SOCK_STREAM, 0), "socket"), on = 1;
    struct pollfd poll_other = {.fd = other, .events = POLLIN};
    int type = 0;
    socklen_t length = sizeof(six);

    six.sin6_port = at.sin_port;
    check(setsockopt(other, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
              setsockopt(other, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0 &&
              bind(other, (struct sockaddr *)&six, sizeof(six)) == 0,
          "the port of an IPv4 socket is bound for IPv6 alone");
    check(listen(other, 5) == 0 && fcntl(other, F_SETFL, O_NONBLOCK) == 0, "listen");
    check(getsockname(other, (struct sockaddr *)&six, &length) == 0 &&
              six.sin6_port == at.sin_port && six.sin6_family == AF_INET6,
          "it has that port");
    length = sizeof(type);
    check(getsockopt(other, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM &&
              setsockopt(other, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0,
          "it is a TCP socket still");
    check(poll(&poll_other, 1, 10) == 0, "nobody comes");
    check_error(accept(other, NULL, NULL), EAGAIN, "accept");
    close(other);
    close(server);
}

int main(void)
{
    both();
    streams();
    datagrams();
    mapped();
    return exit_status();
}
