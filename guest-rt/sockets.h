/* SPDX-License-Identifier: ISC
 *
 * TCP and UDP sockets: host sockets that never block. What a call would wait for, its thread waits
 * for here.
 */
#ifndef HUSK_SOCKETS_H
#define HUSK_SOCKETS_H

#include "files.h"

/* include/linux/socket.h, which is not for user space. */
enum {
    MSG_OOB = 0x1,
    MSG_PEEK = 0x2,
    MSG_CTRUNC = 0x8,
    MSG_TRUNC = 0x20,
    MSG_DONTWAIT = 0x40,
    MSG_WAITALL = 0x100,
    MSG_CONFIRM = 0x800,
    MSG_ERRQUEUE = 0x2000,
    MSG_NOSIGNAL = 0x4000,
    MSG_WAITFORONE = 0x10000,
    MSG_CMSG_CLOEXEC = 0x40000000,
};

/* struct msghdr and struct mmsghdr of the C library. */
struct user_message {
    uint64_t name;
    uint32_t name_len, pad0;
    uint64_t iov, iov_count;
    uint64_t control, control_len;
    uint32_t flags, pad1;
};
_Static_assert(sizeof(struct user_message) == 56, "no padding");

struct user_messages {
    struct user_message message;
    uint32_t len, pad;
};

/* include/linux/net.h, likewise. */
enum { SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_SEQPACKET = 5, SOCK_MASK = 15 };

enum { AF_UNIX = 1 };

/* HUSK_OP_READ, WRITE, READV or WRITEV. */
int64_t socket_transfer(struct file *file, enum husk_op op, uint64_t addr, uint64_t len);

/* Until EVENTS or DEADLINE: 0, -EAGAIN (too late), -ERESTARTSYS, or -EINTR with a deadline. */
int64_t socket_wait(struct file *file, int16_t events, uint64_t deadline);
/* A TCP socket of the host's. */
bool socket_is_stream(const struct file *file);
/* The deadlines of a call that starts now. */
uint64_t socket_receive_deadline(const struct file *file);
uint64_t socket_send_deadline(const struct file *file);

/* The socket behind FD: -EBADF or -ENOTSOCK. It is held: file_release it. SOCKET_IS_LOCAL, and
 * neither, if it is one of unix.h. */
#define SOCKET_IS_LOCAL 1
int64_t socket_get(uint64_t fd, struct file **file);

/* The file's field for an option that is a timeout, or NULL; setting it; and getting it: bytes
 * written. */
uint64_t *socket_timeout(struct file *file, uint64_t level, uint64_t name);
int64_t socket_set_timeout(uint64_t *timeout, uint64_t addr, int32_t len);
int64_t socket_get_timeout(uint64_t timeout, uint64_t addr, int32_t room);

#endif
