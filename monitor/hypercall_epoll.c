/* SPDX-License-Identifier: ISC
 *
 * Epoll instances of the host's, for the handles that a guest's epoll instance watches.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "hypercall.h"
#include "interrupt.h"

#define EVENTS_MAX 4096 /* in one go */

_Static_assert(HUSK_EPOLL_EVENTS == (EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLERR | EPOLLHUP |
                                     EPOLLRDNORM | EPOLLRDBAND | EPOLLWRNORM | EPOLLWRBAND |
                                     EPOLLMSG | EPOLLRDHUP | EPOLLONESHOT | (uint32_t)EPOLLET),
               "EPOLLWAKEUP would keep the host from sleeping");

int64_t serve_epoll(struct run *run, const struct husk_desc *desc)
{
    struct opened opened = {.kind = HUSK_KIND_EPOLL};

    (void)desc;
    if (handles_count(&run->handles, HUSK_KIND_EPOLL) >= HUSK_EPOLLS_MAX)
        return -EMFILE;
    opened.fd = epoll_create1(EPOLL_CLOEXEC);
    return opened.fd < 0 ? -errno : handles_insert(&run->handles, &opened);
}

static struct handle *epoll_handle(struct run *run, uint64_t number)
{
    struct handle *handle = handles_get(&run->handles, number);

    return handle && handle->kind == HUSK_KIND_EPOLL ? handle : NULL;
}

int64_t serve_watch(struct run *run, const struct husk_desc *desc)
{
    struct epoll_event event = {.events = (uint32_t)desc->arg[3], .data.u64 = desc->arg[4]};
    const struct handle *epoll = epoll_handle(run, desc->arg[0]);
    struct handle *handle = handles_get(&run->handles, desc->arg[2]);

    if (!epoll || !handle || handle->dir.fd < 0)
        return -EBADF;
    if (desc->arg[3] & ~(uint64_t)HUSK_EPOLL_EVENTS || desc->arg[1] > EPOLL_CTL_MOD)
        return -EINVAL;
    if (epoll_ctl(epoll->dir.fd, (int)desc->arg[1], handle->dir.fd, &event) < 0)
        return -errno;
    handle->watched = true;
    return 0;
}

/* The sockets among READY events that can be read from: how many. */
static int64_t receive_ahead(struct run *run, const struct husk_desc *desc, int ready)
{
    uint64_t done = 0;

    for (int i = 0; i < ready && done < desc->arg[5]; i++) {
        struct epoll_event event;

        if (memory_read(&run->memory, &event, desc->arg[1] + (uint64_t)i * sizeof(event),
                        sizeof(event)) < 0)
            break;
        done += hypercall_receive_ahead(run, (uint32_t)event.data.u64, event.events,
                                        desc->arg[4] + done * sizeof(struct husk_ahead));
    }
    return (int64_t)done;
}

/* The kernel writes the events where the guest wants them. */
int64_t serve_events(struct run *run, const struct husk_desc *desc)
{
    uint64_t count = desc->arg[2] < EVENTS_MAX ? desc->arg[2] : EVENTS_MAX;
    uint64_t len = count * sizeof(struct epoll_event);
    const struct handle *epoll = epoll_handle(run, desc->arg[0]);
    struct epoll_event *events;
    int ready;

    if (!epoll)
        return -EBADF;
    if (count == 0 || desc->arg[5] > HUSK_AHEAD_MAX)
        return -EINVAL;
    events = memory_pointer_prefix(&run->memory, desc->arg[1], &len, HUSK_PROT_WRITE);
    count = len / sizeof(*events);
    if (!events || count == 0)
        return -EFAULT;
    ready = interrupt_epoll(epoll->dir.fd, events, (int)count, desc->arg[3]);
    return ready > 0 ? ready | receive_ahead(run, desc, ready) << 32 : ready;
}
