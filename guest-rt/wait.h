/* SPDX-License-Identifier: ISC
 *
 * How a thread waits: for other threads, for the host, for time. guest-rt is never interrupted and
 * threads change only in thread_sleep and thread_yield, so a condition that was checked holds
 * until the thread sleeps. The pattern, for every kind of wait:
 *
 *     waiter_add(&queue, &waiter);
 *     while (!condition() && (ret = thread_sleep(deadline)) == 0)
 *         ;
 *     waiter_remove(&waiter);
 */
#ifndef HUSK_WAIT_H
#define HUSK_WAIT_H

#include "rt.h"

struct thread;
struct file;

#define NEVER UINT64_MAX

/*
 * Results that never reach the application: a signal is to be delivered, and the call is to be made
 * again unless its handler lacks SA_RESTART (then it is EINTR). For calls that are never made again
 * return -EINTR itself.
 */
#define ERESTARTSYS    HUSK_RESTART_IF_ASKED
#define ERESTARTNOINTR HUSK_RESTART_ALWAYS /* made again in any case */

/* Somebody who wants to know that something happened: by default a thread to be woken. */
struct waiter {
    struct waiter *next, *previous; /* in its queue */
    struct wait_queue *queue;       /* NULL: in none */
    struct thread *thread;
    void (*notify)(struct waiter *waiter); /* called instead of waking THREAD, unless NULL */
};

/* Zeros are an empty one. */
struct wait_queue {
    struct waiter *first;
};

/* Enter a waiter for the current thread (NOTIFY NULL), or with a function that queue_wake calls,
 * which may remove this waiter but no other. waiter_remove does nothing for one that is in no
 * queue. */
void waiter_add(struct wait_queue *queue, struct waiter *waiter);
void waiter_add_notify(struct wait_queue *queue, struct waiter *waiter,
                       void (*notify)(struct waiter *waiter));
void waiter_remove(struct waiter *waiter);
/* Notify all waiters. They stay in the queue. */
void queue_wake(struct wait_queue *queue);

/* A handle of the host's that a thread waits for, with events as poll(2). */
struct host_waiter {
    struct host_waiter *next, *previous;
    struct thread *thread;
    struct file *file; /* of a TCP socket, whose data may come as well; else NULL */
    uint32_t handle;
    bool asked;               /* the host, since it was added */
    uint16_t events, revents; /* REVENTS: what came, when thread_sleep returned 0 */
    /* If there is no other waiter, called to wait for NS instead, unless NULL; sets REVENTS. */
    void (*ask)(struct host_waiter *waiter, uint64_t ns);
};
void host_waiter_add(struct host_waiter *waiter, uint32_t handle, struct file *file,
                     uint16_t events);
void host_waiter_remove(struct host_waiter *waiter);
/* Find out what came so far, for all of them. */
void host_waiters_look(void);

/*
 * Let other threads run until this one is woken (0; it may be for nothing), until the deadline
 * (monotonic nanoseconds or NEVER; -ETIMEDOUT), or until a signal is to be delivered to it
 * (-EINTR).
 */
int64_t thread_sleep(uint64_t deadline);
void thread_wake(struct thread *thread);
/* Let the others that can run do so. */
void thread_yield(void);

/*
 * Nobody else wants the vCPU, nor anything of the host's, nor time: a hypercall may block. It
 * returns -EINTR when something comes, which the caller turns into -ERESTARTSYS or leaves.
 */
bool thread_alone(void);

/* No other thread can run: if this one sleeps, the host is asked at once. */
bool thread_is_last(void);

/* Wait for EVENTS of a host handle (FILE as above): the events that came (positive), -ETIMEDOUT or
 * -EINTR. */
int64_t wait_for_host(uint32_t handle, struct file *file, int16_t events, uint64_t deadline);

/* The deadline in NS nanoseconds from now; NEVER stays NEVER. */
uint64_t deadline_in(uint64_t ns);

#endif
