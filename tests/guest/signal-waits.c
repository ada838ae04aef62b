/* SPDX-License-Identifier: ISC */
/* Waiting for signals, queues of real-time signals, and calls that signals interrupt. */
#include "check.h"
#include "threads.h"

#include <signal.h>
#include <sys/time.h>

static volatile int calls, sequence;

static void count(int signal)
{
    (void)signal;
    calls++;
}

static void count_value(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    calls++;
    sequence = sequence * 10 + info->si_value.sival_int;
}

static void install(int signal, int flags)
{
    struct sigaction action = {.sa_handler = count, .sa_flags = flags};

    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, NULL);
}

static sigset_t set_of(int one, int two)
{
    sigset_t set;

    sigemptyset(&set);
    if (one)
        sigaddset(&set, one);
    if (two)
        sigaddset(&set, two);
    return set;
}

static void block(int one, int two)
{
    sigset_t set = set_of(one, two);

    sigprocmask(SIG_BLOCK, &set, NULL);
}

static void unblock_all(void)
{
    sigset_t set = set_of(0, 0);

    sigprocmask(SIG_SETMASK, &set, NULL);
}

static void alarm_in_ms(int ms)
{
    struct itimerval value = {.it_value = {0, ms * 1000}};

    setitimer(ITIMER_REAL, &value, NULL);
}

static void check_sigsuspend(void)
{
    sigset_t none = set_of(0, 0), set;

    install(SIGUSR1, 0);
    install(SIGALRM, 0);
    block(SIGUSR1, SIGALRM);
    raise(SIGUSR1);
    calls = 0;
    check_error(sigsuspend(&none), EINTR, "sigsuspend with a pending signal");
    check(calls == 1, "its handler ran");
    sigprocmask(SIG_BLOCK, NULL, &set);
    check(sigismember(&set, SIGUSR1), "the mask is as before");
    alarm_in_ms(10);
    check_error(sigsuspend(&none), EINTR, "sigsuspend until the alarm");
    check(calls == 2, "its handler ran too");
    unblock_all();
    alarm_in_ms(10);
    check_error(pause(), EINTR, "pause");
}

static void check_sigwait(void)
{
    sigset_t set = set_of(SIGUSR1, SIGUSR2);
    struct timespec none = {0, 0}, short_time = {0, 20 * MILLISECOND}, bad = {0, SECOND};
    siginfo_t info;
    int signal = 0;

    block(SIGUSR1, SIGUSR2);
    raise(SIGUSR2);
    check(sigwait(&set, &signal) == 0 && signal == SIGUSR2, "sigwait takes a pending signal");
    check_error(sigtimedwait(&set, &info, &none), EAGAIN, "sigtimedwait for no time");
    int64_t start = now(CLOCK_MONOTONIC);
    check_error(sigtimedwait(&set, &info, &short_time), EAGAIN, "for 20 ms");
    check(now(CLOCK_MONOTONIC) - start >= 20 * MILLISECOND, "they pass");
    check_error(sigtimedwait(&set, &info, &bad), EINVAL, "for too many nanoseconds");
    raise(SIGUSR2);
    kill(getpid(), SIGUSR1);
    check(sigwaitinfo(&set, &info) == SIGUSR2 && info.si_pid == getpid(),
          "the thread's own come first");
    check(sigwaitinfo(&set, &info) == SIGUSR1 && info.si_code == SI_USER, "then the process's");
    install(SIGALRM, SA_RESTART);
    alarm_in_ms(10);
    /* musl's function would go on waiting. */
    check_error(syscall(SYS_rt_sigtimedwait, &set, &info, NULL, 8), EINTR,
                "another signal interrupts it");
    unblock_all();
}

