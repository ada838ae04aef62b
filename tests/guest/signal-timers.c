/* SPDX-License-Identifier: ISC */
/* Timers that send signals: alarm, setitimer, timer_create. */
#include "check.h"
#include "threads.h"

#include <signal.h>
#include <string.h>
#include <sys/time.h>

static volatile int calls, first_overrun;
static siginfo_t seen;

static void note(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    seen = *info;
    if (calls == 0)
        first_overrun = info->si_overrun;
    __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
}

static void install(int signal)
{
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_RESTART};

    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, NULL);
}

static void await_calls(int wanted)
{
    int64_t end = now(CLOCK_MONOTONIC) + 10 * SECOND;

    while (calls < wanted && now(CLOCK_MONOTONIC) < end)
        sleep_ms(1);
}

static void spin_until_called(int wanted)
{
    int64_t end = now(CLOCK_MONOTONIC) + 10 * SECOND;

    while (calls < wanted && now(CLOCK_MONOTONIC) < end)
        for (volatile int i = 0; i < 10000; i++)
            ;
}

static void check_alarm(void)
{
    install(SIGALRM);
    check(alarm(100) == 0, "alarm: none before");
    unsigned left = alarm(0);
    check(left == 99 || left == 100, "it tells what was left, and switches it off");
    calls = 0;
    alarm(1);
    await_calls(1);
    check(calls == 1 && seen.si_code == SI_KERNEL, "an alarm after a second");
}

static void check_interval(int which, int signal, const char *name)
{
    struct itimerval value = {.it_interval = {0, 5000}, .it_value = {0, 20000}}, left, old;
    struct itimerval off = {0}, bad = {.it_value = {0, 1000000}};

    install(signal);
    calls = 0;
    check(setitimer(which, &value, NULL) == 0, "setitimer %s", name);
    check(getitimer(which, &left) == 0 && left.it_interval.tv_usec == 5000 &&
              left.it_value.tv_sec == 0 && left.it_value.tv_usec > 0 &&
              left.it_value.tv_usec <= 40000, /* CPU time is rounded up to ticks */
          "getitimer");
    spin_until_called(3);
    check(calls >= 3, "it comes again and again while we work");
    check(setitimer(which, &off, &old) == 0 && old.it_interval.tv_usec == 5000, "switched off");
    check(getitimer(which, &left) == 0 && left.it_value.tv_sec == 0 && left.it_value.tv_usec == 0,
          "nothing is left");
    calls = 0;
    sleep_ms(15);
    check(calls == 0, "and nothing comes");
    check_error(setitimer(which, &bad, NULL), EINVAL, "a million microseconds");
}

static timer_t create(clockid_t clock, struct sigevent event)
{
    timer_t timer = NULL;

    check(timer_create(clock, &event, &timer) == 0, "timer_create");
    return timer;
}

static void set(timer_t timer, int flags, int64_t first, int64_t interval)
{
    struct itimerspec value = {.it_value = to_timespec(first),
                               .it_interval = to_timespec(interval)};

    check(timer_settime(timer, flags, &value, NULL) == 0, "timer_settime");
}

static void check_posix_timer(clockid_t clock, const char *name)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec left;
    timer_t timer;

    printf("%s\n", name);
    install(SIGUSR1);
    event.sigev_value.sival_int = 4711;
    timer = create(clock, event);
    calls = 0;
    set(timer, 0, 10 * MILLISECOND, 0);
    spin_until_called(1);
    check(calls == 1 && seen.si_code == SI_TIMER && seen.si_value.sival_int == 4711,
          "it expires with its value");
    check(timer_gettime(timer, &left) == 0 && nanoseconds(left.it_value) == 0, "and is off then");
    if (clock != CLOCK_PROCESS_CPUTIME_ID) {
        calls = 0;
        set(timer, TIMER_ABSTIME, now(clock) + 10 * MILLISECOND, 0);
        await_calls(1);
        check(calls == 1, "at a time");
        calls = 0;
        set(timer, TIMER_ABSTIME, 1, 0);
        await_calls(1);
        check(calls == 1, "at a time that has passed");
    }
    calls = 0;
    set(timer, 0, 5 * MILLISECOND, 5 * MILLISECOND);
    spin_until_called(3);
    check(calls >= 3, "again and again");
    check(timer_gettime(timer, &left) == 0 && nanoseconds(left.it_interval) == 5 * MILLISECOND,
          "timer_gettime tells the interval");
    check(timer_delete(timer) == 0, "timer_delete");
    check(timer_delete(timer) != 0, "again it fails"); /* musl returns -EINVAL itself */
}

