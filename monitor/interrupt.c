/* SPDX-License-Identifier: ISC */
#include "interrupt.h"

#include <errno.h>
#include <limits.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "memory.h"

#define KERNEL_MASK_SIZE 8 /* bytes of a signal mask */
#define SECOND           1000000000ULL
#define AGAIN_US         10000
#define AGAIN_NS         1000000
#define ALARM            SIGRTMIN /* of the guest's timer */
#define BIT(signal)      (1ULL << ((signal)-1))
#define COUNT(array)     (sizeof(array) / sizeof((array)[0]))

/* Signals that can be passed on; the first ones end the run until then. */
static const int forwardable[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};
#define ENDING 4

static struct kvm_run *vcpu_run;
static volatile sig_atomic_t pending;
static bool limited, cpu_limited;

static volatile sig_atomic_t due;
static uint64_t arrived; /* forwarded signals */
static timer_t guest_timer;
static bool guest_timer_there;

/*
 * A signal may come between a check of `pending` and the host call that then blocks; so once one
 * came, SIGALRM keeps coming until the run has ended.
 */
static void keep_interrupting(void)
{
    const struct itimerval again = {{0, AGAIN_US}, {0, AGAIN_US}};

    setitimer(ITIMER_REAL, &again, NULL);
}

static void on_signal(int signal)
{
    if (!pending) {
        pending = signal == SIGALRM && limited       ? INTERRUPT_TIME_LIMIT
                  : signal == SIGXCPU && cpu_limited ? INTERRUPT_CPU_LIMIT
                                                     : signal;
        keep_interrupting();
    }
    vcpu_run->immediate_exit = 1;
}

static void set_guest_timer(uint64_t ns, uint64_t interval)
{
    const struct itimerspec span = {
        .it_value = {(time_t)(ns / SECOND), (long)(ns % SECOND)},
        .it_interval = {(time_t)(interval / SECOND), (long)(interval % SECOND)}};

    if (guest_timer_there)
        timer_settime(guest_timer, 0, &span, NULL);
}

/* For the same reason this one keeps coming until the guest was interrupted. */
void interrupt_again(void)
{
    due = 1;
    set_guest_timer(AGAIN_NS, AGAIN_NS);
}

static void on_forwarded(int signal)
{
    if (signal != ALARM)
        __atomic_fetch_or(&arrived, BIT(signal), __ATOMIC_SEQ_CST);
    if (!due)
        interrupt_again();
    vcpu_run->immediate_exit = 1;
}

/* Those that are ignored stay so. */
static uint64_t catch_ending(const struct sigaction *action)
{
    struct sigaction old;
    uint64_t ignored = 0;

    for (size_t i = 0; i < COUNT(forwardable); i++) {
        if (sigaction(forwardable[i], i < ENDING ? action : NULL, &old) < 0 ||
            old.sa_handler != SIG_IGN)
            continue;
        ignored |= BIT(forwardable[i]);
        if (i < ENDING)
            sigaction(forwardable[i], &old, NULL);
    }
    return ignored;
}

static int limit_cpu_time(uint64_t ns, const struct sigaction *action)
{
    const struct itimerspec limit = {.it_value = {(time_t)(ns / SECOND), (long)(ns % SECOND)}};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGXCPU};
    timer_t timer;

    cpu_limited = true;
    sigaction(SIGXCPU, action, NULL);
    if (timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer) < 0 ||
        timer_settime(timer, 0, &limit, NULL) < 0)
        return -errno;
    return 0;
}

int interrupt_init(struct kvm_run *run, uint64_t timeout_ns, uint64_t cpu_ns, uint64_t *ignored)
{
    const struct sigaction action = {.sa_handler = on_signal};
    const struct sigaction bus_error = {.sa_handler = memory_on_bus_error, .sa_flags = SA_NODEFER};

    vcpu_run = run;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    sigaction(SIGBUS, &bus_error, NULL);
    sigaction(SIGSEGV, &bus_error, NULL);
    sigaction(SIGALRM, &action, NULL);
    *ignored = catch_ending(&action);
    if (timeout_ns) {
        uint64_t us = (timeout_ns + 999) / 1000;
        const struct itimerval limit = {{0, AGAIN_US}, {us / 1000000, us % 1000000}};

        limited = true;
        setitimer(ITIMER_REAL, &limit, NULL);
    }
    return cpu_ns ? limit_cpu_time(cpu_ns, &action) : 0;
}

