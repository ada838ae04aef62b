/* SPDX-License-Identifier: ISC
 *
 * Sockets of the guest on real host sockets of loopback: ports that are taken before the guest
 * runs, and datagrams of others.
 */
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

static int clear(void **state)
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

static void publish(const char *text)
{
    assert_null(net_parse_publish(text, &options.publish[options.publish_count++]));
}

static void permit(const char *text)
{
    assert_null(net_parse_connect(text, &options.connect[options.connect_count++]));
}

static void start(void)
{
    if (net_start(&network, &options, -1, &error) < 0)
        fail_msg("%s", error.text);
    for (size_t i = 0; i < network.policy.publication_count; i++)
        network.policy.publications[i].announced = true; /* quiet */
}

static uint16_t host_port(size_t i)
{
    return network.policy.publications[i].host.port;
}

static struct guest_socket open_socket(int family, int type)
{
    struct guest_socket s;

    assert_int_equal(
        net_socket_open(&network, (uint64_t)family, (uint64_t)type, 0, &s.socket, &s.fd), 0);
    return s;
}

static void close_socket(struct guest_socket s)
{
    net_socket_close(s.socket, s.fd);
}

static struct net_address loopback(uint16_t port)
{
    return net_address_loopback(true, port);
}

static int bind_port(struct guest_socket s, uint16_t port)
{
    struct net_address address = loopback(port);

    return net_bind(&network, s.socket, s.fd, 7, &address);
}

static struct sockaddr_in in_loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

/* Another process of the host: what connect(2) says, or the descriptor in *FD. */
static int host_connect(uint16_t port, int *fd)
{
    struct sockaddr_in to = in_loopback(port);
    int ret;

    *fd = socket(AF_INET, SOCK_STREAM, 0);
    ret = connect(*fd, (struct sockaddr *)&to, sizeof(to)) < 0 ? -errno : 0;
    if (ret < 0)
        close(*fd);
    return ret;
}

static int host_udp(uint16_t *port)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in at = in_loopback(0);
    socklen_t length = sizeof(at);

    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &length), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static void host_send(int fd, uint16_t port, const char *text)
{
    struct sockaddr_in to = in_loopback(port);

    assert_int_equal(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&to, sizeof(to)),
                     strlen(text));
}

static void wait_for(int fd)
{
    struct pollfd pollfd = {.fd = fd, .events = POLLIN};

    assert_int_equal(poll(&pollfd, 1, 10000), 1);
}

static int64_t receive(struct guest_socket s, char *text, size_t size, struct net_address *from)
{
    struct iovec iov = {text, size - 1};
    bool known;
    int flags;
    int64_t got = net_receive(&network, s.socket, s.fd, &iov, 1, 0, from, &known, &flags);

    text[got < 0 ? 0 : got] = '\0';
    return got;
}

static int64_t send_to(struct guest_socket s, const char *text, const struct net_address *to)
{
    struct iovec iov = {(char *)text, strlen(text)};

    return net_send(&network, s.socket, s.fd, &iov, 1, 0, to);
}

static void test_without_flags_there_is_no_socket(void **state)
{
    struct net_socket *socket;
    int fd;

    (void)state;
    start();
    assert_int_equal(net_socket_open(&network, AF_INET, SOCK_STREAM, 0, &socket, &fd), -EACCES);
    assert_int_equal(net_socket_open(&network, AF_INET6, SOCK_DGRAM, 0, &socket, &fd), -EACCES);
    assert_int_equal(net_socket_open(&network, AF_UNIX, SOCK_STREAM, 0, &socket, &fd),
                     -EAFNOSUPPORT);
    assert_int_equal(net_socket_open(&network, AF_PACKET, SOCK_RAW, 0, &socket, &fd),
                     -EAFNOSUPPORT);
}

static void test_no_raw_sockets_and_no_other_protocols(void **state)
{
    struct net_socket *socket;
    int fd;

    (void)state;
    permit("*:*");
    start();
    assert_int_equal(net_socket_open(&network, AF_INET, SOCK_RAW, IPPROTO_ICMP, &socket, &fd),
                     -ESOCKTNOSUPPORT);
    assert_int_equal(net_socket_open(&network, AF_INET, SOCK_DGRAM, IPPROTO_ICMP, &socket, &fd),
                     -EPROTONOSUPPORT);
    assert_int_equal(net_socket_open(&network, AF_INET, SOCK_STREAM, IPPROTO_SCTP, &socket, &fd),
                     -EPROTONOSUPPORT);
    assert_int_equal(
        net_socket_open(&network, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, &socket, &fd),
        -ESOCKTNOSUPPORT);
}

