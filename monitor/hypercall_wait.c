/* SPDX-License-Identifier: ISC
 *
 * Hypercalls that wait, or ask for an interruption.
 */
#include <errno.h>

#include "cleanup.h"
#include "hypercall.h"
#include "interrupt.h"

_Static_assert(HUSK_WAIT_MAX == HANDLES_MAX, "one for each handle");

/* Descriptors for handles; poll ignores -1. Returns how many handles have none. */
static uint64_t to_descriptors(struct run *run, const struct husk_wait *waits, uint64_t count,
                               struct pollfd *fds)
{
    uint64_t missing = 0;

    for (uint64_t i = 0; i < count; i++) {
        const struct handle *handle = handles_get(&run->handles, waits[i].handle);

        fds[i] = (struct pollfd){.fd = handle ? handle->dir.fd : -1, .events = waits[i].events};
        missing += fds[i].fd < 0;
    }
    return missing;
}

/* The sockets among them that can be read from: how many. */
static int64_t receive_ahead(struct run *run, const struct husk_desc *desc,
                             const struct husk_wait *waits)
{
    uint64_t done = 0;

    for (uint64_t i = 0; i < desc->arg[1] && done < desc->arg[4]; i++)
        done += hypercall_receive_ahead(run, waits[i].handle, (uint16_t)waits[i].revents,
                                        desc->arg[3] + done * sizeof(struct husk_ahead));
    return (int64_t)done;
}

int64_t serve_wait(struct run *run, const struct husk_desc *desc)
{
    uncleared struct husk_wait waits[HUSK_WAIT_MAX];
    uncleared struct pollfd fds[HUSK_WAIT_MAX];
    uint64_t count = desc->arg[1], missing;
    int ready;

    if (count > HUSK_WAIT_MAX || desc->arg[4] > HUSK_AHEAD_MAX)
        return -EINVAL;
    if (count && memory_read(&run->memory, waits, desc->arg[0], count * sizeof(waits[0])) < 0)
        return -EFAULT;
    missing = to_descriptors(run, waits, count, fds);
    ready = interrupt_poll(fds, count, missing ? 0 : desc->arg[2]);
    if (ready < 0)
        return ready;
    for (uint64_t i = 0; i < count; i++)
        waits[i].revents = fds[i].fd < 0 ? POLLNVAL : fds[i].revents;
    if (count && memory_write(&run->memory, desc->arg[0], waits, count * sizeof(waits[0])) < 0)
        return -EFAULT;
    return (ready + (int64_t)missing) | receive_ahead(run, desc, waits) << 32;
}

int64_t serve_alarm(struct run *run, const struct husk_desc *desc)
{
    (void)run;
    return interrupt_alarm(desc->arg[0]);
}

int64_t serve_forward(struct run *run, const struct husk_desc *desc)
{
    (void)run;
    return interrupt_forward(desc->arg[0]);
}

/* hypercall_serve waited for it already. */
int64_t serve_join(struct run *run, const struct husk_desc *desc)
{
    (void)run, (void)desc;
    return 0;
}
