/* SPDX-License-Identifier: ISC */
#include "server.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "hypercall.h"
#include "interrupt.h"

#define MICROSECOND  1000ULL
#define LINGER       (100 * MICROSECOND)  /* the server watches for so long after an operation */
#define WINDOW       (4000 * MICROSECOND) /* so many operations in this time wake it */
#define OFTEN        24
#define MISSES       3 /* so many times in it the server kept the guest waiting */
#define BACK_OFF     (20000 * MICROSECOND) /* then it sleeps for so long: others need the processor */
#define BACK_OFF_MAX (100 * BACK_OFF)      /* twice as long each time it does not help */
#define GOOD         (200000 * MICROSECOND) /* it did help if it went well for so long */
#define LOOKS        64                     /* at the word, between two at the clock */

enum { LOCK_FREE, LOCK_HELD, LOCK_AWAITED };

static pthread_t thread;
static enum { NOT_TRIED, THERE, IMPOSSIBLE } state;
static uint32_t lock, awake; /* futexes */
static cpu_set_t away;       /* processors for the server, set before it wakes */

static uint64_t quiet_until; /* of the vCPU's thread: no server until then */

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static long futex(uint32_t *word, int operation, uint32_t value)
{
    return syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, NULL);
}

static bool change(uint32_t *word, uint32_t from, uint32_t to)
{
    return __atomic_compare_exchange_n(word, &from, to, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static uint32_t *server_word(const struct run *run)
{
    struct husk_doorbell *doorbell = memory_host(&run->memory, HUSK_DESC_PAGE);

    return &doorbell->server;
}

/* Without INTERRUPTIBLE it is always got. */
static bool get_lock(bool interruptible)
{
    if (change(&lock, LOCK_FREE, LOCK_HELD))
        return true;
    while (__atomic_exchange_n(&lock, LOCK_AWAITED, __ATOMIC_SEQ_CST) != LOCK_FREE) {
        futex(&lock, FUTEX_WAIT, LOCK_AWAITED);
        if (interruptible && interrupt_pending())
            return false;
    }
    return true;
}

static void release_lock(void)
{
    if (__atomic_exchange_n(&lock, LOCK_FREE, __ATOMIC_SEQ_CST) == LOCK_AWAITED)
        futex(&lock, FUTEX_WAKE, 1);
}

bool server_enter(struct run *run)
{
    (void)run;
    return state != THERE || get_lock(true);
}

void server_leave(struct run *run)
{
    (void)run;
    if (state == THERE)
        release_lock();
}

static bool serve_posted(struct run *run)
{
    uint32_t *word = server_word(run), result;

    if (!change(word, HUSK_SERVER_POSTED, HUSK_SERVER_TAKEN))
        return false;
    get_lock(false);
    result = hypercall_serve_posted(run) ? HUSK_SERVER_DONE : HUSK_SERVER_DECLINED;
    release_lock();
    __atomic_store_n(word, result, __ATOMIC_SEQ_CST);
    return true;
}

static void *watch(void *context)
{
    struct run *run = context;
    uint64_t last;

    for (;;) {
        while (!__atomic_load_n(&awake, __ATOMIC_SEQ_CST))
            futex(&awake, FUTEX_WAIT, 0);
        sched_setaffinity(0, sizeof(away), &away);
        change(server_word(run), HUSK_SERVER_ASLEEP, HUSK_SERVER_FREE);
        last = now_ns();
        do
            for (unsigned look = 0; look < LOOKS; look++) {
                if (serve_posted(run))
                    last = now_ns();
                __builtin_ia32_pause();
            }
        while (now_ns() - last < LINGER);
        change(server_word(run), HUSK_SERVER_FREE, HUSK_SERVER_ASLEEP);
        __atomic_store_n(&awake, 0, __ATOMIC_SEQ_CST);
    }
    return NULL;
}

/* It must not share a processor with the vCPU, which would wait for it in vain. It moves itself:
 * the jail lets nobody move another. */
static bool choose_processors(void)
{
    if (sched_getaffinity(0, sizeof(away), &away) < 0 || CPU_COUNT(&away) < 2)
        return false;
    CPU_CLR(sched_getcpu(), &away);
    return true;
}

/* With neither files nor a network there is little to do, and the jail forbids threads. */
static bool is_useful(const struct run *run)
{
    cpu_set_t set;

    return (run->options->volume_count > 0 || net_policy_is_open(&run->network.policy)) &&
           sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 1;
}

/* All signals are for the vCPU's thread. */
static bool start(struct run *run)
{
    sigset_t all, old;

    if (state != NOT_TRIED)
        return state == THERE;
    state = IMPOSSIBLE;
    if (!is_useful(run))
        return false;
    sigfillset(&all);
    sigdelset(&all, SIGBUS);
    sigdelset(&all, SIGSEGV);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    if (pthread_create(&thread, NULL, watch, run) == 0)
        state = THERE;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return state == THERE;
}

static void rest(struct run *run, uint64_t now)
{
    static uint64_t span;

    span = now - quiet_until > GOOD ? BACK_OFF : span * 2;
    if (span > BACK_OFF_MAX)
        span = BACK_OFF_MAX;
    quiet_until = now + span;
    change(server_word(run), HUSK_SERVER_FREE, HUSK_SERVER_ASLEEP);
}

static void wake(struct run *run, uint64_t now)
{
    if (!start(run) || !choose_processors()) {
        rest(run, now);
        return;
    }
    __atomic_store_n(&awake, 1, __ATOMIC_SEQ_CST);
    futex(&awake, FUTEX_WAKE, 1);
}

/* Doorbells that came in this window, at which the server slept or watched (and was missed). */
static unsigned count_doorbell(uint64_t now, bool watches)
{
    static uint64_t began;
    static unsigned count;
    static bool watched;

    if (now - began > WINDOW || watches != watched) {
        began = now;
        count = 0;
        watched = watches;
    }
    return ++count;
}

void server_consider(struct run *run)
{
    bool watches = __atomic_load_n(&awake, __ATOMIC_SEQ_CST);
    uint64_t now;
    unsigned count;

    if (state == IMPOSSIBLE)
        return;
    now = now_ns();
    count = count_doorbell(now, watches);
    if (watches && count >= MISSES)
        rest(run, now);
    if (watches)
        return;
    change(server_word(run), HUSK_SERVER_FREE, HUSK_SERVER_ASLEEP);
    if (count >= OFTEN && now >= quiet_until)
        wake(run, now);
}