static void test_clients_are_refused_until_the_guest_listens(void **state)
{
    struct guest_socket s;
    int client;

    (void)state;
    publish("0:80");
    start();
    assert_int_equal(host_connect(host_port(0), &client), -ECONNREFUSED);
    s = open_socket(AF_INET, SOCK_STREAM);
    assert_int_equal(bind_port(s, 80), 0);
    assert_int_equal(host_connect(host_port(0), &client), -ECONNREFUSED);
    assert_int_equal(net_listen(&network, s.socket, s.fd, 5), 0);
    assert_int_equal(host_connect(host_port(0), &client), 0);
    close(client);
    close_socket(s);
    assert_int_equal(host_connect(host_port(0), &client), -ECONNREFUSED);

    s = open_socket(AF_INET, SOCK_STREAM);
    assert_int_equal(bind_port(s, 80), 0);
    assert_int_equal(net_listen(&network, s.socket, s.fd, 5), 0);
    assert_int_equal(host_connect(host_port(0), &client), 0);
    close(client);
    close_socket(s);
}

/* Whatever the other asks for: it is another process of the same user. */
static void assert_port_is_taken(uint16_t port)
{
    static const int asked[] = {0, SO_REUSEADDR, SO_REUSEPORT};
    struct sockaddr_in at = in_loopback(port);

    for (size_t i = 0; i < 3; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

        if (asked[i])
            assert_int_equal(setsockopt(fd, SOL_SOCKET, asked[i], &on, sizeof(on)), 0);
        assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), -1);
        assert_int_equal(errno, EADDRINUSE);
        close(fd);
    }
}

static void test_a_published_port_is_taken_all_the_time(void **state)
{
    struct guest_socket s;

    (void)state;
    publish("0:80");
    start();
    assert_port_is_taken(host_port(0));
    s = open_socket(AF_INET, SOCK_STREAM);
    assert_int_equal(bind_port(s, 80), 0);
    assert_port_is_taken(host_port(0));
    assert_int_equal(net_listen(&network, s.socket, s.fd, 5), 0);
    assert_port_is_taken(host_port(0));
    close_socket(s);
    assert_port_is_taken(host_port(0));
}

static void test_a_busy_port_is_an_error_of_the_start(void **state)
{
    static struct network second;
    struct run_options other = {0};
    char text[64];

    (void)state;
    publish("0:80");
    start();
    snprintf(text, sizeof(text), "%u:80", host_port(0));
    assert_null(net_parse_publish(text, &other.publish[other.publish_count++]));
    assert_int_equal(net_start(&second, &other, -1, &error), -1);
    assert_int_equal(error.status, STATUS_HUSK);
    snprintf(text, sizeof(text), "--publish: 127.0.0.1:%u/tcp of the host: ", host_port(0));
    assert_memory_equal(error.text, text, strlen(text));
    assert_non_null(strstr(error.text, "choose another port"));
}

static void test_connections_that_linger_do_not_hinder_the_next_run(void **state)
{
    struct guest_socket s, accepted;
    struct net_address peer;
    char text[64];
    int client;

    (void)state;
    publish("0:80");
    start();
    s = open_socket(AF_INET, SOCK_STREAM);
    assert_int_equal(bind_port(s, 80), 0);
    assert_int_equal(net_listen(&network, s.socket, s.fd, 5), 0);
    assert_int_equal(host_connect(host_port(0), &client), 0);
    wait_for(s.fd);
    assert_int_equal(net_accept(&network, s.socket, s.fd, &accepted.socket, &accepted.fd, &peer),
                     0);
    close_socket(accepted); /* first: its side waits for a minute */
    close(client);
    close_socket(s);
    snprintf(text, sizeof(text), "%u:80", host_port(0));
    clear(NULL);
    publish(text);
    start();
}

