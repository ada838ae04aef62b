/* SPDX-License-Identifier: ISC
 *
 * Waiting for the events of an epoll instance: local ones and those of the host's.
 */
#include <linux/fcntl.h>

#include "ahead.h"
#include "epoll_item.h"

/* A call that waits. While it is the only one that waits for the host, the host's events come
 * straight into the application's buffer. */
struct epoll_wait {
    struct host_waiter host;
    struct epoll *epoll;
    guest_addr_t events;
    uint64_t max;
    int64_t came; /* of the host's events, or -errno */
};

/* COUNT events of the host's at ADDR get the application's data, and sockets what was received of
 * them, in the same order. */
static void tell_host(struct epoll *epoll, guest_addr_t addr, uint32_t count,
                      const struct husk_ahead *ahead, uint32_t filled)
{
    uint32_t taken = 0;

    for (uint32_t i = 0; i < count; i++, addr += sizeof(struct epoll_event)) {
        struct epoll_event event;
        struct epoll_item *item;

        if (user_read(&event, addr) < 0 || !(item = epoll_find_host(epoll, event.data)))
            continue;
        if (taken < filled && ahead[taken].handle == (uint32_t)event.data)
            ahead_accept(taken++, item->file);
        event.data = item->data;
        (void)user_write(addr, &event);
    }
}

/* Those of the host, behind LOCAL ones, within NS. */
static int64_t ask_host(const struct epoll_wait *wait, int64_t local, uint64_t ns)
{
    struct epoll *epoll = wait->epoll;
    guest_addr_t addr = wait->events + local * sizeof(struct epoll_event);
    uint64_t max = wait->max - local, room = 0;
    struct husk_ahead *ahead = epoll->streams ? ahead_offer(max, &room) : NULL;
    int64_t came = HYPERCALL(HUSK_OP_EVENTS, epoll->handle, addr, max, ns, ahead, room);

    if (came < 0)
        return came;
    tell_host(epoll, addr, (uint32_t)came, ahead, (uint32_t)(came >> 32));
    return (uint32_t)came;
}

static void ask(struct host_waiter *waiter, uint64_t ns)
{
    struct epoll_wait *wait = (struct epoll_wait *)waiter;

    wait->came = ask_host(wait, 0, ns);
    if (wait->came == -EINTR)
        wait->came = 0;
    waiter->revents = wait->came != 0;
}

/* Tell of those that are ready. Level-triggered ones come to the end of the list: next time it is
 * the turn of others. */
static int64_t take_local(const struct epoll_wait *wait)
{
    struct epoll_item *last = wait->epoll->last_ready, *item = NULL;
    uint64_t count = 0;

    while (wait->epoll->first_ready && item != last && count < wait->max) {
        struct epoll_event event;

        item = epoll_take_ready(wait->epoll);
        event = (struct epoll_event){.events = epoll_item_events(item), .data = item->data};
        if (!event.events)
            continue;
        if (user_write(wait->events + count * sizeof(event), &event) < 0) {
            epoll_append_ready(item);
            return count > 0 ? (int64_t)count : -EFAULT;
        }
        count++;
        if (item->events & EPOLLONESHOT)
            item->events &= EPOLL_PRIVATE;
        else if (!(item->events & EPOLLET))
            epoll_append_ready(item);
    }
    return count;
}

/* And what the host has now, behind COUNT local ones. */
static int64_t add_host(const struct epoll_wait *wait, int64_t count)
{
    int64_t more;

    if (count < 0 || wait->epoll->handle < 0 || (uint64_t)count == wait->max)
        return count;
    more = ask_host(wait, count, 0);
    return count == 0 || more > 0 ? count + more : count;
}

/* Until something may have come: as thread_sleep. */
static int64_t sleep(struct epoll_wait *wait, uint64_t deadline)
{
    bool on_host = wait->epoll->handle >= 0;
    struct waiter waiter;
    int64_t ret;

    waiter_add(&wait->epoll->object.queue, &waiter);
    wait->came = 0;
    wait->host = (struct host_waiter){.asked = true};
    if (on_host) {
        host_waiter_add(&wait->host, wait->epoll->handle, NULL, EPOLLIN);
        wait->host.ask = ask;
    }
    ret = thread_sleep(deadline);
    if (on_host)
        host_waiter_remove(&wait->host);
    waiter_remove(&waiter);
    return ret;
}

/* Has the host something, as far as is known? Where others had the vCPU all the time, nobody asked
 * it. */
static bool worth_asking(const struct epoll_wait *wait, int64_t slept)
{
    return wait->host.revents || (slept == -ETIMEDOUT && !wait->host.asked);
}

static int64_t wait_for_events(struct epoll_wait *wait, uint64_t deadline)
{
    int64_t count = take_local(wait), ret = 0;

    if (count != 0 || deadline == 0)
        return add_host(wait, count);
    while (count == 0 && ret == 0) {
        ret = sleep(wait, deadline);
        if (wait->came)
            return wait->came;
        count = take_local(wait);
        if (worth_asking(wait, ret))
            count = add_host(wait, count);
    }
    return count == 0 && ret == -EINTR ? ret : count;
}

static int64_t do_wait(const struct call *call, uint64_t deadline)
{
    struct file *file = file_get((uint32_t)call->arg[0]);
    int32_t max = (int32_t)call->arg[2];
    struct epoll_wait wait = {.events = call->arg[1], .max = max};
    int64_t ret;

    if (max <= 0 || max > (int32_t)(INT32_MAX / sizeof(struct epoll_event)))
        return -EINVAL;
    if (!file || file->flags & O_PATH)
        return -EBADF;
    if (!epoll_is(file))
        return -EINVAL;
    wait.epoll = epoll_of(file);
    file_hold(file);
    ret = wait_for_events(&wait, deadline);
    file_release(file);
    return ret;
}

static uint64_t deadline_of(const struct call *call)
{
    const uint64_t milli = 1000000;
    int32_t timeout = (int32_t)call->arg[3];

    if (timeout < 0)
        return NEVER;
    return timeout > 0 ? deadline_in(timeout * milli) : 0;
}

int64_t sys_epoll_wait(const struct call *call)
{
    return do_wait(call, deadline_of(call));
}

int64_t sys_epoll_pwait(const struct call *call)
{
    int64_t ret = mask_begin(call->arg[4], call->arg[5]);

    return ret < 0 ? ret : mask_end(do_wait(call, deadline_of(call)));
}

int64_t sys_epoll_pwait2(const struct call *call)
{
    struct timeout timeout;
    int64_t ret = timeout_read(&timeout, call->arg[3], 1000000000);

    if (ret == 0)
        ret = mask_begin(call->arg[4], call->arg[5]);
    return ret < 0 ? ret : mask_end(do_wait(call, timeout.deadline));
}
