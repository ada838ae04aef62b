/* SPDX-License-Identifier: ISC
 *
 * eventfd(2): a counter.
 */
#include <asm/poll.h>
#include <linux/fcntl.h>
#include <linux/magic.h>

#include "object.h"
#include "slab.h"

#define COUNT_MAX (UINT64_MAX - 1)

/* eventfd(2); the other two flags are open(2)'s. */
#define EFD_SEMAPHORE 1

struct eventfd {
    struct object object;
    uint64_t count;
    bool semaphore;
};

static struct eventfd *eventfd_of(const struct file *file)
{
    return (struct eventfd *)file->object;
}

static int64_t do_read(struct file *file, struct span *to)
{
    struct eventfd *self = eventfd_of(file);
    uint64_t value;
    int64_t ret;

    if (to->left < sizeof(value))
        return -EINVAL;
    while (self->count == 0) {
        ret = object_wait(file, NEVER);
        if (ret < 0)
            return ret;
    }
    value = self->semaphore ? 1 : self->count;
    self->count -= value;
    object_wake(&self->object, POLLOUT);
    return span_put(to, &value, sizeof(value)) < sizeof(value) ? -EFAULT : (int64_t)sizeof(value);
}

static int64_t do_write(struct file *file, struct span *from)
{
    struct eventfd *self = eventfd_of(file);
    uint64_t value;
    int64_t ret;

    if (from->left < sizeof(value))
        return -EINVAL;
    if (span_get(from, &value, sizeof(value)) < sizeof(value))
        return -EFAULT;
    if (value == UINT64_MAX)
        return -EINVAL;
    while (value > COUNT_MAX - self->count) {
        ret = object_wait(file, NEVER);
        if (ret < 0)
            return ret;
    }
    self->count += value;
    object_wake(&self->object, POLLIN);
    return sizeof(value);
}

static uint32_t do_poll(struct file *file)
{
    const struct eventfd *self = eventfd_of(file);

    return (self->count > 0 ? POLLIN : 0) | (self->count < COUNT_MAX ? POLLOUT : 0);
}

static void release(struct file *file)
{
    slab_free(file->object);
}

static const struct object_kind eventfd_kind = {
    .name = "anon_inode:[eventfd]",
    .mode = 0600,
    .system = ANON_INODE_FS_MAGIC,
    .read = do_read,
    .write = do_write,
    .poll = do_poll,
    .release = release,
};

static int64_t open_eventfd(uint32_t count, uint32_t flags)
{
    struct eventfd *self;
    int64_t fd;

    if (flags & ~(uint32_t)(O_CLOEXEC | O_NONBLOCK | EFD_SEMAPHORE))
        return -EINVAL;
    self = slab_alloc_zeroed(sizeof(*self));
    if (!self)
        return -ENOMEM;
    object_init(&self->object, &eventfd_kind);
    self->count = count;
    self->semaphore = flags & EFD_SEMAPHORE;
    fd = object_open(&self->object, O_RDWR | (flags & (O_CLOEXEC | O_NONBLOCK)));
    if (fd < 0)
        slab_free(self);
    return fd;
}

int64_t sys_eventfd(const struct call *call)
{
    return open_eventfd(call->arg[0], 0);
}

int64_t sys_eventfd2(const struct call *call)
{
    return open_eventfd(call->arg[0], call->arg[1]);
}