static void test_the_guest_sees_its_own_port(void **state)
{
    struct guest_socket s, accepted;
    struct net_address name, peer, wildcard = {.port = 80};
    int client;

    (void)state;
    publish("0:80");
    start();
    s = open_socket(AF_INET6, SOCK_STREAM);
    assert_int_equal(net_bind(&network, s.socket, s.fd, 3, &wildcard), 0);
    assert_int_equal(net_listen(&network, s.socket, s.fd, 5), 0);
    assert_int_equal(net_own_name(&network, s.socket, s.fd, &name), 0);
    assert_true(net_address_same(&name, &wildcard));
    assert_int_equal(host_connect(host_port(0), &client), 0);
    wait_for(s.fd);
    assert_int_equal(net_accept(&network, s.socket, s.fd, &accepted.socket, &accepted.fd, &peer),
                     0);
    assert_true(net_address_is_loopback(&peer));
    assert_int_equal(net_own_name(&network, accepted.socket, accepted.fd, &name), 0);
    assert_int_equal(name.port, 80);
    assert_true(net_address_is_ipv4(&name));
    close_socket(accepted);
    close_socket(s);
    close(client);
}

static void test_an_accepted_socket_cannot_become_another(void **state)
{
    struct guest_socket s, accepted;
    struct net_address peer;
    int client;

    (void)state;
    publish("0:80");
    permit("127.0.0.1:*");
    start();
    s = open_socket(AF_INET, SOCK_STREAM);
    assert_int_equal(bind_port(s, 80), 0);
    assert_int_equal(bind_port(s, 80), -EINVAL);
    assert_int_equal(net_listen(&network, s.socket, s.fd, 5), 0);
    assert_int_equal(net_connect(&network, s.socket, s.fd, &(struct net_address){0}), -EISCONN);
    assert_int_equal(host_connect(host_port(0), &client), 0);
    wait_for(s.fd);
    assert_int_equal(net_accept(&network, s.socket, s.fd, &accepted.socket, &accepted.fd, &peer),
                     0);
    assert_int_equal(net_listen(&network, accepted.socket, accepted.fd, 5), -EINVAL);
    assert_int_equal(bind_port(accepted, 80), -EINVAL);
    assert_int_equal(net_connect(&network, accepted.socket, accepted.fd, &peer), -EISCONN);
    assert_int_equal(net_disconnect(accepted.socket, accepted.fd), -EAFNOSUPPORT);
    close_socket(accepted);
    close_socket(s);
    close(client);
}

