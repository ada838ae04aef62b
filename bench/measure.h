/* SPDX-License-Identifier: ISC
 *
 * For programs that time what they do, natively and in a guest alike: one line for each result, as
 * `run -v` reads it.
 */
#ifndef HUSK_BENCH_MEASURE_H
#define HUSK_BENCH_MEASURE_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MEASURE_SECONDS 0.1

static inline double measure_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline _Noreturn void measure_fail(const char *what)
{
    perror(what);
    exit(1);
}

/* Call STEP with 0, 1, 2, ... for about MEASURE_SECONDS, and print what one call takes. */
static inline void measure_step(const char *name, void (*step)(unsigned long i))
{
    double began = measure_now(), passed;
    unsigned long count = 0;

    for (unsigned long batch = 1; (passed = measure_now() - began) < MEASURE_SECONDS; batch *= 2)
        for (unsigned long end = count + batch; count < end; count++)
            step(count);
    printf("%s %.1f ns\n", name, passed / (double)count * 1e9);
}

#endif
