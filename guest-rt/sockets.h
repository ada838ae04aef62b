/* SPDX-License-Identifier: ISC
 *
 * TCP and UDP sockets: host sockets that never block. What a call would wait for, its thread waits
 * for here.
 */
#ifndef HUSK_SOCKETS_H
#define HUSK_SOCKETS_H

#include "files.h"

enum { SOCK_STREAM = 1, SOCK_DGRAM = 2 }; /* include/linux/net.h, not for user space */

/* HUSK_OP_READ, WRITE, READV or WRITEV. */
int64_t socket_transfer(struct file *file, enum husk_op op, uint64_t addr, uint64_t len);

/* Until EVENTS or DEADLINE: 0, -EAGAIN (too late), -ERESTARTSYS, or -EINTR with a deadline. */
int64_t socket_wait(const struct file *file, int16_t events, uint64_t deadline);
/* The deadlines of a call that starts now. */
uint64_t socket_receive_deadline(const struct file *file);
uint64_t socket_send_deadline(const struct file *file);

/* The socket behind FD: -EBADF or -ENOTSOCK. It is held: file_release it. */
int64_t socket_get(uint64_t fd, struct file **file);

#endif
