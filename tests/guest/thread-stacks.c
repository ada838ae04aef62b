/* SPDX-License-Identifier: ISC */
/* Stacks as glibc maps them: more in all than there is memory, each used from its end, at once or
 * bit by bit, by the program and by system calls; with a guard or next to each other. */
#include "check.h"
#include "memory.h"
#include "stacks.h"

#include <alloca.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>

enum { SIZE = 8 * MIB, THREADS = 80, NEIGHBOURS = 4 };

/* With a guard page below. */
static char *map_stack(size_t size)
{
    char *mapping = map_as_stack(NULL, PAGE + size, PROT_NONE, 0);

    if (mprotect(mapping + PAGE, size, READ_WRITE) < 0)
        return NULL;
    return mapping + PAGE;
}

static void unmap_stack(char *stack, size_t size)
{
    munmap(stack - PAGE, PAGE + size);
}

static pthread_t start(char *stack, size_t size, void *(*function)(void *), void *argument)
{
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_attr_init(&attributes);
    if (pthread_attr_setstack(&attributes, stack, size) != 0 ||
        pthread_create(&thread, &attributes, function, argument) != 0) {
        puts("no thread");
        exit(1);
    }
    pthread_attr_destroy(&attributes);
    return thread;
}

static intptr_t run_on(char *stack, size_t size, void *(*function)(void *), void *argument)
{
    void *result;

    pthread_join(start(stack, size, function, argument), &result);
    return (intptr_t)result;
}

static pthread_barrier_t all_there;

static void *meet(void *argument)
{
    volatile char frame[20 * KIB];

    memset((char *)frame, (int)(intptr_t)argument, sizeof(frame));
    pthread_barrier_wait(&all_there);
    return (void *)(intptr_t)(frame[0] == (char)(intptr_t)argument &&
                              frame[sizeof(frame) - 1] == (char)(intptr_t)argument);
}

static void check_many_at_once(void)
{
    static char *stacks[THREADS];
    static pthread_t threads[THREADS];
    intptr_t kept = 0;

    pthread_barrier_init(&all_there, NULL, THREADS);
    for (intptr_t i = 0; i < THREADS; i++) {
        stacks[i] = map_stack(SIZE);
        threads[i] = start(stacks[i], SIZE, meet, (void *)i);
    }
    for (int i = 0; i < THREADS; i++) {
        void *result;

        pthread_join(threads[i], &result);
        kept += (intptr_t)result;
        unmap_stack(stacks[i], SIZE);
    }
    check(kept == THREADS, "%d threads with %d MiB each run at the same time", THREADS, SIZE / MIB);
}

__attribute__((noinline)) static size_t recurse(size_t left)
{
    volatile char frame[3000];

    frame[0] = frame[sizeof(frame) - 1] = (char)left;
    if (left < sizeof(frame))
        return 0;
    return recurse(left - sizeof(frame)) + (frame[0] == (char)left) +
           (frame[sizeof(frame) - 1] == (char)left);
}

static void *go_deep(void *depth)
{
    return (void *)recurse((size_t)depth);
}

static void check_neighbours(const char *order)
{
    char *area = map_as_stack(NULL, NEIGHBOURS * MIB, PROT_NONE, 0), *stacks[NEIGHBOURS];
    pthread_t threads[NEIGHBOURS];
    bool kept = true;

    for (int i = 0; i < NEIGHBOURS; i++)
        stacks[i] = map_as_stack(area + (order[i] - '0') * MIB, MIB, READ_WRITE, MAP_FIXED);
    for (int i = 0; i < NEIGHBOURS; i++)
        threads[i] = start(stacks[i], MIB, go_deep, (void *)(900 * KIB));
    for (int i = 0; i < NEIGHBOURS; i++) {
        void *result;

        pthread_join(threads[i], &result);
        kept = kept && (intptr_t)result == 2 * (900 * KIB / 3000);
    }
    check(kept, "threads on stacks that touch, mapped in the order %s", order);
    for (int i = 0; i < NEIGHBOURS; i++)
        memset(stacks[i], order[i], MIB);
    for (int i = 0; i < NEIGHBOURS; i++)
        kept = kept && holds_only(stacks[i], (unsigned char)order[i], MIB);
    check(kept, "all of these can be filled");
    munmap(area, NEIGHBOURS * MIB);
}

static void *meet_and_go_deep(void *depth)
{
    pthread_barrier_wait(&all_there);
    return go_deep(depth);
}

