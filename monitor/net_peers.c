/* SPDX-License-Identifier: ISC */
#include "net_peers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define WAYS 4
#define SETS (NET_PEERS_MAX / WAYS)

struct peer {
    uint8_t ip[16];
    uint16_t port; /* 0: none */
};

struct net_peers {
    uint64_t seed; /* so that nobody can aim at the set of another */
    uint8_t next[SETS];
    struct peer sets[SETS][WAYS];
};

struct net_peers *net_peers_new(void)
{
    struct net_peers *peers = calloc(1, sizeof(*peers));

    if (peers && getrandom(&peers->seed, sizeof(peers->seed), 0) != sizeof(peers->seed)) {
        free(peers);
        return NULL;
    }
    return peers;
}

/* FNV-1a over the seed and the address, folded. */
static size_t set_of(const struct net_peers *peers, const struct net_address *address)
{
    const uint64_t prime = 0x100000001b3;
    uint64_t hash = 0xcbf29ce484222325 ^ peers->seed;

    for (size_t i = 0; i < sizeof(address->ip); i++)
        hash = (hash ^ address->ip[i]) * prime;
    hash = (hash ^ address->port) * prime;
    hash = (hash ^ hash >> 32) * prime;
    return (hash ^ hash >> 32) % SETS;
}

static bool is_peer(const struct peer *peer, const struct net_address *address)
{
    return peer->port == address->port && memcmp(peer->ip, address->ip, sizeof(peer->ip)) == 0;
}

bool net_peers_has(const struct net_peers *peers, const struct net_address *address)
{
    const struct peer *set = peers->sets[set_of(peers, address)];

    if (address->port == 0)
        return false;
    for (size_t i = 0; i < WAYS; i++)
        if (is_peer(&set[i], address))
            return true;
    return false;
}

void net_peers_note(struct net_peers *peers, const struct net_address *address)
{
    size_t set = set_of(peers, address);
    struct peer *peer;

    if (net_peers_has(peers, address))
        return;
    peer = &peers->sets[set][peers->next[set]++ % WAYS];
    memcpy(peer->ip, address->ip, sizeof(peer->ip));
    peer->port = address->port;
}
