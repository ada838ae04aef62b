/* SPDX-License-Identifier: ISC
 *
 * Signals that are sent and delivered, what is done about them, and which of them are blocked.
 */
#include "signal.h"
#include "identity.h"

#include "slab.h"
#include "thread.h"

#define QUEUED_MAX    4096 /* signals with data, RLIMIT_SIGPENDING */
#define UNBLOCKABLE   (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))
#define FIRST_QUEUED  32 /* SIGRTMIN of the kernel: these are kept each time they come */
#define SYSCALL_BYTES 2  /* of the instruction */

/* What the monitor can pass on. */
#define FORWARDABLE                                                                                \
    (SIGNAL_BIT(SIGINT) | SIGNAL_BIT(SIGTERM) | SIGNAL_BIT(SIGHUP) | SIGNAL_BIT(SIGQUIT) |         \
     SIGNAL_BIT(SIGUSR1) | SIGNAL_BIT(SIGUSR2) | SIGNAL_BIT(SIGWINCH))

/* By default these do nothing. Nor do those that stop a process: nobody could let it go on. */
#define HARMLESS                                                                                   \
    (SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH) | SIGNAL_BIT(SIGCONT) |       \
     SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU))

struct queued_signal {
    struct queued_signal *next;
    siginfo_t info;
};

static struct signal_action actions[SIGNALS + 1];
static struct signal_queue process_queue;
static uint32_t queued;
static uint64_t forwarded;

struct wait_queue signal_arrivals;

void signals_init(void)
{
    for (int signal = 1; BOOT->ignored && signal <= SIGNALS; signal++)
        if (BOOT->ignored & SIGNAL_BIT(signal))
            actions[signal].handler = (uint64_t)SIG_IGN;
}

static bool is_ignored(int signal)
{
    return actions[signal].handler == (uint64_t)SIG_IGN ||
           (actions[signal].handler == (uint64_t)SIG_DFL && HARMLESS & SIGNAL_BIT(signal));
}

/* The monitor ends the run at these, until it is told otherwise. */
static void forward(uint64_t mask)
{
    mask &= FORWARDABLE & ~forwarded;
    if (!mask)
        return;
    forwarded |= mask;
    HYPERCALL(HUSK_OP_FORWARD, mask);
}

/* A timer has one signal in the queue at most, which counts those that it would have sent since. */
static bool count_overrun(struct queued_signal *entry, const siginfo_t *info)
{
    const int32_t missed = info->_sifields._timer._overrun;

    while (entry && (entry->info.si_code != SI_TIMER || entry->info.si_signo != info->si_signo ||
                     entry->info._sifields._timer._tid != info->_sifields._timer._tid))
        entry = entry->next;
    if (!entry)
        return false;
    if (entry->info._sifields._timer._overrun < INT32_MAX - missed)
        entry->info._sifields._timer._overrun += missed + 1;
    return true;
}

static int64_t enqueue(struct signal_queue *queue, const siginfo_t *info)
{
    struct queued_signal **link = &queue->first, *entry;
    uint64_t bit = SIGNAL_BIT(info->si_signo);

    if (info->si_code == SI_TIMER && count_overrun(queue->first, info))
        return 0;
    if (queue->mask & bit && info->si_signo < FIRST_QUEUED)
        return 0;
    entry = queued < QUEUED_MAX ? slab_alloc(sizeof(*entry)) : NULL;
    if (!entry && info->si_signo >= FIRST_QUEUED)
        return -EAGAIN;
    queue->mask |= bit; /* without an entry it comes without data */
    if (!entry)
        return 0;
    while (*link)
        link = &(*link)->next;
    *entry = (struct queued_signal){.info = *info};
    *link = entry;
    queued++;
    return 0;
}

static void drop_entry(struct queued_signal **link)
{
    struct queued_signal *entry = *link;

    *link = entry->next;
    slab_free(entry);
    queued--;
}

static void dequeue(struct signal_queue *queue, int signal, siginfo_t *info)
{
    struct queued_signal **link = &queue->first;
    bool found = false;

    *info = (siginfo_t){.si_signo = signal, .si_code = SI_KERNEL};
    queue->mask &= ~SIGNAL_BIT(signal);
    while (*link) {
        if ((*link)->info.si_signo != signal) {
            link = &(*link)->next;
        } else if (found) {
            queue->mask |= SIGNAL_BIT(signal); /* there are more */
            break;
        } else {
            *info = (*link)->info;
            drop_entry(link);
            found = true;
        }
    }
    if (info->si_code == SI_TIMER)
        timer_signal_taken(info);
}

