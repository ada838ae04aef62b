/* SPDX-License-Identifier: ISC
 *
 * What comes from outside while the guest runs. Some of it ends the run: the time limit, and
 * signals that the guest did not ask for. The rest interrupts the guest: its alarm, and signals
 * that it asked for. All of it makes KVM_RUN and any blocking host call return with EINTR.
 */
#ifndef HUSK_INTERRUPT_H
#define HUSK_INTERRUPT_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

struct epoll_event;
struct kvm_run;

/*
 * Catch SIGINT, SIGTERM, SIGHUP and SIGQUIT (each unless it was ignored already), ignore SIGPIPE
 * and SIGXFSZ (the guest gets EPIPE and EFBIG). RUN's immediate_exit is set when one comes. With
 * TIMEOUT_NS the time limit starts now, with CPU_NS that of processor time, the guest's and husk's.
 * In *IGNORED, bit N - 1 for signal N: those that can be passed on and were ignored. 0 or -errno:
 * there is no timer for the limit.
 */
int interrupt_init(struct kvm_run *run, uint64_t timeout_ns, uint64_t cpu_ns, uint64_t *ignored);

enum { INTERRUPT_NONE = 0, INTERRUPT_TIME_LIMIT = -1, INTERRUPT_CPU_LIMIT = -2 };

/* What ends the run: the signal number that came first, a limit, or INTERRUPT_NONE. */
int interrupt_pending(void);

/* Pass on the signals of MASK instead of ending the run; others than those that can be passed on
 * are left alone. 0 or -errno. */
int interrupt_forward(uint64_t mask);

/* Interrupt the guest once, NS nanoseconds from now; 0: not at all. 0 or -errno. */
int interrupt_alarm(uint64_t ns);

/* Is the guest to be interrupted? The alarm is over then, and SIGNALS (bit N - 1 is signal N) are
 * the caller's to pass on. */
bool interrupt_take(uint64_t *signals);

/* The guest could not be interrupted now: try again in a millisecond. */
void interrupt_again(void);

/* ppoll(2) with TIMEOUT nanoseconds, UINT64_MAX for ever: ready descriptors or -errno. An
 * interruption that came before is -EINTR too. */
int interrupt_poll(struct pollfd *fds, nfds_t count, uint64_t timeout);
/* The same as epoll_wait(2). */
int interrupt_epoll(int epoll, struct epoll_event *events, int count, uint64_t timeout);

#endif
