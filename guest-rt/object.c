/* SPDX-License-Identifier: ISC
 *
 * What all objects have in common: descriptors, waiting, and the operations of abi.h on them.
 */
#include "object.h"
#include "identity.h"

#include <asm/statfs.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include <linux/types.h>

#include "local_io.h"
#include "synthetic_text.h"

#define OBJECT_DEVICE 14 /* minor number of st_dev, unlike that of any file system */

void object_init(struct object *object, const struct object_kind *kind)
{
    static uint64_t last;

    *object = (struct object){.kind = kind, .number = ++last};
}

struct file *file_new_object(struct object *object, uint32_t flags)
{
    struct file *file = file_new(0, HUSK_KIND_STREAM, flags & ~(uint32_t)O_CLOEXEC);

    if (!file)
        return NULL;
    file->system = FS_OBJECT;
    file->object = object;
    return file;
}

int64_t object_open(struct object *object, uint32_t flags)
{
    int64_t fd = fd_find(0);
    struct file *file;

    if (fd < 0)
        return fd;
    file = file_new_object(object, flags);
    if (!file)
        return -ENFILE;
    fd_install(fd, file, flags & O_CLOEXEC);
    return fd;
}

struct object *object_get(uint64_t fd, const struct object_kind *kind)
{
    struct file *file = file_get((uint32_t)fd);

    return file && file->system == FS_OBJECT && file->object->kind == kind ? file->object : NULL;
}

void object_wake(struct object *object, uint32_t events)
{
    object->woken = events;
    queue_wake(&object->queue);
}

int64_t object_wait_for(struct object *object, bool nonblocking, uint64_t deadline)
{
    struct waiter waiter;
    int64_t ret;

    if (nonblocking)
        return -EAGAIN;
    waiter_add(&object->queue, &waiter);
    ret = thread_sleep(deadline);
    waiter_remove(&waiter);
    if (ret == -ETIMEDOUT)
        return -EAGAIN;
    return ret == -EINTR ? -ERESTARTSYS : ret;
}

int64_t object_wait(const struct file *file, uint64_t deadline)
{
    return object_wait_for(file->object, file->flags & O_NONBLOCK, deadline);
}

void object_abandon(struct object *object)
{
    object_wake(object, UINT32_MAX);
    while (object->queue.first)
        waiter_remove(object->queue.first);
}

void object_name(const struct object *object, struct text *text)
{
    text_string(text, object->kind->name);
    if (object->kind->numbered) {
        text_string(text, ":[");
        text_decimal(text, object->number, 0);
        text_char(text, ']');
    }
}

static int64_t transfer(struct file *file, struct span *span, bool writes)
{
    const struct object_kind *kind = file->object->kind;
    int64_t (*move)(struct file * file, struct span * span) = writes ? kind->write : kind->read;

    return move ? move(file, span) : -EINVAL;
}

static int64_t do_read(struct file *file, const uint64_t arg[4])
{
    struct span span = span_of(arg[0], arg[1]);

    return transfer(file, &span, false);
}

static int64_t do_write(struct file *file, const uint64_t arg[4])
{
    struct span span = span_of(arg[0], arg[1]);

    return transfer(file, &span, true);
}

static int64_t transfer_vector(struct file *file, const uint64_t arg[4], bool writes)
{
    struct span span;
    int ret = span_of_vector(&span, arg[0], arg[1]);

    return ret < 0 ? ret : transfer(file, &span, writes);
}

static int64_t do_readv(struct file *file, const uint64_t arg[4])
{
    return transfer_vector(file, arg, false);
}

static int64_t do_writev(struct file *file, const uint64_t arg[4])
{
    return transfer_vector(file, arg, true);
}

static int64_t do_close(struct file *file, const uint64_t arg[4])
{
    (void)arg;
    file->object->kind->release(file);
    return 0;
}

static int64_t do_allocate(struct file *file, const uint64_t arg[4])
{
    (void)arg;
    return (file->object->kind->mode & S_IFMT) == S_IFIFO ? -ESPIPE : -ENODEV;
}

static int64_t do_stat(const struct place *place, const uint64_t arg[3])
{
    const struct object *object = place->object;
    const uint64_t second = 1000000000, now = clock_realtime();
    const struct statx_timestamp time = {.tv_sec = now / second, .tv_nsec = now % second};
    const struct statx result = {
        .stx_mask = STATX_BASIC_STATS,
        .stx_blksize = HUSK_PAGE_SIZE,
        .stx_nlink = 1,
        .stx_uid = user_identity()->effective,
        .stx_gid = group_identity()->effective,
        .stx_mode = object->kind->mode,
        .stx_ino = object->number,
        .stx_atime = time,
        .stx_ctime = time,
        .stx_mtime = time,
        .stx_dev_minor = OBJECT_DEVICE,
    };

    return user_write(arg[2], &result);
}

static int64_t do_access(const struct place *place, const uint64_t arg[3])
{
    (void)place;
    return arg[0] & 1 /* X_OK */ ? -EACCES : 0;
}

static int64_t do_readlink(const struct place *place, const uint64_t arg[3])
{
    (void)place, (void)arg;
    return -EINVAL;
}

static int64_t do_truncate(const struct place *place, const uint64_t arg[3])
{
    (void)place, (void)arg;
    return -EINVAL;
}

static int64_t do_statfs(const struct place *place, const uint64_t arg[3])
{
    const struct statfs result = {
        .f_type = place->object->kind->system,
        .f_bsize = HUSK_PAGE_SIZE,
        .f_frsize = HUSK_PAGE_SIZE,
        .f_namelen = TMPFS_NAME_MAX,
    };

    return user_write(arg[0], &result);
}

const struct file_system_ops object_ops = {
    .on_place =
        {
            [HUSK_OP_STAT] = do_stat,
            [HUSK_OP_ACCESS] = do_access,
            [HUSK_OP_READLINK] = do_readlink,
            [HUSK_OP_TRUNCATE] = do_truncate,
            [HUSK_OP_STATFS] = do_statfs,
        },
    .on_file =
        {
            [HUSK_OP_READ] = do_read,
            [HUSK_OP_WRITE] = do_write,
            [HUSK_OP_READV] = do_readv,
            [HUSK_OP_WRITEV] = do_writev,
            [HUSK_OP_CLOSE] = do_close,
            [HUSK_OP_ALLOCATE] = do_allocate,
            [HUSK_OP_LOCK] = local_lock,
            [HUSK_OP_FLOCK] = local_flock,
        },
};
