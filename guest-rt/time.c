/* SPDX-License-Identifier: ISC
 *
 * Clocks and sleep. The host's clocks are asked for now and then; in between KVM's clock page and
 * the time stamp counter tell how much time has passed, without an exit.
 */
#include <asm/unistd.h>
#include <linux/resource.h>
#include <linux/time.h>
#include <linux/times.h>

#include "thread.h"

#define SECOND          1000000000ULL
#define RENEW_AFTER     SECOND          /* clocks of the host are slewed by at most 0.5 ms in it */
#define RENEW_CPU_AFTER (SECOND / 100)  /* others may take the processor from the vCPU */
#define JITTER          (SECOND / 1000) /* a clock that went back less than this did not */
#define TICKS           100             /* USER_HZ */

/* struct pvclock_vcpu_time_info, Documentation/virt/kvm/x86/msr.rst. */
struct clock_page {
    uint32_t version;
    uint32_t pad0;
    uint64_t tsc_timestamp;
    uint64_t system_time;
    uint32_t tsc_to_system_mul;
    int8_t tsc_shift;
    uint8_t flags;
    uint8_t pad[2];
};

static struct husk_clock host; /* the host's clocks when local_then was read */
static uint64_t local_then;    /* 0: not yet */
static bool cpu_stale = true;
static struct husk_clock shown; /* the latest answers */

static uint64_t read_tsc(void)
{
    uint32_t low, high;

    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return low | (uint64_t)high << 32;
}

/* Nanoseconds of KVM's clock, or 0 while there is none. */
static uint64_t local_now(void)
{
    const volatile struct clock_page *page = (const volatile struct clock_page *)HUSK_CLOCK_PAGE;
    uint64_t delta, now;
    uint32_t version;

    do {
        version = page->version;
        if (version == 0)
            return 0;
        delta = read_tsc() - page->tsc_timestamp;
        delta = page->tsc_shift >= 0 ? delta << page->tsc_shift : delta >> -page->tsc_shift;
        now = page->system_time +
              (uint64_t)((unsigned __int128)delta * page->tsc_to_system_mul >> 32);
    } while (version & 1 || version != page->version);
    return now;
}

static void never_back(uint64_t *value, uint64_t *latest, uint64_t tolerance)
{
    if (*value < *latest && *latest - *value < tolerance)
        *value = *latest;
    *latest = *value;
}

/* The time that has passed since the host's clocks were read; false: they must be read anew. */
static bool elapsed_since(uint64_t *elapsed)
{
    uint64_t local = local_now();

    *elapsed = local - local_then;
    return local != 0 && local_then != 0 && *elapsed <= RENEW_AFTER;
}

static struct husk_clock clocks_after(uint64_t elapsed)
{
    struct husk_clock now = {
        .realtime_ns = host.realtime_ns + elapsed,
        .monotonic_ns = host.monotonic_ns + elapsed,
        .boottime_ns = host.boottime_ns + elapsed,
        .cpu_ns = host.cpu_ns + elapsed,
    };

    never_back(&now.realtime_ns, &shown.realtime_ns, JITTER);
    never_back(&now.monotonic_ns, &shown.monotonic_ns, UINT64_MAX);
    never_back(&now.boottime_ns, &shown.boottime_ns, UINT64_MAX);
    return now;
}

static struct husk_clock read_clocks(bool need_cpu)
{
    struct husk_clock now;
    uint64_t elapsed;

    if (!elapsed_since(&elapsed) || (need_cpu && (cpu_stale || elapsed > RENEW_CPU_AFTER))) {
        HYPERCALL(HUSK_OP_CLOCK, &host);
        local_then = local_now();
        cpu_stale = false;
        elapsed = 0;
    }
    now = clocks_after(elapsed);
    if (need_cpu)
        never_back(&now.cpu_ns, &shown.cpu_ns, UINT64_MAX);
    return now;
}

static int64_t call_linux(uint64_t number, uint64_t arg0, void *arg1)
{
    int64_t result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(arg0), "S"(arg1)
                     : "rcx", "r11", "memory");
    return result;
}

/*
 * The functions of the vDSO. The application calls them, on its stack; guest-rt's data is as safe
 * as ever, since nothing interrupts code in the window.
 */
int vdso_clock_gettime(int id, struct timespec *time)
{
    struct husk_clock now;
    uint64_t elapsed, ns;

    if (!elapsed_since(&elapsed))
        return (int)call_linux(__NR_clock_gettime, id, time);
    now = clocks_after(elapsed);
    switch (id) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
        ns = now.realtime_ns;
        break;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_MONOTONIC_RAW:
        ns = now.monotonic_ns;
        break;
    case CLOCK_BOOTTIME:
        ns = now.boottime_ns;
        break;
    default:
        return (int)call_linux(__NR_clock_gettime, id, time);
    }
    *time = (struct timespec){.tv_sec = ns / SECOND, .tv_nsec = ns % SECOND};
    return 0;
}

int vdso_gettimeofday(struct timeval *time, struct timezone *zone)
{
    struct timespec now;

    vdso_clock_gettime(CLOCK_REALTIME, &now);
    if (time)
        *time = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    if (zone)
        *zone = (struct timezone){0};
    return 0;
}

uint64_t clock_monotonic(void)
{
    return read_clocks(false).monotonic_ns;
}

uint64_t clock_realtime(void)
{
    return read_clocks(false).realtime_ns;
}

void clock_slept(void)
{
    cpu_stale = true;
}

uint64_t clock_cpu(void)
{
    return read_clocks(true).cpu_ns;
}

