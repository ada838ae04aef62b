/* SPDX-License-Identifier: ISC
 *
 * Timers that send signals: alarm, setitimer, timer_create.
 */
#include <linux/time.h>

#include "slab.h"
#include "thread.h"
#include "timers.h"

#define SECOND     1000000000ULL
#define MICRO      1000ULL
#define TIMERS_MAX 1024

/* A timer on CPU time goes by the clock on the wall, and looks again when CPU time lags behind. */
struct signal_timer {
    struct timer timer;
    bool on_cpu_time;
    uint64_t cpu_deadline; /* ON_CPU_TIME */
    int32_t clock;
    int32_t signal; /* 0: SIGEV_NONE */
    int32_t tid;    /* SIGEV_THREAD_ID, or 0: the process */
    int32_t id;
    int32_t overrun; /* of the signal that was delivered last */
    siginfo_t info;
};

static struct signal_timer interval_timers[3]; /* ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF */
static struct signal_timer *timers[TIMERS_MAX];

static bool is_cpu_clock(int32_t id)
{
    return id == CLOCK_PROCESS_CPUTIME_ID || id == CLOCK_THREAD_CPUTIME_ID || id < 0;
}

static void expire(struct timer *timer, uint64_t count)
{
    struct signal_timer *self = (struct signal_timer *)timer;
    struct thread *thread = self->tid ? thread_find(self->tid) : NULL;

    if (self->on_cpu_time) {
        uint64_t cpu;

        if (clock_of((uint64_t)self->clock, &cpu) < 0)
            return; /* its thread has ended */
        if (cpu < self->cpu_deadline) {
            timer_set(timer, deadline_in(self->cpu_deadline - cpu), timer->interval);
            return;
        }
        self->cpu_deadline = cpu + timer->interval;
    }
    if (!self->signal)
        return;
    self->info._sifields._timer._overrun = count - 1 < INT32_MAX ? (int32_t)(count - 1) : INT32_MAX;
    if (thread)
        signal_send_thread(thread, &self->info);
    else if (!self->tid)
        signal_send_process(&self->info);
}

static void start(struct signal_timer *timer, uint64_t ns, uint64_t interval)
{
    timer->timer.expire = expire;
    if (timer->on_cpu_time && clock_of((uint64_t)timer->clock, &timer->cpu_deadline) == 0)
        timer->cpu_deadline += ns;
    timer_set(&timer->timer, ns ? deadline_in(ns) : NEVER, ns ? interval : 0);
    thread_work = 1;
}

static uint64_t left(const struct signal_timer *timer)
{
    uint64_t ns = timer_left(&timer->timer), cpu;

    if (!ns || !timer->on_cpu_time || clock_of((uint64_t)timer->clock, &cpu) < 0)
        return ns;
    return timer->cpu_deadline > cpu ? timer->cpu_deadline - cpu : 1;
}

static struct signal_timer *interval_timer(uint64_t which)
{
    static const uint8_t signals[] = {SIGALRM, SIGVTALRM, SIGPROF};
    struct signal_timer *timer;

    if (which >= ARRAY_SIZE(interval_timers))
        return NULL;
    timer = &interval_timers[which];
    timer->signal = signals[which];
    timer->on_cpu_time = which != ITIMER_REAL;
    timer->clock = CLOCK_PROCESS_CPUTIME_ID;
    timer->info = (siginfo_t){.si_signo = timer->signal, .si_code = SI_KERNEL};
    return timer;
}

/* Microseconds, rounded up: what is left is never 0. */
static struct timeval to_timeval(uint64_t ns)
{
    uint64_t us = (ns + MICRO - 1) / MICRO;

    return (struct timeval){.tv_sec = us / 1000000, .tv_usec = us % 1000000};
}

static bool from_timeval(const struct timeval *time, uint64_t *ns)
{
    if (time->tv_sec < 0 || (uint64_t)time->tv_usec >= 1000000)
        return false;
    *ns = (uint64_t)time->tv_sec < INT64_MAX / SECOND
              ? time->tv_sec * SECOND + time->tv_usec * MICRO
              : INT64_MAX;
    return true;
}

static int64_t put_interval_timer(const struct signal_timer *timer, uint64_t addr)
{
    struct itimerval value = {.it_interval = to_timeval(timer->timer.interval),
                              .it_value = to_timeval(left(timer))};

    return user_write(addr, &value);
}

int64_t sys_getitimer(const struct call *call)
{
    const struct signal_timer *timer = interval_timer((uint32_t)call->arg[0]);

    return timer ? put_interval_timer(timer, call->arg[1]) : -EINVAL;
}

int64_t sys_setitimer(const struct call *call)
{
    struct signal_timer *timer = interval_timer((uint32_t)call->arg[0]);
    struct itimerval value = {0};
    uint64_t ns, interval;

    if (!timer)
        return -EINVAL;
    if (call->arg[1] && user_read(&value, call->arg[1]) < 0)
        return -EFAULT;
    if (!from_timeval(&value.it_value, &ns) || !from_timeval(&value.it_interval, &interval))
        return -EINVAL;
    if (call->arg[2] && put_interval_timer(timer, call->arg[2]) < 0)
        return -EFAULT;
    start(timer, ns, interval);
    return 0;
}

