/* SPDX-License-Identifier: ISC */
/* A thread that overflows its stack, into the guard page below it. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static __attribute__((noinline)) int recurse(int depth)
{
    volatile char frame[1000];
    int below;

    memset((char *)frame, depth, sizeof frame);
    below = depth == 0 ? 0 : recurse(depth - 1);
    __asm__ volatile("" : : "r"(frame) : "memory");
    return below + frame[depth % 1000];
}

static void *overflow(void *unused)
{
    printf("%d\n", recurse(100000000));
    return unused;
}

int main(void)
{
    pthread_t thread;

    puts("overflow");
    fflush(stdout);
    pthread_create(&thread, NULL, overflow, NULL);
    pthread_join(thread, NULL);
    return 0;
}
