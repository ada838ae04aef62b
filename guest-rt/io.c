/* SPDX-License-Identifier: ISC
 *
 * Reading and writing. A regular file's offset is kept here; streams have none. The monitor checks
 * the application's buffers, so they go to it as they are.
 */
#include <asm/signal.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/uio.h>

#include "files.h"

static bool seekable(const struct file *file)
{
    return file->kind == HUSK_KIND_FILE || file->kind == HUSK_KIND_SHARED;
}

/* Linux refuses what the descriptor was not opened for before it looks at the buffer. */
static struct file *get_for(uint64_t fd, enum husk_op op)
{
    bool write = op == HUSK_OP_WRITE || op == HUSK_OP_WRITEV;
    struct file *file = file_get((uint32_t)fd);
    uint32_t mode = file ? file->flags & O_ACCMODE : 0;

    if (!file || file->flags & O_PATH || mode == (write ? O_RDONLY : O_WRONLY))
        return NULL;
    return file;
}

/* A write to a pipe that nobody reads ends the program, unless it ignores that. */
static int64_t finish(int64_t result, const struct call *call)
{
    if (result == -EPIPE)
        signal_raise(SIGPIPE, call->regs);
    return result;
}

/* At the file's own position, which moves. */
static int64_t transfer(const struct call *call, enum husk_op op)
{
    struct file *file = get_for(call->arg[0], op);
    bool own_offset;
    int64_t done;

    if (!file)
        return -EBADF;
    if (file->kind == HUSK_KIND_DIR)
        return -EISDIR;
    own_offset = file->kind == HUSK_KIND_FILE;
    done = HYPERCALL(op, file->handle, call->arg[1], call->arg[2],
                     own_offset ? file->offset : HUSK_STREAM);
    if (own_offset && done > 0)
        file->offset += done;
    if (!own_offset)
        clock_slept();
    return finish(done, call);
}

/* At OFFSET; the position stays. */
static int64_t transfer_at(const struct call *call, enum husk_op op, uint64_t offset)
{
    struct file *file = get_for(call->arg[0], op);

    if ((int64_t)offset < 0)
        return -EINVAL;
    if (!file)
        return -EBADF;
    if (file->kind == HUSK_KIND_DIR)
        return -EISDIR;
    if (!seekable(file))
        return -ESPIPE;
    return HYPERCALL(op, file->handle, call->arg[1], call->arg[2], offset);
}

int64_t sys_read(const struct call *call)
{
    return transfer(call, HUSK_OP_READ);
}

int64_t sys_write(const struct call *call)
{
    return transfer(call, HUSK_OP_WRITE);
}

int64_t sys_readv(const struct call *call)
{
    return transfer(call, HUSK_OP_READV);
}

int64_t sys_writev(const struct call *call)
{
    return transfer(call, HUSK_OP_WRITEV);
}

int64_t sys_pread64(const struct call *call)
{
    return transfer_at(call, HUSK_OP_READ, call->arg[3]);
}

int64_t sys_pwrite64(const struct call *call)
{
    return transfer_at(call, HUSK_OP_WRITE, call->arg[3]);
}

int64_t sys_preadv(const struct call *call)
{
    return transfer_at(call, HUSK_OP_READV, call->arg[3]);
}

int64_t sys_pwritev(const struct call *call)
{
    return transfer_at(call, HUSK_OP_WRITEV, call->arg[3]);
}

/* The RWF_ flags are hints, but for those that change what is promised. */
static int64_t transfer_v2(const struct call *call, enum husk_op op)
{
    if (call->arg[5] & ~(uint64_t)(RWF_HIPRI))
        return -EOPNOTSUPP;
    return call->arg[3] == HUSK_STREAM ? transfer(call, op) : transfer_at(call, op, call->arg[3]);
}

int64_t sys_preadv2(const struct call *call)
{
    return transfer_v2(call, HUSK_OP_READV);
}

int64_t sys_pwritev2(const struct call *call)
{
    return transfer_v2(call, HUSK_OP_WRITEV);
}

int64_t sys_lseek(const struct call *call)
{
    struct file *file = file_get((uint32_t)call->arg[0]);
    int64_t position = call->arg[1];
    uint64_t whence = (uint32_t)call->arg[2];

    if (!file || file->flags & O_PATH)
        return -EBADF;
    if (file->kind == HUSK_KIND_STREAM || file->kind == HUSK_KIND_TTY)
        return -ESPIPE;
    if (file->kind != HUSK_KIND_FILE)
        return HYPERCALL(HUSK_OP_SEEK, file->handle, position, whence);
    if (whence == SEEK_CUR && __builtin_add_overflow(position, file->offset, &position))
        return -EOVERFLOW;
    if (whence > SEEK_CUR)
        position = HYPERCALL(HUSK_OP_SEEK, file->handle, position, whence);
    if (position < 0)
        return whence > SEEK_CUR ? position : -EINVAL;
    file->offset = position;
    return position;
}

int64_t sys_ioctl(const struct call *call)
{
    struct file *file = file_get((uint32_t)call->arg[0]);

    if (!file || file->flags & O_PATH)
        return -EBADF;
    if (file->kind != HUSK_KIND_TTY)
        return -ENOTTY;
    return HYPERCALL(HUSK_OP_TTY, file->handle, call->arg[1], call->arg[2]);
}

int64_t file_read_all(uint64_t fd, uint64_t addr, uint64_t len, uint64_t offset)
{
    struct file *file = get_for(fd, HUSK_OP_READ);

    if (!file)
        return file_get((uint32_t)fd) ? -EACCES : -EBADF;
    if (file->kind != HUSK_KIND_FILE && file->kind != HUSK_KIND_SHARED)
        return -ENODEV;
    while (len > 0) {
        int64_t done = HYPERCALL(HUSK_OP_READ, file->handle, addr, len, offset);

        if (done <= 0)
            return done;
        addr += done;
        offset += done;
        len -= done;
    }
    return 0;
}