static void discard(struct signal_queue *queue, uint64_t mask)
{
    queue->mask &= ~mask;
    for (struct queued_signal **link = &queue->first; *link;) {
        if (SIGNAL_BIT((*link)->info.si_signo) & mask)
            drop_entry(link);
        else
            link = &(*link)->next;
    }
}

void signals_thread_exit(struct thread *thread)
{
    discard(&thread->signals.queue, UINT64_MAX);
    thread->signals.blocked = UINT64_MAX;
}

static bool takes(const struct thread *thread, int signal)
{
    return !(thread->signals.blocked & SIGNAL_BIT(signal)) ||
           thread->signals.wanted & SIGNAL_BIT(signal);
}

/* Nobody would ever see it. */
static bool is_lost(const struct thread *thread, int signal)
{
    return is_ignored(signal) && takes(thread, signal) &&
           !(thread->signals.wanted & SIGNAL_BIT(signal));
}

int64_t signal_send_thread(struct thread *thread, const siginfo_t *info)
{
    int64_t ret;

    if (is_lost(thread, info->si_signo))
        return 0;
    ret = enqueue(&thread->signals.queue, info);
    if (ret == 0 && takes(thread, info->si_signo))
        thread_interrupt(thread);
    queue_wake(&signal_arrivals);
    return ret;
}

/* The current thread takes it if it can, else any that can. */
int64_t signal_send_process(const siginfo_t *info)
{
    struct thread *taker = takes(current, info->si_signo) ? current : NULL;
    int64_t ret;

    for (struct thread *thread = thread_after(NULL); thread && !taker;
         thread = thread_after(thread))
        if (takes(thread, info->si_signo))
            taker = thread;
    if (taker && is_lost(taker, info->si_signo))
        return 0;
    ret = enqueue(&process_queue, info);
    if (ret == 0 && taker)
        thread_interrupt(taker);
    queue_wake(&signal_arrivals);
    return ret;
}

void signals_from_host(uint64_t mask)
{
    for (int signal = 1; signal <= SIGNALS; signal++)
        if (mask & FORWARDABLE & SIGNAL_BIT(signal))
            signal_send_process(&(siginfo_t){.si_signo = signal,
                                             .si_code = SI_USER,
                                             ._sifields._kill = {0, user_identity()->real}});
}

void signal_raise(int signal)
{
    signal_send_thread(current, &(siginfo_t){.si_signo = signal,
                                             .si_code = SI_USER,
                                             ._sifields._kill = {PID, user_identity()->real}});
}

uint64_t signals_pending(uint64_t set)
{
    return (current->signals.queue.mask | process_queue.mask) & set;
}

bool signals_deliverable(void)
{
    return signals_pending(~current->signals.blocked | current->signals.wanted) != 0;
}

/* Faults first, then the lowest number, as on Linux; a thread's own before the process's. */
bool signal_take(uint64_t set, siginfo_t *info)
{
    const uint64_t faults = SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGILL) |
                            SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGSYS);
    struct signal_queue *queue =
        current->signals.queue.mask & set ? &current->signals.queue : &process_queue;
    uint64_t mask = queue->mask & set;

    if (!mask)
        return false;
    if (mask & faults)
        mask &= faults;
    dequeue(queue, __builtin_ctzll(mask) + 1, info);
    return true;
}

bool signal_restarts(uint64_t result)
{
    return result == (uint64_t)-ERESTARTSYS || result == (uint64_t)-ERESTARTNOINTR;
}

/* A call that a signal interrupted: it is made again, unless a handler without SA_RESTART runs. */
static bool end_call(struct husk_regs *regs, const struct signal_action *action)
{
    if (current->call < 0 || !signal_restarts(regs->rax))
        return false;
    if (action && !(action->flags & SA_RESTART) && regs->rax == (uint64_t)-ERESTARTSYS) {
        regs->rax = -EINTR;
    } else {
        regs->rax = current->call;
        regs->rip -= SYSCALL_BYTES;
    }
    current->call = -1;
    return true;
}

