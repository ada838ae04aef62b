/* SPDX-License-Identifier: ISC
 *
 * Who may be reached, what a bind gets, and what the guest sees of the host's ports.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net_policy.h"

static struct net_policy policy;
static struct husk_error error;

static int clear(void **state)
{
    (void)state;
    memset(&policy, 0, sizeof(policy));
    return 0;
}

static struct net_address address(const char *ip, uint16_t port)
{
    struct net_address result;

    if (net_address_parse(ip, strlen(ip), &result) < 0)
        fail_msg("%s is no address", ip);
    result.port = port;
    return result;
}

static void publish(const char *text)
{
    struct net_publish_rule rule;

    assert_null(net_parse_publish(text, &rule));
    assert_int_equal(net_policy_publish(&policy, &rule, &error), 0);
}

static void permit(const char *text)
{
    struct net_connect_rule rule;

    assert_null(net_parse_connect(text, &rule));
    assert_int_equal(net_policy_permit(&policy, &rule, &error), 0);
}

/* TEXT's name stands for the addresses that follow. */
static int permit_name(const char *text, const char *const ips[], size_t count)
{
    struct net_address addresses[NET_NAME_PERMITS];
    struct net_connect_rule rule;

    assert_null(net_parse_connect(text, &rule));
    for (size_t i = 0; i < count; i++)
        addresses[i] = address(ips[i], 0);
    return net_policy_permit_name(&policy, &rule, addresses, count, &error);
}
#define NAME(text, ...)                                                                            \
    permit_name(text, (const char *const[]){__VA_ARGS__},                                          \
                sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static bool permits(const char *ip, uint16_t port)
{
    struct net_address to = address(ip, port);

    return net_policy_permits(&policy, &to);
}

static void test_without_rules_nothing_is_open(void **state)
{
    (void)state;
    assert_false(net_policy_is_open(&policy));
    assert_false(permits("93.184.216.34", 80));
    assert_false(permits("127.0.0.1", 80));
}

static void test_an_address_is_reached_at_its_port_only(void **state)
{
    (void)state;
    permit("10.1.2.3:80");
    assert_true(permits("10.1.2.3", 80));
    assert_true(permits("::ffff:10.1.2.3", 80));
    assert_false(permits("10.1.2.3", 81));
    assert_false(permits("10.1.2.4", 80));
    assert_false(permits("::10.1.2.3", 80));
    permit("10.1.2.4:*");
    assert_true(permits("10.1.2.4", 65535));
}

static void test_prefixes_cover_their_own_family(void **state)
{
    (void)state;
    permit("10.0.0.0/9:80");
    assert_true(permits("10.127.255.255", 80));
    assert_false(permits("10.128.0.0", 80));
    permit("[::]/0:81");
    assert_true(permits("2606::1", 81));
    assert_true(permits("::1", 81));
    assert_false(permits("127.0.0.1", 81));
    permit("0.0.0.0/0:82");
    assert_true(permits("127.0.0.1", 82));
    assert_false(permits("::1", 82));
}

static void test_the_wildcard_is_loopback(void **state)
{
    (void)state;
    permit("127.0.0.1:80");
    assert_true(permits("0.0.0.0", 80));
    assert_false(permits("::", 80));
    permit("[::1]:80");
    assert_true(permits("::", 80));
}

static void test_star_is_what_is_public(void **state)
{
    static const char *const inside[] = {
        "127.0.0.1",
        "127.255.255.255",
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "198.18.0.1",
        "192.0.0.8",
        "::1",
        "::",
        "fe80::1",
        "febf::1",
        "fc00::1",
        "fdff::1",
        "ff02::1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
        "::ffff:10.0.0.1",
        "fec0::1",
    };
    static const char *const outside[] = {
        "1.1.1.1",         "9.255.255.255",   "11.0.0.0",    "172.15.255.255",
        "172.32.0.0",      "192.167.1.1",     "169.253.1.1", "100.63.255.255",
        "223.255.255.255", "2606:4700::1111", "2a00:1450::", "64:ff9b::808:808",
    };

    (void)state;
    permit("*:443");
    for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
        if (permits(inside[i], 443))
            fail_msg("%s is not public", inside[i]);
    for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
        if (!permits(outside[i], 443))
            fail_msg("%s is public", outside[i]);
    assert_false(permits("1.1.1.1", 80));
}

static void test_a_name_permits_its_addresses_and_is_in_hosts(void **state)
{
    (void)state;
    assert_int_equal(NAME("example.org:443", "93.184.216.34", "2606:2800::1"), 0);
    assert_int_equal(NAME("example.org:80", "93.184.216.34", "2606:2800::1"), 0);
    assert_true(permits("93.184.216.34", 443));
    assert_true(permits("2606:2800::1", 80));
    assert_false(permits("93.184.216.34", 22));
    assert_int_equal(policy.hosts_length, strlen("93.184.216.34\texample.org\n"
                                                 "2606:2800::1\texample.org\n"));
    assert_memory_equal(policy.hosts, "93.184.216.34\texample.org\n2606:2800::1\texample.org\n",
                        policy.hosts_length);
}

static void test_a_name_that_leads_inside_is_refused(void **state)
{
    (void)state;
    assert_int_equal(NAME("evil.org:80", "93.184.216.34", "127.0.0.1"), -1);
    assert_string_equal(error.text,
                        "--connect evil.org: the name stands for 127.0.0.1, a loopback address; if "
                        "that is meant, name it too: --connect 127.0.0.1:PORT");
    assert_int_equal(error.status, STATUS_HUSK);
    assert_false(permits("93.184.216.34", 80));
    assert_int_equal(NAME("evil.org:80", "169.254.169.254"), -1);
    assert_int_equal(NAME("evil.org:80", "10.0.0.1"), -1);
    assert_int_equal(NAME("evil.org:80", "fd00::1"), -1);
    assert_non_null(strstr(error.text, "--connect [fd00::1]:PORT"));
    assert_int_equal(policy.hosts_length, 0);
    assert_false(net_policy_is_open(&policy));
}

static void test_a_private_address_that_was_named_may_have_a_name(void **state)
{
    (void)state;
    permit("10.0.0.0/8:5432");
    assert_int_equal(NAME("db.internal:5432", "10.1.2.3"), 0);
    assert_true(permits("10.1.2.3", 5432));
    assert_int_equal(NAME("db.internal:22", "10.1.2.3"), -1);
    assert_int_equal(NAME("db.internal:*", "10.1.2.3"), -1);
}

static void test_localhost_names_loopback_and_nothing_else(void **state)
{
    (void)state;
    assert_int_equal(NAME("localhost:80", "127.0.0.1", "::1"), 0);
    assert_int_equal(NAME("a.LocalHost.:81", "127.0.0.1"), 0);
    assert_int_equal(NAME("localhost:80", "10.0.0.1"), -1);
    assert_int_equal(NAME("notlocalhost:82", "127.0.0.1"), -1);
    assert_int_equal(NAME("localhost.evil.org:82", "127.0.0.1"), -1);
}

static void test_too_many_names_are_refused(void **state)
{
    char text[300];
    int ret = 0;

    (void)state;
    for (unsigned i = 0; ret == 0; i++) {
        memset(text, 'a', 240);
        memcpy(text + 240, (char[]){'0' + i / 10, '0' + i % 10, ':', '8', '0', '\0'}, 6);
        assert_true(i < 50);
        ret = NAME(text, "93.184.216.34");
    }
    assert_true(policy.hosts_length <= sizeof(policy.hosts));
    assert_string_equal(error.text, "--connect: more names than the guest's /etc/hosts holds");
}

static int bind_to(enum net_protocol protocol, bool ipv6, bool v6only, const char *ip,
                   uint16_t port, struct net_publication **found)
{
    struct net_address to = address(ip, port);

    return net_policy_bind(&policy, protocol, ipv6, v6only, &to, found);
}

static void test_bind_finds_what_was_published(void **state)
{
    struct net_publication *found;

    (void)state;
    publish("8080:80");
    publish("5353:53/udp");
    assert_int_equal(bind_to(NET_TCP, false, false, "0.0.0.0", 80, &found), 0);
    assert_ptr_equal(found, &policy.publications[0]);
    assert_int_equal(bind_to(NET_TCP, false, false, "127.0.0.1", 80, &found), 0);
    assert_int_equal(bind_to(NET_UDP, false, false, "0.0.0.0", 53, &found), 0);
    assert_ptr_equal(found, &policy.publications[1]);
    assert_int_equal(bind_to(NET_UDP, false, false, "0.0.0.0", 80, &found), -EACCES);
    assert_int_equal(bind_to(NET_TCP, false, false, "0.0.0.0", 8080, &found), -EACCES);
    assert_int_equal(bind_to(NET_TCP, false, false, "10.0.0.1", 80, &found), -EADDRNOTAVAIL);
    policy.publications[0].claimed = true;
    assert_int_equal(bind_to(NET_TCP, false, false, "0.0.0.0", 80, &found), -EADDRINUSE);
}

static void test_bind_across_families(void **state)
{
    struct net_publication *found;

    (void)state;
    publish("8080:80");
    assert_int_equal(bind_to(NET_TCP, true, false, "::", 80, &found), 0);
    assert_int_equal(bind_to(NET_TCP, true, false, "::ffff:127.0.0.1", 80, &found), 0);
    /* Allowed, but nobody can reach it. */
    assert_int_equal(bind_to(NET_TCP, true, true, "::", 80, &found), 0);
    assert_null(found);
    assert_int_equal(bind_to(NET_TCP, true, false, "::1", 80, &found), 0);
    assert_null(found);
    assert_int_equal(bind_to(NET_UDP, true, true, "::", 80, &found), -EACCES);
    assert_int_equal(bind_to(NET_TCP, true, true, "::", 81, &found), -EACCES);
    publish("[::1]:8081:80");
    assert_int_equal(bind_to(NET_TCP, true, false, "::", 80, &found), 0);
    assert_ptr_equal(found, &policy.publications[1]);
    assert_int_equal(bind_to(NET_TCP, false, false, "0.0.0.0", 80, &found), 0);
    assert_ptr_equal(found, &policy.publications[0]);
}

static void test_bind_to_port_0(void **state)
{
    struct net_publication *found;

    (void)state;
    publish("8080:80");
    assert_int_equal(bind_to(NET_TCP, false, false, "0.0.0.0", 0, &found), -EACCES);
    permit("10.0.0.1:80");
    assert_int_equal(bind_to(NET_TCP, false, false, "0.0.0.0", 0, &found), 0);
    assert_null(found);
    publish("9090:0");
    assert_int_equal(bind_to(NET_TCP, false, false, "0.0.0.0", 0, &found), 0);
    assert_ptr_equal(found, &policy.publications[1]);
    found->claimed = true;
    assert_int_equal(bind_to(NET_TCP, false, false, "0.0.0.0", 0, &found), 0);
    assert_null(found);
}

static void test_a_port_is_published_once(void **state)
{
    struct net_publish_rule rule;

    (void)state;
    publish("8080:80");
    publish("[::1]:8080:80");
    publish("8080:80/udp");
    publish("0:0");
    publish("0:0");
    assert_null(net_parse_publish("8081:80", &rule));
    assert_int_equal(net_policy_publish(&policy, &rule, &error), -1);
    assert_string_equal(error.text, "--publish: port 80/tcp of the guest is published twice; it "
                                    "can have one IPv4 and one IPv6 address");
}

static void assert_translated(const char *ip, uint16_t port, const char *host, uint16_t host_port)
{
    struct net_address to = address(ip, port), wanted = address(host, host_port);

    assert_true(net_policy_to_host(&policy, NET_TCP, &to));
    assert_true(net_address_same(&to, &wanted));
    assert_true(net_policy_to_guest(&policy, NET_TCP, &to));
    assert_int_equal(to.port, port);
}

static void test_the_guest_reaches_its_own_ports(void **state)
{
    struct net_address other = address("127.0.0.1", 80), outside = address("10.0.0.1", 80);

    (void)state;
    publish("8080:80");
    publish("[::]:8081:81");
    publish("192.168.1.2:8082:82");
    assert_false(net_policy_to_host(&policy, NET_TCP, &other));
    for (size_t i = 0; i < 3; i++)
        policy.publications[i].claimed = true;
    assert_translated("127.0.0.1", 80, "127.0.0.1", 8080);
    assert_translated("0.0.0.0", 80, "127.0.0.1", 8080);
    assert_translated("::1", 81, "::1", 8081);
    assert_translated("127.0.0.1", 82, "192.168.1.2", 8082);
    assert_false(net_policy_to_host(&policy, NET_UDP, &other));
    assert_false(net_policy_to_host(&policy, NET_TCP, &outside));
    outside.port = 8080;
    assert_false(net_policy_to_guest(&policy, NET_TCP, &outside));
}

static void test_peers_are_known_until_others_push_them_out(void **state)
{
    struct net_peers *peers = net_peers_new();
    struct net_address peer = address("10.0.0.1", 5000), other = address("10.0.0.1", 5001);
    size_t known = 0;

    (void)state;
    assert_false(net_peers_has(peers, &peer));
    net_peers_note(peers, &peer);
    assert_true(net_peers_has(peers, &peer));
    assert_false(net_peers_has(peers, &other));
    other = address("0.0.0.0", 0);
    assert_false(net_peers_has(peers, &other));
    for (unsigned i = 0; i < 1000; i++) {
        other = address("10.0.0.2", (uint16_t)(1 + i));
        net_peers_note(peers, &other);
    }
    for (unsigned i = 0; i < 1000; i++) {
        other = address("10.0.0.2", (uint16_t)(1 + i));
        known += net_peers_has(peers, &other);
    }
    assert_true(known > 900);
    free(peers);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup(name, clear)
    const struct CMUnitTest tests[] = {
        test(test_without_rules_nothing_is_open),
        test(test_an_address_is_reached_at_its_port_only),
        test(test_prefixes_cover_their_own_family),
        test(test_the_wildcard_is_loopback),
        test(test_star_is_what_is_public),
        test(test_a_name_permits_its_addresses_and_is_in_hosts),
        test(test_a_name_that_leads_inside_is_refused),
        test(test_a_private_address_that_was_named_may_have_a_name),
        test(test_localhost_names_loopback_and_nothing_else),
        test(test_too_many_names_are_refused),
        test(test_bind_finds_what_was_published),
        test(test_bind_across_families),
        test(test_bind_to_port_0),
        test(test_a_port_is_published_once),
        test(test_the_guest_reaches_its_own_ports),
        test(test_peers_are_known_until_others_push_them_out),
    };

    return cmocka_run_group_tests_name("net policy", tests, NULL, NULL);
}
