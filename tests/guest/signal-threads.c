/* SPDX-License-Identifier: ISC */
/* Signals and threads: to one of them, to any of them, blocked in some. */
#include "check.h"
#include "threads.h"

#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>

static __thread volatile int own_calls;
static volatile int calls, handler_tid, ready, stop;
static sem_t gate;

static void note(int signal)
{
    (void)signal;
    own_calls++;
    handler_tid = thread_number();
    __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
}

static void install(int signal, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, NULL);
}

static void mask(int how, int signal)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, signal);
    pthread_sigmask(how, &set, NULL);
}

/* How a thread spends its time when the signal comes. */
static void *spin(void *argument)
{
    (void)argument;
    ready = 1;
    while (!own_calls)
        __asm__ volatile("");
    return (void *)(intptr_t)own_calls;
}

static void *sleep_until_signal(void *argument)
{
    struct timespec time = {20, 0};

    (void)argument;
    ready = 1;
    while (!own_calls)
        nanosleep(&time, NULL);
    return (void *)(intptr_t)own_calls;
}

static void *wait_in_semaphore(void *argument)
{
    (void)argument;
    ready = 1;
    while (sem_wait(&gate) != 0 && errno == EINTR && !own_calls)
        ;
    return (void *)(intptr_t)own_calls;
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *wait_for_mutex(void *argument)
{
    (void)argument;
    ready = 1;
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    return (void *)(intptr_t)own_calls;
}

static void *call_often(void *argument)
{
    (void)argument;
    ready = 1;
    while (!own_calls)
        sched_yield();
    return (void *)(intptr_t)own_calls;
}

static void check_pthread_kill(void *(*function)(void *), const char *what)
{
    pthread_t thread;

    ready = calls = 0;
    thread = spawn(function, NULL);
    await(&ready);
    sleep_ms(2);
    check_code(pthread_kill(thread, SIGUSR1), 0, "pthread_kill of a thread that %s", what);
    check(await(&calls), "its handler runs");
    check(own_calls == 0 && handler_tid != thread_number(), "not here");
    if (function == wait_for_mutex)
        pthread_mutex_unlock(&mutex);
    check(join(thread) == (void *)1, "but there, once");
}

static void *block_and_wait(void *argument)
{
    mask(SIG_BLOCK, SIGUSR1);
    __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
    sem_wait(&gate);
    return argument;
}

static void *leave_unblocked(void *argument)
{
    (void)argument;
    __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
    while (!stop)
        sleep_ms(1);
    return (void *)(intptr_t)own_calls;
}

/* A signal to the process goes to the one thread that does not block it. */
static void check_process_signal(void)
{
    pthread_t blocked[3], open;

    ready = calls = stop = 0;
    mask(SIG_BLOCK, SIGUSR1);
    for (int i = 0; i < 3; i++)
        blocked[i] = spawn(block_and_wait, NULL);
    mask(SIG_UNBLOCK, SIGUSR1);
    open = spawn(leave_unblocked, NULL);
    mask(SIG_BLOCK, SIGUSR1);
    while (ready < 4)
        sleep_ms(1);
    kill(getpid(), SIGUSR1);
    check(await(&calls), "a signal to the process is handled");
    stop = 1;
    check(join(open) == (void *)1 && own_calls == 0, "by the thread that does not block it");
    for (int i = 0; i < 3; i++)
        sem_post(&gate);
    for (int i = 0; i < 3; i++)
        join(blocked[i]);
    kill(getpid(), SIGUSR1);
    check(calls == 1, "when all block it, it waits");
    mask(SIG_UNBLOCK, SIGUSR1);
    check(calls == 2 && own_calls == 1, "for the first that unblocks it");
    own_calls = 0;
}

static void *take_one(void *argument)
{
    sigset_t set;
    int signal = 0;

    (void)argument;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGTERM);
    __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
    sigwait(&set, &signal);
    __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
    return (void *)(intptr_t)signal;
}

