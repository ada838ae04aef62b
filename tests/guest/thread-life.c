/* SPDX-License-Identifier: ISC */
/* Threads from creation to join: results, detachment, attributes, stacks, 1,000 at once. */
#include "check.h"
#include "threads.h"

#include <limits.h>
#include <sched.h>
#include <semaphore.h>
#include <string.h>
#include <sys/mman.h>

static volatile int flag;
static sem_t gate;

static void *return_argument(void *argument)
{
    return argument;
}

static void *exit_with_argument(void *argument)
{
    pthread_exit(argument);
}

static void *set_flag(void *argument)
{
    (void)argument;
    flag = 1;
    return NULL;
}

static void check_results(void)
{
    int value;

    check(join(spawn(return_argument, &value)) == &value, "join gives what the function returned");
    check(join(spawn(exit_with_argument, &value)) == &value, "and what pthread_exit was given");

    pthread_t early = spawn(return_argument, &value);
    sleep_ms(5);
    check(join(early) == &value, "also when the thread has ended long before");
}

static void *join_argument(void *argument)
{
    return join(*(pthread_t *)argument);
}

static void *wait_at_gate(void *argument)
{
    sem_wait(&gate);
    return argument;
}

static void check_join_by_others(void)
{
    int value;
    pthread_t slow = spawn(wait_at_gate, &value), joiner = spawn(join_argument, &slow);

    sleep_ms(2);
    sem_post(&gate);
    check(join(joiner) == &value, "a thread joins another one that still waits");
}

static void check_detached(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    int state;

    flag = 0;
    check_code(pthread_detach(spawn(set_flag, NULL)), 0, "pthread_detach");
    check(await(&flag), "a detached thread runs");

    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_getdetachstate(&attributes, &state);
    check(state == PTHREAD_CREATE_DETACHED, "the attribute is kept");
    flag = 0;
    check_code(pthread_create(&thread, &attributes, set_flag, NULL), 0, "created detached");
    check(await(&flag), "it runs too");
    pthread_attr_destroy(&attributes);
}

/* Touches DEPTH pages of stack. */
static __attribute__((noinline)) int use_stack(int depth)
{
    volatile char page[4096];

    page[0] = (char)depth;
    page[4095] = 1;
    return depth == 0 ? 0 : use_stack(depth - 1) + page[4095];
}

static void *use_400_pages(void *argument)
{
    (void)argument;
    return use_stack(400) == 400 ? &gate : NULL;
}

static void *show_own_attributes(void *argument)
{
    const size_t *wanted = argument;
    pthread_attr_t attributes;
    void *stack;
    size_t size;
    char here;

    check_code(pthread_getattr_np(pthread_self(), &attributes), 0, "pthread_getattr_np");
    pthread_attr_getstack(&attributes, &stack, &size);
    check(&here > (char *)stack && &here < (char *)stack + size, "it runs on that stack");
    check(size >= *wanted / 2, "which has about the size that was asked for");
    pthread_attr_destroy(&attributes);
    return NULL;
}