int interrupt_pending(void)
{
    return pending;
}

/* At the first use: most guests need none. */
static int need_guest_timer(void)
{
    const struct sigaction action = {.sa_handler = on_forwarded};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = ALARM};

    if (guest_timer_there)
        return 0;
    if (sigaction(ALARM, &action, NULL) < 0 ||
        timer_create(CLOCK_MONOTONIC, &event, &guest_timer) < 0)
        return -errno;
    guest_timer_there = true;
    return 0;
}

int interrupt_forward(uint64_t mask)
{
    const struct sigaction action = {.sa_handler = on_forwarded};
    int ret = need_guest_timer();

    for (size_t i = 0; ret == 0 && i < COUNT(forwardable); i++)
        if (mask & BIT(forwardable[i]) && sigaction(forwardable[i], &action, NULL) < 0)
            ret = -errno;
    return ret;
}

int interrupt_alarm(uint64_t ns)
{
    int ret = need_guest_timer();

    if (ret == 0)
        set_guest_timer(ns, AGAIN_NS);
    return ret;
}

bool interrupt_take(uint64_t *signals)
{
    if (!due)
        return false;
    set_guest_timer(0, 0);
    vcpu_run->immediate_exit = pending != 0;
    due = 0;
    *signals = __atomic_exchange_n(&arrived, 0, __ATOMIC_SEQ_CST);
    return true;
}

/* One of the two host calls that wait, with a timeout (NULL: for ever) and a signal mask (NULL: as
 * it is). */
struct wait {
    struct pollfd *fds; /* NULL: EPOLL's EVENTS */
    nfds_t count;
    int epoll;
    struct epoll_event *events;
};

/* Linux 5.11; before, there are only milliseconds. */
static int wait_epoll(const struct wait *wait, const struct timespec *span, const sigset_t *mask)
{
    long ready = syscall(SYS_epoll_pwait2, wait->epoll, wait->events, (int)wait->count, span, mask,
                         KERNEL_MASK_SIZE);
    long ms = -1;

    if (ready >= 0 || errno != ENOSYS)
        return (int)ready;
    if (span)
        ms = span->tv_sec < INT_MAX / 1000 - 1
                 ? span->tv_sec * 1000 + (span->tv_nsec + 999999) / 1000000
                 : INT_MAX;
    return epoll_pwait(wait->epoll, wait->events, (int)wait->count, (int)ms, mask);
}

static int wait_now(const struct wait *wait, const struct timespec *span, const sigset_t *mask)
{
    return wait->fds ? ppoll(wait->fds, wait->count, span, mask) : wait_epoll(wait, span, mask);
}

static int wait_blocking(const struct wait *wait, uint64_t timeout)
{
    const struct timespec span = {(time_t)(timeout / SECOND), (long)(timeout % SECOND)};
    sigset_t all, old;
    int ready = -1;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &old);
    errno = EINTR;
    if (!due && !pending)
        ready = wait_now(wait, timeout == UINT64_MAX ? NULL : &span, &old);
    if (ready < 0)
        ready = -errno;
    sigprocmask(SIG_SETMASK, &old, NULL);
    return ready;
}

static int wait_for(const struct wait *wait, uint64_t timeout)
{
    const struct timespec none = {0};
    int ready;

    if (timeout)
        return wait_blocking(wait, timeout);
    ready = wait_now(wait, &none, NULL);
    return ready < 0 ? -errno : ready;
}

int interrupt_poll(struct pollfd *fds, nfds_t count, uint64_t timeout)
{
    return wait_for(&(struct wait){.fds = fds, .count = count}, timeout);
}

int interrupt_epoll(int epoll, struct epoll_event *events, int count, uint64_t timeout)
{
    return wait_for(&(struct wait){.epoll = epoll, .events = events, .count = (nfds_t)count},
                    timeout);
}
