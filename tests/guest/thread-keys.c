/* SPDX-License-Identifier: ISC */
/* What belongs to a thread: thread-local variables, keys with destructors; and its cancellation. */
#include "check.h"
#include "threads.h"

#include <limits.h>
#include <semaphore.h>
#include <string.h>

static __thread int number = 42;
static __thread char buffer[100000];
static __thread _Alignas(64) char aligned[64];

static pthread_key_t first_key, second_key;
static int destroyed, rounds;

static void *use_own_variables(void *argument)
{
    int own = (int)(intptr_t)argument;
    bool good =
        number == 42 && buffer[0] == 0 && buffer[99999] == 0 && (uintptr_t)aligned % 64 == 0;

    number = own;
    memset(buffer, own, sizeof buffer);
    errno = own;
    for (int i = 0; i < 20; i++) {
        sched_yield();
        good &= number == own && buffer[i * 5000] == (char)own && errno == own;
    }
    return good ? argument : NULL;
}

static void check_thread_local(void)
{
    pthread_t threads[20];
    bool good = true;

    number = 7;
    for (intptr_t i = 0; i < 20; i++)
        threads[i] = spawn(use_own_variables, (void *)(i + 1));
    for (intptr_t i = 0; i < 20; i++)
        good &= join(threads[i]) == (void *)(i + 1);
    check(good, "20 threads have variables and errno of their own");
    check(number == 7 && buffer[0] == 0, "and do not touch ours");
}

static void destroy_first(void *value)
{
    destroyed += (int)(intptr_t)value;
}

/* Sets itself again: destructors run again, up to a limit. */
static void destroy_second(void *value)
{
    rounds++;
    pthread_setspecific(second_key, value);
}

static void *use_keys(void *argument)
{
    bool good = pthread_getspecific(first_key) == NULL;

    pthread_setspecific(first_key, argument);
    pthread_setspecific(second_key, argument);
    sched_yield();
    good &= pthread_getspecific(first_key) == argument;
    return good ? argument : NULL;
}

static void check_keys(void)
{
    pthread_key_t keys[PTHREAD_KEYS_MAX];
    int made = 0;

    check_code(pthread_key_create(&first_key, destroy_first), 0, "a key");
    check_code(pthread_key_create(&second_key, destroy_second), 0, "another");
    check(first_key != second_key, "they differ");
    pthread_setspecific(first_key, &made);
    check(join(spawn(use_keys, (void *)100)) == (void *)100, "a thread has values of its own");
    check(destroyed == 100, "its destructor has run");
    check(rounds == PTHREAD_DESTRUCTOR_ITERATIONS, "one that sets itself again runs four times");
    check(pthread_getspecific(first_key) == &made, "our value is still there");
    check_code(pthread_key_delete(first_key), 0, "delete");
    check_code(pthread_key_delete(second_key), 0, "delete the other");
    while (made < PTHREAD_KEYS_MAX && pthread_key_create(&keys[made], NULL) == 0)
        made++;
    check(made >= PTHREAD_KEYS_MAX - 8, "there are over a hundred");
    while (made > 0)
        pthread_key_delete(keys[--made]);
}

static volatile int started, cleaned;
static sem_t gate;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

static void clean(void *argument)
{
    cleaned = cleaned * 10 + (int)(intptr_t)argument;
}

static void unlock(void *argument)
{
    pthread_mutex_unlock(argument);
    clean((void *)3);
}

static void *sleep_long(void *argument)
{
    pthread_cleanup_push(clean, (void *)1);
    pthread_cleanup_push(clean, (void *)2);
    started = 1;
    sleep_ms(100000);
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    return argument;
}

static void *wait_for_gate(void *argument)
{
    pthread_cleanup_push(clean, (void *)1);
    started = 1;
    sem_wait(&gate);
    pthread_cleanup_pop(0);
    return argument;
}

static void *wait_for_condition(void *argument)
{
    pthread_mutex_lock(&mutex);
    pthread_cleanup_push(unlock, &mutex);
    started = 1;
    for (;;)
        pthread_cond_wait(&cond, &mutex);
    pthread_cleanup_pop(1);
    return argument;
}

static void *read_nothing(void *argument)
{
    const int *ends = argument;
    char byte;

    pthread_cleanup_push(clean, (void *)1);
    started = 1;
    if (read(ends[0], &byte, 1) == 1)
        clean((void *)9);
    pthread_cleanup_pop(0);
    return NULL;
}

static void *spin_until_tested(void *argument)
{
    started = 1;
    for (;;)
        pthread_testcancel();
    return argument;
}

static void *spin_asynchronously(void *argument)
{
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    started = 1;
    for (;;)
        __asm__ volatile("");
    return argument;
}

static volatile int allow;

static void *refuse_for_a_while(void *argument)
{
    int old;

    (void)argument;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
    check(old == PTHREAD_CANCEL_ENABLE, "cancellation is possible at first");
    started = 1;
    await(&allow);
    sleep_ms(1);
    pthread_testcancel();
    clean((void *)5);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    pthread_testcancel();
    clean((void *)9);
    return NULL;
}

static void check_cancelled(void *(*function)(void *), void *argument, int wanted, const char *what)
{
    pthread_t thread;

    started = 0;
    allow = 0;
    cleaned = 0;
    thread = spawn(function, argument);
    await(&started);
    sleep_ms(2);
    check_code(pthread_cancel(thread), 0, "cancel one that %s", what);
    allow = 1;
    check(join(thread) == PTHREAD_CANCELED, "it is cancelled");
    check(cleaned == wanted, "its cleanup handlers ran in order");
}

int main(void)
{
    int ends[2] = {-1, -1};

    sem_init(&gate, 0, 0);
    check_thread_local();
    check_keys();
    check_cancelled(sleep_long, NULL, 21, "sleeps");
    check_cancelled(wait_for_gate, NULL, 1, "waits for a semaphore");
    check_cancelled(wait_for_condition, NULL, 3, "waits for a condition");
    check_code(pthread_mutex_trylock(&mutex), 0, "the condition's mutex is free");
    check_cancelled(spin_until_tested, NULL, 0, "tests");
    check_cancelled(spin_asynchronously, NULL, 0, "spins");
    check_cancelled(refuse_for_a_while, NULL, 5, "refuses for a while");
    check(pipe(ends) == 0, "a pipe");
    check_cancelled(read_nothing, ends, 1, "reads a pipe");
    return exit_status();
}