static bool run_neighbours(size_t size, size_t guard, void *depth)
{
    pthread_attr_t attributes;
    pthread_t threads[NEIGHBOURS];
    intptr_t found = 0;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, size);
    pthread_attr_setguardsize(&attributes, guard);
    pthread_barrier_init(&all_there, NULL, NEIGHBOURS);
    for (int i = 0; i < NEIGHBOURS; i++)
        if (pthread_create(&threads[i], &attributes, meet_and_go_deep, depth) != 0)
            exit(1);
    for (int i = 0; i < NEIGHBOURS; i++) {
        void *result;

        pthread_join(threads[i], &result);
        found += (intptr_t)result;
    }
    pthread_attr_destroy(&attributes);
    return found == NEIGHBOURS * 2 * ((intptr_t)depth / 3000);
}

/* The first threads are for what else a thread needs memory for: it is kept, and no longer comes
 * between the stacks of the second. */
static void check_without_guards(void)
{
    check(run_neighbours(128 * KIB, PAGE, (void *)(30 * KIB)), "threads with guards");
    check(run_neighbours(MIB, 0, (void *)(900 * KIB)), "threads without guards");
}

/* Nothing of the frame was touched when the kernel writes to it. */
static void *read_to_a_new_frame(void *argument)
{
    const int *pipe_ends = argument;
    char *frame = alloca(3 * MIB);

    if (write(pipe_ends[1], "0123456789", 10) != 10 || read(pipe_ends[0], frame, 10) != 10)
        return (void *)-1;
    return (void *)(intptr_t)(memcmp(frame, "0123456789", 10) == 0 && frame[10] == 0);
}

static volatile int signals;

static void on_signal(int signal)
{
    signals += signal == SIGUSR1;
}

/* The handler's frame lies in what was not touched, whereever pieces of a stack begin. */
static void *raise_at_all_depths(void *argument)
{
    (void)argument;
    for (size_t depth = 0; depth < 600 * KIB; depth += 12000) {
        char *frame = alloca(12000);

        frame[11999] = 1;
        raise(SIGUSR1);
    }
    return (void *)(intptr_t)signals;
}

static sigjmp_buf escaped;
static char *volatile fault_at;

static void on_fault(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    fault_at = info->si_addr;
    siglongjmp(escaped, 1);
}

static bool touch_faults(char *at)
{
    if (sigsetjmp(escaped, 1) == 0) {
        *(volatile char *)at = 1;
        return false;
    }
    return fault_at == at;
}

static void check_ends(void)
{
    const struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    char *stack = map_stack(SIZE);

    sigaction(SIGSEGV, &action, NULL);
    check(!touch_faults(stack + SIZE - 1) && !touch_faults(stack + 5 * MIB) &&
              !touch_faults(stack + 6 * MIB) && !touch_faults(stack),
          "all of a stack can be touched");
    check(touch_faults(stack - 1) && touch_faults(stack - PAGE), "the page below cannot");
    check(holds_only(stack + 2, 0, PAGE - 2) && stack[0] == 1 && stack[5 * MIB] == 1 &&
              stack[SIZE - 1] == 1,
          "it holds what was written");
    unmap_stack(stack, SIZE);
    check(touch_faults(stack + SIZE - 1) && touch_faults(stack + MIB), "and is gone when unmapped");
    signal(SIGSEGV, SIG_DFL);
}

int main(void)
{
    char *stack = map_stack(SIZE);
    int pipe_ends[2];

    if (!stack || pipe(pipe_ends) < 0)
        return 1;
    signal(SIGUSR1, on_signal);
    check_many_at_once();
    check(run_on(stack, SIZE, go_deep, (void *)(7 * MIB)) == 2 * (7 * MIB / 3000),
          "a thread goes down 7 MiB and finds all again");
    check(run_on(stack, SIZE, go_deep, (void *)(7 * MIB)) == 2 * (7 * MIB / 3000),
          "once more on this stack");
    unmap_stack(stack, SIZE);
    stack = map_stack(SIZE);
    check(run_on(stack, SIZE, read_to_a_new_frame, pipe_ends) == 1,
          "read(2) fills a frame that is new");
    unmap_stack(stack, SIZE);
    stack = map_stack(SIZE);
    check(run_on(stack, SIZE, raise_at_all_depths, NULL) == 52, "handlers run at all depths");
    unmap_stack(stack, SIZE);
    check_ends();
    check_neighbours("3210");
    check_neighbours("0123");
    check_neighbours("0213");
    check_without_guards();
    return exit_status();
}
