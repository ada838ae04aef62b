/* SPDX-License-Identifier: ISC
 *
 * Which thread has the vCPU, and for how long. Threads take turns in the order in which they became
 * able to run; one that does not give way is interrupted after a while, but only if somebody waits.
 */
#include <asm/poll.h>

#include "ahead.h"
#include "thread.h"
#include "timers.h"

#define ALARM_LEAST 100000 /* nanoseconds: the application gets on before the next one */

struct thread *current;
uint32_t thread_work;

static struct thread *ready_first, *ready_last;
static struct thread *timed;         /* sleep with a deadline, in no order */
static uint64_t timed_bound = NEVER; /* none of their deadlines is earlier */
static struct host_waiter *host_waiters;
static uint64_t alarm_at = NEVER; /* the monitor interrupts then, or earlier */
static struct thread *stopped;    /* its memory is to be freed */
static uint64_t run_since;        /* the current thread's time is counted from here; 0: not yet */
static uint64_t run_all;          /* time that all threads have had */

static volatile struct husk_pending *pending(void)
{
    return &((struct husk_doorbell *)HUSK_DESC_PAGE)->pending;
}

/* What stays to be done on the way back to the application. */
static void update_work(void)
{
    thread_work =
        ready_first || timed || host_waiters || timers_next() != NEVER || signals_deliverable();
}

static void enqueue(struct thread *thread)
{
    thread->ready = true;
    thread->next = NULL;
    if (ready_first)
        ready_last->next = thread;
    else
        ready_first = thread;
    ready_last = thread;
    thread_work = 1;
}

static struct thread *dequeue(void)
{
    struct thread *thread = ready_first;

    if (thread) {
        ready_first = thread->next;
        thread->ready = false;
    }
    return thread;
}

static void timed_add(struct thread *thread)
{
    thread->previous_timed = NULL;
    thread->next_timed = timed;
    if (timed)
        timed->previous_timed = thread;
    timed = thread;
    if (thread->deadline < timed_bound)
        timed_bound = thread->deadline;
}

static void timed_remove(struct thread *thread)
{
    if (thread->previous_timed)
        thread->previous_timed->next_timed = thread->next_timed;
    else
        timed = thread->next_timed;
    if (thread->next_timed)
        thread->next_timed->previous_timed = thread->previous_timed;
    if (!timed)
        timed_bound = NEVER;
}

static void wake_with(struct thread *thread, int64_t result)
{
    if (!thread->sleeping)
        return;
    thread->sleeping = false;
    thread->woken = result;
    if (thread->deadline != NEVER)
        timed_remove(thread);
    enqueue(thread);
}

void thread_wake(struct thread *thread)
{
    wake_with(thread, 0);
}

void thread_interrupt(struct thread *thread)
{
    wake_with(thread, -EINTR);
    thread_work = 1;
}

/* Or somewhat earlier: who would have been the first may have left. */
static uint64_t nearest_deadline(void)
{
    uint64_t timer = timers_next();

    return timer < timed_bound ? timer : timed_bound;
}

static void expire_deadlines(void)
{
    uint64_t now = clock_monotonic();

    if (timed_bound <= now) {
        timed_bound = NEVER;
        for (struct thread *thread = timed, *next; thread; thread = next) {
            next = thread->next_timed;
            if (thread->deadline <= now)
                wake_with(thread, -ETIMEDOUT);
            else if (thread->deadline < timed_bound)
                timed_bound = thread->deadline;
        }
    }
    timers_expire(now);
}

/* Something came from outside: the alarm is over, and there may be signals. */
static bool take_pending(void)
{
    uint64_t signals;

    if (!pending()->due)
        return false;
    pending()->due = 0;
    alarm_at = NEVER;
    signals = __atomic_exchange_n(&pending()->signals, 0, __ATOMIC_SEQ_CST);
    if (signals) {
        hypercall_news++;
        signals_from_host(signals);
    }
    return true;
}

