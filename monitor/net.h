/* SPDX-License-Identifier: ISC
 *
 * The network of one run: the host sockets behind the guest's. All are non-blocking: no function
 * here waits for the network, but for net_start, which may ask a name server.
 */
#ifndef HUSK_NET_H
#define HUSK_NET_H

#include <sys/uio.h>

#include "net_policy.h"
#include "options.h"

struct network {
    int trace_fd; /* where refusals are reported, or -1 */
    struct net_policy policy;
};

/*
 * Resolve the names of --connect, open and bind the ports of -p: all that the jail will forbid.
 * Returns 0 or -1 with ERR set (STATUS_HUSK).
 */
int net_start(struct network *network, const struct run_options *options, int trace_fd,
              struct husk_error *err);

/* A socket of the guest. */
struct net_socket {
    uint8_t protocol;                                  /* enum net_protocol */
    bool ipv6;                                         /* the guest's family is AF_INET6 */
    bool host_ipv6;                                    /* the host socket's */
    bool v6only, reuse_address, reuse_port, broadcast; /* options, as the guest set them */
    uint32_t options; /* bits of those that it set on the host's socket: net_option.c */
    bool bound;       /* by the guest, to OWN */
    bool connected;   /* or trying */
    bool listening;
    bool accepted; /* PUBLICATION is that of the listening socket */
    bool unheard;  /* bound to a port that only the other family publishes */
    bool mute;     /* UDP, connected where nothing may be sent */
    struct net_address own;
    struct net_publication *publication;
};

/*
 * socket(2) for AF_INET and AF_INET6. Returns 0 with *SOCKET (to be given to net_socket_close) and
 * *FD, or -errno; -EACCES without any flag for the network.
 */
int net_socket_open(const struct network *network, uint64_t family, uint64_t type,
                    uint64_t protocol, struct net_socket **socket, int *fd);
/* Closes FD. */
void net_socket_close(struct net_socket *socket, int fd);

/* As the system calls of that name; addresses are the guest's. They return 0 or -errno. */
int net_bind(struct network *network, struct net_socket *socket, int fd, unsigned index,
             const struct net_address *address);
int net_listen(struct network *network, struct net_socket *socket, int fd, int backlog);
int net_connect(struct network *network, struct net_socket *socket, int fd,
                const struct net_address *address);
/* UDP only: connect(2) to AF_UNSPEC. */
int net_disconnect(struct net_socket *socket, int fd);
int net_shutdown(const struct net_socket *socket, int fd, int how);
/* *ACCEPTED_FD and *ACCEPTED are the caller's; *PEER is who it is. */
int net_accept(const struct network *network, const struct net_socket *socket, int fd,
               struct net_socket **accepted, int *accepted_fd, struct net_address *peer);
int net_own_name(const struct network *network, const struct net_socket *socket, int fd,
                 struct net_address *address);
int net_peer_name(const struct network *network, const struct net_socket *socket, int fd,
                  struct net_address *address);

/*
 * sendmsg(2) and recvmsg(2), never waiting. TO and FROM may be NULL. Return bytes or -errno.
 * net_receive sets *FROM_KNOWN to whether FROM was filled, and *MESSAGE_FLAGS to msg_flags.
 */
int64_t net_send(struct network *network, const struct net_socket *socket, int fd,
                 const struct iovec *iov, size_t count, int flags, const struct net_address *to);
int64_t net_receive(struct network *network, const struct net_socket *socket, int fd,
                    const struct iovec *iov, size_t count, int flags, struct net_address *from,
                    bool *from_known, int *message_flags);

/* Drop LENGTH bytes that wait in a TCP socket. */
void net_skip(int fd, size_t length);

/*
 * Options by their numbers on Linux; those that are not on the list are -ENOPROTOOPT. VALUE has
 * room for NET_OPTION_MAX bytes. 0 or -errno.
 */
#define NET_OPTION_MAX 16
int net_get_option(struct net_socket *socket, int fd, uint64_t level, uint64_t name, void *value,
                   socklen_t *length);
int net_set_option(struct net_socket *socket, int fd, uint64_t level, uint64_t name,
                   const void *value, socklen_t length);
/* Let FD have the options that the guest set on SOCKET, whose descriptor is FROM, and not those of
 * OTHERS that were set on FD before. */
void net_copy_options(const struct net_socket *socket, int from, int fd, uint32_t others);

/* May the guest send to ADDRESS? If so it becomes the host's address. */
bool net_may_send(const struct network *network, const struct net_socket *socket,
                  struct net_address *address);

/* A line of --trace: WHAT was refused and why. */
void net_report_refusal(const struct network *network, const char *what,
                        const struct net_socket *socket, const struct net_address *address,
                        const char *why);

#endif
