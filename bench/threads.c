/* SPDX-License-Identifier: ISC
 *
 * What it costs to go from one thread to another, and what calls about threads cost that do not.
 * One processor natively as well: with two, a hand-off measures how they wake one another.
 */
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "measure.h"

enum { FUTEX_WAKE = 129 }; /* with FUTEX_PRIVATE_FLAG: musl-gcc lacks <linux/futex.h> */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static volatile int turn, stop;
static sem_t there, back;
static int to[2], from[2];
static uint32_t word;

static void start(void *(*function)(void *))
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, function, NULL) != 0)
        measure_fail("pthread_create");
    pthread_detach(thread);
}

static void *yield_for_ever(void *unused)
{
    while (!stop)
        sched_yield();
    return unused;
}

/* Two switches: there and back. */
static void yield(unsigned long i)
{
    (void)i;
    sched_yield();
}

/* Whoever holds the mutex lets the other one run into it: each unlock wakes somebody. */
static void hand_over(unsigned long i)
{
    (void)i;
    pthread_mutex_lock(&mutex);
    sched_yield();
    pthread_mutex_unlock(&mutex);
}

static void *hand_over_for_ever(void *unused)
{
    while (!stop)
        hand_over(0);
    return unused;
}

static void take_turn(int self)
{
    pthread_mutex_lock(&mutex);
    while (turn != self && !stop)
        pthread_cond_wait(&cond, &mutex);
    turn = !self;
    pthread_cond_signal(&cond);
    pthread_mutex_unlock(&mutex);
}

static void *take_turns(void *unused)
{
    while (!stop)
        take_turn(1);
    return unused;
}

static void condition(unsigned long i)
{
    (void)i;
    take_turn(0);
}

static void *answer_semaphore(void *unused)
{
    for (;;) {
        sem_wait(&there);
        sem_post(&back);
    }
    return unused;
}

static void semaphore(unsigned long i)
{
    (void)i;
    sem_post(&there);
    sem_wait(&back);
}

static void *answer_pipe(void *unused)
{
    char byte;

    while (read(to[0], &byte, 1) == 1)
        if (write(from[1], &byte, 1) != 1)
            measure_fail("write");
    return unused;
}

static void through_pipes(unsigned long i)
{
    char byte = (char)i;

    if (write(to[1], &byte, 1) != 1 || read(from[0], &byte, 1) != 1)
        measure_fail("pipe");
}

static void *nothing(void *unused)
{
    return unused;
}

static void create_and_join(unsigned long i)
{
    pthread_t thread;

    (void)i;
    if (pthread_create(&thread, NULL, nothing, NULL) != 0 || pthread_join(thread, NULL) != 0)
        measure_fail("pthread_create");
}

static void futex_wake(unsigned long i)
{
    (void)i;
    syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void stay_on_one_processor(void)
{
    cpu_set_t allowed, one;
    int cpu = 0;

    CPU_ZERO(&one);
    if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
        measure_fail("sched_getaffinity");
    while (!CPU_ISSET(cpu, &allowed))
        cpu++;
    CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof(one), &one) < 0)
        measure_fail("sched_setaffinity");
}

/* Measure with a second thread, which ends then. */
static void measure_with(const char *name, void (*step)(unsigned long i), void *(*other)(void *))
{
    stop = 0;
    start(other);
    measure_step(name, step);
    stop = 1;
    pthread_mutex_lock(&mutex);
    pthread_cond_broadcast(&cond);
    pthread_mutex_unlock(&mutex);
    usleep(1000);
}

int main(void)
{
    stay_on_one_processor();
    sem_init(&there, 0, 0);
    sem_init(&back, 0, 0);
    if (pipe(to) < 0 || pipe(from) < 0)
        measure_fail("pipe");
    measure_step("futex wake, nobody waits", futex_wake);
    measure_step("create and join", create_and_join);
    measure_with("sched_yield, there and back", yield, yield_for_ever);
    measure_with("mutex hand-off", hand_over, hand_over_for_ever);
    measure_with("condition ping-pong", condition, take_turns);
    start(answer_semaphore);
    measure_step("semaphore ping-pong", semaphore);
    start(answer_pipe);
    measure_step("pipe ping-pong", through_pipes);
    return 0;
}