/* Ask the monitor about all handles that somebody waits for, for at most NS. */
static void poll_host(uint64_t ns)
{
    static struct husk_wait waits[HUSK_WAIT_MAX];
    struct host_waiter *waiter = host_waiters;
    struct husk_ahead *ahead = NULL;
    uint64_t count = 0, streams = 0, room = 0;
    int64_t ready;

    clock_slept();
    if (waiter && !waiter->next && waiter->ask) {
        waiter->asked = true;
        waiter->ask(waiter, ns);
        if (waiter->revents)
            thread_wake(waiter->thread);
        return;
    }
    for (; waiter && count < HUSK_WAIT_MAX; waiter = waiter->next) {
        waits[count++] =
            (struct husk_wait){.handle = waiter->handle, .events = (int16_t)waiter->events};
        streams += waiter->file && waiter->events & POLLIN;
    }
    if (streams > 0)
        ahead = ahead_offer(streams, &room);
    ready = HYPERCALL(HUSK_OP_WAIT, waits, count, ns, ahead, room);
    room = ready < 0 ? 0 : (uint64_t)ready >> 32;
    waiter = host_waiters;
    for (uint64_t i = 0, taken = 0; ready >= 0 && i < count; i++, waiter = waiter->next) {
        waiter->asked = true;
        waiter->revents = waits[i].revents;
        if (taken < room && waiter->file && ahead[taken].handle == waiter->handle)
            ahead_accept(taken++, waiter->file);
        if (waiter->revents)
            thread_wake(waiter->thread);
    }
}

static void charge(void)
{
    uint64_t now, ran;

    if (!run_since)
        return;
    now = clock_monotonic();
    ran = now - run_since;
    current->run += ran;
    run_all += ran;
    run_since = now;
}

void thread_account(void)
{
    if (run_since)
        return;
    current->run = run_all = clock_cpu();
    run_since = clock_monotonic();
}

/* VALUE * PART / WHOLE with 128 bits in between, which C would need libgcc for. PART <= WHOLE. */
static uint64_t portion(uint64_t value, uint64_t part, uint64_t whole)
{
    uint64_t high;

    __asm__("mulq %2; divq %3" : "+a"(value), "=&d"(high) : "r"(part), "r"(whole) : "cc");
    return value;
}

/*
 * A thread's CPU time is its part of the program's: how long it had the vCPU is known without an
 * exit, how long the vCPU had a processor is not.
 */
uint64_t thread_cpu_time(struct thread *thread)
{
    uint64_t cpu = clock_cpu(), time;

    charge();
    if (!run_all)
        return cpu;
    time = portion(cpu, thread->run, run_all);
    if (time > thread->cpu_shown)
        thread->cpu_shown = time;
    return thread->cpu_shown;
}

/* Nobody can run: wait for whatever comes first. */
static void idle(void)
{
    uint64_t deadline = nearest_deadline(), now = deadline == NEVER ? 0 : clock_monotonic();

    charge();
    if (deadline == NEVER)
        poll_host(NEVER);
    else if (deadline > now)
        poll_host(deadline - now);
    if (run_since)
        run_since = clock_monotonic();
    take_pending();
    if (deadline != NEVER)
        expire_deadlines();
}

/* The new thread's state is loaded, and the last one's memory may go. */
static void resumed(void)
{
    struct thread *gone = stopped;

    if (gone) {
        stopped = NULL;
        thread_free(gone);
    }
}

static void switch_to(struct thread *next)
{
    struct thread *previous = current;

    if (next == previous)
        return;
    charge();
    previous->fs_base = fs_base_get();
    fpu_save(previous->fpu);
    previous->hypercalls = hypercall_count;
    hypercall_count = next->hypercalls;
    current = next;
    kernel_stack_pointer = next->stack_top;
    fs_base_set(next->fs_base);
    fpu_load(next->fpu);
    thread_switch(&previous->stack_pointer, next->stack_pointer);
    resumed();
}

static void run_next(void)
{
    struct thread *next;

    while (!(next = dequeue()))
        idle();
    switch_to(next);
}

int64_t thread_sleep(uint64_t deadline)
{
    take_pending();
    if (signals_deliverable())
        return -EINTR;
    if (deadline != NEVER && deadline <= clock_monotonic())
        return -ETIMEDOUT;
    current->sleeping = true;
    current->deadline = deadline;
    if (deadline != NEVER)
        timed_add(current);
    run_next();
    update_work();
    /* Another thread may have taken the signal. */
    return current->woken == -EINTR && !signals_deliverable() ? 0 : current->woken;
}

