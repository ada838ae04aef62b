/* SPDX-License-Identifier: ISC
 *
 * Calls that send signals, and calls that wait for them.
 */
#include <linux/time.h>

#include "identity.h"
#include "thread.h"

static int64_t check_number(uint64_t signal)
{
    return (uint32_t)signal > SIGNALS ? -EINVAL : 0;
}

static siginfo_t from_self(int signal, int code)
{
    return (siginfo_t){
        .si_signo = signal, .si_code = code, ._sifields._kill = {PID, user_identity()->real}};
}

/* There is one process, in a group of its own. */
int64_t sys_kill(const struct call *call)
{
    int pid = (int)call->arg[0];
    siginfo_t info = from_self((int)call->arg[1], SI_USER);
    int64_t ret = check_number(call->arg[1]);

    if (ret < 0)
        return ret;
    if (pid != PID && pid != 0 && pid != -1 && pid != -PID)
        return -ESRCH;
    return info.si_signo ? signal_send_process(&info) : 0;
}

static int64_t send_to_thread(uint64_t tid, const siginfo_t *info)
{
    struct thread *thread = thread_find(tid);

    if ((int32_t)tid <= 0)
        return -EINVAL;
    if (!thread)
        return -ESRCH;
    return info->si_signo ? signal_send_thread(thread, info) : 0;
}

int64_t sys_tkill(const struct call *call)
{
    const siginfo_t info = from_self((int)call->arg[1], SI_TKILL);
    int64_t ret = check_number(call->arg[1]);

    return ret < 0 ? ret : send_to_thread(call->arg[0], &info);
}

int64_t sys_tgkill(const struct call *call)
{
    const siginfo_t info = from_self((int)call->arg[2], SI_TKILL);
    int64_t ret = check_number(call->arg[2]);

    if ((int)call->arg[0] <= 0)
        return -EINVAL;
    if ((int)call->arg[0] != PID)
        return -ESRCH;
    return ret < 0 ? ret : send_to_thread(call->arg[1], &info);
}

static int64_t read_info(uint64_t signal, uint64_t addr, siginfo_t *info)
{
    int64_t ret = check_number(signal);

    if (ret < 0)
        return ret;
    if (user_read(info, addr) < 0)
        return -EFAULT;
    info->si_signo = (int)signal;
    return 0;
}

int64_t sys_rt_sigqueueinfo(const struct call *call)
{
    siginfo_t info;
    int64_t ret = read_info(call->arg[1], call->arg[2], &info);

    if (ret < 0)
        return ret;
    if ((int)call->arg[0] != PID)
        return -ESRCH;
    return info.si_signo ? signal_send_process(&info) : 0;
}

int64_t sys_rt_tgsigqueueinfo(const struct call *call)
{
    siginfo_t info;
    int64_t ret = read_info(call->arg[2], call->arg[3], &info);

    if (ret < 0)
        return ret;
    return (int)call->arg[0] == PID ? send_to_thread(call->arg[1], &info) : -ESRCH;
}

static int64_t wait_for_handler(void)
{
    while (thread_sleep(NEVER) != -EINTR)
        ;
    return -EINTR;
}

int64_t sys_pause(const struct call *call)
{
    (void)call;
    return wait_for_handler();
}

int64_t sys_rt_sigsuspend(const struct call *call)
{
    uint64_t set;

    if (call->arg[1] != sizeof(set))
        return -EINVAL;
    if (user_read(&set, call->arg[0]) < 0)
        return -EFAULT;
    signals_block_meanwhile(set);
    return wait_for_handler();
}

/* A signal that is not waited for may come too: then it is EINTR. */
static int64_t wait_for_signal(uint64_t set, uint64_t deadline, siginfo_t *info)
{
    int64_t ret = 0;

    current->signals.wanted = set;
    while (!signal_take(set, info)) {
        if (ret < 0) {
            current->signals.wanted = 0;
            return ret == -ETIMEDOUT ? -EAGAIN : ret;
        }
        ret = thread_sleep(deadline);
    }
    current->signals.wanted = 0;
    return info->si_signo;
}

int64_t sys_rt_sigtimedwait(const struct call *call)
{
    const uint64_t second = 1000000000;
    uint64_t set, deadline = NEVER;
    struct timespec limit;
    siginfo_t info;
    int64_t ret;

    if (call->arg[3] != sizeof(set))
        return -EINVAL;
    if (user_read(&set, call->arg[0]) < 0)
        return -EFAULT;
    if (call->arg[2]) {
        if (user_read(&limit, call->arg[2]) < 0)
            return -EFAULT;
        if (limit.tv_sec < 0 || (uint64_t)limit.tv_nsec >= second)
            return -EINVAL;
        if ((uint64_t)limit.tv_sec < INT64_MAX / second)
            deadline = deadline_in(limit.tv_sec * second + limit.tv_nsec);
    }
    set &= ~(SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP));
    ret = wait_for_signal(set, deadline, &info);
    if (ret < 0 || !call->arg[1])
        return ret;
    return user_write(call->arg[1], &info) < 0 ? -EFAULT : ret;
}