static void check_queue(void)
{
    struct sigaction action = {.sa_sigaction = count_value, .sa_flags = SA_SIGINFO};
    int low = SIGRTMIN + 1, high = SIGRTMIN + 2, sent = 0;
    sigset_t set = set_of(low, high);
    siginfo_t info;
    bool good = true;

    sigaction(low, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    block(low, high);
    for (int i = 1; i <= 5; i++) {
        sigqueue(getpid(), high, (union sigval){.sival_int = i});
        sigqueue(getpid(), low, (union sigval){.sival_int = i});
    }
    for (int i = 1; i <= 5; i++)
        good &= sigwaitinfo(&set, &info) == low && info.si_value.sival_int == i;
    check(good, "real-time signals are queued, the lowest number first");
    good = true;
    for (int i = 1; i <= 5; i++)
        good &= sigwaitinfo(&set, &info) == high && info.si_value.sival_int == i;
    check(good, "in the order in which they came");
    for (int i = 1; i <= 4; i++)
        sigqueue(getpid(), low, (union sigval){.sival_int = i});
    calls = sequence = 0;
    unblock_all();
    check(calls == 4 && sequence == 1234, "the handler gets each of them");

    block(SIGUSR1, 0);
    sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 7});
    sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 8});
    calls = sequence = 0;
    unblock_all();
    check(calls == 1 && sequence == 7, "others keep the first only");

    block(low, 0);
    while (sent < 1000 && sigqueue(getpid(), low, (union sigval){.sival_int = 0}) == 0)
        sent++;
    check(sent == 1000, "1,000 are queued");
    calls = 0;
    unblock_all();
    check(calls == 1000, "and arrive");
    check_error(sigqueue(getpid(), 65, (union sigval){.sival_int = 0}), EINVAL, "signal 65");
    check_error(sigqueue(0x3ffffffe, SIGUSR1, (union sigval){.sival_int = 0}), ESRCH, "to nobody");
}

/* Each blocking call with a handler that has SA_RESTART, and with one that has not. */
static int ends[2];
static volatile bool writes;

static void count_and_write(int signal)
{
    (void)signal;
    calls++;
    if (writes && calls >= 2 && write(ends[1], "x", 1) != 1)
        _exit(3);
}

static void check_read(void)
{
    struct sigaction action = {.sa_handler = count_and_write};
    struct itimerval often = {.it_interval = {0, 5000}, .it_value = {0, 5000}}, off = {0};
    char byte = 0;

    if (pipe(ends) != 0)
        return;
    calls = 0;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    check_error(read(ends[0], &byte, 1), EINTR, "read of a pipe without SA_RESTART");
    setitimer(ITIMER_REAL, &off, NULL);
    check(calls >= 1, "after the handler ran");

    action.sa_flags = SA_RESTART;
    calls = 0;
    writes = true;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    check(read(ends[0], &byte, 1) == 1 && byte == 'x', "with SA_RESTART it goes on");
    setitimer(ITIMER_REAL, &off, NULL);
    check(calls >= 2, "after the handler ran twice");
    close(ends[0]);
    close(ends[1]);
}

static void check_sleeps(void)
{
    struct timespec sleep = {5, 0}, left = {0, 0};
    int64_t start = now(CLOCK_MONOTONIC);

    install(SIGALRM, SA_RESTART);
    alarm_in_ms(20);
    check_error(nanosleep(&sleep, &left), EINTR, "nanosleep is interrupted all the same");
    check(nanoseconds(left) > 0 && nanoseconds(left) <= 5 * SECOND - 10 * MILLISECOND,
          "and tells what is left");
    check(now(CLOCK_MONOTONIC) - start < 5 * SECOND, "at once");
    alarm_in_ms(10);
    left = in_ms(CLOCK_MONOTONIC, 5000);
    check_code(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &left, NULL), EINTR,
               "clock_nanosleep until a time too");
}

static volatile int word;

static void wake_word(int signal)
{
    (void)signal;
    calls++;
    word = 1;
}

static void check_futex(void)
{
    struct sigaction action = {.sa_handler = wake_word};

    calls = word = 0;
    sigaction(SIGALRM, &action, NULL);
    alarm_in_ms(10);
    check_error(syscall(SYS_futex, &word, 0 /* FUTEX_WAIT */, 0, NULL, NULL, 0), EINTR,
                "futex without SA_RESTART");
    action.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &action, NULL);
    word = 0;
    alarm_in_ms(10);
    check_error(syscall(SYS_futex, &word, 0, 0, NULL, NULL, 0), EAGAIN,
                "with it the call is made again, and finds another value");
    check(calls == 2, "both handlers ran");
}

int main(void)
{
    check_sigsuspend();
    check_sigwait();
    check_queue();
    check_read();
    check_sleeps();
    check_futex();
    return exit_status();
}
