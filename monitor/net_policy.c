/* SPDX-License-Identifier: ISC */
#include "net_policy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

bool net_policy_is_open(const struct net_policy *policy)
{
    return policy->publication_count > 0 || policy->permit_count > 0;
}

/* Two publications of one port of the guest: a program's bind could mean either. */
static bool is_published(const struct net_policy *policy, const struct net_publish_rule *rule)
{
    for (size_t i = 0; i < policy->publication_count; i++) {
        const struct net_publication *publication = &policy->publications[i];

        if (!publication->any_port && publication->guest_port == rule->guest_port &&
            publication->protocol == rule->protocol &&
            net_address_is_ipv4(&publication->host) == net_address_is_ipv4(&rule->host))
            return true;
    }
    return false;
}

int net_policy_publish(struct net_policy *policy, const struct net_publish_rule *rule,
                       struct husk_error *err)
{
    const char *protocol = net_protocol_name(rule->protocol);

    if (policy->publication_count == NET_RULES_MAX)
        return error_set(err, STATUS_HUSK, "--publish: %d are the most", NET_RULES_MAX);
    if (rule->guest_port && is_published(policy, rule))
        return error_set(err, STATUS_HUSK,
                         "--publish: port %u/%s of the guest is published twice; it can have one "
                         "IPv4 and one IPv6 address",
                         rule->guest_port, protocol);
    policy->publications[policy->publication_count++] = (struct net_publication){
        .host = rule->host,
        .guest_port = rule->guest_port,
        .any_port = rule->guest_port == 0,
        .protocol = rule->protocol,
        .fd = -1,
    };
    return 0;
}

static int add_permit(struct net_policy *policy, struct net_permit permit, struct husk_error *err)
{
    if (policy->permit_count == NET_PERMITS_MAX)
        return error_set(err, STATUS_HUSK,
                         "--connect: %d addresses are the most, those of names included",
                         NET_PERMITS_MAX);
    policy->permits[policy->permit_count++] = permit;
    return 0;
}

int net_policy_permit(struct net_policy *policy, const struct net_connect_rule *rule,
                      struct husk_error *err)
{
    struct net_permit permit = {
        .bits = rule->bits, .port = rule->port, .public_only = rule->kind == NET_CONNECT_PUBLIC};

    memcpy(permit.prefix, rule->prefix, sizeof(permit.prefix));
    return add_permit(policy, permit, err);
}

bool net_name_is_localhost(const char *name, size_t length)
{
    static const char localhost[] = ".localhost";
    const size_t with_dot = sizeof(localhost) - 1;

    if (length > 0 && name[length - 1] == '.')
        length--;
    if (length == with_dot - 1)
        return strncasecmp(name, localhost + 1, length) == 0;
    return length >= with_dot && strncasecmp(name + length - with_dot, localhost, with_dot) == 0;
}

/* Does a rule of its own name ADDRESS, at PORT or any if PORT is 0? */
static bool is_named(const struct net_policy *policy, struct net_address address, uint16_t port)
{
    address.port = port;
    return net_policy_permits(policy, &address);
}

static int add_hosts_line(struct net_policy *policy, const struct net_connect_rule *rule,
                          const struct net_address *address, struct husk_error *err)
{
    char ip[NET_ADDRESS_TEXT], line[NET_ADDRESS_TEXT + NET_NAME_MAX + 2];
    int length;

    net_address_format_ip(address, ip);
    length = snprintf(line, sizeof(line), "%s\t%.*s\n", ip, (int)rule->name_length, rule->name);
    /* The same name for another port has its lines already. */
    if (memmem(policy->hosts, policy->hosts_length, line, (size_t)length))
        return 0;
    if ((size_t)length > sizeof(policy->hosts) - policy->hosts_length)
        return error_set(err, STATUS_HUSK,
                         "--connect: more names than the guest's /etc/hosts holds");
    memcpy(policy->hosts + policy->hosts_length, line, (size_t)length);
    policy->hosts_length += (size_t)length;
    return 0;
}

int net_policy_permit_name(struct net_policy *policy, const struct net_connect_rule *rule,
                           const struct net_address *addresses, size_t count,
                           struct husk_error *err)
{
    bool localhost = net_name_is_localhost(rule->name, rule->name_length);
    int shown = (int)rule->name_length;

