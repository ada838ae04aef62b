/* SPDX-License-Identifier: ISC
 *
 * Waiting for many files: those of guest-rt wake a thread by their queues, those of the host by the
 * one hypercall in which the vCPU waits when no thread can run.
 */
#include "poll.h"

#include <asm/poll.h>
#include <linux/fcntl.h>
#include <linux/time.h>

#include "object.h"
#include "pages.h"
#include "sockets.h"
#include "thread.h"

#define ALWAYS (POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM) /* DEFAULT_POLLMASK of Linux */
#define SECOND 1000000000ULL

static bool is_on_host(const struct file *file)
{
    return file->system == FS_HOST && file->kind != HUSK_KIND_FILE && file->kind != HUSK_KIND_DIR &&
           file->kind != HUSK_KIND_SHARED;
}

bool file_can_wait(const struct file *file)
{
    return file->system == FS_OBJECT || is_on_host(file);
}

uint32_t file_events(struct file *file)
{
    if (file->system == FS_OBJECT)
        return file->object->kind->poll(file);
    return is_on_host(file) ? 0 : ALWAYS;
}

struct wait_queue *file_queue(struct file *file)
{
    return file->system == FS_OBJECT ? &file->object->queue : NULL;
}

int64_t file_host(const struct file *file)
{
    if (is_on_host(file))
        return file->handle;
    if (file->system != FS_OBJECT || !file->object->kind->handle)
        return -1;
    return file->object->kind->handle(file);
}

void poll_set_init(struct poll_set *set)
{
    set->count = 0;
    set->on_host = false;
    set->first = set->last = NULL;
}

static bool add_block(struct poll_set *set)
{
    struct poll_block *block = page_alloc();

    if (!block)
        return false;
    block->next = NULL;
    if (set->first)
        set->last->next = block;
    else
        set->first = block;
    set->last = block;
    return true;
}

struct poll_entry *poll_set_at(const struct poll_set *set, uint64_t index)
{
    struct poll_block *block = set->first;

    if (index < ARRAY_SIZE(set->few))
        return (struct poll_entry *)&set->few[index];
    for (index -= ARRAY_SIZE(set->few); index >= POLL_BLOCK; index -= POLL_BLOCK)
        block = block->next;
    return &block->entries[index];
}

int64_t poll_set_add(struct poll_set *set, struct file *file, uint32_t events)
{
    uint64_t further = set->count - ARRAY_SIZE(set->few);
    struct poll_entry *entry;

    if (set->count < ARRAY_SIZE(set->few))
        entry = &set->few[set->count];
    else if (further % POLL_BLOCK == 0 && !add_block(set))
        return -ENOMEM;
    else
        entry = &set->last->entries[further % POLL_BLOCK];
    set->count++;
    entry->file = file;
    entry->events = events;
    if (file) {
        set->on_host |= file_host(file) >= 0;
        file_hold(file);
    }
    return 0;
}

void poll_set_free(struct poll_set *set)
{
    for (uint64_t i = 0; i < set->count; i++)
        if (poll_set_at(set, i)->file)
            file_release(poll_set_at(set, i)->file);
    for (struct poll_block *block = set->first, *next; block; block = next) {
        next = block->next;
        page_free(block);
    }
}

/* Events that are there, without those of the host's that were not asked for. */
static uint32_t events_of(const struct poll_entry *entry)
{
    if (!entry->file)
        return entry->events;
    return (file_events(entry->file) | entry->host.revents) & entry->events;
}

static int64_t look(struct poll_set *set)
{
    int64_t ready = 0;

    for (uint64_t i = 0; i < set->count; i++) {
        struct poll_entry *entry = poll_set_at(set, i);

        entry->host.revents = 0;
        entry->revents = events_of(entry);
        ready += entry->revents != 0;
    }
    return ready;
}

/* Local files wake only a thread that is going to SLEEP. */
static void begin(struct poll_set *set, bool sleep)
{
    for (uint64_t i = 0; i < set->count; i++) {
        struct poll_entry *entry = poll_set_at(set, i);
        struct wait_queue *queue = entry->file ? file_queue(entry->file) : NULL;
        int64_t handle = entry->file ? file_host(entry->file) : -1;

        entry->local.queue = NULL;
        entry->asked = handle >= 0;
        if (queue && sleep)
            waiter_add(queue, &entry->local);
        if (entry->asked)
            host_waiter_add(&entry->host, handle,
                            socket_is_stream(entry->file) ? entry->file : NULL, entry->events);
    }
}

static int64_t end(struct poll_set *set)
{
    int64_t ready = 0;

    for (uint64_t i = 0; i < set->count; i++) {
        struct poll_entry *entry = poll_set_at(set, i);

        waiter_remove(&entry->local);
        if (entry->asked)
            host_waiter_remove(&entry->host);
        entry->revents = events_of(entry);
        ready += entry->revents != 0;
    }
    return ready;
}

static bool something_came(const struct poll_set *set)
{
    for (uint64_t i = 0; i < set->count; i++)
        if (events_of(poll_set_at(set, i)))
            return true;
    return false;
}

