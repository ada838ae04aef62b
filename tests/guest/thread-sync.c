/* SPDX-License-Identifier: ISC */
/* Condition variables, reader-writer locks, barriers, semaphores and once. */
#include "check.h"
#include "threads.h"

#include <sched.h>
#include <semaphore.h>

enum { THREADS = 10, ROUNDS = 500 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int tickets, waiting, served;

static void *take_ticket(void *argument)
{
    pthread_mutex_lock(&mutex);
    waiting++;
    while (tickets == 0)
        pthread_cond_wait(&cond, &mutex);
    tickets--;
    waiting--;
    served++;
    pthread_mutex_unlock(&mutex);
    return argument;
}

static int read_locked(const int *value)
{
    pthread_mutex_lock(&mutex);
    int copy = *value;
    pthread_mutex_unlock(&mutex);
    return copy;
}

static void await_value(const int *value, int wanted)
{
    int64_t end = now(CLOCK_MONOTONIC) + 10 * SECOND;

    while (read_locked(value) != wanted && now(CLOCK_MONOTONIC) < end)
        sleep_ms(1);
}

static void check_signal_and_broadcast(void)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        threads[i] = spawn(take_ticket, NULL);
    await_value(&waiting, THREADS);
    pthread_mutex_lock(&mutex);
    tickets = 1;
    pthread_cond_signal(&cond);
    pthread_mutex_unlock(&mutex);
    await_value(&served, 1);
    check(read_locked(&waiting) == THREADS - 1, "a signal wakes one");
    pthread_mutex_lock(&mutex);
    tickets = THREADS - 1;
    pthread_cond_broadcast(&cond);
    pthread_mutex_unlock(&mutex);
    for (int i = 0; i < THREADS; i++)
        join(threads[i]);
    check(served == THREADS && tickets == 0, "a broadcast wakes the others");
}

static void check_timed_wait(clockid_t clock, const char *name)
{
    pthread_condattr_t attributes;
    pthread_cond_t timed;
    struct timespec until;
    int64_t before;

    pthread_condattr_init(&attributes);
    check_code(pthread_condattr_setclock(&attributes, clock), 0, "a condition on %s", name);
    pthread_cond_init(&timed, &attributes);
    pthread_mutex_lock(&mutex);
    before = now(clock);
    until = to_timespec(before + 20 * MILLISECOND);
    check_code(pthread_cond_timedwait(&timed, &mutex, &until), ETIMEDOUT, "waiting in vain");
    check(now(clock) - before >= 20 * MILLISECOND, "lasts as long as was asked for");
    until = to_timespec(before);
    check_code(pthread_cond_timedwait(&timed, &mutex, &until), ETIMEDOUT, "until the past");
    pthread_mutex_unlock(&mutex);
    check_code(pthread_cond_destroy(&timed), 0, "destroy");
    pthread_condattr_destroy(&attributes);
}

/* A queue with one place, through which numbers go one by one. */
static int slot, full, received;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void *produce(void *argument)
{
    for (int i = 1; i <= ROUNDS; i++) {
        pthread_mutex_lock(&mutex);
        while (full)
            pthread_cond_wait(&changed, &mutex);
        slot = i;
        full = 1;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&mutex);
    }
    return argument;
}

static void *consume(void *argument)
{
    for (int i = 1; i <= ROUNDS; i++) {
        pthread_mutex_lock(&mutex);
        while (!full)
            pthread_cond_wait(&changed, &mutex);
        received += slot == i;
        full = 0;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&mutex);
    }
    return argument;
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static volatile int readers, writers, readers_most, overlaps;
static pthread_barrier_t barrier;

static void *read_together(void *argument)
{
    pthread_rwlock_rdlock(&rwlock);
    int count = __atomic_add_fetch(&readers, 1, __ATOMIC_SEQ_CST);
    if (count > readers_most)
        readers_most = count;
    pthread_barrier_wait(&barrier);
    __atomic_sub_fetch(&readers, 1, __ATOMIC_SEQ_CST);
    pthread_rwlock_unlock(&rwlock);
    return argument;
}

static void *read_and_write(void *argument)
{
    for (int i = 0; i < ROUNDS; i++) {
        if (i % 10 == 0) {
            pthread_rwlock_wrlock(&rwlock);
            overlaps += __atomic_add_fetch(&writers, 1, __ATOMIC_SEQ_CST) != 1 || readers != 0;
            if (i % 50 == 0)
                sched_yield();
            __atomic_sub_fetch(&writers, 1, __ATOMIC_SEQ_CST);
        } else {
            pthread_rwlock_rdlock(&rwlock);
            __atomic_add_fetch(&readers, 1, __ATOMIC_SEQ_CST);
            overlaps += writers != 0;
            __atomic_sub_fetch(&readers, 1, __ATOMIC_SEQ_CST);
        }
        pthread_rwlock_unlock(&rwlock);
    }
    return argument;
}

