/* SPDX-License-Identifier: ISC
 *
 * What is to happen at a certain time, for setitimer(2), timer_create(2) and timerfd_create(2).
 */
#ifndef HUSK_TIMERS_H
#define HUSK_TIMERS_H

#include <linux/time.h>

#include "wait.h"

struct timer {
    struct timer *next;
    uint64_t deadline; /* monotonic nanoseconds; NEVER: not set */
    uint64_t interval; /* 0: once */
    /* COUNT intervals have ended; the timer has been set again or is off. */
    void (*expire)(struct timer *timer, uint64_t count);
};

/* Set it, or change it: DEADLINE NEVER switches it off. */
void timer_set(struct timer *timer, uint64_t deadline, uint64_t interval);

/* Nanoseconds until it expires; 0: it is off. */
uint64_t timer_left(const struct timer *timer);

/* The earliest deadline, or NEVER; and have those expire that are due. */
uint64_t timers_next(void);
void timers_expire(uint64_t now);

/* Nanoseconds as the application sees them, and back: false if it is no time. What is too long
 * becomes INT64_MAX. */
struct timespec timespec_of(uint64_t ns);
bool timespec_get(const struct timespec *time, uint64_t *ns);

#endif
