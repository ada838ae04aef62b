/* SPDX-License-Identifier: ISC */
/* <threads.h> of C11, and atomics. */
#include "check.h"

#include <stdatomic.h>
#include <stdint.h>
#include <threads.h>
#include <time.h>

enum { THREADS = 8, ROUNDS = 2000 };

static mtx_t mutex;
static cnd_t cond;
static tss_t key;
static once_flag once = ONCE_FLAG_INIT;
static int sum, turn, initialised, destroyed;
static atomic_int atomic_sum;
static thread_local int own = 3;

static void initialise(void)
{
    initialised++;
}

static int count(void *argument)
{
    int self = (int)(intptr_t)argument;

    call_once(&once, initialise);
    own += self;
    for (int i = 0; i < ROUNDS; i++) {
        mtx_lock(&mutex);
        sum++;
        mtx_unlock(&mutex);
        atomic_fetch_add(&atomic_sum, 1);
        if (i % 500 == 0)
            thrd_yield();
    }
    return own;
}

static int take_turns(void *argument)
{
    int self = (int)(intptr_t)argument;

    mtx_lock(&mutex);
    for (int i = 0; i < 100; i++) {
        while (turn != self)
            cnd_wait(&cond, &mutex);
        turn = !self;
        cnd_broadcast(&cond);
    }
    mtx_unlock(&mutex);
    thrd_exit(self + 40);
}

static void destroy(void *value)
{
    destroyed += (int)(intptr_t)value;
}

static int use_key(void *argument)
{
    return tss_set(key, argument) == thrd_success && tss_get(key) == argument;
}

int main(void)
{
    thrd_t threads[THREADS];
    struct timespec until;
    bool good = true;
    int result;

    check(mtx_init(&mutex, mtx_timed) == thrd_success, "a mutex");
    check(cnd_init(&cond) == thrd_success, "a condition");
    for (intptr_t i = 0; i < THREADS; i++)
        good &= thrd_create(&threads[i], count, (void *)i) == thrd_success;
    check(good, "eight threads");
    for (int i = 0; i < THREADS; i++)
        good &= thrd_join(threads[i], &result) == thrd_success && result == 3 + i;
    check(good, "their results");
    check(sum == THREADS * ROUNDS && atomic_sum == THREADS * ROUNDS, "no count is lost");
    check(initialised == 1, "call_once");

    thrd_create(&threads[0], take_turns, (void *)0);
    thrd_create(&threads[1], take_turns, (void *)1);
    check(thrd_join(threads[0], &result) == thrd_success && result == 40, "thrd_exit of the first");
    check(thrd_join(threads[1], &result) == thrd_success && result == 41, "and of the second");

    mtx_lock(&mutex);
    timespec_get(&until, TIME_UTC);
    check(cnd_timedwait(&cond, &mutex, &until) == thrd_timedout, "cnd_timedwait in vain");
    mtx_unlock(&mutex);
    check(mtx_trylock(&mutex) == thrd_success, "mtx_trylock");
    mtx_unlock(&mutex);
    check(thrd_sleep(&(struct timespec){0, 1000000}, NULL) == 0, "thrd_sleep");

    check(tss_create(&key, destroy) == thrd_success, "a key");
    thrd_create(&threads[0], use_key, (void *)5);
    check(thrd_join(threads[0], &result) == thrd_success && result == 1, "a thread uses it");
    check(destroyed == 5, "and its destructor runs");
    tss_delete(key);
    mtx_destroy(&mutex);
    cnd_destroy(&cond);
    return exit_status();
}