static bool was_asked(const struct poll_set *set)
{
    for (uint64_t i = 0; i < set->count; i++)
        if (poll_set_at(set, i)->asked && !poll_set_at(set, i)->host.asked)
            return false;
    return true;
}

int64_t poll_set_wait(struct poll_set *set, uint64_t deadline)
{
    int64_t ready = look(set), ret;

    if ((ready > 0 || deadline == 0) && !set->on_host)
        return ready;
    begin(set, ready == 0 && deadline != 0);
    if (ready > 0 || deadline == 0) {
        host_waiters_look();
        return end(set);
    }
    do
        ret = thread_sleep(deadline);
    while (ret == 0 && !something_came(set));
    /* Where others had the vCPU all the time, nobody asked the host. */
    if (ret == -ETIMEDOUT && set->on_host && !was_asked(set))
        host_waiters_look();
    ready = end(set);
    return ready > 0 || ret == -ETIMEDOUT ? ready : ret;
}

int64_t timeout_read(struct timeout *timeout, guest_addr_t addr, uint64_t units)
{
    struct timespec value; /* struct timeval has the same layout */

    *timeout = (struct timeout){.addr = addr, .units = units, .deadline = NEVER};
    if (!addr)
        return 0;
    if (user_read(&value, addr) < 0)
        return -EFAULT;
    if (value.tv_sec < 0 || (uint64_t)value.tv_nsec >= units)
        return -EINVAL;
    if (value.tv_sec == 0 && value.tv_nsec == 0)
        timeout->deadline = 0;
    else if ((uint64_t)value.tv_sec < INT64_MAX / SECOND)
        timeout->deadline = deadline_in(value.tv_sec * SECOND + value.tv_nsec * (SECOND / units));
    return 0;
}

void timeout_write(const struct timeout *timeout)
{
    struct timespec left = {0};
    uint64_t now, ns;

    if (!timeout->addr || timeout->deadline == NEVER)
        return;
    now = timeout->deadline ? clock_monotonic() : 0;
    ns = timeout->deadline > now ? timeout->deadline - now : 0;
    left.tv_sec = ns / SECOND;
    left.tv_nsec = ns % SECOND / (SECOND / timeout->units);
    /* Where it cannot be written, it stays as it is. */
    (void)user_write(timeout->addr, &left);
}

int64_t mask_begin(guest_addr_t addr, uint64_t size)
{
    uint64_t mask;

    if (!addr)
        return 0;
    if (size != sizeof(mask))
        return -EINVAL;
    if (user_read(&mask, addr) < 0)
        return -EFAULT;
    signals_block_meanwhile(mask);
    return 0;
}

int64_t mask_end(int64_t result)
{
    if (result != -EINTR)
        signals_block_again();
    return result;
}

/* struct pollfd[COUNT]: one entry each. */
static int64_t read_fds(struct poll_set *set, guest_addr_t fds, uint64_t count)
{
    int64_t ret = 0;

    for (uint64_t i = 0; i < count && ret == 0; i++) {
        struct pollfd fd;
        struct file *file;

        if (user_read(&fd, fds + i * sizeof(fd)) < 0)
            return -EFAULT;
        file = file_get((uint32_t)fd.fd);
        if (fd.fd < 0)
            ret = poll_set_add(set, NULL, 0);
        else if (!file || file->flags & O_PATH)
            ret = poll_set_add(set, NULL, POLLNVAL);
        else
            ret = poll_set_add(set, file, (uint16_t)fd.events | POLLERR | POLLHUP);
    }
    return ret;
}

static int64_t write_fds(const struct poll_set *set, guest_addr_t fds)
{
    for (uint64_t i = 0; i < set->count; i++) {
        int16_t revents = (int16_t)poll_set_at(set, i)->revents;

        if (user_write(fds + i * sizeof(struct pollfd) + offsetof(struct pollfd, revents),
                       &revents) < 0)
            return -EFAULT;
    }
    return 0;
}

static int64_t do_poll(guest_addr_t fds, uint64_t count, uint64_t deadline)
{
    struct poll_set set;
    int64_t ret, ready = 0;

    if (count > FILES_MAX)
        return -EINVAL;
    poll_set_init(&set);
    ret = read_fds(&set, fds, count);
    if (ret == 0)
        ret = ready = poll_set_wait(&set, deadline);
    if (ret >= 0)
        ret = write_fds(&set, fds);
    poll_set_free(&set);
    return ret < 0 ? ret : ready;
}

int64_t sys_poll(const struct call *call)
{
    const uint64_t milli = 1000000;
    int32_t timeout = (int32_t)call->arg[2];
    uint64_t deadline = timeout > 0 ? deadline_in(timeout * milli) : 0;

    return do_poll(call->arg[0], (uint32_t)call->arg[1], timeout < 0 ? NEVER : deadline);
}

int64_t sys_ppoll(const struct call *call)
{
    struct timeout timeout;
    int64_t ret = timeout_read(&timeout, call->arg[2], SECOND);

    if (ret == 0)
        ret = mask_begin(call->arg[3], call->arg[4]);
    if (ret < 0)
        return ret;
    ret = mask_end(do_poll(call->arg[0], (uint32_t)call->arg[1], timeout.deadline));
    timeout_write(&timeout);
    return ret;
}
