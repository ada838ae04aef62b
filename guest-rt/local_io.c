/* SPDX-License-Identifier: ISC */
#include "local_io.h"

#include <linux/fcntl.h>
#include <linux/fs.h>

#include "span.h"

#define TRANSFER_MAX 0x7ffff000 /* MAX_RW_COUNT of Linux */

/* address, length, offset */
int64_t local_read(struct file *file, const uint64_t arg[4])
{
    uint64_t len = arg[1] < TRANSFER_MAX ? arg[1] : TRANSFER_MAX;

    if (file->system == FS_TMPFS)
        return tmpfs_read(file->node, arg[0], len, arg[2]);
    return synthetic_read(&file->synthetic, arg[0], len, arg[2]);
}

/* At the end with O_APPEND, also for pwrite: pwrite(2), BUGS. */
int64_t local_write(struct file *file, const uint64_t arg[4])
{
    uint64_t len = arg[1] < TRANSFER_MAX ? arg[1] : TRANSFER_MAX, offset = arg[2];
    int64_t done;

    if (file->system == FS_SYNTHETIC)
        return synthetic_write(&file->synthetic, arg[0], len);
    if (file->flags & O_APPEND)
        offset = tmpfs_size(file->node);
    done = tmpfs_write(file->node, arg[0], len, offset);
    if (arg[2] == HUSK_STREAM)
        file->offset = offset + (done > 0 ? done : 0);
    return done;
}

/* Piece by piece, until one is not moved as a whole. */
static int64_t move_vector(struct file *file, const uint64_t arg[4], file_fn *move)
{
    int64_t total = 0, done = vector_length(arg[0], arg[1]);

    if (done < 0)
        return done;
    for (uint64_t i = 0; i < arg[1]; i++) {
        uint64_t offset = arg[2] == HUSK_STREAM ? HUSK_STREAM : arg[2] + (uint64_t)total;
        struct husk_iovec piece;

        if (user_read(&piece, arg[0] + i * sizeof(piece)) < 0)
            return total > 0 ? total : -EFAULT;
        if (piece.len == 0)
            continue;
        done = move(file, (const uint64_t[]){piece.base, piece.len, offset, 0});
        if (done < 0)
            return total > 0 ? total : done;
        total += done;
        if ((uint64_t)done < piece.len)
            break;
    }
    return total;
}

int64_t local_readv(struct file *file, const uint64_t arg[4])
{
    return move_vector(file, arg, local_read);
}

int64_t local_writev(struct file *file, const uint64_t arg[4])
{
    return move_vector(file, arg, local_write);
}

int64_t local_close(struct file *file, const uint64_t arg[4])
{
    (void)arg;
    tmpfs_put(file->node);
    return 0;
}

/* The position of a directory: what getdents64 gave as d_off. */
static int64_t seek_directory(struct file *file, int64_t offset, uint64_t whence)
{
    if (whence == SEEK_CUR && __builtin_add_overflow(offset, (int64_t)file->offset, &offset))
        return -EOVERFLOW;
    if (whence > SEEK_CUR || offset < 0)
        return -EINVAL;
    file->offset = offset;
    return offset;
}

/* offset, whence: SEEK_END, SEEK_DATA and SEEK_HOLE of regular files, which io.c cannot know */
int64_t local_seek(struct file *file, const uint64_t arg[4])
{
    int64_t offset = arg[0];

    if (file->kind == HUSK_KIND_DIR)
        return seek_directory(file, offset, arg[1]);
    if (file->system == FS_SYNTHETIC)
        return file->synthetic.entry->kind == SYNTHETIC_TEXT ? -EINVAL : 0;
    if (arg[1] == SEEK_DATA || arg[1] == SEEK_HOLE)
        return tmpfs_seek(file->node, offset, arg[1]);
    if (arg[1] != SEEK_END)
        return -EINVAL;
    if (__builtin_add_overflow(offset, (int64_t)tmpfs_size(file->node), &offset))
        return -EOVERFLOW;
    return offset < 0 ? -EINVAL : offset;
}

int64_t local_getdents(struct file *file, const uint64_t arg[4])
{
    if (file->system == FS_TMPFS)
        return tmpfs_getdents(file->node, &file->offset, arg[0], arg[1]);
    return synthetic_getdents(&file->synthetic, &file->offset, arg[0], arg[1]);
}

int64_t local_allocate(struct file *file, const uint64_t arg[4])
{
    if (file->system == FS_SYNTHETIC)
        return -ENODEV;
    return tmpfs_fallocate(file->node, arg[0], arg[1], arg[2]);
}

/* Nobody else is there to hold a lock. */
int64_t local_lock(struct file *file, const uint64_t arg[4])
{
    struct flock *lock = (struct flock *)arg[1];
    uint32_t mode = file->flags & O_ACCMODE;

    if (lock->l_type < F_RDLCK || lock->l_type > F_UNLCK)
        return -EINVAL;
    if (arg[0] == F_GETLK || arg[0] == F_OFD_GETLK) {
        lock->l_type = F_UNLCK;
        return 0;
    }
    if ((lock->l_type == F_RDLCK && mode == O_WRONLY) ||
        (lock->l_type == F_WRLCK && mode == O_RDONLY))
        return -EBADF;
    return 0;
}

int64_t local_flock(struct file *file, const uint64_t arg[4])
{
    uint64_t operation = arg[0] & ~(uint64_t)LOCK_NB;

    (void)file;
    return operation == LOCK_SH || operation == LOCK_EX || operation == LOCK_UN ? 0 : -EINVAL;
}

int64_t local_nothing(struct file *file, const uint64_t arg[4])
{
    (void)file, (void)arg;
    return 0;
}