static void check_overruns(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    sigset_t set_, old;
    timer_t timer = create(CLOCK_MONOTONIC, event);

    install(SIGRTMIN);
    sigemptyset(&set_);
    sigaddset(&set_, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set_, &old);
    calls = 0;
    set(timer, 0, 1 * MILLISECOND, 1 * MILLISECOND);
    sleep_ms(30);
    sigprocmask(SIG_SETMASK, &old, NULL);
    await_calls(1);
    check(first_overrun >= 10, "while it is blocked one is queued, which counts the others");
    timer_delete(timer);
}

static volatile int notified;

static void notify(union sigval value)
{
    __atomic_add_fetch(&notified, value.sival_int, __ATOMIC_SEQ_CST);
}

static void check_thread_notification(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD};
    int64_t end = now(CLOCK_MONOTONIC) + 10 * SECOND;
    timer_t timer;

    event.sigev_notify_function = notify;
    event.sigev_value.sival_int = 5;
    timer = create(CLOCK_MONOTONIC, event);
    set(timer, 0, 2 * MILLISECOND, 2 * MILLISECOND);
    while (notified < 15 && now(CLOCK_MONOTONIC) < end)
        sleep_ms(1);
    check(notified >= 15 && notified % 5 == 0, "SIGEV_THREAD calls a function again and again");
    timer_delete(timer);
}

static void *wait_for_timer(void *argument)
{
    struct sigevent event = {.sigev_notify = 4 /* SIGEV_THREAD_ID */, .sigev_signo = SIGUSR2};
    sigset_t set_;
    int signal = 0;
    timer_t timer;

    /* glibc and musl name the field differently; it is the union's first int. */
    memcpy((char *)&event + 16, &(int){thread_number()}, sizeof(int));
    sigemptyset(&set_);
    sigaddset(&set_, SIGUSR2);
    timer = create(CLOCK_REALTIME, event);
    set(timer, 0, 5 * MILLISECOND, 0);
    sigwait(&set_, &signal);
    timer_delete(timer);
    return signal == SIGUSR2 ? argument : NULL;
}

static void check_thread_id(void)
{
    sigset_t set_;

    sigemptyset(&set_);
    sigaddset(&set_, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set_, NULL);
    check(join(spawn(wait_for_timer, &set_)) == &set_, "SIGEV_THREAD_ID reaches that thread");
}

static void check_errors(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 65};
    struct itimerspec bad = {.it_value = {0, SECOND}};
    timer_t timer;

    check_error(timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL, "signal 65");
    event.sigev_signo = SIGUSR1;
    check_error(timer_create(999, &event, &timer), EINVAL, "an unknown clock");
    event.sigev_notify = 77;
    check_error(timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL, "an unknown notification");
    event.sigev_notify = SIGEV_NONE;
    timer = create(CLOCK_MONOTONIC, event);
    check_error(timer_settime(timer, 0, &bad, NULL), EINVAL, "too many nanoseconds");
    set(timer, 0, SECOND, 0);
    check(timer_gettime(timer, &bad) == 0 && nanoseconds(bad.it_value) > 0 &&
              nanoseconds(bad.it_value) <= SECOND,
          "one that notifies nobody can be read");
    check(timer_getoverrun(timer) == 0, "timer_getoverrun");
    timer_delete(timer);
}

int main(void)
{
    check_alarm();
    check_interval(ITIMER_REAL, SIGALRM, "ITIMER_REAL");
    check_interval(ITIMER_VIRTUAL, SIGVTALRM, "ITIMER_VIRTUAL");
    check_interval(ITIMER_PROF, SIGPROF, "ITIMER_PROF");
    check_posix_timer(CLOCK_REALTIME, "CLOCK_REALTIME");
    check_posix_timer(CLOCK_MONOTONIC, "CLOCK_MONOTONIC");
    check_posix_timer(CLOCK_PROCESS_CPUTIME_ID, "CLOCK_PROCESS_CPUTIME_ID");
    check_overruns();
    check_thread_notification();
    check_thread_id();
    check_errors();
    return exit_status();
}
