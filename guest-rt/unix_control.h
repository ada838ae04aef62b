/* SPDX-License-Identifier: ISC
 *
 * What goes along with a message: descriptors (SCM_RIGHTS) and credentials.
 */
#ifndef HUSK_UNIX_CONTROL_H
#define HUSK_UNIX_CONTROL_H

#include "unix.h"

/* One call that sends or receives. */
struct message {
    struct span span;
    guest_addr_t name; /* sending: where to, or 0 */
    uint32_t name_size;
    guest_addr_t control; /* struct cmsghdr[] */
    uint64_t control_room, control_used;
    uint32_t flags; /* received: msg_flags */
    struct file **files;
    uint32_t file_count;      /* sending: held */
    struct unix_address from; /* received */
};

/* unix_data.c: bytes, or -errno. FLAGS are those of send(2) and recv(2). */
int64_t unix_send(struct file *file, struct message *message, uint32_t flags);
int64_t unix_receive(struct file *file, struct message *message, uint32_t flags);

/* Sending: the descriptors that the application wants to send; what was not sent is dropped. */
int64_t control_read(struct message *message);
void control_move_files(struct message *message, struct packet *packet);
void control_drop(struct message *message);
void control_drop_files(struct packet *packet);

/* Receiving: credentials if they are wanted, then a packet's descriptors. */
void control_begin(struct message *message, bool credentials);
void control_write_files(struct message *message, struct packet *packet, uint32_t flags);

#endif