void thread_yield(void)
{
    if (!ready_first)
        return;
    enqueue(current);
    run_next();
    update_work();
}

void thread_start(struct thread *thread)
{
    enqueue(thread);
}

_Noreturn void thread_stop(void)
{
    stopped = current;
    run_next();
    __builtin_unreachable();
}

bool thread_alone(void)
{
    uint64_t timer = timers_next();

    return !ready_first && !timed && !host_waiters && (timer == NEVER || alarm_at <= timer);
}

bool thread_is_last(void)
{
    return !ready_first;
}

/* The vCPU must come back to guest-rt in time for what others wait for. */
static void set_alarm(void)
{
    uint64_t wanted = nearest_deadline(), turn;

    if ((ready_first || host_waiters) && alarm_at == NEVER) {
        turn = clock_monotonic() + TURN;
        wanted = turn < wanted ? turn : wanted;
    }
    if (wanted < alarm_at) {
        uint64_t soonest = clock_monotonic() + ALARM_LEAST;

        alarm_at = wanted > soonest ? wanted : soonest;
        HYPERCALL(HUSK_OP_ALARM, alarm_at - soonest + ALARM_LEAST);
    }
}

bool thread_return(struct husk_regs *regs, bool interrupted)
{
    bool changed = false;

    if (interrupted)
        pending()->due = 1;
    do {
        if (take_pending()) {
            if (host_waiters)
                poll_host(0);
            expire_deadlines();
            thread_yield();
        }
        changed |= signals_deliver(regs);
        update_work();
        if (thread_work)
            set_alarm();
    } while (pending()->due);
    return changed;
}

/* Called by entry.asm for a new thread, before it goes to the application. */
void thread_begun(struct husk_regs *regs)
{
    resumed();
    update_work();
    thread_return(regs, false);
}

void waiter_add_notify(struct wait_queue *queue, struct waiter *waiter,
                       void (*notify)(struct waiter *waiter))
{
    *waiter =
        (struct waiter){.next = queue->first, .queue = queue, .thread = current, .notify = notify};
    if (queue->first)
        queue->first->previous = waiter;
    queue->first = waiter;
}

void waiter_add(struct wait_queue *queue, struct waiter *waiter)
{
    waiter_add_notify(queue, waiter, NULL);
}

void waiter_remove(struct waiter *waiter)
{
    if (!waiter->queue)
        return;
    if (waiter->previous)
        waiter->previous->next = waiter->next;
    else
        waiter->queue->first = waiter->next;
    if (waiter->next)
        waiter->next->previous = waiter->previous;
    waiter->queue = NULL;
}

void queue_wake(struct wait_queue *queue)
{
    for (struct waiter *waiter = queue->first, *next; waiter; waiter = next) {
        next = waiter->next;
        if (waiter->notify)
            waiter->notify(waiter);
        else
            thread_wake(waiter->thread);
    }
}

void host_waiter_add(struct host_waiter *waiter, uint32_t handle, struct file *file,
                     uint16_t events)
{
    *waiter = (struct host_waiter){
        .next = host_waiters, .thread = current, .file = file, .handle = handle, .events = events};
    if (host_waiters)
        host_waiters->previous = waiter;
    host_waiters = waiter;
}

void host_waiter_remove(struct host_waiter *waiter)
{
    if (waiter->previous)
        waiter->previous->next = waiter->next;
    else
        host_waiters = waiter->next;
    if (waiter->next)
        waiter->next->previous = waiter->previous;
}

void host_waiters_look(void)
{
    poll_host(0);
}

int64_t wait_for_host(uint32_t handle, struct file *file, int16_t events, uint64_t deadline)
{
    struct host_waiter waiter;
    int64_t ret;

    host_waiter_add(&waiter, handle, file, events);
    do
        ret = thread_sleep(deadline);
    while (ret == 0 && !waiter.revents);
    host_waiter_remove(&waiter);
    return ret < 0 ? ret : waiter.revents;
}

uint64_t deadline_in(uint64_t ns)
{
    uint64_t deadline;

    return __builtin_add_overflow(clock_monotonic(), ns, &deadline) ? NEVER : deadline;
}
