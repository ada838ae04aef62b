/* SPDX-License-Identifier: ISC */
#include "clock.h"

#define SECOND 1000000000LL

long long clock_ns;
time_t clock_seconds;

void clock_look(void)
{
    static long long looked_at = -SECOND;
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    clock_ns = now.tv_sec * SECOND + now.tv_nsec;
    /* In between at most a tenth of a second late. */
    if (clock_ns - looked_at < SECOND / 10)
        return;
    looked_at = clock_ns;
    clock_gettime(CLOCK_REALTIME, &now);
    clock_seconds = now.tv_sec;
}
