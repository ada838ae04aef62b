/* SPDX-License-Identifier: ISC */
#include "timers.h"

#define SECOND 1000000000ULL

static struct timer *first; /* the earliest deadline comes first */

static void take_out(struct timer *timer)
{
    struct timer **link = &first;

    while (*link && *link != timer)
        link = &(*link)->next;
    if (*link)
        *link = timer->next;
}

void timer_set(struct timer *timer, uint64_t deadline, uint64_t interval)
{
    struct timer **link = &first;

    take_out(timer);
    timer->deadline = deadline;
    timer->interval = interval;
    if (deadline == NEVER)
        return;
    while (*link && (*link)->deadline <= deadline)
        link = &(*link)->next;
    timer->next = *link;
    *link = timer;
}

uint64_t timer_left(const struct timer *timer)
{
    uint64_t now;

    if (timer->deadline == NEVER || timer->deadline == 0)
        return 0;
    now = clock_monotonic();
    return timer->deadline > now ? timer->deadline - now : 1;
}

uint64_t timers_next(void)
{
    return first ? first->deadline : NEVER;
}

void timers_expire(uint64_t now)
{
    while (first && first->deadline <= now) {
        struct timer *timer = first;
        uint64_t count = 1;

        if (timer->interval) {
            count += (now - timer->deadline) / timer->interval;
            timer_set(timer, timer->deadline + count * timer->interval, timer->interval);
        } else {
            timer_set(timer, NEVER, 0);
        }
        timer->expire(timer, count);
    }
}

struct timespec timespec_of(uint64_t ns)
{
    return (struct timespec){.tv_sec = ns / SECOND, .tv_nsec = ns % SECOND};
}

bool timespec_get(const struct timespec *time, uint64_t *ns)
{
    if (time->tv_sec < 0 || (uint64_t)time->tv_nsec >= SECOND)
        return false;
    *ns = (uint64_t)time->tv_sec < INT64_MAX / SECOND ? time->tv_sec * SECOND + time->tv_nsec
                                                      : INT64_MAX;
    return true;
}
