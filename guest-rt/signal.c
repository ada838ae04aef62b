/* SPDX-License-Identifier: ISC
 *
 * Signals: actions and masks are kept; of what they do, only the default actions.
 */
#include <asm/signal.h>

#include "rt.h"

#define SIGNALS 64

/* What rt_sigaction(2) takes on x86-64. */
struct action {
    uint64_t handler;
    uint64_t flags;
    uint64_t restorer;
    uint64_t mask;
};

static struct action actions[SIGNALS + 1];
static uint64_t blocked;
static stack_t alternate = {.ss_flags = 2 /* SS_DISABLE */};

static bool ignored_by_default(int signal)
{
    return signal == SIGCHLD || signal == SIGURG || signal == SIGWINCH || signal == SIGCONT;
}

void signal_raise(int signal, struct husk_regs *regs)
{
    (void)regs;
    if (actions[signal].handler == (uint64_t)SIG_DFL && !ignored_by_default(signal))
        rt_exit(0, signal);
}

int64_t sys_rt_sigaction(const struct call *call)
{
    uint64_t signal = call->arg[0];
    struct action new;

    if (signal < 1 || signal > SIGNALS || call->arg[3] != sizeof(blocked))
        return -EINVAL;
    if (call->arg[1]) {
        if (signal == SIGKILL || signal == SIGSTOP)
            return -EINVAL;
        if (user_read(&new, call->arg[1]) < 0)
            return -EFAULT;
    }
    if (call->arg[2] && user_write(call->arg[2], &actions[signal]) < 0)
        return -EFAULT;
    if (call->arg[1])
        actions[signal] = new;
    return 0;
}

int64_t sys_rt_sigprocmask(const struct call *call)
{
    uint64_t old = blocked, set;

    if (call->arg[3] != sizeof(blocked))
        return -EINVAL;
    if (call->arg[1]) {
        if (user_read(&set, call->arg[1]) < 0)
            return -EFAULT;
        if (call->arg[0] == SIG_BLOCK)
            blocked |= set;
        else if (call->arg[0] == SIG_UNBLOCK)
            blocked &= ~set;
        else if (call->arg[0] == SIG_SETMASK)
            blocked = set;
        else
            return -EINVAL;
    }
    return call->arg[2] ? user_write(call->arg[2], &old) : 0;
}

int64_t sys_sigaltstack(const struct call *call)
{
    stack_t new;

    if (call->arg[0] && user_read(&new, call->arg[0]) < 0)
        return -EFAULT;
    if (call->arg[1] && user_write(call->arg[1], &alternate) < 0)
        return -EFAULT;
    if (call->arg[0])
        alternate = new;
    return 0;
}

/* A handler cannot be called yet, and a signal that is lost is worse than an error. */
static int64_t send_to_self(uint64_t signal, const struct call *call)
{
    if (signal > SIGNALS)
        return -EINVAL;
    if (signal == 0)
        return 0;
    if (actions[signal].handler != (uint64_t)SIG_DFL &&
        actions[signal].handler != (uint64_t)SIG_IGN)
        return -ENOSYS;
    signal_raise(signal, call->regs);
    return 0;
}

int64_t sys_kill(const struct call *call)
{
    int pid = call->arg[0];

    return pid == PID || pid == 0 || pid == -1 || pid == -PID ? send_to_self(call->arg[1], call)
                                                              : -ESRCH;
}

int64_t sys_tkill(const struct call *call)
{
    return call->arg[0] == PID ? send_to_self(call->arg[1], call) : -ESRCH;
}

int64_t sys_tgkill(const struct call *call)
{
    return call->arg[0] == PID && call->arg[1] == PID ? send_to_self(call->arg[2], call) : -ESRCH;
}
