/* SPDX-License-Identifier: ISC */
/* futex(2) itself: every operation, its results and its errors. */
#include "check.h"
#include "futex.h"
#include "threads.h"

#include <limits.h>

#include <sys/mman.h>

enum { WAITERS = 5 };

static uint32_t word, other;

static long futex(uint32_t *address, int operation, uint32_t value, const void *fourth,
                  uint32_t *second, uint32_t third)
{
    return syscall(SYS_futex, address, operation, value, fourth, second, third);
}

/* The fourth argument as a number, of REQUEUE and WAKE_OP. */
static const void *count(uintptr_t value)
{
    return (const void *)value;
}

static int sleepers;

/* A thread that waits at WORD, with the bits that ARGUMENT points to, or all. */
static void *wait_at_word(void *argument)
{
    uint32_t bits = argument ? *(uint32_t *)argument : FUTEX_MATCH_ANY;
    long result;

    __atomic_add_fetch(&sleepers, 1, __ATOMIC_SEQ_CST);
    result = futex(&word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE, 0, NULL, NULL, bits);
    __atomic_sub_fetch(&sleepers, 1, __ATOMIC_SEQ_CST);
    return (void *)result;
}

static void await_sleepers(int wanted)
{
    int64_t end = now(CLOCK_MONOTONIC) + 10 * SECOND;

    while (__atomic_load_n(&sleepers, __ATOMIC_SEQ_CST) != wanted && now(CLOCK_MONOTONIC) < end)
        sleep_ms(1);
    sleep_ms(10); /* from counting themselves to the call that waits */
}

static void start_waiters(pthread_t *threads, int number, uint32_t *bits)
{
    for (int i = 0; i < number; i++)
        threads[i] = spawn(wait_at_word, bits);
    await_sleepers(number);
}

static void check_wait_and_wake(void)
{
    pthread_t threads[WAITERS];
    bool good = true;

    check(futex(&word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0) == 0, "nobody to wake");
    check_error(futex(&word, FUTEX_WAIT, 1, NULL, NULL, 0), EAGAIN, "another value than that");
    start_waiters(threads, WAITERS, NULL);
    check(futex(&word, FUTEX_WAKE | FUTEX_PRIVATE, 2, NULL, NULL, 0) == 2, "two are woken");
    await_sleepers(WAITERS - 2);
    check(sleepers == WAITERS - 2, "and run");
    check(futex(&word, FUTEX_WAKE | FUTEX_PRIVATE, INT_MAX, NULL, NULL, 0) == WAITERS - 2,
          "then the rest");
    for (int i = 0; i < WAITERS; i++)
        good &= join(threads[i]) == NULL;
    check(good, "all their waits succeeded");
}

static void check_timeouts(void)
{
    static const struct {
        const char *name;
        int operation;
        clockid_t clock;
        bool absolute;
    } kinds[] = {
        {"WAIT", FUTEX_WAIT | FUTEX_PRIVATE, CLOCK_MONOTONIC, false},
        {"WAIT_BITSET", FUTEX_WAIT_BITSET | FUTEX_PRIVATE, CLOCK_MONOTONIC, true},
        {"WAIT_BITSET, real time", FUTEX_WAIT_BITSET | FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME,
         CLOCK_REALTIME, true},
    };
    struct timespec bad = {0, SECOND}, negative = {-1, 0}, none = {0, 0};

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        int64_t start = now(kinds[i].clock);
        struct timespec limit = to_timespec((kinds[i].absolute ? start : 0) + 20 * MILLISECOND);

        check_error(futex(&word, kinds[i].operation, 0, &limit, NULL, FUTEX_MATCH_ANY), ETIMEDOUT,
                    "%s for 20 ms", kinds[i].name);
        check(now(kinds[i].clock) - start >= 20 * MILLISECOND, "they pass");
        check_error(futex(&word, kinds[i].operation, 0, &none, NULL, FUTEX_MATCH_ANY), ETIMEDOUT,
                    "for no time");
        check_error(futex(&word, kinds[i].operation, 1, &none, NULL, FUTEX_MATCH_ANY), EAGAIN,
                    "the value comes first");
        check_error(futex(&word, kinds[i].operation, 0, &bad, NULL, FUTEX_MATCH_ANY), EINVAL,
                    "for too many nanoseconds");
        check_error(futex(&word, kinds[i].operation, 0, &negative, NULL, FUTEX_MATCH_ANY), EINVAL,
                    "for negative seconds");
    }
}

