/* SPDX-License-Identifier: ISC
 *
 * signalfd(2): pending signals that are read instead of delivered.
 */
#include <asm/poll.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/signalfd.h>

#include "object.h"
#include "slab.h"
#include "thread.h"

struct signalfd {
    struct object object;
    struct waiter arrival; /* of any signal */
    uint64_t mask;
};

static struct signalfd *signalfd_of(const struct file *file)
{
    return (struct signalfd *)file->object;
}

static void arrived(struct waiter *waiter)
{
    struct signalfd *self =
        (struct signalfd *)((char *)waiter - offsetof(struct signalfd, arrival));

    object_wake(&self->object, POLLIN);
}

/* Which fields there are depends on who sent it, as in Linux's siginfo_layout. */
static struct signalfd_siginfo record_of(const siginfo_t *info)
{
    struct signalfd_siginfo record = {
        .ssi_signo = (uint32_t)info->si_signo,
        .ssi_errno = info->si_errno,
        .ssi_code = info->si_code,
    };

    if (info->si_code == SI_TIMER) {
        record.ssi_tid = (uint32_t)info->si_tid;
        record.ssi_overrun = (uint32_t)info->si_overrun;
        record.ssi_ptr = (uint64_t)info->si_ptr;
        record.ssi_int = info->si_int;
        return record;
    }
    record.ssi_pid = (uint32_t)info->si_pid;
    record.ssi_uid = info->si_uid;
    if (info->si_code == SI_QUEUE) {
        record.ssi_ptr = (uint64_t)info->si_ptr;
        record.ssi_int = info->si_int;
    }
    return record;
}

/* All that are there and fit. */
static int64_t take_pending(const struct signalfd *self, struct span *to)
{
    int64_t done = 0;
    siginfo_t info;

    while (to->left >= sizeof(struct signalfd_siginfo) && signal_take(self->mask, &info)) {
        const struct signalfd_siginfo record = record_of(&info);

        if (span_put(to, &record, sizeof(record)) < sizeof(record))
            return done > 0 ? done : -EFAULT;
        done += sizeof(record);
    }
    return done;
}

static int64_t do_read(struct file *file, struct span *to)
{
    struct signalfd *self = signalfd_of(file);
    int64_t ret;

    if (to->left < sizeof(struct signalfd_siginfo))
        return -EINVAL;
    while ((ret = take_pending(self, to)) == 0) {
        ret = object_wait(file, NEVER);
        if (ret < 0)
            break;
    }
    return ret;
}

static uint32_t do_poll(struct file *file)
{
    return signals_pending(signalfd_of(file)->mask) ? POLLIN : 0;
}

static void release(struct file *file)
{
    waiter_remove(&signalfd_of(file)->arrival);
    slab_free(file->object);
}

static const struct object_kind signalfd_kind = {
    .name = "anon_inode:[signalfd]",
    .mode = 0600,
    .system = ANON_INODE_FS_MAGIC,
    .read = do_read,
    .poll = do_poll,
    .release = release,
};

static int64_t open_signalfd(uint64_t mask, uint32_t flags)
{
    struct signalfd *self = slab_alloc_zeroed(sizeof(*self));
    int64_t fd;

    if (!self)
        return -ENOMEM;
    object_init(&self->object, &signalfd_kind);
    self->mask = mask;
    waiter_add_notify(&signal_arrivals, &self->arrival, arrived);
    fd = object_open(&self->object, O_RDWR | flags);
    if (fd < 0) {
        waiter_remove(&self->arrival);
        slab_free(self);
    }
    return fd;
}

static int64_t do_signalfd(const struct call *call, uint32_t flags)
{
    uint32_t fd = (uint32_t)call->arg[0];
    struct signalfd *self;
    uint64_t mask;

    if (call->arg[2] != sizeof(mask) || flags & ~(uint32_t)(O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    if (user_read(&mask, call->arg[1]) < 0)
        return -EFAULT;
    mask &= ~(SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP));
    if (fd == UINT32_MAX)
        return open_signalfd(mask, flags);
    if (!file_get(fd))
        return -EBADF;
    self = (struct signalfd *)object_get(fd, &signalfd_kind);
    if (!self)
        return -EINVAL;
    self->mask = mask;
    object_wake(&self->object, POLLIN);
    return fd;
}

int64_t sys_signalfd(const struct call *call)
{
    return do_signalfd(call, 0);
}

int64_t sys_signalfd4(const struct call *call)
{
    return do_signalfd(call, (uint32_t)call->arg[3]);
}
