/* SPDX-License-Identifier: ISC
 *
 * What -p and --connect say.
 */
#ifndef HUSK_NET_RULES_H
#define HUSK_NET_RULES_H

#include "net_address.h"

#define NET_RULES_MAX 64  /* of each option */
#define NET_NAME_MAX  253 /* bytes of a host name, RFC 1035 2.3.4 */

enum net_protocol { NET_TCP, NET_UDP };

/* "tcp" or "udp". */
const char *net_protocol_name(enum net_protocol protocol);

/* -p [ADDR:]HOST:GUEST[/tcp|/udp] */
struct net_publish_rule {
    struct net_address host; /* port 0: a free one */
    uint16_t guest_port;     /* 0: for a socket that the guest binds to port 0 */
    uint8_t protocol;        /* enum net_protocol */
};

enum net_connect_kind {
    NET_CONNECT_PUBLIC, /* "*" */
    NET_CONNECT_PREFIX, /* an address or CIDR */
    NET_CONNECT_NAME,
};

/* --connect HOST:PORT */
struct net_connect_rule {
    uint8_t kind;  /* enum net_connect_kind */
    uint8_t bits;  /* of PREFIX, counted as in net_address_in_prefix */
    uint16_t port; /* 0: any */
    uint8_t prefix[16];
    const char *name; /* NAME_LENGTH bytes, inside the option's text */
    size_t name_length;
};

/*
 * Parse the whole of TEXT. Return NULL, or what is wrong with it: a clause that says which form is
 * wanted.
 */
const char *net_parse_publish(const char *text, struct net_publish_rule *rule);
const char *net_parse_connect(const char *text, struct net_connect_rule *rule);

#endif
