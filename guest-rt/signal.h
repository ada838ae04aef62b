/* SPDX-License-Identifier: ISC
 *
 * Signals: pending, blocked, sent, delivered.
 */
#ifndef HUSK_SIGNAL_H
#define HUSK_SIGNAL_H

#include <asm/siginfo.h>
#include <asm/signal.h>

#include "rt.h"

#define SIGNALS            64
#define SIGNAL_BIT(number) (1ULL << ((number)-1))

struct thread;

/* What rt_sigaction(2) takes on x86-64. */
struct signal_action {
    uint64_t handler;
    uint64_t flags;
    uint64_t restorer;
    uint64_t mask;
};

/* Signals that came and were not delivered yet, the oldest of each number first. */
struct signal_queue {
    uint64_t mask;
    struct queued_signal *first;
};

struct thread_signals {
    uint64_t blocked;
    uint64_t saved; /* BLOCKED before a call that changed it for as long as it waits */
    bool has_saved;
    uint64_t wanted; /* sigtimedwait(2) waits for these */
    struct signal_queue queue;
    uint64_t alternate, alternate_size; /* sigaltstack(2) */
    uint32_t alternate_flags;           /* SS_AUTODISARM */
    bool restore;                       /* sigreturn changed all registers */
    uint64_t vector, error, address;    /* of the exception behind a signal */
};

void signals_init(void);
void signals_thread_exit(struct thread *thread);

/* Send INFO's signal. 0 or -EAGAIN: too many are queued. */
int64_t signal_send_process(const siginfo_t *info);
int64_t signal_send_thread(struct thread *thread, const siginfo_t *info);

/* An exception: its handler is called next, or the run ends with a report. */
void signal_force(struct husk_regs *regs, const siginfo_t *info);

/* The monitor passed these on; bit N - 1 is signal N. */
void signals_from_host(uint64_t mask);

/* Has the current thread a signal to deliver? Deliver: REGS lead to the handler then, and true is
 * returned, as if sigreturn changed them. Also the end of a call that is to be made again. */
bool signals_deliverable(void);
bool signals_deliver(struct husk_regs *regs);

/* Is it a result that signals_deliver has to replace? See ERESTARTSYS. */
bool signal_restarts(uint64_t result);

/* Take the next pending signal of SET out; false: there is none. */
bool signal_take(uint64_t set, siginfo_t *info);
/* Those of SET that are pending. */
uint64_t signals_pending(uint64_t set);
/* Woken when a signal comes. */
extern struct wait_queue signal_arrivals;

/* Block MASK for as long as a call waits: until signals_deliver. */
void signals_block_meanwhile(uint64_t mask);
/* The call did not end because of a signal: block again what was blocked before, at once. */
void signals_block_again(void);

/* sigframe.c: call a handler; false: the stack cannot be written. BLOCKED is what its return
 * restores. */
bool sigframe_push(struct husk_regs *regs, const struct signal_action *action,
                   const siginfo_t *info, uint64_t blocked);

/* syscall.c: with --trace, tell that a signal is delivered. */
void trace_signal(const siginfo_t *info);

/* itimers.c: the signal of a timer of timer_create(2) is delivered now. */
void timer_signal_taken(const siginfo_t *info);

/* sched.c: a sleeping thread is to look at its signals. */
void thread_interrupt(struct thread *thread);

#endif
