/* SPDX-License-Identifier: ISC */
#include "net_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define IPV4_BITS 96 /* of the prefix ::ffff:0:0/96 */

static const uint8_t ipv4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* The special-purpose address registries of IANA (RFC 6890 and what followed it). */
static const struct {
    uint8_t ip[16];
    uint8_t bits;
    uint8_t scope; /* enum net_scope */
} special[] = {
#define IPV4(a, b, c, d)                                                                           \
    {                                                                                              \
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d                                       \
    }
    {IPV4(127, 0, 0, 0), IPV4_BITS + 8, NET_LOOPBACK},
    {IPV4(0, 0, 0, 0), IPV4_BITS + 32, NET_LOOPBACK}, /* Linux connects it to loopback */
    {IPV4(169, 254, 0, 0), IPV4_BITS + 16, NET_LINK_LOCAL},
    {IPV4(10, 0, 0, 0), IPV4_BITS + 8, NET_PRIVATE},
    {IPV4(172, 16, 0, 0), IPV4_BITS + 12, NET_PRIVATE},
    {IPV4(192, 168, 0, 0), IPV4_BITS + 16, NET_PRIVATE},
    {IPV4(100, 64, 0, 0), IPV4_BITS + 10, NET_PRIVATE}, /* behind a carrier's NAT */
    {IPV4(0, 0, 0, 0), IPV4_BITS + 8, NET_RESERVED},
    {IPV4(192, 0, 0, 0), IPV4_BITS + 24, NET_RESERVED},
    {IPV4(192, 0, 2, 0), IPV4_BITS + 24, NET_RESERVED},
    {IPV4(192, 88, 99, 0), IPV4_BITS + 24, NET_RESERVED},
    {IPV4(198, 18, 0, 0), IPV4_BITS + 15, NET_RESERVED},
    {IPV4(198, 51, 100, 0), IPV4_BITS + 24, NET_RESERVED},
    {IPV4(203, 0, 113, 0), IPV4_BITS + 24, NET_RESERVED},
    {IPV4(224, 0, 0, 0), IPV4_BITS + 3, NET_RESERVED}, /* multicast, future use, broadcast */
    {IPV4(0, 0, 0, 0), IPV4_BITS, NET_PUBLIC},
#undef IPV4
    {{[15] = 1}, 128, NET_LOOPBACK},
    {{0}, 128, NET_LOOPBACK},
    {{0xfe, 0x80}, 10, NET_LINK_LOCAL},
    {{0xfc}, 7, NET_PRIVATE},
    {{0xfe, 0xc0}, 10, NET_PRIVATE},              /* site-local, RFC 3879 */
    {{0x20, 0x01, 0x00, 0x00}, 23, NET_RESERVED}, /* Teredo and other protocols */
    {{0x20, 0x01, 0x0d, 0xb8}, 32, NET_RESERVED},
    {{0x20}, 3, NET_PUBLIC}, /* global unicast; what lies outside is reserved */
};

/* Prefixes behind which an IPv4 address hides: where it starts. */
static const struct {
    uint8_t ip[16];
    uint8_t bits;
    uint8_t at;
} embedding[] = {
    {{0x00, 0x64, 0xff, 0x9b}, 96, 12}, /* NAT64, RFC 6052 */
    {{0x20, 0x02}, 16, 2},              /* 6to4, RFC 3056 */
};

bool net_address_is_ipv4(const struct net_address *address)
{
    return memcmp(address->ip, ipv4_prefix, sizeof(ipv4_prefix)) == 0;
}

bool net_address_is_wildcard(const struct net_address *address)
{
    static const uint8_t zero[16];

    return memcmp(address->ip, zero, sizeof(zero)) == 0 ||
           (net_address_is_ipv4(address) && memcmp(address->ip + 12, zero, 4) == 0);
}

bool net_address_is_loopback(const struct net_address *address)
{
    return !net_address_is_wildcard(address) && net_address_scope(address) == NET_LOOPBACK;
}

bool net_address_same(const struct net_address *a, const struct net_address *b)
{
    return memcmp(a->ip, b->ip, sizeof(a->ip)) == 0 && a->port == b->port;
}

bool net_address_in_prefix(const struct net_address *address, const uint8_t prefix[16],
                           unsigned bits)
{
    unsigned bytes = bits / 8, rest = bits % 8;

    return memcmp(address->ip, prefix, bytes) == 0 &&
           (rest == 0 || (address->ip[bytes] ^ prefix[bytes]) >> (8 - rest) == 0);
}