static void test_options_go_along_to_the_published_socket(void **state)
{
    struct guest_socket s;
    struct linger linger = {1, 3};
    int on = 1, value, size = 20000;
    socklen_t length = sizeof(value);

    (void)state;
    publish("0:80");
    start();
    s = open_socket(AF_INET, SOCK_STREAM);
    assert_int_equal(net_set_option(s.socket, s.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
    assert_int_equal(net_set_option(s.socket, s.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)),
                     0);
    assert_int_equal(net_set_option(s.socket, s.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
    assert_int_equal(bind_port(s, 80), 0);
    assert_int_equal(net_get_option(s.socket, s.fd, IPPROTO_TCP, TCP_NODELAY, &value, &length), 0);
    assert_int_equal(value, 1);
    assert_int_equal(net_get_option(s.socket, s.fd, SOL_SOCKET, SO_RCVBUF, &value, &length), 0);
    assert_int_equal(value, 40000);
    linger = (struct linger){0};
    length = sizeof(linger);
    assert_int_equal(net_get_option(s.socket, s.fd, SOL_SOCKET, SO_LINGER, &linger, &length), 0);
    assert_int_equal(linger.l_linger, 3);
    close_socket(s);
}

static void test_options_outside_the_list_are_refused(void **state)
{
    static const struct {
        int level, name;
    } refused[] = {
        {SOL_SOCKET, SO_REUSEPORT},
        {SOL_SOCKET, SO_BINDTODEVICE},
        {SOL_SOCKET, SO_MARK},
        {SOL_SOCKET, SO_BROADCAST},
        {SOL_SOCKET, SO_ATTACH_FILTER},
        {SOL_SOCKET, SO_RCVBUFFORCE},
        {IPPROTO_IP, IP_TRANSPARENT},
        {IPPROTO_IP, IP_OPTIONS},
        {IPPROTO_IP, IP_ADD_MEMBERSHIP},
        {IPPROTO_TCP, TCP_FASTOPEN},
        {IPPROTO_TCP, TCP_REPAIR},
        {IPPROTO_TCP, TCP_ULP},
        {IPPROTO_IPV6, IPV6_V6ONLY},
        {SOL_SOCKET, SO_TYPE},
        {-1, -1},
    };
    struct guest_socket s;
    int value = 1, huge = INT32_MAX;
    socklen_t length = sizeof(value);

    (void)state;
    permit("127.0.0.1:*");
    start();
    s = open_socket(AF_INET, SOCK_STREAM);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        assert_int_equal(net_set_option(s.socket, s.fd, (uint64_t)refused[i].level,
                                        (uint64_t)refused[i].name, &value, sizeof(value)),
                         -ENOPROTOOPT);
    assert_int_equal(net_get_option(s.socket, s.fd, IPPROTO_TCP, TCP_FASTOPEN, &value, &length),
                     -ENOPROTOOPT);
    assert_int_equal(net_set_option(s.socket, s.fd, SOL_SOCKET, SO_KEEPALIVE, &value, 3), -EINVAL);
    assert_int_equal(net_set_option(s.socket, s.fd, SOL_SOCKET, SO_SNDBUF, &huge, sizeof(huge)), 0);
    close_socket(s);
}

static void test_connect_reaches_what_is_permitted_only(void **state)
{
    struct guest_socket s;
    struct net_address to;
    char text[64];
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = in_loopback(0);
    socklen_t length = sizeof(at);

    (void)state;
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(listener, 5), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &length), 0);
    snprintf(text, sizeof(text), "127.0.0.1:%u", ntohs(at.sin_port));
    permit(text);
    start();
    s = open_socket(AF_INET, SOCK_STREAM);
    to = loopback((uint16_t)(ntohs(at.sin_port) ^ 1));
    assert_int_equal(net_connect(&network, s.socket, s.fd, &to), -EACCES);
    to.ip[15] = 2;
    to.port = ntohs(at.sin_port);
    assert_int_equal(net_connect(&network, s.socket, s.fd, &to), -EACCES);
    to = loopback(to.port);
    assert_in_range(net_connect(&network, s.socket, s.fd, &to) + EINPROGRESS, 0, EINPROGRESS);
    wait_for(listener);
    assert_int_equal(net_peer_name(&network, s.socket, s.fd, &to), 0);
    assert_int_equal(to.port, ntohs(at.sin_port));
    assert_int_equal(net_listen(&network, s.socket, s.fd, 5), -EINVAL);
    assert_int_equal(bind_port(s, 80), -EINVAL);
    close_socket(s);
    close(listener);
}

static void test_a_socket_bound_to_port_0_has_a_port(void **state)
{
    struct guest_socket s;
    struct net_address name;

    (void)state;
    permit("10.0.0.1:80");
    start();
    s = open_socket(AF_INET, SOCK_STREAM);
    assert_int_equal(bind_port(s, 0), 0);
    assert_int_equal(net_own_name(&network, s.socket, s.fd, &name), 0);
    assert_int_equal(name.port, NET_VIRTUAL_FIRST + 7);
    assert_int_equal(net_listen(&network, s.socket, s.fd, 5), -EACCES);
    close_socket(s);

    clear(NULL);
    publish("0:0");
    start();
    s = open_socket(AF_INET, SOCK_STREAM);
    assert_int_equal(net_listen(&network, s.socket, s.fd, 5), 0); /* binds by itself */
    assert_int_equal(net_own_name(&network, s.socket, s.fd, &name), 0);
    assert_int_equal(name.port, host_port(0));
    close_socket(s);
}

static void test_a_published_udp_port_answers_who_asked(void **state)
{
    struct guest_socket s;
    struct net_address from, other;
    uint16_t asking_port, other_port;
    int asking = host_udp(&asking_port), silent = host_udp(&other_port);
    char text[16];

    (void)state;
    publish("0:53/udp");
    start();
    host_send(asking, host_port(0), "early");
    s = open_socket(AF_INET, SOCK_DGRAM);
    assert_int_equal(bind_port(s, 53), 0);
    assert_int_equal(receive(s, text, sizeof(text), &from), -EAGAIN);
    other = loopback(asking_port);
    assert_int_equal(send_to(s, "no", &other), -EACCES);
    host_send(asking, host_port(0), "question");
    wait_for(s.fd);
    assert_int_equal(receive(s, text, sizeof(text), &from), 8);
    assert_string_equal(text, "question");
    assert_int_equal(from.port, asking_port);
    assert_int_equal(send_to(s, "answer", &from), 6);
    wait_for(asking);
    assert_int_equal(recv(asking, text, sizeof(text), 0), 6);
    other.port = other_port;
    assert_int_equal(send_to(s, "no", &other), -EACCES);
    assert_int_equal(net_connect(&network, s.socket, s.fd, &other), -EACCES);
    assert_int_equal(net_connect(&network, s.socket, s.fd, &from), 0);
    assert_int_equal(send_to(s, "more", NULL), 4);
    close_socket(s);
    close(asking);
    close(silent);
}

static void test_datagrams_of_strangers_are_not_heard(void **state)
{
    struct guest_socket s;
    struct net_address to, from, own;
    struct sockaddr_in at;
    socklen_t length = sizeof(at);
    uint16_t friend_port, stranger_port;
    int friendly = host_udp(&friend_port), stranger = host_udp(&stranger_port);
    char text[64];

    (void)state;
    snprintf(text, sizeof(text), "127.0.0.1:%u", friend_port);
    permit(text);
    start();
    s = open_socket(AF_INET, SOCK_DGRAM);
    assert_int_equal(bind_port(s, 0), 0);
    to = loopback(stranger_port);
    assert_int_equal(send_to(s, "no", &to), -EACCES);
    to.port = friend_port;
    assert_int_equal(send_to(s, "hello", &to), 5);
    assert_int_equal(getsockname(s.fd, (struct sockaddr *)&at, &length), 0);
    for (unsigned i = 0; i < 10; i++)
        host_send(stranger, ntohs(at.sin_port), "forged answer");
    host_send(friendly, ntohs(at.sin_port), "answer");
    wait_for(s.fd);
    assert_int_equal(receive(s, text, sizeof(text), &from), 6);
    assert_string_equal(text, "answer");
    assert_int_equal(from.port, friend_port);
    host_send(stranger, ntohs(at.sin_port), "once more");
    wait_for(s.fd);
    assert_int_equal(receive(s, text, sizeof(text), &from), -EAGAIN);
    assert_string_equal(text, "");
    assert_int_equal(net_own_name(&network, s.socket, s.fd, &own), 0);
    assert_int_equal(own.port, NET_VIRTUAL_FIRST + 7);
    close_socket(s);
    close(friendly);
    close(stranger);
}

static void test_a_probe_of_loopback_sends_nothing(void **state)
{
    struct guest_socket s;
    struct net_address to = loopback(65535);

    (void)state;
    permit("10.0.0.1:80");
    start();
    s = open_socket(AF_INET, SOCK_DGRAM);
    assert_int_equal(net_connect(&network, s.socket, s.fd, &to), 0);
    assert_int_equal(send_to(s, "x", NULL), -EACCES);
    to.port = 65534;
    assert_int_equal(net_connect(&network, s.socket, s.fd, &to), -EACCES);
    close_socket(s);
}

/* getaddrinfo takes it for 127.0.0.1. */
static void test_an_address_in_disguise_is_refused(void **state)
{
    (void)state;
    permit("0x7f000001:80");
    assert_int_equal(net_start(&network, &options, -1, &error), -1);
    assert_non_null(strstr(error.text, "0x7f000001: the name stands for 127.0.0.1, a loopback"));
}

int main(void)
{
#define test(name) cmocka_unit_test_teardown(name, clear)
    const struct CMUnitTest tests[] = {
        test(test_without_flags_there_is_no_socket),
        test(test_no_raw_sockets_and_no_other_protocols),
        test(test_clients_are_refused_until_the_guest_listens),
        test(test_a_published_port_is_taken_all_the_time),
        test(test_a_busy_port_is_an_error_of_the_start),
        test(test_connections_that_linger_do_not_hinder_the_next_run),
        test(test_the_guest_sees_its_own_port),
        test(test_an_accepted_socket_cannot_become_another),
        test(test_options_go_along_to_the_published_socket),
        test(test_options_outside_the_list_are_refused),
        test(test_connect_reaches_what_is_permitted_only),
        test(test_a_socket_bound_to_port_0_has_a_port),
        test(test_a_published_udp_port_answers_who_asked),
        test(test_datagrams_of_strangers_are_not_heard),
        test(test_a_probe_of_loopback_sends_nothing),
        test(test_an_address_in_disguise_is_refused),
    };

    return cmocka_run_group_tests_name("net sockets", tests, NULL, NULL);
}
