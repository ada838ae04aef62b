/* SPDX-License-Identifier: ISC
 *
 * -p and --connect: every form that is accepted and what is wrong with the others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net_rules.h"

static struct net_publish_rule publish;
static struct net_connect_rule rule;

static void assert_published(const char *text, const char *host, uint16_t guest,
                             enum net_protocol protocol)
{
    char shown[NET_ADDRESS_TEXT];

    assert_null(net_parse_publish(text, &publish));
    net_address_format(&publish.host, shown);
    assert_string_equal(shown, host);
    assert_int_equal(publish.guest_port, guest);
    assert_int_equal(publish.protocol, protocol);
}

static void test_publish_forms(void **state)
{
    (void)state;
    assert_published("8080:80", "127.0.0.1:8080", 80, NET_TCP);
    assert_published("0:80", "127.0.0.1:0", 80, NET_TCP);
    assert_published("8080:0", "127.0.0.1:8080", 0, NET_TCP);
    assert_published("65535:65535/tcp", "127.0.0.1:65535", 65535, NET_TCP);
    assert_published("5353:53/udp", "127.0.0.1:5353", 53, NET_UDP);
    assert_published("0.0.0.0:8080:80", "0.0.0.0:8080", 80, NET_TCP);
    assert_published("192.168.1.2:1:2/udp", "192.168.1.2:1", 2, NET_UDP);
    assert_published("[::1]:8080:80", "[::1]:8080", 80, NET_TCP);
    assert_published("[::]:8080:80/udp", "[::]:8080", 80, NET_UDP);
}

static void assert_publish_refused(const char *text, const char *part)
{
    const char *reason = net_parse_publish(text, &publish);

    if (!reason)
        fail_msg("%s was accepted", text);
    if (!strstr(reason, part))
        fail_msg("%s: %s", text, reason);
}

static void test_publish_refusals(void **state)
{
    (void)state;
    assert_publish_refused("", "HOST:GUEST");
    assert_publish_refused("80", "HOST:GUEST");
    assert_publish_refused("[::1", "HOST:GUEST");
    assert_publish_refused("80:", "GUEST must");
    assert_publish_refused(":80", "HOST must");
    assert_publish_refused("80:65536", "GUEST must");
    assert_publish_refused("65536:80", "HOST must");
    assert_publish_refused("80:000080", "GUEST must");
    assert_publish_refused("-1:80", "HOST must");
    assert_publish_refused("+8:80", "HOST must");
    assert_publish_refused("80:80x", "GUEST must");
    assert_publish_refused(" 80:80", "HOST must");
    assert_publish_refused("80:80/sctp", "/tcp or /udp");
    assert_publish_refused("80:80/", "/tcp or /udp");
    assert_publish_refused("80:80/udp/tcp", "/tcp or /udp");
    assert_publish_refused("localhost:80:80", "numeric address");
    assert_publish_refused("1.2.3:80:80", "numeric address");
    assert_publish_refused("::1:80:80", "numeric address");
    assert_publish_refused("[::1]x:80:80", "numeric address");
    assert_publish_refused("[127.0.0.1:80:80", "HOST:GUEST");
}

static void assert_prefix(const char *text, const char *address, unsigned bits, uint16_t port)
{
    struct net_address wanted;

    if (net_parse_connect(text, &rule))
        fail_msg("%s: %s", text, net_parse_connect(text, &rule));
    assert_int_equal(rule.kind, NET_CONNECT_PREFIX);
    assert_int_equal(net_address_parse(address, strlen(address), &wanted), 0);
    assert_memory_equal(rule.prefix, wanted.ip, sizeof(wanted.ip));
    assert_int_equal(rule.bits, bits);
    assert_int_equal(rule.port, port);
}

static void test_connect_numbers(void **state)
{
    (void)state;
    assert_prefix("192.0.2.1:80", "192.0.2.1", 128, 80);
    assert_prefix("192.0.2.1:*", "192.0.2.1", 128, 0);
    assert_prefix("10.0.0.0/8:5432", "10.0.0.0", 104, 5432);
    assert_prefix("0.0.0.0/0:443", "0.0.0.0", 96, 443);
    assert_prefix("10.1.2.3/32:443", "10.1.2.3", 128, 443);
    assert_prefix("[::1]:80", "::1", 128, 80);
    assert_prefix("[fc00::]/7:80", "fc00::", 7, 80);
    assert_prefix("[fc00::/7]:80", "fc00::", 7, 80);
    assert_prefix("[::]/0:*", "::", 0, 0);
    assert_prefix("[::ffff:10.0.0.1]:80", "10.0.0.1", 128, 80);
}

static void test_connect_names_and_star(void **state)
{
    (void)state;
    assert_null(net_parse_connect("*:443", &rule));
    assert_int_equal(rule.kind, NET_CONNECT_PUBLIC);
    assert_int_equal(rule.port, 443);
    assert_null(net_parse_connect("*:*", &rule));
    assert_int_equal(rule.port, 0);
    assert_null(net_parse_connect("db-1.example_x.org:5432", &rule));
    assert_int_equal(rule.kind, NET_CONNECT_NAME);
    assert_int_equal(rule.name_length, strlen("db-1.example_x.org"));
    assert_memory_equal(rule.name, "db-1.example_x.org", rule.name_length);
}

static void assert_connect_refused(const char *text, const char *part)
{
    const char *reason = net_parse_connect(text, &rule);

    if (!reason)
        fail_msg("%s was accepted", text);
    if (!strstr(reason, part))
        fail_msg("%s: %s", text, reason);
}

static void test_connect_refusals(void **state)
{
    char name[300];

    (void)state;
    assert_connect_refused("", "HOST:PORT");
    assert_connect_refused("host", "HOST:PORT");
    assert_connect_refused(":80", "HOST:PORT");
    assert_connect_refused("[::1:80", "HOST:PORT");
    assert_connect_refused("host:", "PORT must");
    assert_connect_refused("host:0", "PORT must");
    assert_connect_refused("host:65536", "PORT must");
    assert_connect_refused("host:http", "PORT must");
    assert_connect_refused("host:8*", "PORT must");
    assert_connect_refused("::1:80", "brackets");
    assert_connect_refused("2001:db8::/32:80", "no address");
    assert_connect_refused("10.0.0.0/33:80", "prefix");
    assert_connect_refused("10.0.0.0/:80", "prefix");
    assert_connect_refused("10.0.0.0/x:80", "prefix");
    assert_connect_refused("[fc00::]/129:80", "prefix");
    assert_connect_refused("10.0.0.1/8:80", "bits behind");
    assert_connect_refused("[fc00::1]/7:80", "bits behind");
    assert_connect_refused("1.2.3:80", "no address");
    assert_connect_refused("256.1.1.1:80", "no address");
    assert_connect_refused("0.0.0.0:80", "no address to connect to");
    assert_connect_refused("[::]:80", "no address to connect to");
    assert_connect_refused("[]:80", "no address");
    assert_connect_refused("host/8:80", "no address");
    assert_connect_refused("ho st:80", "no name");
    assert_connect_refused("-v:80", "no name");
    assert_connect_refused(".org:80", "no name");
    assert_connect_refused("h*:80", "no name");
    memset(name, 'a', 254);
    memcpy(name + 254, ":80", 4);
    assert_connect_refused(name, "no name");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_publish_forms),    cmocka_unit_test(test_publish_refusals),
        cmocka_unit_test(test_connect_numbers),  cmocka_unit_test(test_connect_names_and_star),
        cmocka_unit_test(test_connect_refusals),
    };

    return cmocka_run_group_tests_name("net rules", tests, NULL, NULL);
}