enum net_scope net_address_scope(const struct net_address *address)
{
    for (size_t i = 0; i < sizeof(embedding) / sizeof(embedding[0]); i++) {
        struct net_address inner = {0};

        if (!net_address_in_prefix(address, embedding[i].ip, embedding[i].bits))
            continue;
        memcpy(inner.ip, ipv4_prefix, sizeof(ipv4_prefix));
        memcpy(inner.ip + 12, address->ip + embedding[i].at, 4);
        return net_address_scope(&inner);
    }
    for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
        if (net_address_in_prefix(address, special[i].ip, special[i].bits))
            return (enum net_scope)special[i].scope;
    return NET_RESERVED;
}

const char *net_scope_name(enum net_scope scope)
{
    static const char names[][22] = {
        [NET_PUBLIC] = "a public address",         [NET_LOOPBACK] = "a loopback address",
        [NET_LINK_LOCAL] = "a link-local address", [NET_PRIVATE] = "a private address",
        [NET_RESERVED] = "a reserved address",
    };

    return names[scope];
}

struct net_address net_address_loopback(bool ipv4, uint16_t port)
{
    struct net_address address = {.ip = {[15] = 1}, .port = port};

    if (ipv4) {
        memcpy(address.ip, ipv4_prefix, sizeof(ipv4_prefix));
        address.ip[12] = 127;
    }
    return address;
}

int net_address_parse(const char *text, size_t length, struct net_address *address)
{
    char copy[INET6_ADDRSTRLEN];

    if (length >= sizeof(copy))
        return -1;
    memcpy(copy, text, length);
    copy[length] = '\0';
    *address = (struct net_address){0};
    if (inet_pton(AF_INET6, copy, address->ip) == 1)
        return 0;
    memcpy(address->ip, ipv4_prefix, sizeof(ipv4_prefix));
    return inet_pton(AF_INET, copy, address->ip + 12) == 1 ? 0 : -1;
}

void net_address_format_ip(const struct net_address *address, char text[NET_ADDRESS_TEXT])
{
    if (net_address_is_ipv4(address))
        inet_ntop(AF_INET, address->ip + 12, text, NET_ADDRESS_TEXT);
    else
        inet_ntop(AF_INET6, address->ip, text, NET_ADDRESS_TEXT);
}

void net_address_format(const struct net_address *address, char text[NET_ADDRESS_TEXT])
{
    char ip[NET_ADDRESS_TEXT];

    net_address_format_ip(address, ip);
    snprintf(text, NET_ADDRESS_TEXT, net_address_is_ipv4(address) ? "%.50s:%u" : "[%.50s]:%u", ip,
             address->port);
}

int net_address_from(const struct sockaddr_storage *sockaddr, size_t length,
                     struct net_address *address)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)sockaddr;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sockaddr;

    if (length < sizeof(sockaddr->ss_family))
        return -EINVAL;
    *address = (struct net_address){0};
    switch (sockaddr->ss_family) {
    case AF_INET:
        if (length < sizeof(*in))
            return -EINVAL;
        memcpy(address->ip, ipv4_prefix, sizeof(ipv4_prefix));
        memcpy(address->ip + 12, &in->sin_addr, 4);
        address->port = ntohs(in->sin_port);
        return 0;
    case AF_INET6:
        if (length < offsetof(struct sockaddr_in6, sin6_scope_id)) /* SIN6_LEN_RFC2133 */
            return -EINVAL;
        memcpy(address->ip, &in6->sin6_addr, 16);
        address->port = ntohs(in6->sin6_port);
        address->scope = length < sizeof(*in6) ? 0 : in6->sin6_scope_id;
        return 0;
    default:
        return -EAFNOSUPPORT;
    }
}

socklen_t net_address_to(const struct net_address *address, int family,
                         struct sockaddr_storage *sockaddr)
{
    struct sockaddr_in *in = (struct sockaddr_in *)sockaddr;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)sockaddr;

    *sockaddr = (struct sockaddr_storage){.ss_family = (sa_family_t)family};
    if (family == AF_INET6) {
        memcpy(&in6->sin6_addr, address->ip, 16);
        in6->sin6_port = htons(address->port);
        in6->sin6_scope_id = address->scope;
        return sizeof(*in6);
    }
    if (!net_address_is_ipv4(address)) {
        /* :: of a socket that is neither bound nor connected */
        if (!net_address_is_wildcard(address))
            return 0;
    } else {
        memcpy(&in->sin_addr, address->ip + 12, 4);
    }
    in->sin_port = htons(address->port);
    return sizeof(*in);
}
