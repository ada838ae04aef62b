/* SPDX-License-Identifier: ISC
 *
 * epoll: which files an instance watches. What guest-rt knows itself tells of its events by its
 * queue; then it is on the instance's list of those that may be ready. What the host knows is
 * watched by an instance of the host's, so that its edges and one-shots are the kernel's own. That
 * one is made when the first of the host's files is added.
 */
#include "epoll.h"

#include <linux/fcntl.h>
#include <linux/magic.h>

#include "epoll_item.h"
#include "slab.h"
#include "sockets.h"

#define NESTING_MAX 4 /* EP_MAX_NESTS of Linux */

struct epoll *epoll_of(const struct file *file)
{
    return (struct epoll *)file->object;
}

void epoll_append_ready(struct epoll_item *item)
{
    struct epoll *epoll = item->epoll;

    if (item->ready)
        return;
    item->ready = true;
    item->next_ready = NULL;
    if (epoll->first_ready)
        epoll->last_ready->next_ready = item;
    else
        epoll->first_ready = item;
    epoll->last_ready = item;
}

struct epoll_item *epoll_take_ready(struct epoll *epoll)
{
    struct epoll_item *item = epoll->first_ready;

    epoll->first_ready = item->next_ready;
    item->ready = false;
    return item;
}

static void remove_ready(struct epoll_item *item)
{
    struct epoll *epoll = item->epoll;
    struct epoll_item **link = &epoll->first_ready, *previous = NULL;

    if (!item->ready)
        return;
    for (; *link != item; link = &(*link)->next_ready)
        previous = *link;
    *link = item->next_ready;
    if (epoll->last_ready == item)
        epoll->last_ready = previous;
    item->ready = false;
}

static void item_ready(struct epoll_item *item)
{
    epoll_append_ready(item);
    object_wake(&item->epoll->object, EPOLLIN | EPOLLRDNORM);
}

uint32_t epoll_item_events(const struct epoll_item *item)
{
    return item->events & ~(uint32_t)EPOLL_PRIVATE ? file_events(item->file) & item->events : 0;
}

/* Called when something happens to the item's file. */
static void notify(struct waiter *waiter)
{
    struct epoll_item *item = (struct epoll_item *)waiter;

    if (item->file->object->woken & item->events & ~(uint32_t)EPOLL_PRIVATE)
        item_ready(item);
}

static uint32_t do_poll(struct file *file)
{
    struct epoll *epoll = epoll_of(file);

    while (epoll->first_ready) {
        if (epoll_item_events(epoll->first_ready))
            return EPOLLIN | EPOLLRDNORM;
        epoll_take_ready(epoll);
    }
    return 0;
}

static int64_t handle_of(const struct file *file)
{
    return epoll_of(file)->handle;
}

/* What the host's events have for data: by the handle the monitor finds a socket to receive from,
 * and by both the item is found. */
static uint64_t host_data(uint32_t handle, uint32_t fd)
{
    return handle | (uint64_t)fd << 32;
}

/* EVENTS for the host: what only changes who is woken, or needs a privilege, is left out. */
static int64_t watch(const struct epoll_item *item, int operation)
{
    int64_t handle = file_host(item->file);

    if (handle < 0)
        return 0;
    item->epoll->streams |= socket_is_stream(item->file);
    return HYPERCALL(HUSK_OP_WATCH, item->epoll->handle, operation, handle,
                     item->events & HUSK_EPOLL_EVENTS, host_data(handle, item->fd));
}

/* Linux's limit for all instances together; here there is one of handles as well. */
static int64_t host_error(int64_t error)
{
    return error == -EMFILE || error == -ENFILE ? -ENOSPC : error;
}

/* Make the host's instance. Instances that watch this one watch that one, too. */
static int64_t need_host(struct epoll *epoll)
{
    int64_t ret = 0;

    if (epoll->handle >= 0)
        return 0;
    epoll->handle = HYPERCALL(HUSK_OP_EPOLL);
    if (epoll->handle < 0)
        return host_error(epoll->handle);
    for (struct epoll_item *item = epoll->file->watching; item && ret == 0;
         item = item->next_watching) {
        ret = need_host(item->epoll);
        if (ret == 0)
            ret = watch(item, EPOLL_CTL_ADD);
    }
    return ret;
}

