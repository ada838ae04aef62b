/* SPDX-License-Identifier: ISC
 *
 * pipe(2): two objects, one for each end, in one piece of memory.
 */
#include "pipe.h"

#include <asm/poll.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/stat.h>

#include "bytes.h"
#include "object.h"
#include "slab.h"

#define PIPE_SIZE     65536 /* pipe(7) */
#define PIPE_SIZE_MAX (1 << 20)
#define PIPE_ATOMIC   4096 /* PIPE_BUF: so much is written as a whole or not at all */

enum { READER, WRITER };

struct pipe {
    struct object end[2];
    bool open[2];
    struct bytes bytes;
    uint64_t size;
};

static const struct object_kind reader_kind, writer_kind;

static struct pipe *pipe_of(const struct file *file)
{
    return file->object->kind == &reader_kind ? (struct pipe *)file->object
                                              : (struct pipe *)(file->object - WRITER);
}

static bool has_room(const struct pipe *pipe)
{
    return pipe->bytes.used + PIPE_ATOMIC <= pipe->size;
}

static int64_t do_read(struct file *file, struct span *to)
{
    struct pipe *pipe = pipe_of(file);
    bool had_room;
    int64_t ret;

    if (to->left == 0)
        return 0;
    while (pipe->bytes.used == 0) {
        if (!pipe->open[WRITER])
            return 0;
        ret = object_wait(file, NEVER);
        if (ret < 0)
            return ret;
    }
    had_room = has_room(pipe);
    ret = bytes_take(&pipe->bytes, to, to->left);
    if (ret > 0 && !had_room)
        object_wake(&pipe->end[WRITER], POLLOUT | POLLWRNORM);
    return ret;
}

/* Until all is written, unless it need not be atomic and nothing may be waited for. */
static int64_t do_write(struct file *file, struct span *from)
{
    struct pipe *pipe = pipe_of(file);
    uint64_t whole = from->left <= PIPE_ATOMIC ? from->left : 1;
    int64_t done = 0, ret = 0;

    while (from->left > 0) {
        uint64_t room = pipe->size > pipe->bytes.used ? pipe->size - pipe->bytes.used : 0;

        if (!pipe->open[READER]) {
            ret = -EPIPE;
        } else if (room < whole) {
            ret = object_wait(file, NEVER);
        } else {
            ret = bytes_put(&pipe->bytes, from, room < from->left ? room : from->left);
            if (ret > 0) {
                done += ret;
                object_wake(&pipe->end[READER], POLLIN | POLLRDNORM);
            }
        }
        if (ret < 0)
            break;
    }
    return done > 0 ? done : ret;
}

static uint32_t poll_reader(struct file *file)
{
    const struct pipe *pipe = pipe_of(file);

    return (pipe->bytes.used > 0 ? POLLIN | POLLRDNORM : 0) | (pipe->open[WRITER] ? 0 : POLLHUP);
}

static uint32_t poll_writer(struct file *file)
{
    const struct pipe *pipe = pipe_of(file);

    return (has_room(pipe) ? POLLOUT | POLLWRNORM : 0) | (pipe->open[READER] ? 0 : POLLERR);
}

static int64_t queued(struct file *file)
{
    return pipe_of(file)->bytes.used;
}

static void release(struct file *file)
{
    struct pipe *pipe = pipe_of(file);
    int this_end = file->object->kind == &writer_kind;

    pipe->open[this_end] = false;
    if (pipe->open[!this_end]) {
        object_wake(&pipe->end[!this_end], POLLIN | POLLHUP | POLLOUT | POLLERR);
        return;
    }
    bytes_free(&pipe->bytes);
    slab_free(pipe);
}

static const struct object_kind reader_kind = {
    .name = "pipe",
    .numbered = true,
    .mode = S_IFIFO | 0600,
    .system = PIPEFS_MAGIC,
    .read = do_read,
    .poll = poll_reader,
    .queued = queued,
    .release = release,
};

static const struct object_kind writer_kind = {
    .name = "pipe",
    .numbered = true,
    .mode = S_IFIFO | 0600,
    .system = PIPEFS_MAGIC,
    .write = do_write,
    .poll = poll_writer,
    .queued = queued,
    .release = release,
};

int64_t pipe_size(const struct file *file)
{
    if (file->system != FS_OBJECT || !S_ISFIFO(file->object->kind->mode))
        return -EBADF;
    return pipe_of(file)->size;
}

/* A power of two, at least a page, as on Linux. */
int64_t pipe_set_size(const struct file *file, uint64_t wanted)
{
    uint64_t size = HUSK_PAGE_SIZE;

    if (pipe_size(file) < 0)
        return -EBADF;
    if (wanted > INT32_MAX)
        return -EINVAL;
    while (size < wanted)
        size *= 2;
    if (size > PIPE_SIZE_MAX)
        return -EPERM;
    if (size < pipe_of(file)->bytes.used)
        return -EBUSY;
    pipe_of(file)->size = size;
    object_wake(&pipe_of(file)->end[WRITER], POLLOUT | POLLWRNORM);
    return size;
}

static struct pipe *pipe_new(void)
{
    struct pipe *pipe = slab_alloc_zeroed(sizeof(*pipe));

    if (!pipe)
        return NULL;
    object_init(&pipe->end[READER], &reader_kind);
    object_init(&pipe->end[WRITER], &writer_kind);
    pipe->end[WRITER].number = pipe->end[READER].number;
    pipe->open[READER] = pipe->open[WRITER] = true;
    pipe->size = PIPE_SIZE;
    return pipe;
}

static int64_t open_pipe(uint64_t addr, uint32_t flags)
{
    struct pipe *pipe = pipe_new();
    int32_t fds[2];

    if (!pipe)
        return -ENFILE;
    fds[READER] = object_open(&pipe->end[READER], flags | O_RDONLY);
    if (fds[READER] < 0) {
        slab_free(pipe);
        return fds[READER];
    }
    fds[WRITER] = object_open(&pipe->end[WRITER], flags | O_WRONLY);
    if (fds[WRITER] < 0) {
        pipe->open[WRITER] = false;
        fd_close(fds[READER]);
        return fds[WRITER];
    }
    if (user_write(addr, &fds) < 0) {
        fd_close(fds[READER]);
        fd_close(fds[WRITER]);
        return -EFAULT;
    }
    return 0;
}

int64_t sys_pipe(const struct call *call)
{
    return open_pipe(call->arg[0], 0);
}

/* Packets (O_DIRECT) are not kept apart: who asks for them is refused. */
int64_t sys_pipe2(const struct call *call)
{
    uint32_t flags = call->arg[1];

    if (flags & ~(uint32_t)(O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    return open_pipe(call->arg[0], flags);
}
