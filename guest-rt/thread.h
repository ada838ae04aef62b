/* SPDX-License-Identifier: ISC
 *
 * Threads, of which one at a time has the vCPU.
 */
#ifndef HUSK_THREAD_H
#define HUSK_THREAD_H

#include "signal.h"
#include "wait.h"

#define TURN 4000000 /* nanoseconds a thread may run while others can */

struct thread {
    struct thread *next; /* of those that can run */
    struct thread *next_of_all, *previous_of_all;
    struct thread *next_timed, *previous_timed; /* of those that wait with a deadline */
    int32_t tid;
    bool ready;        /* in the queue of those that can run */
    bool sleeping;     /* in thread_sleep */
    int64_t woken;     /* what thread_sleep returns */
    uint64_t deadline; /* while sleeping, or NEVER */

    uint64_t stack_pointer; /* of guest-rt's own stack for it, while another thread runs */
    uint64_t stack_top;     /* where that stack starts */
    void *stack;            /* its memory; NULL for the first thread, which has entry.asm's */
    uint64_t fs_base;
    void *fpu;           /* the extended state, while another thread runs */
    uint64_t hypercalls; /* it has made, while another thread runs */
    int64_t call;        /* the system call it is in, or -1: exception or interruption */

    uint64_t run;       /* nanoseconds it has had the vCPU */
    uint64_t cpu_shown; /* the CPU time that it was told last */

    uint64_t clear_tid;   /* set_tid_address(2) or 0 */
    uint64_t robust_list; /* set_robust_list(2) or 0 */
    char name[16];
    struct thread_signals signals;
};

extern struct thread *current;

/* Threads that did not exit; the first one counts until it does. */
extern uint32_t thread_count;
/* Each of them in turn, from NULL on. */
struct thread *thread_after(const struct thread *thread);
/* By its number, or NULL. */
struct thread *thread_find(uint64_t tid);

void thread_init(void);

/* Give back the memory of a thread that will never run again. */
void thread_free(struct thread *thread);

/* Has it room for its extended state? */
bool thread_provide_fpu(struct thread *thread);

/*
 * On the way back to the application, with WORK or an interruption pending: let others run, deliver
 * signals. INTERRUPTED: the thread was interrupted. Returns whether REGS were changed.
 */
bool thread_return(struct husk_regs *regs, bool interrupted);

/* In sched.c: set when thread_return has something to do. */
extern uint32_t thread_work;

/* In sched.c, for thread.c: put a new thread in, take the current one out for ever. */
void thread_start(struct thread *thread);
_Noreturn void thread_stop(void);

/* In sched.c: nanoseconds of CPU time. With a second thread counting begins. */
uint64_t thread_cpu_time(struct thread *thread);
void thread_account(void);

/* Write 0 to a thread's CLEAR_TID and wake who waits there; mark the robust futexes it held. */
void futex_thread_exit(struct thread *thread);

/* In entry.asm. */
void thread_switch(uint64_t *save, uint64_t load);
extern const char thread_begin[];
extern uint64_t kernel_stack_pointer;

/* In fpu.c: room for the extended state, for saving and loading it; the state of a new thread is
 * the current one's. */
size_t fpu_size(void);
void fpu_save(void *area);
void fpu_load(const void *area);
/* XCR0's bits of what an area holds; 0: only what FXSAVE saves. */
uint64_t fpu_components(void);
/* Make an area that the application wrote safe to load. */
void fpu_sanitize(void *area);

void fs_base_set(uint64_t base);
uint64_t fs_base_get(void);

/* Something came while guest-rt was at work. */
bool interrupted(void);

/* The application was interrupted at REGS. */
void rt_interrupt(struct husk_regs *regs);

#endif
