/* SPDX-License-Identifier: ISC */
/*
 * Everything about threads at once, in rounds, for some time: nothing may be lost and nobody may
 * hang. Argument: seconds (a part of one if there is none).
 */
#include "check.h"
#include "threads.h"

#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>

enum { WORKERS = 12, STEPS = 200, PLACES = 4, SHORT_LIVED = 40 };

/* A bounded queue under a mutex and two conditions. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t not_empty, not_full;
    int items[PLACES], count, first;
} queue = {.mutex = PTHREAD_MUTEX_INITIALIZER,
           .not_empty = PTHREAD_COND_INITIALIZER,
           .not_full = PTHREAD_COND_INITIALIZER};

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t semaphore;
static long put_sum, taken_sum, table[8], torn, inside, inside_most, lived, signals;

static void put(int item)
{
    pthread_mutex_lock(&queue.mutex);
    while (queue.count == PLACES)
        pthread_cond_wait(&queue.not_full, &queue.mutex);
    queue.items[(queue.first + queue.count++) % PLACES] = item;
    put_sum += item;
    pthread_cond_signal(&queue.not_empty);
    pthread_mutex_unlock(&queue.mutex);
}

static int take(void)
{
    int item;

    pthread_mutex_lock(&queue.mutex);
    while (queue.count == 0)
        pthread_cond_wait(&queue.not_empty, &queue.mutex);
    item = queue.items[queue.first];
    queue.first = (queue.first + 1) % PLACES;
    queue.count--;
    taken_sum += item;
    pthread_cond_signal(&queue.not_full);
    pthread_mutex_unlock(&queue.mutex);
    return item;
}

/* All elements of the table are the same whenever the lock can be had. */
static void use_table(int step)
{
    if (step % 8 == 0) {
        pthread_rwlock_wrlock(&rwlock);
        for (size_t i = 0; i < 8; i++) {
            table[i]++;
            if (i == 4 && step % 64 == 0)
                sched_yield();
        }
    } else {
        pthread_rwlock_rdlock(&rwlock);
        for (size_t i = 1; i < 8; i++)
            __atomic_add_fetch(&torn, table[i] != table[0], __ATOMIC_SEQ_CST);
    }
    pthread_rwlock_unlock(&rwlock);
}

static void pass_semaphore(int step)
{
    struct timespec until = in_ms(CLOCK_REALTIME, 10000);
    long now_inside;

    if (step % 2)
        while (sem_wait(&semaphore) != 0)
            ;
    else
        while (sem_timedwait(&semaphore, &until) != 0 && errno == EINTR)
            ;
    now_inside = __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
    if (now_inside > inside_most)
        inside_most = now_inside;
    if (step % 32 == 0)
        sched_yield();
    __atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
    sem_post(&semaphore);
}

static void *work(void *argument)
{
    int self = (int)(intptr_t)argument;

    for (int step = 0; step < STEPS; step++) {
        if (self % 2)
            put(self * 1000 + step);
        else
            take();
        use_table(step + self);
        pass_semaphore(step + self);
        if (step % 50 == 0)
            pthread_barrier_wait(&barrier);
    }
    return argument;
}

static void *live_shortly(void *argument)
{
    char stack[2000];

    memset(stack, (int)(intptr_t)argument, sizeof stack);
    __asm__ volatile("" : : "r"(stack) : "memory");
    __atomic_add_fetch(&lived, 1, __ATOMIC_SEQ_CST);
    return argument;
}

/* Detached ones too: nobody joins them. */
static void create_many(void)
{
    pthread_t threads[SHORT_LIVED];
    long before = lived;

    for (intptr_t i = 0; i < SHORT_LIVED; i++)
        threads[i] = spawn(live_shortly, (void *)i);
    for (intptr_t i = 0; i < SHORT_LIVED; i++)
        if (i % 4 == 3)
            pthread_detach(threads[i]);
        else
            torn += join(threads[i]) != (void *)i;
    while (__atomic_load_n(&lived, __ATOMIC_SEQ_CST) != before + SHORT_LIVED)
        sched_yield();
}

static void count_signal(int signal)
{
    (void)signal;
    __atomic_add_fetch(&signals, 1, __ATOMIC_SEQ_CST);
}

int main(int argc, char **argv)
{
    int64_t end = now(CLOCK_MONOTONIC) + (argc == 2 ? atoi(argv[1]) * SECOND : 200 * MILLISECOND);
    struct itimerval often = {.it_interval = {0, 2000}, .it_value = {0, 2000}}, off = {0};
    struct sigaction action = {.sa_handler = count_signal, .sa_flags = SA_RESTART};
    pthread_attr_t attributes;
    long rounds = 0;

    /* glibc's own stacks of 8 MiB would need more than the memory that husk gives by default. */
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 << 10);
    pthread_setattr_default_np(&attributes);
    pthread_barrier_init(&barrier, NULL, WORKERS);
    sem_init(&semaphore, 0, 3);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    do {
        pthread_t threads[WORKERS];

        for (intptr_t i = 0; i < WORKERS; i++)
            threads[i] = spawn(work, (void *)i);
        create_many();
        for (intptr_t i = 0; i < WORKERS; i++)
            torn += join(threads[i]) != (void *)i;
        rounds++;
    } while (now(CLOCK_MONOTONIC) < end);
    setitimer(ITIMER_REAL, &off, NULL);
    check(queue.count == 0 && put_sum == taken_sum, "what was put was taken");
    check(torn == 0, "the table was whole whenever it was read, and results were right");
    check(inside == 0 && inside_most >= 1 && inside_most <= 3, "three at most passed a semaphore");
    check(lived == rounds * SHORT_LIVED, "all short-lived threads lived");
    check(table[0] == rounds * WORKERS * STEPS / 8, "no writer was lost");
    if (argc == 2)
        fprintf(stderr, "%ld rounds, %ld threads, %ld signals\n", rounds,
                rounds * (WORKERS + SHORT_LIVED), signals);
    return exit_status();
}
