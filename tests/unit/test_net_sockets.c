/* SPDX-License-Identifier: ISC
 *
 * Sockets of the guest on real host sockets of loopback: ports that are taken before the guest
 * runs, and datagrams of others.
 */
#include "net_fixture.h"

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

/* A server that binds both families, and gives up if it cannot have both. */
static void test_a_port_of_the_other_family_is_bound_and_heard_by_nobody(void **state)
{
    struct guest_socket four, six, seventh;
    struct net_address at = {.port = 80}, name, peer;
    struct net_socket *accepted;
    struct pollfd poll_six = {.events = POLLIN};
    int accepted_fd, client, on = 1;

    (void)state;
    publish("0:80");
    start();
    four = open_socket(AF_INET, SOCK_STREAM);
    six = open_socket(AF_INET6, SOCK_STREAM);
    assert_int_equal(bind_port(four, 80), 0);
    assert_int_equal(net_set_option(six.socket, six.fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, 4), 0);
    assert_int_equal(net_bind(&network, six.socket, six.fd, 7, &at), 0);
    assert_int_equal(net_accept(&network, six.socket, six.fd, &accepted, &accepted_fd, &peer),
                     -EINVAL);
    assert_int_equal(net_listen(&network, four.socket, four.fd, 5), 0);
    assert_int_equal(net_listen(&network, six.socket, six.fd, 5), 0);
    assert_int_equal(net_own_name(&network, six.socket, six.fd, &name), 0);
    assert_int_equal(name.port, 80);
    assert_int_equal(host_connect(host_port(0), &client), 0);
    wait_for(four.fd);
    poll_six.fd = six.fd;
    assert_int_equal(poll(&poll_six, 1, 0), 0);
    assert_int_equal(net_accept(&network, six.socket, six.fd, &accepted, &accepted_fd, &peer),
                     -EAGAIN);
    assert_int_equal(net_connect(&network, six.socket, six.fd, &at), -EISCONN);
    assert_int_equal(net_send(&network, six.socket, six.fd, NULL, 0, 0, NULL), -EPIPE);
    close(client);
    close_socket(six);
    close_socket(four);
    /* Still not what nobody published. */
    seventh = open_socket(AF_INET6, SOCK_STREAM);
    at.port = 81;
    assert_int_equal(net_bind(&network, seventh.socket, seventh.fd, 7, &at), -EACCES);
    close_socket(seventh);
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
#define TEST(name) cmocka_unit_test_teardown(name, clear)
    const struct CMUnitTest tests[] = {
        TEST(test_without_flags_there_is_no_socket),
        TEST(test_no_raw_sockets_and_no_other_protocols),
        TEST(test_clients_are_refused_until_the_guest_listens),
        TEST(test_a_published_port_is_taken_all_the_time),
        TEST(test_a_busy_port_is_an_error_of_the_start),
        TEST(test_connections_that_linger_do_not_hinder_the_next_run),
        TEST(test_the_guest_sees_its_own_port),
        TEST(test_an_accepted_socket_cannot_become_another),
        TEST(test_a_port_of_the_other_family_is_bound_and_heard_by_nobody),
        TEST(test_connect_reaches_what_is_permitted_only),
        TEST(test_a_socket_bound_to_port_0_has_a_port),
        TEST(test_a_published_udp_port_answers_who_asked),
        TEST(test_datagrams_of_strangers_are_not_heard),
        TEST(test_a_probe_of_loopback_sends_nothing),
        TEST(test_an_address_in_disguise_is_refused),
    };

    return cmocka_run_group_tests_name("net sockets", tests, NULL, NULL);
}
