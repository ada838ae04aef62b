/* SPDX-License-Identifier: ISC */
/* Mutexes of every kind, and spin locks. */
#include "check.h"
#include "threads.h"

static void *try_lock(void *mutex)
{
    int error = pthread_mutex_trylock(mutex);

    if (error == 0)
        pthread_mutex_unlock(mutex);
    return (void *)(intptr_t)error;
}

static int try_elsewhere(pthread_mutex_t *mutex)
{
    return (int)(intptr_t)join(spawn(try_lock, mutex));
}

static void *unlock(void *mutex)
{
    return (void *)(intptr_t)pthread_mutex_unlock(mutex);
}

static void init(pthread_mutex_t *mutex, int type, int protocol, int robust)
{
    pthread_mutexattr_t attributes;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, type);
    pthread_mutexattr_setrobust(&attributes, robust);
    check_code(pthread_mutexattr_setprotocol(&attributes, protocol), 0, "protocol %d", protocol);
    check_code(pthread_mutex_init(mutex, &attributes), 0, "a mutex of type %d", type);
    pthread_mutexattr_destroy(&attributes);
}

enum { THREADS = 8, ROUNDS = 5000 };

struct contention {
    pthread_mutex_t mutex;
    pthread_spinlock_t spin;
    long sum;
};

static void *count_under_mutex(void *argument)
{
    struct contention *contention = argument;

    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&contention->mutex);
        long sum = contention->sum;
        if (i % 256 == 0)
            sched_yield();
        contention->sum = sum + 1;
        pthread_mutex_unlock(&contention->mutex);
    }
    return NULL;
}

static void *count_under_spinlock(void *argument)
{
    struct contention *contention = argument;

    for (int i = 0; i < ROUNDS; i++) {
        pthread_spin_lock(&contention->spin);
        contention->sum++;
        pthread_spin_unlock(&contention->spin);
    }
    return NULL;
}

static long contend(struct contention *contention, void *(*count)(void *))
{
    pthread_t threads[THREADS];

    contention->sum = 0;
    for (int i = 0; i < THREADS; i++)
        threads[i] = spawn(count, contention);
    for (int i = 0; i < THREADS; i++)
        join(threads[i]);
    return contention->sum;
}

static void check_kind(int type, int protocol)
{
    struct contention contention;
    pthread_mutex_t *mutex = &contention.mutex;
    struct timespec until;

    init(mutex, type, protocol, PTHREAD_MUTEX_STALLED);
    check_code(pthread_mutex_lock(mutex), 0, "lock");
    check_code(try_elsewhere(mutex), EBUSY, "another thread's trylock");
    if (type == PTHREAD_MUTEX_RECURSIVE) {
        check_code(pthread_mutex_lock(mutex), 0, "lock again");
        check_code(pthread_mutex_unlock(mutex), 0, "unlock once");
        check_code(try_elsewhere(mutex), EBUSY, "it is still locked");
    }
    if (type == PTHREAD_MUTEX_ERRORCHECK) {
        check_code(pthread_mutex_lock(mutex), EDEADLK, "lock again");
        check_code((int)(intptr_t)join(spawn(unlock, mutex)), EPERM, "another thread's unlock");
    }
    check_code(pthread_mutex_unlock(mutex), 0, "unlock");
    if (type == PTHREAD_MUTEX_ERRORCHECK)
        check_code(pthread_mutex_unlock(mutex), EPERM, "unlock again");
    check_code(try_elsewhere(mutex), 0, "another thread can have it now");
    until = in_ms(CLOCK_REALTIME, 1000);
    check_code(pthread_mutex_timedlock(mutex, &until), 0, "timedlock of a free one");
    pthread_mutex_unlock(mutex);
    check(contend(&contention, count_under_mutex) == THREADS * ROUNDS, "no count is lost");
    check_code(pthread_mutex_destroy(mutex), 0, "destroy");
}

static pthread_mutex_t shared;

static void *timed_lock(void *argument)
{
    struct timespec until = in_ms(CLOCK_REALTIME, 20);
    int64_t before = now(CLOCK_MONOTONIC);

    check_code(pthread_mutex_timedlock(&shared, &until), ETIMEDOUT, "a lock that never comes");
    check(now(CLOCK_MONOTONIC) - before >= 15 * MILLISECOND, "is waited for");
    until = to_timespec(0);
    check_code(pthread_mutex_timedlock(&shared, &until), ETIMEDOUT, "a time long ago");
    return argument;
}

static void check_timed(int protocol)
{
    init(&shared, PTHREAD_MUTEX_NORMAL, protocol, PTHREAD_MUTEX_STALLED);
    pthread_mutex_lock(&shared);
    join(spawn(timed_lock, NULL));
    check_code(pthread_mutex_unlock(&shared), 0, "unlock after others gave up");
    check_code(try_elsewhere(&shared), 0, "it is free");
    pthread_mutex_destroy(&shared);
}

static void *lock_and_die(void *mutex)
{
    pthread_mutex_lock(mutex);
    return NULL;
}

static volatile int locked;

static void *lock_and_die_slowly(void *mutex)
{
    pthread_mutex_lock(mutex);
    locked = 1;
    sleep_ms(10);
    return NULL;
}

static void check_robust(int protocol)
{
    pthread_mutex_t mutex;

    init(&mutex, PTHREAD_MUTEX_NORMAL, protocol, PTHREAD_MUTEX_ROBUST);
    join(spawn(lock_and_die, &mutex));
    check_code(pthread_mutex_lock(&mutex), EOWNERDEAD, "the owner has died");
    check_code(pthread_mutex_consistent(&mutex), 0, "made consistent");
    check_code(pthread_mutex_unlock(&mutex), 0, "unlock");
    check_code(try_elsewhere(&mutex), 0, "it works again");

    locked = 0;
    pthread_t owner = spawn(lock_and_die_slowly, &mutex);
    await(&locked);
    check_code(pthread_mutex_lock(&mutex), EOWNERDEAD, "the owner dies while we wait");
    join(owner);
    check_code(pthread_mutex_unlock(&mutex), 0, "unlock without making it consistent");
    check_code(pthread_mutex_lock(&mutex), ENOTRECOVERABLE, "nobody can have it any more");
    check_code(pthread_mutex_destroy(&mutex), 0, "destroy");
}

static void check_spinlock(void)
{
    struct contention contention;

    check_code(pthread_spin_init(&contention.spin, PTHREAD_PROCESS_PRIVATE), 0, "a spin lock");
    check_code(pthread_spin_lock(&contention.spin), 0, "lock");
    check_code(pthread_spin_trylock(&contention.spin), EBUSY, "trylock");
    check_code(pthread_spin_unlock(&contention.spin), 0, "unlock");
    check(contend(&contention, count_under_spinlock) == THREADS * ROUNDS, "no count is lost");
    check_code(pthread_spin_destroy(&contention.spin), 0, "destroy");
}

int main(void)
{
    static const int protocols[] = {PTHREAD_PRIO_NONE, PTHREAD_PRIO_INHERIT};

    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++) {
        check_kind(PTHREAD_MUTEX_NORMAL, protocols[i]);
        check_kind(PTHREAD_MUTEX_RECURSIVE, protocols[i]);
        check_kind(PTHREAD_MUTEX_ERRORCHECK, protocols[i]);
        check_timed(protocols[i]);
        check_robust(protocols[i]);
    }
    check_spinlock();
    return exit_status();
}
