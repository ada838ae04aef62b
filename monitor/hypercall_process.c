/* SPDX-License-Identifier: ISC
 *
 * Hypercalls about the run itself: its end, reports, time, randomness, the terminal.
 */
#include <asm/ioctls.h>
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "hypercall.h"
#include "interrupt.h"
#include "report.h"
#include "trace.h"

#define RANDOM_MAX (1ULL << 20)
#define SECOND     1000000000ULL

int64_t serve_exit(struct run *run, const struct husk_desc *desc)
{
    int signal = desc->arg[1] & 0x7f;

    if (signal)
        report_signal(run, signal);
    run_end(run, signal ? 128 + signal : (int)(desc->arg[0] & 0xff));
    return 0;
}

int64_t serve_fault(struct run *run, const struct husk_desc *desc)
{
    struct husk_fault fault;
    int ret = memory_read(&run->memory, &fault, desc->arg[0], sizeof(fault));

    if (ret < 0)
        return ret;
    report_fault(run, &fault);
    run_end(run, 128 + (int)(fault.signal & 0x7f));
    return 0;
}

int64_t serve_trace(struct run *run, const struct husk_desc *desc)
{
    struct husk_trace record;
    char line[TRACE_LINE_MAX];
    size_t len, done = 0;
    int ret = memory_read(&run->memory, &record, desc->arg[0], sizeof(record));

    if (ret < 0 || run->trace_fd < 0)
        return ret;
    len = trace_format(&run->memory, &record, line);
    while (done < len) {
        ssize_t wrote = write(run->trace_fd, line + done, len - done);

        if (wrote <= 0)
            break;
        done += (size_t)wrote;
    }
    return 0;
}

int64_t serve_mark(struct run *run, const struct husk_desc *desc)
{
    static const char *const names[HUSK_MARK_COUNT] = {
        [HUSK_MARK_FIRST] = "first_instruction",
        [HUSK_MARK_START] = "start",
        [HUSK_MARK_MAIN] = "main",
    };
    struct husk_boot *boot = memory_host(&run->memory, HUSK_BOOT_PAGE);

    if (desc->arg[0] >= HUSK_MARK_COUNT)
        return -EINVAL;
    if (desc->arg[0] == HUSK_MARK_MAIN)
        program_restore_main(&run->memory, boot);
    stats_step(&run->stats, names[desc->arg[0]]);
    return 0;
}

static uint64_t clock_ns(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

int64_t serve_clock(struct run *run, const struct husk_desc *desc)
{
    struct husk_clock clock = {
        .realtime_ns = clock_ns(CLOCK_REALTIME),
        .monotonic_ns = clock_ns(CLOCK_MONOTONIC),
        .boottime_ns = clock_ns(CLOCK_BOOTTIME),
        .cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID),
    };

    vm_enable_clock(&run->vm, &run->memory);
    return memory_write(&run->memory, desc->arg[0], &clock, sizeof(clock));
}

int64_t serve_random(struct run *run, const struct husk_desc *desc)
{
    uint64_t len = desc->arg[1] < RANDOM_MAX ? desc->arg[1] : RANDOM_MAX;
    void *host;
    ssize_t got;

    if (len == 0)
        return 0;
    host = memory_pointer_prefix(&run->memory, desc->arg[0], &len, HUSK_PROT_WRITE);
    if (!host)
        return -EFAULT;
    got = getrandom(host, len, 0);
    return got < 0 ? -errno : got;
}

int64_t serve_fsbase(struct run *run, const struct husk_desc *desc)
{
    if (desc->arg[0] >> 47)
        return -EPERM;
    return vm_set_fs_base(&run->vm, desc->arg[0]);
}

/* The requests of tty_ioctl(2) that a program may need, and how much they copy. TIOCSTI and others
 * that reach beyond this run are not among them. */
int64_t serve_tty(struct run *run, const struct husk_desc *desc)
{
    static const struct {
        unsigned request;
        uint8_t to_host, to_guest; /* bytes; struct termios of the kernel has 36 */
    } known[] = {
        {TCGETS, 0, 36},  {TCSETS, 36, 0},    {TCSETSW, 36, 0},
        {TCSETSF, 36, 0}, {TIOCGWINSZ, 0, 8}, {FIONREAD, 0, 4},
    };
    const struct handle *handle = handles_get(&run->handles, desc->arg[0]);
    uint8_t data[64] = {0};

    if (!handle)
        return -EBADF;
    if (handle->kind != HUSK_KIND_TTY)
        return -ENOTTY;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].request != desc->arg[1])
            continue;
        if (memory_read(&run->memory, data, desc->arg[2], known[i].to_host) < 0 && known[i].to_host)
            return -EFAULT;
        if (ioctl(handle->dir.fd, known[i].request, data) < 0)
            return -errno;
        return known[i].to_guest ? memory_write(&run->memory, desc->arg[2], data, known[i].to_guest)
                                 : 0;
    }
    return -ENOTTY;
}
