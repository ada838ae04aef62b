/* SPDX-License-Identifier: ISC
 *
 * What ends a run from outside: signals to husk and the time limit. Either makes KVM_RUN and any
 * blocking host call return with EINTR.
 */
#ifndef HUSK_INTERRUPT_H
#define HUSK_INTERRUPT_H

#include <stdint.h>

struct kvm_run;

/*
 * Catch SIGINT, SIGTERM, SIGHUP and SIGQUIT (each unless it was ignored already), ignore SIGPIPE
 * and SIGXFSZ (the guest gets EPIPE and EFBIG).
 * RUN's immediate_exit is set when one comes. With TIMEOUT_NS the time limit starts now.
 */
void interrupt_init(struct kvm_run *run, uint64_t timeout_ns);

enum { INTERRUPT_NONE = 0, INTERRUPT_TIME_LIMIT = -1 };

/* The signal number that came first, INTERRUPT_TIME_LIMIT, or INTERRUPT_NONE. */
int interrupt_pending(void);

#endif
