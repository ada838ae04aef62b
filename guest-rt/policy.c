/* SPDX-License-Identifier: ISC
 *
 * Calls by which a program says how it wants to be scheduled and its memory to be held. There is
 * one vCPU, whose threads take turns, and no swap.
 */
#include <linux/membarrier.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/time.h>

#include "thread.h"
#include "vma.h"

#define NICE_MAX  19
#define NICE_BASE 20 /* getpriority(2) returns 20 - nice */

static int32_t nice;

static bool is_thread(uint64_t tid)
{
    return (int32_t)tid == 0 || thread_find(tid);
}

/* sched(7): policies with a priority of their own need a privilege, which nobody has here. */
static int64_t check_policy(uint64_t policy, int32_t priority)
{
    switch ((uint32_t)policy & ~(uint32_t)SCHED_RESET_ON_FORK) {
    case SCHED_NORMAL:
    case SCHED_BATCH:
    case SCHED_IDLE:
        return priority == 0 ? 0 : -EINVAL;
    case SCHED_FIFO:
    case SCHED_RR:
        return priority >= 1 && priority <= 99 ? -EPERM : -EINVAL;
    default:
        return -EINVAL;
    }
}

int64_t sys_sched_setscheduler(const struct call *call)
{
    int32_t priority;

    if ((int32_t)call->arg[0] < 0 || !call->arg[2])
        return -EINVAL;
    if (!is_thread(call->arg[0]))
        return -ESRCH;
    if (user_read(&priority, call->arg[2]) < 0)
        return -EFAULT;
    return check_policy(call->arg[1], priority);
}

int64_t sys_sched_getscheduler(const struct call *call)
{
    if ((int32_t)call->arg[0] < 0)
        return -EINVAL;
    return is_thread(call->arg[0]) ? SCHED_NORMAL : -ESRCH;
}

int64_t sys_sched_setparam(const struct call *call)
{
    int32_t priority;

    if ((int32_t)call->arg[0] < 0 || !call->arg[1])
        return -EINVAL;
    if (!is_thread(call->arg[0]))
        return -ESRCH;
    if (user_read(&priority, call->arg[1]) < 0)
        return -EFAULT;
    return priority == 0 ? 0 : -EINVAL;
}

int64_t sys_sched_getparam(const struct call *call)
{
    const int32_t priority = 0;

    if ((int32_t)call->arg[0] < 0 || !call->arg[1])
        return -EINVAL;
    return is_thread(call->arg[0]) ? user_write(call->arg[1], &priority) : -ESRCH;
}

static int64_t priority_limit(uint64_t policy, int64_t of_real_time)
{
    switch (policy) {
    case SCHED_NORMAL:
    case SCHED_BATCH:
    case SCHED_IDLE:
    case SCHED_DEADLINE:
        return 0;
    case SCHED_FIFO:
    case SCHED_RR:
        return of_real_time;
    default:
        return -EINVAL;
    }
}

int64_t sys_sched_get_priority_max(const struct call *call)
{
    return priority_limit(call->arg[0], 99);
}

int64_t sys_sched_get_priority_min(const struct call *call)
{
    return priority_limit(call->arg[0], 1);
}

int64_t sys_sched_rr_get_interval(const struct call *call)
{
    const struct timespec turn = {.tv_nsec = TURN};

    if ((int32_t)call->arg[0] < 0)
        return -EINVAL;
    return is_thread(call->arg[0]) ? user_write(call->arg[1], &turn) : -ESRCH;
}

static int64_t check_priority_target(uint64_t which, uint64_t who)
{
    if ((uint32_t)which > PRIO_USER)
        return -EINVAL;
    return (uint32_t)which == PRIO_USER || is_thread(who) ? 0 : -ESRCH;
}

int64_t sys_getpriority(const struct call *call)
{
    int64_t ret = check_priority_target(call->arg[0], call->arg[1]);

    return ret < 0 ? ret : NICE_BASE - nice;
}

int64_t sys_setpriority(const struct call *call)
{
    int32_t wanted = (int32_t)call->arg[2];
    int64_t ret = check_priority_target(call->arg[0], call->arg[1]);

    if (ret < 0)
        return ret;
    if (wanted > NICE_MAX)
        wanted = NICE_MAX;
    if (wanted < nice)
        return -EACCES;
    nice = wanted;
    return 0;
}

/* One vCPU: all threads see the same memory in the same order. */
int64_t sys_membarrier(const struct call *call)
{
    const int64_t commands = MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED |
                             MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED |
                             MEMBARRIER_CMD_PRIVATE_EXPEDITED |
                             MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED;
    uint64_t command = (uint32_t)call->arg[0];

    if (call->arg[1] || command & ~(uint64_t)commands || command & (command - 1))
        return -EINVAL;
    return command == MEMBARRIER_CMD_QUERY ? commands : 0;
}

static int64_t check_mapped(const struct call *call)
{
    uint64_t start = page_down(call->arg[0]), end = page_up(call->arg[0] + call->arg[1]);

    if (end < start)
        return -EINVAL;
    return start == end || vma_covers(start, end) ? 0 : -ENOMEM;
}

int64_t sys_mlock(const struct call *call)
{
    return check_mapped(call);
}

int64_t sys_munlock(const struct call *call)
{
    return check_mapped(call);
}

int64_t sys_mlock2(const struct call *call)
{
    const uint64_t onfault = 1; /* MLOCK_ONFAULT */

    return call->arg[2] & ~onfault ? -EINVAL : check_mapped(call);
}

int64_t sys_mlockall(const struct call *call)
{
    const uint64_t flags = 7; /* MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT */

    return call->arg[0] & ~flags || !(call->arg[0] & 3) ? -EINVAL : 0;
}

int64_t sys_munlockall(const struct call *call)
{
    (void)call;
    return 0;
}

/* Whether the host holds a page is not known here; what is mapped can be used, but for what is only
 * reserved. */
int64_t sys_mincore(const struct call *call)
{
    uint64_t pages = page_up(call->arg[1]) / HUSK_PAGE_SIZE;

    if (call->arg[0] % HUSK_PAGE_SIZE)
        return -EINVAL;
    if (check_mapped(call) < 0)
        return -ENOMEM;
    for (uint64_t i = 0; i < pages; i++) {
        const uint8_t resident = !vma_after(call->arg[0] + i * HUSK_PAGE_SIZE)->fresh;

        if (user_write(call->arg[2] + i, &resident) < 0)
            return -EFAULT;
    }
    return 0;
}

/* One vCPU. */
int64_t sys_sched_getaffinity(const struct call *call)
{
    const uint64_t mask = 1;

    if (!is_thread(call->arg[0]))
        return -ESRCH;
    if (call->arg[1] < sizeof(mask))
        return -EINVAL;
    return user_write(call->arg[2], &mask) < 0 ? -EFAULT : (int64_t)sizeof(mask);
}

int64_t sys_sched_setaffinity(const struct call *call)
{
    uint8_t mask;

    if (!is_thread(call->arg[0]))
        return -ESRCH;
    if (call->arg[1] == 0)
        return -EINVAL;
    if (user_read(&mask, call->arg[2]) < 0)
        return -EFAULT;
    return mask & 1 ? 0 : -EINVAL;
}

int64_t sys_getcpu(const struct call *call)
{
    const uint32_t zero = 0;

    for (int i = 0; i < 2; i++)
        if (call->arg[i] && user_write(call->arg[i], &zero) < 0)
            return -EFAULT;
    return 0;
}
