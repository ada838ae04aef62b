/* SPDX-License-Identifier: ISC
 *
 * Options of the guest's sockets: what reaches the host's, and what does not.
 */
#include "net_fixture.h"

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

static int number_of(struct guest_socket s, int level, int name)
{
    int value = -1;
    socklen_t length = sizeof(value);

    assert_int_equal(
        net_get_option(s.socket, s.fd, (uint64_t)level, (uint64_t)name, &value, &length), 0);
    return value;
}

/* The host's socket is the same for all that the guest binds there. */
static void test_a_port_forgets_the_options_of_the_socket_before(void **state)
{
    struct guest_socket s;
    int on = 1;

    (void)state;
    publish("0:80");
    start();
    for (int round = 0; round < 3; round++) {
        s = open_socket(AF_INET, SOCK_STREAM);
        if (round == 0) {
            assert_int_equal(net_set_option(s.socket, s.fd, IPPROTO_TCP, TCP_NODELAY, &on, 4), 0);
            assert_int_equal(bind_port(s, 80), 0);
            assert_int_equal(net_set_option(s.socket, s.fd, IPPROTO_TCP, TCP_CORK, &on, 4), 0);
            assert_int_equal(net_set_option(s.socket, s.fd, SOL_SOCKET, SO_KEEPALIVE, &on, 4), 0);
        } else {
            assert_int_equal(bind_port(s, 80), 0);
            assert_int_equal(number_of(s, IPPROTO_TCP, TCP_NODELAY), 0);
            assert_int_equal(number_of(s, IPPROTO_TCP, TCP_CORK), 0);
            assert_int_equal(number_of(s, SOL_SOCKET, SO_KEEPALIVE), 0);
        }
        close_socket(s);
    }
}

/* They would let others of the user share the port, or reach more than --connect says. */
static void test_options_that_would_share_or_broadcast_stay_here(void **state)
{
    static const int names[] = {SO_REUSEADDR, SO_REUSEPORT, SO_BROADCAST};
    struct guest_socket s;

    (void)state;
    publish("0:80/udp");
    start();
    s = open_socket(AF_INET, SOCK_DGRAM);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        socklen_t length = sizeof(int);
        int value = 1;

        assert_int_equal(net_set_option(s.socket, s.fd, SOL_SOCKET, (uint64_t)names[i], &value, 4),
                         0);
        value = 0;
        assert_int_equal(
            net_get_option(s.socket, s.fd, SOL_SOCKET, (uint64_t)names[i], &value, &length), 0);
        assert_int_equal(value, 1);
    }
    assert_int_equal(bind_port(s, 80), 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        socklen_t length = sizeof(int);
        int value = 1;

        assert_int_equal(getsockopt(s.fd, SOL_SOCKET, names[i], &value, &length), 0);
        assert_int_equal(value, 0);
    }
    close_socket(s);
}

static void test_options_outside_the_list_are_refused(void **state)
{
    static const struct {
        int level, name;
    } refused[] = {
        {SOL_SOCKET, SO_BINDTODEVICE},
        {SOL_SOCKET, SO_MARK},
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

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, clear)
    const struct CMUnitTest tests[] = {
        TEST(test_options_go_along_to_the_published_socket),
        TEST(test_a_port_forgets_the_options_of_the_socket_before),
        TEST(test_options_that_would_share_or_broadcast_stay_here),
        TEST(test_options_outside_the_list_are_refused),
    };

    return cmocka_run_group_tests_name("net options", tests, NULL, NULL);
}