/* CPU clocks by number: clock_getcpuclockid(3). Bits 0 and 1 are the kind, of which Linux has 3. */
static int64_t cpu_clock_of(int id, uint64_t *ns)
{
    const int of_thread = 4, kind = 3;
    int32_t number = ~id >> 3;
    struct thread *thread = number ? thread_find(number) : current;

    if ((id & kind) == kind || (id & of_thread ? !thread : number && number != PID))
        return -EINVAL;
    *ns = id & of_thread ? thread_cpu_time(thread) : clock_cpu();
    return 0;
}

int64_t clock_of(uint64_t id, uint64_t *ns)
{
    struct husk_clock now;

    switch ((int)id) {
    case CLOCK_PROCESS_CPUTIME_ID:
        *ns = clock_cpu();
        return 0;
    case CLOCK_THREAD_CPUTIME_ID:
        *ns = thread_cpu_time(current);
        return 0;
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI:
        now = read_clocks(false);
        *ns = now.realtime_ns;
        return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
        now = read_clocks(false);
        *ns = now.monotonic_ns;
        return 0;
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
        now = read_clocks(false);
        *ns = now.boottime_ns;
        return 0;
    }
    return (int)id < 0 ? cpu_clock_of((int)id, ns) : -EINVAL;
}

int64_t sys_clock_gettime(const struct call *call)
{
    struct timespec result;
    uint64_t ns;
    int64_t ret = clock_of(call->arg[0], &ns);

    if (ret < 0)
        return ret;
    result = (struct timespec){.tv_sec = ns / SECOND, .tv_nsec = ns % SECOND};
    return user_write(call->arg[1], &result);
}

int64_t sys_clock_getres(const struct call *call)
{
    struct timespec result = {.tv_nsec = 1};
    uint64_t ns;
    int64_t ret = clock_of(call->arg[0], &ns);

    if (ret < 0 || !call->arg[1])
        return ret;
    return user_write(call->arg[1], &result);
}

int64_t sys_gettimeofday(const struct call *call)
{
    uint64_t ns = read_clocks(false).realtime_ns;
    struct timeval now = {.tv_sec = ns / SECOND, .tv_usec = ns % SECOND / 1000};
    struct timezone zone = {0};

    if (call->arg[0] && user_write(call->arg[0], &now) < 0)
        return -EFAULT;
    return call->arg[1] ? user_write(call->arg[1], &zone) : 0;
}

int64_t sys_time(const struct call *call)
{
    int64_t now = read_clocks(false).realtime_ns / SECOND;

    if (call->arg[0] && user_write(call->arg[0], &now) < 0)
        return -EFAULT;
    return now;
}

int64_t sys_times(const struct call *call)
{
    struct tms tms = {.tms_utime = clock_cpu() / (SECOND / TICKS)};

    if (call->arg[0] && user_write(call->arg[0], &tms) < 0)
        return -EFAULT;
    return clock_monotonic() / (SECOND / TICKS);
}

int64_t sys_getrusage(const struct call *call)
{
    struct rusage usage = {0};
    uint64_t ns;

    switch ((int)call->arg[0]) {
    case RUSAGE_SELF:
    case RUSAGE_THREAD:
        ns = (int)call->arg[0] == RUSAGE_THREAD ? thread_cpu_time(current) : clock_cpu();
        usage.ru_utime.tv_sec = ns / SECOND;
        usage.ru_utime.tv_usec = ns % SECOND / 1000;
        break;
    case RUSAGE_CHILDREN:
        break;
    default:
        return -EINVAL;
    }
    return user_write(call->arg[1], &usage);
}

/* 0, or -EINTR. */
static int64_t sleep_until(uint64_t deadline)
{
    int64_t ret;

    do
        ret = thread_sleep(deadline);
    while (ret == 0);
    return ret == -ETIMEDOUT ? 0 : ret;
}

static int64_t read_timespec(uint64_t addr, uint64_t *ns)
{
    struct timespec time;

    if (user_read(&time, addr) < 0)
        return -EFAULT;
    if (time.tv_sec < 0 || (uint64_t)time.tv_nsec >= SECOND)
        return -EINVAL;
    if ((uint64_t)time.tv_sec >= INT64_MAX / SECOND)
        *ns = INT64_MAX;
    else
        *ns = time.tv_sec * SECOND + time.tv_nsec;
    return 0;
}

/* Sleep for NS and write what is left to REMAINING if a signal came. */
static int64_t sleep_relative(uint64_t ns, uint64_t remaining)
{
    uint64_t until = deadline_in(ns), now;
    struct timespec left;
    int64_t ret = sleep_until(until);

    if (ret != -EINTR || !remaining)
        return ret;
    now = clock_monotonic();
    ns = now < until ? until - now : 0;
    left = (struct timespec){.tv_sec = ns / SECOND, .tv_nsec = ns % SECOND};
    return user_write(remaining, &left) < 0 ? -EFAULT : ret;
}

int64_t sys_nanosleep(const struct call *call)
{
    uint64_t ns;
    int64_t ret = read_timespec(call->arg[0], &ns);

    return ret < 0 ? ret : sleep_relative(ns, call->arg[1]);
}

int64_t sys_clock_nanosleep(const struct call *call)
{
    const uint64_t absolute = 1; /* TIMER_ABSTIME */
    uint64_t ns = 0, now = 0;
    int64_t ret;

    if (call->arg[0] == CLOCK_THREAD_CPUTIME_ID || call->arg[1] & ~absolute)
        return -EINVAL;
    ret = clock_of(call->arg[0], &now);
    if (ret == 0)
        ret = read_timespec(call->arg[2], &ns);
    if (ret < 0)
        return ret;
    if (!(call->arg[1] & absolute))
        return sleep_relative(ns, call->arg[3]);
    return ns > now ? sleep_until(deadline_in(ns - now)) : 0;
}
