/* SPDX-License-Identifier: ISC
 *
 * What programs ask about scheduling: processors, policies, priorities. There is one vCPU, and all
 * threads take turns on it, so most of it is only remembered.
 */
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/time.h>

#include "thread.h"

#define NICE_LEAST 20 /* getpriority(2) returns 1 to 40 for 19 to -20 */

static struct thread *thread_of(uint64_t tid)
{
    return (int)tid == 0 ? current : thread_find(tid);
}

/* One vCPU. */
int64_t sys_sched_getaffinity(const struct call *call)
{
    const uint64_t mask = 1;

    if (!thread_of(call->arg[0]))
        return -ESRCH;
    if (call->arg[1] < sizeof(mask))
        return -EINVAL;
    return user_write(call->arg[2], &mask) < 0 ? -EFAULT : (int64_t)sizeof(mask);
}

int64_t sys_sched_setaffinity(const struct call *call)
{
    uint8_t mask;

    if (!thread_of(call->arg[0]))
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

/* Those that need no rights. */
static bool is_fair(int policy)
{
    return policy == SCHED_NORMAL || policy == SCHED_BATCH || policy == SCHED_IDLE;
}

static bool is_real_time(int policy)
{
    return policy == SCHED_FIFO || policy == SCHED_RR;
}

static int64_t set_policy(uint64_t tid, int policy, uint64_t addr)
{
    struct thread *thread = thread_of(tid);
    int32_t priority;

    if ((int)tid < 0 || !addr)
        return -EINVAL;
    if (user_read(&priority, addr) < 0)
        return -EFAULT;
    if (!thread)
        return -ESRCH;
    if (is_real_time(policy) && priority >= 1 && priority <= 99)
        return -EPERM;
    if (!is_fair(policy) || priority != 0)
        return -EINVAL;
    thread->policy = policy;
    return 0;
}

int64_t sys_sched_setscheduler(const struct call *call)
{
    const uint32_t reset_on_fork = 0x40000000; /* SCHED_RESET_ON_FORK: nobody forks */

    return set_policy(call->arg[0], (int)(call->arg[1] & ~reset_on_fork), call->arg[2]);
}

int64_t sys_sched_setparam(const struct call *call)
{
    const struct thread *thread = thread_of(call->arg[0]);

    return set_policy(call->arg[0], thread ? thread->policy : SCHED_NORMAL, call->arg[1]);
}

int64_t sys_sched_getscheduler(const struct call *call)
{
    const struct thread *thread = thread_of(call->arg[0]);

    if ((int)call->arg[0] < 0)
        return -EINVAL;
    return thread ? thread->policy : -ESRCH;
}

int64_t sys_sched_getparam(const struct call *call)
{
    const int32_t priority = 0;

    if ((int)call->arg[0] < 0 || !call->arg[1])
        return -EINVAL;
    if (!thread_of(call->arg[0]))
        return -ESRCH;
    return user_write(call->arg[1], &priority);
}

static int64_t priority_limit(int policy, int64_t real_time)
{
    if (is_real_time(policy))
        return real_time;
    return is_fair(policy) || policy == SCHED_DEADLINE ? 0 : -EINVAL;
}

int64_t sys_sched_get_priority_max(const struct call *call)
{
    return priority_limit((int)call->arg[0], 99);
}

int64_t sys_sched_get_priority_min(const struct call *call)
{
    return priority_limit((int)call->arg[0], 1);
}

int64_t sys_sched_rr_get_interval(const struct call *call)
{
    const struct timespec interval = {.tv_nsec = TURN};

    if ((int)call->arg[0] < 0)
        return -EINVAL;
    return thread_of(call->arg[0]) ? user_write(call->arg[1], &interval) : -ESRCH;
}

/* A process is as nice as its first thread, and there are no others to be nice to. */
static int64_t find_nice(const struct call *call, struct thread **thread)
{
    int who = (int)call->arg[1];

    if ((int)call->arg[0] < PRIO_PROCESS || (int)call->arg[0] > PRIO_USER)
        return -EINVAL;
    *thread = (int)call->arg[0] == PRIO_PROCESS ? thread_of(who) : current;
    return *thread ? 0 : -ESRCH;
}

int64_t sys_getpriority(const struct call *call)
{
    struct thread *thread;
    int64_t ret = find_nice(call, &thread);

    return ret < 0 ? ret : NICE_LEAST - thread->nice;
}

int64_t sys_setpriority(const struct call *call)
{
    int nice = (int)call->arg[2];
    struct thread *thread;
    int64_t ret = find_nice(call, &thread);

    if (ret < 0)
        return ret;
    nice = nice < -20 ? -20 : nice > 19 ? 19 : nice;
    if (nice < thread->nice)
        return -EACCES;
    thread->nice = nice;
    return 0;
}