static struct epoll_item **bucket_of(struct epoll *epoll, uint32_t fd)
{
    return &epoll->buckets[fd % EPOLL_BUCKETS];
}

static struct epoll_item *find(struct epoll *epoll, uint32_t fd, const struct file *file)
{
    struct epoll_item *item = *bucket_of(epoll, fd);

    while (item && (item->fd != fd || item->file != file))
        item = item->next;
    return item;
}

struct epoll_item *epoll_find_host(struct epoll *epoll, uint64_t data)
{
    uint32_t fd = (uint32_t)(data >> 32);
    struct epoll_item *item = *bucket_of(epoll, fd);

    while (item && (item->fd != fd || file_host(item->file) != (uint32_t)data))
        item = item->next;
    return item;
}

static void remove_from_bucket(struct epoll_item *item)
{
    struct epoll_item **link = bucket_of(item->epoll, item->fd);

    while (*link != item)
        link = &(*link)->next;
    *link = item->next;
}

static void remove_from_file(struct epoll_item *item)
{
    struct epoll_item **link = &item->file->watching;

    while (*link != item)
        link = &(*link)->next_watching;
    *link = item->next_watching;
}

/* The host's instance has forgotten it, or is going to. */
static void item_free(struct epoll_item *item)
{
    waiter_remove(&item->waiter);
    remove_ready(item);
    remove_from_bucket(item);
    remove_from_file(item);
    slab_free(item);
}

void epoll_forget(struct file *file)
{
    while (file->watching)
        item_free(file->watching);
}

static void release(struct file *file)
{
    struct epoll *epoll = epoll_of(file);

    for (int i = 0; i < EPOLL_BUCKETS; i++)
        while (epoll->buckets[i])
            item_free(epoll->buckets[i]);
    if (epoll->handle >= 0)
        HYPERCALL(HUSK_OP_CLOSE, epoll->handle);
    slab_free(epoll);
}

static const struct object_kind epoll_kind = {
    .name = "anon_inode:[eventpoll]",
    .mode = 0600,
    .system = ANON_INODE_FS_MAGIC,
    .poll = do_poll,
    .handle = handle_of,
    .release = release,
};

static int64_t open_epoll(uint32_t flags)
{
    struct epoll *epoll;
    int64_t fd;

    if (flags & ~(uint32_t)O_CLOEXEC)
        return -EINVAL;
    epoll = slab_alloc_zeroed(sizeof(*epoll));
    if (!epoll)
        return -ENOMEM;
    object_init(&epoll->object, &epoll_kind);
    epoll->handle = -1;
    fd = object_open(&epoll->object, O_RDWR | flags);
    if (fd < 0)
        slab_free(epoll);
    else
        epoll->file = file_get(fd);
    return fd;
}

int64_t sys_epoll_create1(const struct call *call)
{
    return open_epoll(call->arg[0]);
}

/* The size has been a mere formality since Linux 2.6.8. */
int64_t sys_epoll_create(const struct call *call)
{
    return (int32_t)call->arg[0] <= 0 ? -EINVAL : open_epoll(0);
}

bool epoll_is(const struct file *file)
{
    return file->system == FS_OBJECT && file->object->kind == &epoll_kind;
}

/* Instances one below the other, from FILE's on; more than the limit also where WANTED is among
 * them. */
static int depth_below(const struct file *file, const struct file *wanted, int above)
{
    const struct epoll *epoll = epoll_of(file);
    int deepest = 0;

    if (file == wanted || above > NESTING_MAX)
        return NESTING_MAX + 1;
    for (int i = 0; i < EPOLL_BUCKETS; i++)
        for (const struct epoll_item *item = epoll->buckets[i]; item; item = item->next)
            if (epoll_is(item->file)) {
                int depth = 1 + depth_below(item->file, wanted, above + 1);

                deepest = depth > deepest ? depth : deepest;
            }
    return deepest;
}

