/* SPDX-License-Identifier: ISC
 *
 * AF_UNIX: sockets within the guest. The host never sees them.
 */
#ifndef HUSK_RT_UNIX_H
#define HUSK_RT_UNIX_H

#include "bytes.h"
#include "object.h"

#define UNIX_PATH_MAX 108 /* of struct sockaddr_un */

/* A name: the path without a zero, or an abstract one, which starts with one. */
struct unix_address {
    uint32_t len; /* 0: none */
    char path[UNIX_PATH_MAX];
};

/* Data on its way to a socket: a message, or what a stream got without descriptors in between. */
struct packet {
    struct packet *next;
    struct bytes bytes;
    uint64_t cost;             /* against UNIX_LIMIT */
    struct file **files;       /* SCM_RIGHTS, held; or NULL */
    uint32_t file_count;       /* of FILES */
    struct unix_address *from; /* of a datagram whose sender has a name, else NULL */
};

#define UNIX_LIMIT 212992 /* bytes that wait in a socket: SO_SNDBUF of Linux */

struct unix_socket {
    struct object object;
    struct unix_socket *next, *previous; /* of all */
    uint8_t type;
    bool listening, connected;
    bool read_shut, write_shut;
    bool wants_credentials; /* SO_PASSCRED */
    int32_t error;          /* SO_ERROR, positive */
    struct unix_socket *peer;
    struct unix_address name;
    bool has_name;           /* NAME is its own, and not that of who accepted it, and no file's */
    struct tmpfs_node *node; /* the file that bind made, or NULL */
    struct packet *first, *last;
    uint64_t waiting;            /* cost of all packets */
    struct unix_socket *pending; /* LISTENING: not accepted yet, the oldest first */
    struct unix_socket *next_pending;
    uint32_t pending_count, backlog;
};

bool unix_is_socket(const struct file *file);
static inline struct unix_socket *unix_of(const struct file *file)
{
    return (struct unix_socket *)file->object;
}

/* All of them, from NULL on. */
struct unix_socket *unix_after(const struct unix_socket *socket);

/* unix_names.c: from and to struct sockaddr_un. */
int64_t unix_read_address(guest_addr_t addr, uint32_t len, struct unix_address *address);
/* LEN is the room, and then the whole length. */
int64_t unix_write_address(const struct unix_address *address, guest_addr_t addr, uint32_t *len);
/* Give the socket a name: -EADDRINUSE, and what making a file in a tmpfs gives. */
int64_t unix_take_name(struct unix_socket *socket, const struct unix_address *address);
void unix_give_name_back(struct unix_socket *socket);
/* The socket of that name and type: -ECONNREFUSED, -ENOENT, -EPROTOTYPE. */
int64_t unix_find(const struct unix_address *address, uint8_t type, struct unix_socket **socket);

/* unix_calls.c */
int64_t unix_read(struct file *file, struct span *to);
int64_t unix_write(struct file *file, struct span *from);

/* unix_data.c */
uint32_t unix_poll(struct file *file);
int64_t unix_queued(struct file *file);
void unix_drop_packets(struct unix_socket *socket);

/* System calls on a file that is one of these. */
int64_t unix_socket(uint64_t type, uint64_t protocol, uint64_t flags);
syscall_fn unix_bind, unix_listen, unix_connect, unix_shutdown, unix_setsockopt, unix_getsockopt,
    unix_sendto, unix_recvfrom, unix_sendmsg, unix_recvmsg, unix_sendmmsg, unix_recvmmsg;
int64_t unix_accept(const struct call *call, uint64_t flags);
int64_t unix_name(const struct call *call, bool peer);

#endif