static void check_stacks(void)
{
    size_t size = 2 << 20, own_size = 256 << 10, read_size;
    pthread_attr_t attributes;
    pthread_t thread;
    void *memory = mmap(NULL, own_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    pthread_attr_init(&attributes);
    check_code(pthread_attr_setstacksize(&attributes, 1), EINVAL, "a stack of one byte");
    check_code(pthread_attr_setstacksize(&attributes, size), 0, "a stack of 2 MiB");
    pthread_attr_getstacksize(&attributes, &read_size);
    check(read_size == size, "the size is kept");
    check_code(pthread_create(&thread, &attributes, use_400_pages, NULL), 0, "a thread with it");
    check(join(thread) == &gate, "uses 1.6 MiB of it");
    pthread_create(&thread, &attributes, show_own_attributes, &size);
    join(thread);

    check_code(pthread_attr_setguardsize(&attributes, 64 << 10), 0, "a guard of 64 KiB");
    pthread_attr_getguardsize(&attributes, &read_size);
    check(read_size == 64 << 10, "its size is kept");
    check_code(pthread_create(&thread, &attributes, return_argument, &gate), 0, "a thread with it");
    check(join(thread) == &gate, "runs");
    pthread_attr_destroy(&attributes);

    pthread_attr_init(&attributes);
    check_code(pthread_attr_setstack(&attributes, memory, own_size), 0, "a stack of our own");
    check_code(pthread_create(&thread, &attributes, show_own_attributes, &own_size), 0,
               "a thread on it");
    join(thread);
    check(munmap(memory, own_size) == 0, "the stack is ours afterwards");
    pthread_attr_destroy(&attributes);
}

static void *own_number(void *argument)
{
    *(int *)argument = thread_number();
    return NULL;
}

static void check_identity(void)
{
    int first, second;
    char name[16] = "";

    join(spawn(own_number, &first));
    check(thread_number() == getpid(), "the first thread has the process's number");
    pthread_t waiting = spawn(wait_at_gate, NULL);
    join(spawn(own_number, &second));
    sem_post(&gate);
    join(waiting);
    check(first > 0 && second > 0 && first != getpid() && second != getpid(), "others do not");
    check(pthread_equal(pthread_self(), pthread_self()), "a thread equals itself");
    check_code(pthread_setname_np(pthread_self(), "fifteen letters"), 0, "a name");
    check_code(pthread_getname_np(pthread_self(), name, sizeof name), 0, "can be asked for");
    check(strcmp(name, "fifteen letters") == 0, "and is the same");
    check_code(pthread_setname_np(pthread_self(), "sixteen letters!"), ERANGE, "a longer one");
}

static void *yield_often(void *argument)
{
    bool good = true;

    for (int i = 0; i < 1000; i++)
        good &= sched_yield() == 0;
    return good ? argument : NULL;
}

static void check_scheduling(void)
{
    struct sched_param parameters = {.sched_priority = -1};
    int policy = -1;
    pthread_t one = spawn(yield_often, &gate), other = spawn(yield_often, &gate);
    cpu_set_t cpus;

    check(yield_often(&gate) && join(one) && join(other), "sched_yield in three threads");
    CPU_ZERO(&cpus);
    check(sched_getaffinity(0, sizeof cpus, &cpus) == 0 && CPU_COUNT(&cpus) >= 1,
          "there is a processor");
    check(sched_getaffinity(thread_number(), sizeof cpus, &cpus) == 0, "also by number");
    check_error(sched_getaffinity(0, 1, &cpus), EINVAL, "a set of one byte");
    check_error(sched_getaffinity(0x3ffffffe, sizeof cpus, &cpus), ESRCH, "of no thread");
    check(sched_getcpu() >= 0, "sched_getcpu");
    check_code(pthread_getschedparam(pthread_self(), &policy, &parameters), 0,
               "pthread_getschedparam");
    check(policy == SCHED_OTHER && parameters.sched_priority == 0, "is as it always is");
    check_code(pthread_setschedparam(pthread_self(), SCHED_OTHER, &parameters), 0,
               "setting the same");
    check(sched_get_priority_min(SCHED_FIFO) == 1 && sched_get_priority_max(SCHED_FIFO) == 99,
          "priorities of SCHED_FIFO are 1 to 99");
    check(sched_get_priority_min(SCHED_OTHER) == 0 && sched_get_priority_max(SCHED_OTHER) == 0,
          "and 0 of SCHED_OTHER");
    check_error(sched_get_priority_max(77), EINVAL, "of no policy");
}

enum { MANY = 1000 };

static volatile int arrived;

static void *arrive_and_wait(void *argument)
{
    char fill[1024];

    memset(fill, (int)(intptr_t)argument, sizeof fill);
    __atomic_fetch_add(&arrived, 1, __ATOMIC_SEQ_CST);
    sem_wait(&gate);
    for (size_t i = 0; i < sizeof fill; i++)
        if (fill[i] != (char)(intptr_t)argument)
            return NULL;
    return (void *)((intptr_t)argument + 1);
}

static void check_many(void)
{
    static pthread_t threads[MANY];
    pthread_attr_t attributes;
    int created = 0, good = 0;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 << 10);
    for (int i = 0; i < MANY; i++)
        created +=
            pthread_create(&threads[i], &attributes, arrive_and_wait, (void *)(intptr_t)i) == 0;
    check(created == MANY, "1,000 threads are created");
    while (arrived < created)
        sched_yield();
    for (int i = 0; i < created; i++)
        sem_post(&gate);
    for (int i = 0; i < created; i++)
        good += join(threads[i]) == (void *)((intptr_t)i + 1);
    check(good == MANY, "all of them were there at once and end well");
    for (int i = 0; i < MANY; i++)
        good -= join(spawn(return_argument, &gate)) == &gate;
    check(good == 0, "1,000 more, one after the other");
}

static void *outlive_main(void *argument)
{
    (void)argument;
    sleep_ms(20);
    check(true, "the process lives until its last thread ends");
    fflush(stdout);
    exit(exit_status());
}

int main(void)
{
    sem_init(&gate, 0, 0);
    check_results();
    check_join_by_others();
    check_detached();
    check_stacks();
    check_identity();
    check_scheduling();
    check_many();
    spawn(outlive_main, NULL);
    pthread_exit(NULL);
}