static void check_sigwait_threads(void)
{
    pthread_t threads[4];
    int usr1 = 0, term = 0;

    ready = calls = 0;
    mask(SIG_BLOCK, SIGUSR1);
    mask(SIG_BLOCK, SIGTERM);
    for (int i = 0; i < 4; i++)
        threads[i] = spawn(take_one, NULL);
    while (ready < 4)
        sleep_ms(1);
    sleep_ms(5);
    for (int i = 0; i < 4; i++) {
        kill(getpid(), i % 2 ? SIGUSR1 : SIGTERM);
        while (calls < i + 1)
            sleep_ms(1);
    }
    for (int i = 0; i < 4; i++) {
        intptr_t signal = (intptr_t)join(threads[i]);
        usr1 += signal == SIGUSR1;
        term += signal == SIGTERM;
    }
    check(usr1 == 2 && term == 2, "four threads in sigwait take one signal each");
    mask(SIG_UNBLOCK, SIGUSR1);
    mask(SIG_UNBLOCK, SIGTERM);
}

static __thread sigjmp_buf escape;

static void leave(int signal)
{
    siglongjmp(escape, signal);
}

static void *fault_often(void *argument)
{
    volatile int caught = 0;

    for (volatile int i = 0; i < 50; i++) {
        if (sigsetjmp(escape, 1) == 0)
            *(volatile int *)argument = 1;
        else
            caught++;
        sched_yield();
    }
    return (void *)(intptr_t)caught;
}

static void check_faults(void)
{
    pthread_t threads[4];
    bool good = true;

    install(SIGSEGV, leave, 0);
    for (int i = 0; i < 4; i++)
        threads[i] = spawn(fault_often, (void *)16);
    for (int i = 0; i < 4; i++)
        good &= join(threads[i]) == (void *)50;
    check(good, "four threads fault and handle it 50 times each");
    install(SIGSEGV, SIG_DFL, 0);
}

static void *inherit(void *argument)
{
    sigset_t blocked, pending;
    stack_t stack;

    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    sigpending(&pending);
    sigaltstack(NULL, &stack);
    check(sigismember(&blocked, SIGUSR2), "a new thread has its creator's mask");
    check(!sigismember(&pending, SIGUSR2), "not what is pending for its creator");
    check(stack.ss_flags == SS_DISABLE, "nor its alternate stack");
    return argument;
}

static void check_inheritance(void)
{
    static char alternate[32 << 10];
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};

    install(SIGUSR2, note, 0);
    sigaltstack(&stack, NULL);
    mask(SIG_BLOCK, SIGUSR2);
    raise(SIGUSR2);
    join(spawn(inherit, NULL));
    mask(SIG_UNBLOCK, SIGUSR2);
}

/* Signals come all the time while threads lock, wait and allocate. */
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static long shared_count;

static void *work(void *argument)
{
    for (int i = 0; i < 2000; i++) {
        char *memory = malloc((size_t)i % 500 + 1);
        memory[0] = (char)i;
        pthread_mutex_lock(&mutex);
        shared_count += memory[0] == (char)i;
        pthread_cond_broadcast(&cond);
        pthread_mutex_unlock(&mutex);
        free(memory);
        if (i % 50 == 0)
            sched_yield();
    }
    return argument;
}

static void check_storm(void)
{
    struct itimerval often = {.it_interval = {0, 300}, .it_value = {0, 300}}, off = {0};
    pthread_t threads[4];

    install(SIGALRM, note, SA_RESTART);
    calls = 0;
    setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; i < 4; i++)
        threads[i] = spawn(work, NULL);
    for (int i = 0; i < 4; i++)
        join(threads[i]);
    while (calls < 10)
        sched_yield();
    setitimer(ITIMER_REAL, &off, NULL);
    check(shared_count == 4 * 2000, "nothing is lost while signals come often");
}

int main(void)
{
    sem_init(&gate, 0, 0);
    install(SIGUSR1, note, 0);
    check_pthread_kill(spin, "spins");
    check_pthread_kill(sleep_until_signal, "sleeps");
    check_pthread_kill(wait_in_semaphore, "waits for a semaphore");
    check_pthread_kill(call_often, "yields");
    pthread_mutex_lock(&mutex);
    check_pthread_kill(wait_for_mutex, "waits for a mutex");
    check_code(pthread_kill(pthread_self(), 65), EINVAL, "pthread_kill with signal 65");
    check_code(pthread_kill(pthread_self(), 0), 0, "with signal 0");
    check_process_signal();
    check_sigwait_threads();
    check_faults();
    check_inheritance();
    check_storm();
    return exit_status();
}
