/* SPDX-License-Identifier: ISC
 *
 * Who sent a datagram to a published port, and may therefore be answered. The memory is bounded: a
 * flood of senders makes it forget others, to which an answer is then lost as any datagram may be.
 */
#ifndef HUSK_NET_PEERS_H
#define HUSK_NET_PEERS_H

#include "net_address.h"

#define NET_PEERS_MAX 4096

struct net_peers;

/* NULL without memory. Lives as long as the run. */
struct net_peers *net_peers_new(void);

void net_peers_note(struct net_peers *peers, const struct net_address *address);
bool net_peers_has(const struct net_peers *peers, const struct net_address *address);

#endif