/* Its action, which must not be to ignore it. */
static void act(struct husk_regs *regs, const siginfo_t *info)
{
    struct signal_action *slot = &actions[info->si_signo], action = *slot;
    struct thread_signals *signals = &current->signals;
    uint64_t blocked = signals->has_saved ? signals->saved : signals->blocked;

    trace_signal(info);
    if (action.handler == (uint64_t)SIG_DFL)
        rt_exit(0, info->si_signo);
    end_call(regs, &action);
    signals->has_saved = false;
    if (!sigframe_push(regs, &action, info, blocked))
        rt_exit(0, SIGSEGV);
    signals->blocked |= action.mask;
    if (!(action.flags & SA_NODEFER))
        signals->blocked |= SIGNAL_BIT(info->si_signo);
    signals->blocked &= ~UNBLOCKABLE;
    if (action.flags & SA_RESETHAND)
        slot->handler = (uint64_t)SIG_DFL;
}

bool signals_deliver(struct husk_regs *regs)
{
    struct thread_signals *signals = &current->signals;
    bool changed = signals->restore;
    siginfo_t info;

    while (signal_take(~signals->blocked, &info))
        if (!is_ignored(info.si_signo)) {
            act(regs, &info);
            changed = true;
        }
    changed |= end_call(regs, NULL);
    if (signals->has_saved)
        signals->blocked = signals->saved;
    signals->has_saved = false;
    signals->restore = false;
    return changed;
}

void signal_force(struct husk_regs *regs, const siginfo_t *info)
{
    struct signal_action *action = &actions[info->si_signo];
    struct thread_signals *signals = &current->signals;

    if (action->handler == (uint64_t)SIG_IGN || action->handler == (uint64_t)SIG_DFL ||
        signals->blocked & SIGNAL_BIT(info->si_signo)) {
        trace_signal(info);
        rt_fault(regs, signals->vector, signals->error, signals->address, info->si_signo);
    }
    act(regs, info);
}

void signals_block_meanwhile(uint64_t mask)
{
    current->signals.saved = current->signals.blocked;
    current->signals.has_saved = true;
    current->signals.blocked = mask & ~UNBLOCKABLE;
    thread_work = 1;
    forward(mask);
}

void signals_block_again(void)
{
    if (current->signals.has_saved)
        current->signals.blocked = current->signals.saved;
    current->signals.has_saved = false;
}

int64_t sys_rt_sigaction(const struct call *call)
{
    uint64_t signal = call->arg[0];
    struct signal_action new;

    if (signal < 1 || signal > SIGNALS || call->arg[3] != sizeof(uint64_t))
        return -EINVAL;
    if (call->arg[1]) {
        if (SIGNAL_BIT(signal) & UNBLOCKABLE)
            return -EINVAL;
        if (user_read(&new, call->arg[1]) < 0)
            return -EFAULT;
    }
    if (call->arg[2] && user_write(call->arg[2], &actions[signal]) < 0)
        return -EFAULT;
    if (!call->arg[1])
        return 0;
    actions[signal] = new;
    if (new.handler != (uint64_t)SIG_DFL)
        forward(SIGNAL_BIT(signal));
    if (is_ignored(signal)) {
        discard(&process_queue, SIGNAL_BIT(signal));
        for (struct thread *thread = thread_after(NULL); thread; thread = thread_after(thread))
            discard(&thread->signals.queue, SIGNAL_BIT(signal));
    }
    return 0;
}

int64_t sys_rt_sigprocmask(const struct call *call)
{
    uint64_t *blocked = &current->signals.blocked, old = *blocked, set;

    if (call->arg[3] != sizeof(set))
        return -EINVAL;
    if (call->arg[1]) {
        if (user_read(&set, call->arg[1]) < 0)
            return -EFAULT;
        if (call->arg[0] == SIG_BLOCK)
            *blocked |= set;
        else if (call->arg[0] == SIG_UNBLOCK)
            *blocked &= ~set;
        else if (call->arg[0] == SIG_SETMASK)
            *blocked = set;
        else
            return -EINVAL;
        *blocked &= ~UNBLOCKABLE;
        forward(*blocked);
        if (signals_deliverable())
            thread_work = 1;
    }
    return call->arg[2] ? user_write(call->arg[2], &old) : 0;
}

int64_t sys_rt_sigpending(const struct call *call)
{
    uint64_t pending = signals_pending(current->signals.blocked);
    uint64_t size = call->arg[1] < sizeof(pending) ? call->arg[1] : sizeof(pending);

    return call->arg[1] > sizeof(pending) ? -EINVAL
                                          : user_copy((void *)call->arg[0], &pending, size);
}
