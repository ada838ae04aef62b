/* SPDX-License-Identifier: ISC
 *
 * timerfd_create(2): a timer that is read.
 */
#include <asm/poll.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/time.h>

#include "object.h"
#include "slab.h"
#include "thread.h"
#include "timers.h"

/* timerfd_create(2); the clock is never set. */
enum { TFD_TIMER_ABSTIME = 1, TFD_TIMER_CANCEL_ON_SET = 2 };

struct timerfd {
    struct object object;
    struct timer timer;
    uint64_t clock;
    uint64_t ticks; /* expirations that were not read */
};

static struct timerfd *timerfd_of(const struct file *file)
{
    return (struct timerfd *)file->object;
}

static void expire(struct timer *timer, uint64_t count)
{
    struct timerfd *self = (struct timerfd *)((char *)timer - offsetof(struct timerfd, timer));

    self->ticks += count;
    object_wake(&self->object, POLLIN);
}

/* As of now, not as of the last interruption. */
static uint64_t ticks_now(struct timerfd *self)
{
    if (self->timer.deadline != NEVER)
        timers_expire(clock_monotonic());
    return self->ticks;
}

static int64_t do_read(struct file *file, struct span *to)
{
    struct timerfd *self = timerfd_of(file);
    uint64_t ticks;
    int64_t ret;

    if (to->left < sizeof(ticks))
        return -EINVAL;
    while ((ticks = ticks_now(self)) == 0) {
        ret = object_wait(file, NEVER);
        if (ret < 0)
            return ret;
    }
    self->ticks = 0;
    return span_put(to, &ticks, sizeof(ticks)) < sizeof(ticks) ? -EFAULT : (int64_t)sizeof(ticks);
}

static uint32_t do_poll(struct file *file)
{
    return ticks_now(timerfd_of(file)) ? POLLIN : 0;
}

static void release(struct file *file)
{
    timer_set(&timerfd_of(file)->timer, NEVER, 0);
    slab_free(file->object);
}

static const struct object_kind timerfd_kind = {
    .name = "anon_inode:[timerfd]",
    .mode = 0600,
    .system = ANON_INODE_FS_MAGIC,
    .read = do_read,
    .poll = do_poll,
    .release = release,
};

static bool is_clock(int32_t id)
{
    return id == CLOCK_MONOTONIC || id == CLOCK_REALTIME || id == CLOCK_BOOTTIME ||
           id == CLOCK_REALTIME_ALARM || id == CLOCK_BOOTTIME_ALARM;
}

int64_t sys_timerfd_create(const struct call *call)
{
    uint32_t flags = call->arg[1];
    struct timerfd *self;
    int64_t fd;

    if (!is_clock((int32_t)call->arg[0]) || flags & ~(uint32_t)(O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    self = slab_alloc_zeroed(sizeof(*self));
    if (!self)
        return -ENOMEM;
    object_init(&self->object, &timerfd_kind);
    self->clock = call->arg[0];
    self->timer.deadline = NEVER;
    self->timer.expire = expire;
    fd = object_open(&self->object, O_RDWR | flags);
    if (fd < 0)
        slab_free(self);
    return fd;
}

static int64_t get(uint64_t fd, struct timerfd **self)
{
    if (!file_get((uint32_t)fd))
        return -EBADF;
    *self = (struct timerfd *)object_get(fd, &timerfd_kind);
    return *self ? 0 : -EINVAL;
}

static int64_t put_value(struct timerfd *self, uint64_t addr)
{
    struct itimerspec value;

    ticks_now(self);
    value = (struct itimerspec){.it_interval = timespec_of(self->timer.interval),
                                .it_value = timespec_of(timer_left(&self->timer))};
    return user_write(addr, &value);
}

/* A time that has passed already may have been several intervals ago. */
static void start_late(struct timerfd *self, uint64_t late, uint64_t interval)
{
    timer_set(&self->timer, interval ? deadline_in(interval - late % interval) : NEVER, interval);
    expire(&self->timer, interval ? 1 + late / interval : 1);
}

static void start(struct timerfd *self, uint64_t ns, uint64_t interval, bool absolute)
{
    uint64_t now = 0;

    self->ticks = 0;
    if (ns && absolute)
        clock_of(self->clock, &now);
    if (ns == 0)
        timer_set(&self->timer, NEVER, 0);
    else if (ns > now)
        timer_set(&self->timer, deadline_in(ns - now), interval);
    else
        start_late(self, now - ns, interval);
    thread_work = 1;
}

int64_t sys_timerfd_settime(const struct call *call)
{
    const uint64_t known = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
    struct itimerspec value;
    uint64_t ns, interval;
    struct timerfd *self;
    int64_t ret;

    if (user_read(&value, call->arg[2]) < 0)
        return -EFAULT;
    if (call->arg[1] & ~known || !timespec_get(&value.it_value, &ns) ||
        !timespec_get(&value.it_interval, &interval))
        return -EINVAL;
    ret = get(call->arg[0], &self);
    if (ret < 0)
        return ret;
    if (call->arg[3] && put_value(self, call->arg[3]) < 0)
        return -EFAULT;
    start(self, ns, interval, call->arg[1] & TFD_TIMER_ABSTIME);
    return 0;
}

int64_t sys_timerfd_gettime(const struct call *call)
{
    struct timerfd *self;
    int64_t ret = get(call->arg[0], &self);

    return ret < 0 ? ret : put_value(self, call->arg[1]);
}