static int depth_above(const struct file *file)
{
    int highest = 0;

    for (const struct epoll_item *item = file->watching; item; item = item->next_watching) {
        int depth = 1 + depth_above(item->epoll->file);

        highest = depth > highest ? depth : highest;
    }
    return highest;
}

static bool is_too_deep(const struct file *outer, const struct file *inner)
{
    return depth_below(inner, outer, 0) + 1 + depth_above(outer) > NESTING_MAX;
}

static int64_t add(struct epoll *epoll, uint32_t fd, struct file *file,
                   const struct epoll_event *event)
{
    struct wait_queue *queue = file_queue(file);
    struct epoll_item *item;
    int64_t ret = 0;

    if (find(epoll, fd, file))
        return -EEXIST;
    item = slab_alloc_zeroed(sizeof(*item));
    if (!item)
        return -ENOMEM;
    item->epoll = epoll;
    item->file = file;
    item->fd = fd;
    item->events = event->events | EPOLLERR | EPOLLHUP;
    item->data = event->data;
    if (file_host(file) >= 0)
        ret = need_host(epoll);
    if (ret == 0)
        ret = host_error(watch(item, EPOLL_CTL_ADD));
    if (ret < 0) {
        slab_free(item);
        return ret;
    }
    item->next = *bucket_of(epoll, fd);
    *bucket_of(epoll, fd) = item;
    item->next_watching = file->watching;
    file->watching = item;
    if (queue)
        waiter_add_notify(queue, &item->waiter, notify);
    if (epoll_item_events(item))
        item_ready(item);
    return 0;
}

static int64_t modify(struct epoll_item *item, const struct epoll_event *event)
{
    if (item->events & EPOLLEXCLUSIVE)
        return -EINVAL;
    item->events = event->events | EPOLLERR | EPOLLHUP;
    item->data = event->data;
    if (epoll_item_events(item))
        item_ready(item);
    return watch(item, EPOLL_CTL_MOD);
}

static int64_t drop(struct epoll_item *item)
{
    watch(item, EPOLL_CTL_DEL);
    item_free(item);
    return 0;
}

/* An exclusive one cannot be changed, and wakes all nevertheless. */
static bool exclusive_is_allowed(const struct file *file, int operation, uint32_t events)
{
    const uint32_t others =
        EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE;

    return operation == EPOLL_CTL_ADD && !epoll_is(file) && !(events & ~others);
}

int64_t sys_epoll_ctl(const struct call *call)
{
    uint32_t fd = (uint32_t)call->arg[2];
    int operation = (int)call->arg[1];
    struct file *epoll_file = file_get((uint32_t)call->arg[0]), *file = file_get(fd);
    struct epoll_event event = {0};
    struct epoll_item *item;

    if (operation != EPOLL_CTL_DEL && user_read(&event, call->arg[3]) < 0)
        return -EFAULT;
    if (!epoll_file || !file || (epoll_file->flags | file->flags) & O_PATH)
        return -EBADF;
    if (!file_can_wait(file))
        return -EPERM;
    if (file == epoll_file || !epoll_is(epoll_file))
        return -EINVAL;
    if (operation != EPOLL_CTL_DEL && event.events & EPOLLEXCLUSIVE &&
        !exclusive_is_allowed(file, operation, event.events))
        return -EINVAL;
    if (operation == EPOLL_CTL_ADD && epoll_is(file) && is_too_deep(epoll_file, file))
        return -ELOOP;
    if (operation == EPOLL_CTL_ADD)
        return add(epoll_of(epoll_file), fd, file, &event);
    item = find(epoll_of(epoll_file), fd, file);
    if (operation != EPOLL_CTL_MOD && operation != EPOLL_CTL_DEL)
        return -EINVAL;
    if (!item)
        return -ENOENT;
    return operation == EPOLL_CTL_MOD ? modify(item, &event) : drop(item);
}
