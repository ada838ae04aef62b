/* SPDX-License-Identifier: ISC
 *
 * Before the guest runs: names are resolved, and the ports of -p belong to this run.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "net.h"

/* What a name stands for. Returns the number of addresses, or -1 with ERR set. */
static int resolve(const struct net_connect_rule *rule, struct net_address addresses[],
                   struct husk_error *err)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    char name[NET_NAME_MAX + 1];
    int count = 0, ret;

    if (net_name_is_localhost(rule->name, rule->name_length)) {
        addresses[0] = net_address_loopback(true, 0);
        addresses[1] = net_address_loopback(false, 0);
        return 2;
    }
    snprintf(name, sizeof(name), "%.*s", (int)rule->name_length, rule->name);
    ret = getaddrinfo(name, NULL, &hints, &found);
    if (ret != 0)
        return error_set(err, STATUS_HUSK, "--connect %s: the host cannot resolve the name: %s",
                         name, gai_strerror(ret));
    for (const struct addrinfo *each = found; each && count < NET_NAME_PERMITS;
         each = each->ai_next) {
        struct sockaddr_storage sockaddr = {0};

        memcpy(&sockaddr, each->ai_addr, each->ai_addrlen);
        if (net_address_from(&sockaddr, each->ai_addrlen, &addresses[count]) == 0)
            count++;
    }
    freeaddrinfo(found);
    if (count == 0)
        return error_set(err, STATUS_HUSK, "--connect %s: the name has no address", name);
    return count;
}

/* Numbers first: they are what names may stand for. */
static int add_connect_rules(struct net_policy *policy, const struct run_options *options,
                             struct husk_error *err)
{
    struct net_address addresses[NET_NAME_PERMITS];

    for (size_t i = 0; i < options->connect_count; i++)
        if (options->connect[i].kind != NET_CONNECT_NAME &&
            net_policy_permit(policy, &options->connect[i], err) < 0)
            return -1;
    for (size_t i = 0; i < options->connect_count; i++) {
        const struct net_connect_rule *rule = &options->connect[i];
        int count;

        if (rule->kind != NET_CONNECT_NAME)
            continue;
        count = resolve(rule, addresses, err);
        if (count < 0 || net_policy_permit_name(policy, rule, addresses, (size_t)count, err) < 0)
            return -1;
    }
    return 0;
}

static int refuse_port(const struct net_publication *publication, struct husk_error *err)
{
    char text[NET_ADDRESS_TEXT];
    const char *cure = "";

    net_address_format(&publication->host, text);
    if (errno == EADDRINUSE)
        cure = "; choose another port, or 0 for any that is free";
    else if (errno == EADDRNOTAVAIL)
        cure = "; the host does not have this address";
    else if (errno == EACCES && publication->host.port < 1024)
        cure = "; ports below 1024 need a privilege, choose a higher one";
    return error_set(err, STATUS_HUSK, "--publish: %s/%s of the host: %s%s", text,
                     net_protocol_name(publication->protocol), strerror(errno), cure);
}

/*
 * A TCP port is taken by listening for a moment: then, and only then, does no SO_REUSEADDR of
 * another process get it, while connections of an earlier run that linger (TIME_WAIT) are no
 * obstacle. shutdown(2) ends listening and keeps the port; until the guest listens, clients are
 * refused. SO_REUSEADDR is off whenever the socket does not listen.
 */
static int take_tcp_port(int fd)
{
    const int off = 0;

    return listen(fd, 1) < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &off, sizeof(off)) < 0 ||
                   shutdown(fd, SHUT_RD) < 0
               ? -1
               : 0;
}

/* A host socket that is bound to ADDRESS, or -1 with errno set. */
static int open_bound(const struct net_address *address, bool tcp)
{
    int family = net_address_is_ipv4(address) ? AF_INET : AF_INET6, on = 1;
    struct sockaddr_storage sockaddr;
    socklen_t length = net_address_to(address, family, &sockaddr);
    cleanup_fd int fd =
        socket(family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 ||
        (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
        (tcp && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0) ||
        bind(fd, (struct sockaddr *)&sockaddr, length) < 0 || (tcp && take_tcp_port(fd) < 0))
        return -1;
    return fd_release(&fd);
}

/* A number that the kernel chose is given up with the first shutdown(2) or connect(2): ask for one,
 * then bind to it by name. */
static int choose_port(struct net_address *address, bool tcp)
{
    struct net_address any = *address;
    struct sockaddr_storage sockaddr;
    socklen_t length = sizeof(sockaddr);
    int family = net_address_is_ipv4(address) ? AF_INET : AF_INET6;
    cleanup_fd int fd = socket(family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);

    any.port = 0;
    if (fd < 0 ||
        bind(fd, (struct sockaddr *)&sockaddr, net_address_to(&any, family, &sockaddr)) < 0 ||
        getsockname(fd, (struct sockaddr *)&sockaddr, &length) < 0)
        return -1;
    net_address_from(&sockaddr, length, address);
    return 0;
}

/* Another process may take the number meanwhile. */
static int open_any_port(struct net_address *address, bool tcp)
{
    for (unsigned tries = 0; tries < 100; tries++) {
        int fd = choose_port(address, tcp) < 0 ? -1 : open_bound(address, tcp);

        if (fd >= 0 || errno != EADDRINUSE)
            return fd;
    }
    return -1;
}

static int open_publication(struct net_publication *publication, struct husk_error *err)
{
    bool tcp = publication->protocol == NET_TCP;

    publication->announced = publication->host.port != 0;
    publication->fd = publication->host.port ? open_bound(&publication->host, tcp)
                                             : open_any_port(&publication->host, tcp);
    if (publication->fd < 0)
        return refuse_port(publication, err);
    if (publication->any_port)
        publication->guest_port = publication->host.port;
    if (!tcp && !(publication->peers = net_peers_new()))
        return error_set(err, STATUS_HUSK, "out of memory");
    return 0;
}

int net_start(struct network *network, const struct run_options *options, int trace_fd,
              struct husk_error *err)
{
    struct net_policy *policy = &network->policy;

    network->trace_fd = trace_fd;
    if (add_connect_rules(policy, options, err) < 0)
        return -1;
    for (size_t i = 0; i < options->publish_count; i++)
        if (net_policy_publish(policy, &options->publish[i], err) < 0)
            return -1;
    for (size_t i = 0; i < policy->publication_count; i++)
        if (open_publication(&policy->publications[i], err) < 0)
            return -1;
    return 0;
}
