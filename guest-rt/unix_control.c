/* SPDX-License-Identifier: ISC
 *
 * Control messages. A socket that is sent through itself is never freed, nor what waits in it:
 * nobody looks for circles.
 */
#include "unix_control.h"

#include <asm/socket.h>
#include <linux/fcntl.h>

#include "slab.h"
#include "sockets.h"

#define FILES_IN_MESSAGE 253 /* SCM_MAX_FD of Linux */

enum { SCM_RIGHTS = 1, SCM_CREDENTIALS = 2 };

/* struct cmsghdr of the C library. */
struct control_head {
    uint64_t len; /* with the head */
    int32_t level, type;
};

_Static_assert(FILES_IN_MESSAGE * sizeof(struct file *) <= SLAB_MAX, "one object");

static uint64_t align(uint64_t len)
{
    return (len + sizeof(uint64_t) - 1) & ~(sizeof(uint64_t) - 1);
}

static int64_t add_file(struct message *message, int32_t fd)
{
    struct file *file = file_get((uint32_t)fd);

    if (!file)
        return -EBADF;
    if (message->file_count == FILES_IN_MESSAGE)
        return -EINVAL;
    if (!message->files)
        message->files = slab_alloc(FILES_IN_MESSAGE * sizeof(struct file *));
    if (!message->files)
        return -ENOMEM;
    file_hold(file);
    message->files[message->file_count++] = file;
    return 0;
}

static int64_t read_rights(struct message *message, guest_addr_t addr, uint64_t len)
{
    int64_t ret = 0;

    for (uint64_t i = 0; i < len / sizeof(int32_t) && ret == 0; i++) {
        int32_t fd;

        ret = user_read(&fd, addr + i * sizeof(fd)) < 0 ? -EFAULT : add_file(message, fd);
    }
    return ret;
}

int64_t control_read(struct message *message)
{
    uint64_t at = 0;
    int64_t ret = 0;

    while (ret == 0 && message->control &&
           at + sizeof(struct control_head) <= message->control_room) {
        struct control_head head;

        if (user_read(&head, message->control + at) < 0)
            return -EFAULT;
        if (head.len < sizeof(head) || head.len > message->control_room - at)
            return -EINVAL;
        if (head.level == SOL_SOCKET && head.type == SCM_RIGHTS)
            ret =
                read_rights(message, message->control + at + sizeof(head), head.len - sizeof(head));
        else if (head.level != SOL_SOCKET || head.type != SCM_CREDENTIALS)
            ret = -EINVAL;
        at += align(head.len);
    }
    return ret;
}

void control_move_files(struct message *message, struct packet *packet)
{
    if (!message->files)
        return;
    packet->files = message->files;
    packet->file_count = message->file_count;
    message->files = NULL;
    message->file_count = 0;
}

static void drop(struct file **files, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        file_release(files[i]);
    slab_free(files);
}

void control_drop(struct message *message)
{
    if (message->files)
        drop(message->files, message->file_count);
    message->files = NULL;
}

void control_drop_files(struct packet *packet)
{
    struct file **files = packet->files;

    packet->files = NULL;
    if (files)
        drop(files, packet->file_count);
}

static uint64_t room_left(const struct message *message)
{
    if (!message->control || message->control_used >= message->control_room)
        return 0;
    return message->control_room - message->control_used;
}

/* What does not fit is cut, and the application told so. */
static void put(struct message *message, int32_t type, const void *data, uint64_t size)
{
    const struct control_head head = {sizeof(head) + size, SOL_SOCKET, type};
    guest_addr_t at = message->control + message->control_used;

    if (room_left(message) < head.len || user_write(at, &head) < 0 ||
        user_copy((void *)(at + sizeof(head)), data, size) < 0) {
        message->flags |= MSG_CTRUNC;
        return;
    }
    message->control_used += align(head.len);
    if (message->control_used > message->control_room)
        message->control_used = message->control_room;
}

void control_begin(struct message *message, bool credentials)
{
    const uint32_t own[3] = {PID, BOOT->euid, BOOT->egid}; /* struct ucred: there is one process */

    message->control_used = 0;
    if (credentials && message->control)
        put(message, SCM_CREDENTIALS, own, sizeof(own));
}

void control_write_files(struct message *message, struct packet *packet, uint32_t flags)
{
    int32_t fds[FILES_IN_MESSAGE];
    uint64_t room = room_left(message);
    uint32_t fit = 0, count = 0;

    if (!packet->files)
        return;
    if (room > sizeof(struct control_head))
        fit = (room - sizeof(struct control_head)) / sizeof(fds[0]);
    while (count < packet->file_count && count < fit) {
        int64_t fd = fd_find(0);

        if (fd < 0)
            break;
        file_hold(packet->files[count]);
        fd_install(fd, packet->files[count], flags & MSG_CMSG_CLOEXEC);
        fds[count++] = fd;
    }
    if (count > 0)
        put(message, SCM_RIGHTS, fds, count * sizeof(fds[0]));
    if (count < packet->file_count)
        message->flags |= MSG_CTRUNC;
    if (!(flags & MSG_PEEK))
        control_drop_files(packet);
}