static void *try_locks(void *argument)
{
    struct timespec until = in_ms(CLOCK_REALTIME, 5);

    check_code(pthread_rwlock_trywrlock(&rwlock), EBUSY, "another thread's trywrlock");
    check_code(pthread_rwlock_timedwrlock(&rwlock, &until), ETIMEDOUT, "and timedwrlock");
    return argument;
}

static void check_rwlocks(void)
{
    pthread_t threads[THREADS];

    pthread_barrier_init(&barrier, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        threads[i] = spawn(read_together, NULL);
    for (int i = 0; i < THREADS; i++)
        join(threads[i]);
    check(readers_most == THREADS, "readers hold the lock together");
    pthread_barrier_destroy(&barrier);
    for (int i = 0; i < THREADS; i++)
        threads[i] = spawn(read_and_write, NULL);
    for (int i = 0; i < THREADS; i++)
        join(threads[i]);
    check(overlaps == 0, "a writer has it alone");

    pthread_rwlock_rdlock(&rwlock);
    check_code(pthread_rwlock_tryrdlock(&rwlock), 0, "a second reader");
    join(spawn(try_locks, NULL));
    pthread_rwlock_unlock(&rwlock);
    pthread_rwlock_unlock(&rwlock);
    check_code(pthread_rwlock_wrlock(&rwlock), 0, "a writer after them");
    check_code(pthread_rwlock_tryrdlock(&rwlock), EBUSY, "no reader beside it");
    pthread_rwlock_unlock(&rwlock);
}

static volatile int serial, early, phase[THREADS];

static void *pass_barriers(void *argument)
{
    int self = (int)(intptr_t)argument;

    for (int i = 0; i < 50; i++) {
        phase[self] = i;
        if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
            __atomic_fetch_add(&serial, 1, __ATOMIC_SEQ_CST);
        for (int other = 0; other < THREADS; other++)
            early += phase[other] < i;
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

static void check_barriers(void)
{
    pthread_t threads[THREADS];

    check_code(pthread_barrier_init(&barrier, NULL, 0), EINVAL, "a barrier for nobody");
    check_code(pthread_barrier_init(&barrier, NULL, THREADS), 0, "a barrier for ten");
    for (int i = 0; i < THREADS; i++)
        threads[i] = spawn(pass_barriers, (void *)(intptr_t)i);
    for (int i = 0; i < THREADS; i++)
        join(threads[i]);
    check(early == 0, "nobody passes before all are there");
    check(serial == 50, "one of them is told so each time");
    check_code(pthread_barrier_destroy(&barrier), 0, "destroy");
}

static sem_t ping, pong;

static void *answer(void *argument)
{
    for (int i = 0; i < ROUNDS; i++) {
        sem_wait(&ping);
        sem_post(&pong);
    }
    return argument;
}

static void check_semaphores(void)
{
    struct timespec until;
    int value = -1;

    check(sem_init(&ping, 0, 2) == 0 && sem_init(&pong, 0, 0) == 0, "semaphores");
    check(sem_wait(&ping) == 0 && sem_trywait(&ping) == 0, "two units");
    check_error(sem_trywait(&ping), EAGAIN, "a third");
    until = in_ms(CLOCK_REALTIME, 10);
    check_error(sem_timedwait(&ping, &until), ETIMEDOUT, "waiting for it");
    check(sem_getvalue(&ping, &value) == 0 && value == 0, "the value is 0");

    pthread_t thread = spawn(answer, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        sem_post(&ping);
        sem_wait(&pong);
    }
    join(thread);
    check(sem_getvalue(&ping, &value) == 0 && value == 0, "500 rounds of ping and pong");
    check(sem_destroy(&ping) == 0 && sem_destroy(&pong) == 0, "destroy");
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static volatile int initialised;

static void initialise(void)
{
    sleep_ms(2);
    initialised++;
}

static void *need_initialised(void *argument)
{
    pthread_once(&once, initialise);
    return initialised == 1 ? argument : NULL;
}

static void check_once(void)
{
    pthread_t threads[THREADS];
    int good = 0;

    for (int i = 0; i < THREADS; i++)
        threads[i] = spawn(need_initialised, &good);
    for (int i = 0; i < THREADS; i++)
        good += join(threads[i]) != NULL;
    check(good == THREADS && initialised == 1, "pthread_once: once, and before any goes on");
}

int main(void)
{
    check_signal_and_broadcast();
    check_timed_wait(CLOCK_REALTIME, "the real-time clock");
    check_timed_wait(CLOCK_MONOTONIC, "the monotonic clock");
    pthread_t producer = spawn(produce, NULL), consumer = spawn(consume, NULL);
    join(producer);
    join(consumer);
    check(received == ROUNDS, "500 numbers pass from thread to thread");
    check_rwlocks();
    check_barriers();
    check_semaphores();
    check_once();
    return exit_status();
}
