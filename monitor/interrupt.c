/* SPDX-License-Identifier: ISC */
#include "interrupt.h"

#include <linux/kvm.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/time.h>

#include "memory.h"

#define AGAIN_US 10000

static struct kvm_run *vcpu_run;
static volatile sig_atomic_t pending;
static bool limited;

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
        pending = signal == SIGALRM && limited ? INTERRUPT_TIME_LIMIT : signal;
        keep_interrupting();
    }
    vcpu_run->immediate_exit = 1;
}

void interrupt_init(struct kvm_run *run, uint64_t timeout_ns)
{
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    const struct sigaction action = {.sa_handler = on_signal};
    const struct sigaction bus_error = {.sa_handler = memory_on_bus_error, .sa_flags = SA_NODEFER};
    struct sigaction old;

    vcpu_run = run;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    sigaction(SIGBUS, &bus_error, NULL);
    sigaction(SIGSEGV, &bus_error, NULL);
    sigaction(SIGALRM, &action, NULL);
    for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
        sigaction(ending[i], &action, &old);
        if (old.sa_handler == SIG_IGN)
            sigaction(ending[i], &old, NULL);
    }
    if (timeout_ns) {
        uint64_t us = (timeout_ns + 999) / 1000;
        const struct itimerval limit = {{0, AGAIN_US}, {us / 1000000, us % 1000000}};

        limited = true;
        setitimer(ITIMER_REAL, &limit, NULL);
    }
}

int interrupt_pending(void)
{
    return pending;
}
