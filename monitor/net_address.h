/* SPDX-License-Identifier: ISC
 *
 * Internet addresses as the network policy sees them: one form for both families, so that nothing
 * can be reached by writing its address differently.
 */
#ifndef HUSK_NET_ADDRESS_H
#define HUSK_NET_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct net_address {
    uint8_t ip[16]; /* an IPv4 address as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2) */
    uint16_t port;  /* host byte order */
    uint32_t scope; /* sin6_scope_id: the interface of a link-local address */
};

/* What an address is for. Only NET_PUBLIC ones are meant by a name or by "*". */
enum net_scope { NET_PUBLIC, NET_LOOPBACK, NET_LINK_LOCAL, NET_PRIVATE, NET_RESERVED };

/* "[" + IPv6 + "%" + scope + "]:" + port, with its zero. */
#define NET_ADDRESS_TEXT 72

bool net_address_is_ipv4(const struct net_address *address);
bool net_address_is_wildcard(const struct net_address *address);
bool net_address_is_loopback(const struct net_address *address);
bool net_address_same(const struct net_address *a, const struct net_address *b);
enum net_scope net_address_scope(const struct net_address *address);
/* "a private address" and so on. */
const char *net_scope_name(enum net_scope scope);

/* 127.0.0.1 or ::1, with PORT. */
struct net_address net_address_loopback(bool ipv4, uint16_t port);

/* Are the first BITS of both the same? An IPv4 prefix has 96 more bits here. */
bool net_address_in_prefix(const struct net_address *address, const uint8_t prefix[16],
                           unsigned bits);

/* The numeric address of LENGTH bytes at TEXT, without brackets; port and scope 0. 0 or -1. */
int net_address_parse(const char *text, size_t length, struct net_address *address);

/* "10.0.0.1:80" or "[::1]:80"; without the port "10.0.0.1" or "::1". */
void net_address_format(const struct net_address *address, char text[NET_ADDRESS_TEXT]);
void net_address_format_ip(const struct net_address *address, char text[NET_ADDRESS_TEXT]);

/*
 * A sockaddr of LENGTH bytes that came from the guest or from the host. 0, -EINVAL (too short) or
 * -EAFNOSUPPORT (not AF_INET or AF_INET6).
 */
int net_address_from(const struct sockaddr_storage *sockaddr, size_t length,
                     struct net_address *address);

/* The same back, for a socket of FAMILY: its length, or 0 when an AF_INET socket cannot have it. */
socklen_t net_address_to(const struct net_address *address, int family,
                         struct sockaddr_storage *sockaddr);

#endif
