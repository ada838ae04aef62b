/* SPDX-License-Identifier: ISC */
/* setjmp and longjmp: out of deep calls, out of loops, as exceptions. */
#include "check.h"

#include <setjmp.h>
#include <stdlib.h>
#include <unistd.h>

static jmp_buf start;
static jmp_buf handlers[10];
static int handler_count;

__attribute__((noinline)) static int descend(int depth)
{
    volatile char frame[200];

    if (depth < 0)
        return 0;
    frame[depth % 200] = (char)depth;
    if (depth == 0)
        longjmp(start, 77);
    return descend(depth - 1) + frame[depth % 200];
}

static void check_values(void)
{
    volatile int rounds = 0;
    int value = setjmp(start);

    printf("setjmp gives %d\n", value);
    rounds = rounds + 1;
    if (rounds == 1)
        longjmp(start, 0);
    if (rounds == 2)
        longjmp(start, -5);
    check(rounds == 3, "three rounds");
}

static void check_depth(void)
{
    volatile int kept = 1234;
    int value = setjmp(start);

    if (value == 0) {
        kept = 4321;
        descend(1000);
    }
    printf("out of 1000 calls with %d\n", value);
    check(kept == 4321, "a volatile variable keeps its last value");
}

static void throw_error(int error)
{
    longjmp(handlers[--handler_count], error);
}

static void nest(int depth, volatile int *caught)
{
    int error = setjmp(handlers[handler_count]);

    if (error != 0) {
        *caught += error;
        if (handler_count > 0)
            throw_error(error + 1);
        return;
    }
    handler_count++;
    if (depth < 10)
        nest(depth + 1, caught);
    throw_error(1);
}

int main(void)
{
    volatile int caught = 0;
    volatile int count = 0;

    check_values();
    check_depth();
    nest(1, &caught);
    printf("ten nested handlers caught %d\n", caught);

    if (setjmp(start) < 100000) {
        count = count + 1;
        if (count % 1000 == 0)
            getpid();
        longjmp(start, count);
    }
    printf("%d jumps\n", count);
    return exit_status();
}