    for (size_t i = 0; i < count; i++) {
        enum net_scope scope = net_address_scope(&addresses[i]);
        char ip[NET_ADDRESS_TEXT];

        if (scope == NET_PUBLIC || (localhost && scope == NET_LOOPBACK) ||
            is_named(policy, addresses[i], rule->port))
            continue;
        net_address_format_ip(&addresses[i], ip);
        return error_set(err, STATUS_HUSK,
                         "--connect %.*s: the name stands for %s, %s; if that is meant, name it "
                         "too: --connect %s%s%s:PORT",
                         shown, rule->name, ip, net_scope_name(scope),
                         net_address_is_ipv4(&addresses[i]) ? "" : "[", ip,
                         net_address_is_ipv4(&addresses[i]) ? "" : "]");
    }
    for (size_t i = 0; i < count; i++) {
        struct net_permit permit = {.bits = 128, .port = rule->port};

        memcpy(permit.prefix, addresses[i].ip, sizeof(permit.prefix));
        if (add_permit(policy, permit, err) < 0 ||
            add_hosts_line(policy, rule, &addresses[i], err) < 0)
            return -1;
    }
    return 0;
}

/* "[::]/0" means every IPv6 address: the form that IPv4 addresses have here is not among them. */
static bool permit_covers(const struct net_permit *permit, const struct net_address *address)
{
    if (permit->port && permit->port != address->port)
        return false;
    if (permit->public_only)
        return net_address_scope(address) == NET_PUBLIC;
    return (permit->bits >= 96 || !net_address_is_ipv4(address)) &&
           net_address_in_prefix(address, permit->prefix, permit->bits);
}

bool net_policy_permits(const struct net_policy *policy, const struct net_address *address)
{
    struct net_address to = *address;

    if (net_address_is_wildcard(address))
        to = net_address_loopback(net_address_is_ipv4(address), address->port);
    for (size_t i = 0; i < policy->permit_count; i++)
        if (permit_covers(&policy->permits[i], &to))
            return true;
    return false;
}

/* Can a guest's socket that binds to ADDRESS get a host socket of the other family? */
static bool family_fits(const struct net_publication *publication, bool ipv6, bool v6only,
                        const struct net_address *address)
{
    bool to_ipv4 = net_address_is_ipv4(&publication->host);

    if (!ipv6 || net_address_is_ipv4(address))
        return to_ipv4;
    return !to_ipv4 || (!v6only && net_address_is_wildcard(address));
}

static bool has_address(const struct net_policy *policy, const struct net_address *address)
{
    if (net_address_scope(address) == NET_LOOPBACK) /* so is the wildcard */
        return true;
    for (size_t i = 0; i < policy->publication_count; i++)
        if (memcmp(policy->publications[i].host.ip, address->ip, sizeof(address->ip)) == 0)
            return true;
    return false;
}

int net_policy_bind(struct net_policy *policy, enum net_protocol protocol, bool ipv6, bool v6only,
                    const struct net_address *address, struct net_publication **publication)
{
    struct net_publication *found = NULL;
    bool exists = false, of_other_family = false;

    *publication = NULL;
    if (!has_address(policy, address))
        return -EADDRNOTAVAIL;
    for (size_t i = 0; i < policy->publication_count; i++) {
        struct net_publication *each = &policy->publications[i];

        if (each->protocol != protocol ||
            (address->port ? each->guest_port != address->port : !each->any_port))
            continue;
        if (!family_fits(each, ipv6, v6only, address)) {
            of_other_family = true;
            continue;
        }
        exists = true;
        /* The socket's own family comes first. */
        if (!each->claimed && (!found || (ipv6 && net_address_is_ipv4(&found->host))))
            found = each;
    }
    *publication = found;
    if (found)
        return 0;
    if (address->port && exists)
        return -EADDRINUSE;
    if (address->port)
        return of_other_family ? 0 : -EACCES;
    return policy->permit_count > 0 ? 0 : -EACCES;
}

bool net_policy_to_host(const struct net_policy *policy, enum net_protocol protocol,
                        struct net_address *address)
{
    const struct net_publication *found = NULL;
    bool ipv4 = net_address_is_ipv4(address);

    if (net_address_scope(address) != NET_LOOPBACK)
        return false;
    for (size_t i = 0; i < policy->publication_count; i++) {
        const struct net_publication *each = &policy->publications[i];

        if (each->claimed && each->protocol == protocol && each->guest_port == address->port &&
            net_address_is_ipv4(&each->host) == ipv4)
            found = each;
    }
    if (!found)
        return false;
    *address = net_address_is_wildcard(&found->host) ? net_address_loopback(ipv4, 0) : found->host;
    address->port = found->host.port;
    return true;
}

bool net_policy_to_guest(const struct net_policy *policy, enum net_protocol protocol,
                         struct net_address *address)
{
    for (size_t i = 0; i < policy->publication_count; i++) {
        const struct net_publication *each = &policy->publications[i];

        if (each->protocol != protocol || each->host.port != address->port ||
            net_address_is_ipv4(&each->host) != net_address_is_ipv4(address))
            continue;
        if (memcmp(each->host.ip, address->ip, sizeof(address->ip)) != 0 &&
            !(net_address_is_wildcard(&each->host) && net_address_is_loopback(address)))
            continue;
        *address = net_address_loopback(net_address_is_ipv4(address), each->guest_port);
        return true;
    }
    return false;
}
