/* SPDX-License-Identifier: ISC */
/* Prints a clock in nanoseconds for each byte that it reads: r real time, m monotonic, b boot. */
#include <stdio.h>
#include <time.h>

int main(void)
{
    struct timespec now;
    int byte;

    while ((byte = getchar()) != EOF) {
        clock_gettime(byte == 'r'   ? CLOCK_REALTIME
                      : byte == 'm' ? CLOCK_MONOTONIC
                                    : CLOCK_BOOTTIME,
                      &now);
        printf("%lld\n", now.tv_sec * 1000000000LL + now.tv_nsec);
        fflush(stdout);
    }
    return 0;
}