static void check_bitsets(void)
{
    pthread_t threads[2];
    uint32_t low = 1, high = 0x80000000;

    threads[0] = spawn(wait_at_word, &low);
    threads[1] = spawn(wait_at_word, &high);
    await_sleepers(2);
    check(futex(&word, FUTEX_WAKE_BITSET | FUTEX_PRIVATE, 10, NULL, NULL, 6) == 0,
          "bits of nobody");
    check(futex(&word, FUTEX_WAKE_BITSET | FUTEX_PRIVATE, 10, NULL, NULL, high) == 1,
          "bits of one");
    join(threads[1]);
    check(futex(&word, FUTEX_WAKE_BITSET | FUTEX_PRIVATE, 10, NULL, NULL, 3) == 1,
          "bits of the other");
    join(threads[0]);
    check_error(futex(&word, FUTEX_WAKE_BITSET | FUTEX_PRIVATE, 1, NULL, NULL, 0), EINVAL,
                "no bits");
    check_error(futex(&word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE, 0, NULL, NULL, 0), EINVAL,
                "no bits to wait for");
}

static void check_requeue(void)
{
    pthread_t threads[WAITERS];

    start_waiters(threads, WAITERS, NULL);
    check_error(futex(&word, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE, 1, count(10), &other, 1), EAGAIN,
                "CMP_REQUEUE with another value");
    check(futex(&word, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE, 1, count(2), &other, 0) == 3,
          "one woken and two moved");
    await_sleepers(WAITERS - 1);
    check(futex(&word, FUTEX_REQUEUE | FUTEX_PRIVATE, 0, count(INT_MAX), &other, 0) == 2,
          "the rest moved");
    check(futex(&word, FUTEX_WAKE | FUTEX_PRIVATE, INT_MAX, NULL, NULL, 0) == 0,
          "none is left here");
    check(futex(&other, FUTEX_WAKE | FUTEX_PRIVATE, INT_MAX, NULL, NULL, 0) == WAITERS - 1,
          "they are all there");
    for (int i = 0; i < WAITERS; i++)
        join(threads[i]);
    check_error(futex(&word, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE, -1, count(1), &other, 0), EINVAL,
                "a negative number to wake");
    check_error(futex(&word, FUTEX_REQUEUE | FUTEX_PRIVATE, 1, count(-1U), &other, 0), EINVAL,
                "and to move");
}

static void check_wake_op(void)
{
    static const struct {
        const char *name;
        int code;
        uint32_t before, after;
        long woken;
    } cases[] = {
        {"SET 5 if was == 3", FUTEX_OP(FUTEX_OP_SET, 5, FUTEX_OP_CMP_EQ, 3), 3, 5, 2},
        {"ADD 5 if was != 3", FUTEX_OP(FUTEX_OP_ADD, 5, FUTEX_OP_CMP_NE, 3), 3, 8, 1},
        {"OR 12 if was < 4", FUTEX_OP(FUTEX_OP_OR, 12, FUTEX_OP_CMP_LT, 4), 3, 15, 2},
        {"ANDN 1 if was <= 2", FUTEX_OP(FUTEX_OP_ANDN, 1, FUTEX_OP_CMP_LE, 2), 3, 2, 1},
        {"XOR 1 if was > 2", FUTEX_OP(FUTEX_OP_XOR, 1, FUTEX_OP_CMP_GT, 2), 3, 2, 2},
        {"SET -1 if was >= 4", FUTEX_OP(FUTEX_OP_SET, 0xfff, FUTEX_OP_CMP_GE, 4), 3, -1U, 1},
        {"OR 1 << 4 if was == -1",
         FUTEX_OP(FUTEX_OP_OR | FUTEX_OP_SHIFT, 4, FUTEX_OP_CMP_EQ, 0xfff), -1U, -1U, 2},
        {"ADD 1 << 4 if was == 1", FUTEX_OP(FUTEX_OP_ADD | FUTEX_OP_SHIFT, 4, FUTEX_OP_CMP_EQ, 1),
         1, 17, 2},
    };
    pthread_t threads[2];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        long woken;

        start_waiters(threads, 2, NULL);
        other = cases[i].before;
        /* One at WORD is moved to OTHER, for the second half of the operation. */
        futex(&word, FUTEX_REQUEUE | FUTEX_PRIVATE, 0, count(1), &other, 0);
        woken = futex(&word, FUTEX_WAKE_OP | FUTEX_PRIVATE, 10, count(10), &other, cases[i].code);
        check(woken == cases[i].woken && other == cases[i].after, "WAKE_OP %s", cases[i].name);
        futex(&other, FUTEX_WAKE | FUTEX_PRIVATE, 10, NULL, NULL, 0);
        join(threads[0]);
        join(threads[1]);
    }
    other = 0;
}

