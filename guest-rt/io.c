/* SPDX-License-Identifier: ISC
 *
 * Reading and writing. A regular file's offset is kept here; streams have none. The monitor checks
 * the application's buffers, so they go to it as they are.
 */
#include <asm/signal.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/uio.h>

#include "io.h"
#include "limits.h"
#include "sockets.h"
#include "stream.h"

bool file_seekable(const struct file *file)
{
    return file->kind == HUSK_KIND_FILE || file->kind == HUSK_KIND_SHARED;
}

/* /dev/null and its like have no position that counts. */
static bool file_is_device(const struct file *file)
{
    return file->system == FS_SYNTHETIC && file->synthetic.entry->kind != SYNTHETIC_TEXT;
}

/* Linux refuses what the descriptor was not opened for before it looks at the buffer. */
struct file *file_for(uint64_t fd, enum husk_op op)
{
    bool write = op == HUSK_OP_WRITE || op == HUSK_OP_WRITEV;
    struct file *file = file_get((uint32_t)fd);
    uint32_t mode = file ? file->flags & O_ACCMODE : 0;

    if (!file || file->flags & O_PATH || mode == (write ? O_RDONLY : O_WRONLY))
        return NULL;
    return file;
}

/* A write to a pipe that nobody reads ends the program, unless it ignores that. */
static int64_t finish(int64_t result)
{
    if (result == -EPIPE)
        signal_raise(SIGPIPE);
    return result;
}

/* The file's position; where the host moved it, by appending, it has to be asked for. */
int64_t file_position(struct file *file)
{
    int64_t offset;

    if (file->offset != OFFSET_ON_HOST)
        return file->offset;
    offset = FILE_CALL(HUSK_OP_SEEK, file, 0, SEEK_CUR);
    if (offset >= 0)
        file->offset = offset;
    return offset;
}

/* Vectors that do not fit are written up to the first that does not, or part of that. */
static int64_t write_vectors(struct file *file, uint64_t addr, uint64_t count, uint64_t offset,
                             uint64_t room)
{
    struct husk_iovec piece;
    uint64_t fits = 0;

    for (; fits < count && fits < HUSK_IOV_MAX; fits++) {
        if (user_read(&piece, addr + fits * sizeof(piece)) < 0)
            return -EFAULT;
        if (piece.len > room)
            break;
        room -= piece.len;
    }
    if (fits > 0 || count == 0)
        return FILE_CALL(HUSK_OP_WRITEV, file, addr, fits, offset);
    return FILE_CALL(HUSK_OP_WRITE, file, piece.base, room, offset);
}

/* OP at OFFSET, or at the file's own position AT if that is HUSK_STREAM: as far as RLIMIT_FSIZE
 * lets. */
static int64_t call_within_limit(struct file *file, enum husk_op op, uint64_t addr, uint64_t len,
                                 uint64_t offset, int64_t at)
{
    int64_t room = at < 0 ? at : limits_room(at);

    if (room < 0)
        return room;
    if (op == HUSK_OP_WRITEV)
        return write_vectors(file, addr, len, offset, room);
    return FILE_CALL(op, file, addr, len < (uint64_t)room ? len : (uint64_t)room, offset);
}

static int64_t limited_call(struct file *file, enum husk_op op, uint64_t addr, uint64_t len,
                            uint64_t offset)
{
    bool writes = op == HUSK_OP_WRITE || op == HUSK_OP_WRITEV;
    int64_t at = offset;

    if (!writes || !limits_file_size() || !file_seekable(file) || file_is_device(file) || len == 0)
        return FILE_CALL(op, file, addr, len, offset);
    if (offset == HUSK_STREAM)
        at = FILE_CALL(HUSK_OP_SEEK, file, 0, file->flags & O_APPEND ? SEEK_END : SEEK_CUR);
    return call_within_limit(file, op, addr, len, offset, at);
}

int64_t file_transfer(struct file *file, enum husk_op op, uint64_t addr, uint64_t len)
{
    bool writes = op == HUSK_OP_WRITE || op == HUSK_OP_WRITEV;
    int64_t offset, done;

    if (file->system == FS_HOST && (file->kind == HUSK_KIND_STREAM || file->kind == HUSK_KIND_TTY))
        return stream_transfer(file, op, addr, len);
    if (file->kind == HUSK_KIND_SOCKET)
        return socket_transfer(file, op, addr, len);
    if (file->kind != HUSK_KIND_FILE)
        return limited_call(file, op, addr, len, HUSK_STREAM);
    if (writes && file->flags & O_APPEND) {
        file->offset = OFFSET_ON_HOST;
        return limited_call(file, op, addr, len, HUSK_STREAM);
    }
    offset = file_position(file);
    if (offset < 0)
        return offset;
    done = limited_call(file, op, addr, len, offset);
    if (done > 0)
        file->offset += done;
    return done;
}

static int64_t transfer(const struct call *call, enum husk_op op)
{
    struct file *file = file_for(call->arg[0], op);
    int64_t done;

    if (!file)
        return -EBADF;
    if (file->kind == HUSK_KIND_DIR)
        return -EISDIR;
    /* Another thread may close the descriptor while this one waits. */
    file_hold(file);
    done = file_transfer(file, op, call->arg[1], call->arg[2]);
    file_release(file);
    return finish(done);
}

/* At OFFSET; the position stays. */
static int64_t transfer_at(const struct call *call, enum husk_op op, uint64_t offset)
{
    struct file *file = file_for(call->arg[0], op);

    if ((int64_t)offset < 0)
        return -EINVAL;
    if (!file)
        return -EBADF;
    if (file->kind == HUSK_KIND_DIR)
        return -EISDIR;
    if (!file_seekable(file))
        return -ESPIPE;
    return limited_call(file, op, call->arg[1], call->arg[2], offset);
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
    int64_t offset = call->arg[1];
    uint64_t whence = (uint32_t)call->arg[2];

    if (!file || file->flags & O_PATH)
        return -EBADF;
    if (file->kind == HUSK_KIND_STREAM || file->kind == HUSK_KIND_TTY)
        return -ESPIPE;
    if (file->kind != HUSK_KIND_FILE || file_is_device(file))
        return FILE_CALL(HUSK_OP_SEEK, file, offset, whence);
    if (whence == SEEK_CUR) {
        int64_t here = file_position(file);

        if (here < 0)
            return here;
        if (__builtin_add_overflow(offset, here, &offset))
            return -EOVERFLOW;
    }
    if (whence > SEEK_CUR)
        offset = FILE_CALL(HUSK_OP_SEEK, file, offset, whence);
    if (offset < 0)
        return whence > SEEK_CUR ? offset : -EINVAL;
    file->offset = offset;
    return offset;
}
