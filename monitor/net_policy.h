/* SPDX-License-Identifier: ISC
 *
 * The network policy: whom the guest may reach, and which of its ports are the host's. No system
 * calls here: the decisions are functions of the rules and of addresses.
 *
 * The guest has ports of its own. A publication ties one of them to a port of the host, and the
 * guest sees its own number only. What it connects to is seen as it is, but for its own
 * publications: 127.0.0.1 with a port that is in use by one of its sockets is that socket.
 */
#ifndef HUSK_NET_POLICY_H
#define HUSK_NET_POLICY_H

#include "error.h"
#include "husk/abi.h"
#include "net_peers.h"
#include "net_rules.h"

/* A port of the guest, and its host socket. */
struct net_publication {
    struct net_address host;
    uint16_t guest_port;
    bool any_port;           /* -p HOST:0: GUEST_PORT is the host's number, for a bind to port 0 */
    bool claimed;            /* by a socket of the guest */
    bool announced;          /* a free port of the host was printed */
    uint8_t protocol;        /* enum net_protocol */
    uint32_t options;        /* bits as in struct net_socket: what sockets before set on FD */
    int fd;                  /* bound, not listening unless claimed; kept open for the whole run */
    struct net_peers *peers; /* of UDP: who may be answered */
};

struct net_permit {
    uint8_t prefix[16];
    uint8_t bits;
    uint16_t port;    /* 0: any */
    bool public_only; /* "*": whatever has no special purpose */
};

#define NET_PERMITS_MAX   256
#define NET_NAME_PERMITS  16 /* addresses of one name */
#define NET_HOSTS_MAX     HUSK_HOSTS_MAX
#define NET_VIRTUAL_FIRST 49152 /* RFC 6335: dynamic ports, shown for sockets bound to port 0 */

struct net_policy {
    size_t publication_count, permit_count;
    size_t hosts_length;
    struct net_publication publications[NET_RULES_MAX];
    struct net_permit permits[NET_PERMITS_MAX];
    char hosts[NET_HOSTS_MAX]; /* lines of /etc/hosts for the guest */
};

/* Does any flag allow sockets at all? */
bool net_policy_is_open(const struct net_policy *policy);

/* Take over rules; each fails with ERR set (STATUS_HUSK) when there is no room or a conflict. */
int net_policy_publish(struct net_policy *policy, const struct net_publish_rule *rule,
                       struct husk_error *err);
/* A rule without a name. */
int net_policy_permit(struct net_policy *policy, const struct net_connect_rule *rule,
                      struct husk_error *err);
/*
 * A rule with a name that stands for ADDRESSES (COUNT of them, at least one). Those with a special
 * purpose must be permitted by other rules already: whoever answers for the name must not decide
 * that the guest may reach the host's own network. "localhost" names loopback.
 */
int net_policy_permit_name(struct net_policy *policy, const struct net_connect_rule *rule,
                           const struct net_address *addresses, size_t count,
                           struct husk_error *err);

/* "localhost" and what ends in ".localhost" (RFC 6761, 6.3). */
bool net_name_is_localhost(const char *name, size_t length);

/* May the guest reach this address of the host's world? A wildcard is taken as loopback. */
bool net_policy_permits(const struct net_policy *policy, const struct net_address *address);

/*
 * The publication for a guest socket that binds to ADDRESS. 0, -EADDRNOTAVAIL (an address that the
 * guest does not have), -EADDRINUSE, or -EACCES (not published). *PUBLICATION is NULL when the
 * socket is bound to port 0 and only reaches out, and when the port is published for the other
 * family: servers bind both, and give up if one cannot be had. Nobody can reach such a socket.
 */
int net_policy_bind(struct net_policy *policy, enum net_protocol protocol, bool ipv6, bool v6only,
                    const struct net_address *address, struct net_publication **publication);

/*
 * Is ADDRESS a port of the guest's own? If so it becomes the host's, and back. Both leave all other
 * addresses as they are.
 */
bool net_policy_to_host(const struct net_policy *policy, enum net_protocol protocol,
                        struct net_address *address);
bool net_policy_to_guest(const struct net_policy *policy, enum net_protocol protocol,
                         struct net_address *address);

#endif
