/* SPDX-License-Identifier: ISC
 *
 * ioctl(2): what concerns every descriptor, what can be read at once, and terminals.
 */
#include <asm/ioctls.h>
#include <linux/fcntl.h>
#include <linux/fs.h>

#include "io.h"
#include "object.h"

static int64_t set_nonblocking(struct file *file, guest_addr_t addr)
{
    int32_t on;

    if (user_read(&on, addr) < 0)
        return -EFAULT;
    file->flags = on ? file->flags | O_NONBLOCK : file->flags & ~(uint32_t)O_NONBLOCK;
    return 0;
}

static int64_t queued(struct file *file)
{
    if (file->kind == HUSK_KIND_SOCKET)
        return HYPERCALL(HUSK_OP_QUEUED, file->handle);
    if (file->kind == HUSK_KIND_FILE && file->system != FS_SYNTHETIC) {
        int64_t end = FILE_CALL(HUSK_OP_SEEK, file, 0, SEEK_END), at = file_position(file);

        return end < 0 ? end : at < 0 ? at : end - at;
    }
    if (file->system != FS_OBJECT || !file->object->kind->queued)
        return -ENOTTY;
    return file->object->kind->queued(file);
}

int64_t sys_ioctl(const struct call *call)
{
    uint64_t fd = (uint32_t)call->arg[0], request = (uint32_t)call->arg[1];
    struct file *file = file_get(fd);
    int64_t bytes;

    if (!file || file->flags & O_PATH)
        return -EBADF;
    switch (request) {
    case FIOCLEX:
    case FIONCLEX:
        fd_set_close_on_exec(fd, request == FIOCLEX);
        return 0;
    case FIONBIO:
        return set_nonblocking(file, call->arg[2]);
    }
    if (file->kind == HUSK_KIND_TTY)
        return FILE_CALL(HUSK_OP_TTY, file, request, call->arg[2]);
    if (request != FIONREAD)
        return -ENOTTY;
    bytes = queued(file);
    if (bytes < 0)
        return bytes;
    return user_write(call->arg[2], &(int32_t){bytes});
}