static void *try_pi(void *argument)
{
    (void)argument;
    long result = futex(&word, FUTEX_TRYLOCK_PI | FUTEX_PRIVATE, 0, NULL, NULL, 0);

    return (void *)(intptr_t)(result ? errno : 0);
}

static void *lock_pi(void *argument)
{
    struct timespec limit = in_ms(CLOCK_REALTIME, 10);

    (void)argument;
    check_error(futex(&word, FUTEX_LOCK_PI | FUTEX_PRIVATE, 0, &limit, NULL, 0), ETIMEDOUT,
                "LOCK_PI of another's for 10 ms");
    check_error(futex(&word, FUTEX_UNLOCK_PI | FUTEX_PRIVATE, 0, NULL, NULL, 0), EPERM,
                "UNLOCK_PI of another's");
    __atomic_add_fetch(&sleepers, 1, __ATOMIC_SEQ_CST);
    check(futex(&word, FUTEX_LOCK_PI | FUTEX_PRIVATE, 0, NULL, NULL, 0) == 0, "LOCK_PI in the end");
    check((word & FUTEX_TID_MASK) == (uint32_t)thread_number(), "the word tells the owner");
    check(futex(&word, FUTEX_UNLOCK_PI | FUTEX_PRIVATE, 0, NULL, NULL, 0) == 0, "UNLOCK_PI");
    return NULL;
}

static void check_pi(void)
{
    pthread_t thread;

    check(futex(&word, FUTEX_LOCK_PI | FUTEX_PRIVATE, 0, NULL, NULL, 0) == 0, "LOCK_PI");
    check((word & FUTEX_TID_MASK) == (uint32_t)thread_number(), "the word is our number");
    check_error(futex(&word, FUTEX_LOCK_PI | FUTEX_PRIVATE, 0, NULL, NULL, 0), EDEADLK,
                "once more");
    check((intptr_t)join(spawn(try_pi, NULL)) == EAGAIN, "TRYLOCK_PI by another thread: EAGAIN");
    thread = spawn(lock_pi, NULL);
    await_sleepers(1);
    check(word & FUTEX_WAITERS, "the word tells that somebody waits");
    check_error(futex(&word, FUTEX_WAKE | FUTEX_PRIVATE, 1, NULL, NULL, 0), EINVAL,
                "WAKE of such a one");
    check(futex(&word, FUTEX_UNLOCK_PI | FUTEX_PRIVATE, 0, NULL, NULL, 0) == 0,
          "UNLOCK_PI hands it over");
    join(thread);
    check(word == 0, "at the end it is free");
    check_error(futex(&word, FUTEX_UNLOCK_PI | FUTEX_PRIVATE, 0, NULL, NULL, 0), EPERM,
                "UNLOCK_PI again");
    word = 0x3ffffffe;
    check_error(futex(&word, FUTEX_LOCK_PI | FUTEX_PRIVATE, 0, NULL, NULL, 0), ESRCH,
                "LOCK_PI of one that nobody holds");
    word = 0;
    sleepers = 0;
}

static void check_errors(void)
{
    uint32_t *read_only = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint32_t *crooked = (uint32_t *)((char *)&word + 1);

    check_error(futex(NULL, FUTEX_WAIT | FUTEX_PRIVATE, 0, NULL, NULL, 0), EFAULT, "WAIT at NULL");
    check_error(futex(crooked, FUTEX_WAIT, 0, NULL, NULL, 0), EINVAL, "WAIT not aligned");
    check_error(futex(crooked, FUTEX_WAKE, 0, NULL, NULL, 0), EINVAL, "WAKE not aligned");
    check_error(futex(&word, FUTEX_WAIT, 0, (void *)8, NULL, 0), EFAULT, "a limit at no address");
    check_error(futex(&word, FUTEX_WAKE_OP, 1, NULL, read_only, 0), EFAULT,
                "WAKE_OP on what cannot be written");
    check_error(futex(&word, 77, 0, NULL, NULL, 0), ENOSYS, "an operation that is none");
    check_error(futex(&word, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 0, NULL, NULL, 0), ENOSYS,
                "a clock for WAKE");
    check_error(syscall(SYS_set_robust_list, &word, 1), EINVAL, "a robust list of odd size");
    check_error(syscall(SYS_get_robust_list, 0x3ffffffe, &word, &word), ESRCH,
                "the robust list of nobody");
    munmap(read_only, 4096);
}

int main(void)
{
    check_wait_and_wake();
    check_timeouts();
    check_bitsets();
    check_requeue();
    check_wake_op();
    check_pi();
    check_errors();
    return exit_status();
}