int64_t sys_alarm(const struct call *call)
{
    struct signal_timer *timer = interval_timer(ITIMER_REAL);
    uint64_t rest = left(timer), seconds = (rest + SECOND / 2) / SECOND;

    start(timer, (uint32_t)call->arg[0] * SECOND, 0);
    return rest && !seconds ? 1 : (int64_t)seconds;
}

static struct signal_timer *find(uint64_t id)
{
    return (uint32_t)id < TIMERS_MAX ? timers[(uint32_t)id] : NULL;
}

/* SIGEV_THREAD is libc's: it asks for SIGEV_THREAD_ID. */
static int64_t read_event(uint64_t addr, struct signal_timer *timer)
{
    sigevent_t event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};

    event.sigev_value.sival_int = timer->id;
    if (addr && user_read(&event, addr) < 0)
        return -EFAULT;
    switch (event.sigev_notify) {
    case SIGEV_NONE:
        return 0;
    case SIGEV_SIGNAL | SIGEV_THREAD_ID:
        timer->tid = event._sigev_un._tid;
        if (!thread_find(timer->tid))
            return -EINVAL;
        break;
    case SIGEV_SIGNAL:
        break;
    default:
        return -EINVAL;
    }
    if (event.sigev_signo < 1 || event.sigev_signo > SIGNALS)
        return -EINVAL;
    timer->signal = event.sigev_signo;
    timer->info = (siginfo_t){.si_signo = event.sigev_signo, .si_code = SI_TIMER};
    timer->info._sifields._timer._tid = timer->id;
    timer->info._sifields._timer._sigval = event.sigev_value;
    return 0;
}

/* CLOCK_THREAD_CPUTIME_ID, which means another clock in each thread, by number. */
static int32_t own_cpu_clock(void)
{
    return (int32_t)(~(uint32_t)current->tid << 3 | 6);
}

int64_t sys_timer_create(const struct call *call)
{
    struct signal_timer *timer;
    int32_t id = 0, clock = (int32_t)call->arg[0];
    uint64_t now;
    int64_t ret = clock_of(call->arg[0], &now);

    while (id < TIMERS_MAX && timers[id])
        id++;
    if (ret < 0 || clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_MONOTONIC_COARSE ||
        clock == CLOCK_REALTIME_COARSE)
        return -EINVAL;
    if (id == TIMERS_MAX || !(timer = slab_alloc_zeroed(sizeof(*timer))))
        return -EAGAIN;
    timer->id = id;
    timer->clock = clock == CLOCK_THREAD_CPUTIME_ID ? own_cpu_clock() : clock;
    timer->on_cpu_time = is_cpu_clock(clock);
    timer->timer.deadline = NEVER;
    ret = read_event(call->arg[1], timer);
    if (ret == 0)
        ret = user_write(call->arg[2], &id);
    if (ret < 0)
        slab_free(timer);
    else
        timers[id] = timer;
    return ret;
}

static int64_t put_timer(const struct signal_timer *timer, uint64_t addr)
{
    struct itimerspec value = {.it_interval = timespec_of(timer->timer.interval),
                               .it_value = timespec_of(left(timer))};

    return user_write(addr, &value);
}

int64_t sys_timer_gettime(const struct call *call)
{
    const struct signal_timer *timer = find(call->arg[0]);

    return timer ? put_timer(timer, call->arg[1]) : -EINVAL;
}

int64_t sys_timer_settime(const struct call *call)
{
    const uint64_t absolute = 1; /* TIMER_ABSTIME */
    struct signal_timer *timer = find(call->arg[0]);
    struct itimerspec value;
    uint64_t ns, interval, now;

    if (!timer)
        return -EINVAL;
    if (user_read(&value, call->arg[2]) < 0)
        return -EFAULT;
    if (!timespec_get(&value.it_value, &ns) || !timespec_get(&value.it_interval, &interval))
        return -EINVAL;
    if (call->arg[3] && put_timer(timer, call->arg[3]) < 0)
        return -EFAULT;
    if (ns && call->arg[1] & absolute) {
        clock_of(timer->clock, &now);
        ns = ns > now ? ns - now : 1;
    }
    start(timer, ns, interval);
    return 0;
}

void timer_signal_taken(const siginfo_t *info)
{
    struct signal_timer *timer = find(info->_sifields._timer._tid);

    if (timer)
        timer->overrun = info->_sifields._timer._overrun;
}

int64_t sys_timer_getoverrun(const struct call *call)
{
    const struct signal_timer *timer = find(call->arg[0]);

    return timer ? timer->overrun : -EINVAL;
}

int64_t sys_timer_delete(const struct call *call)
{
    struct signal_timer *timer = find(call->arg[0]);

    if (!timer)
        return -EINVAL;
    timer_set(&timer->timer, NEVER, 0);
    timers[timer->id] = NULL;
    slab_free(timer);
    return 0;
}
