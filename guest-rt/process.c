/* SPDX-License-Identifier: ISC
 *
 * The one process that there is: who it is, what it may use, how it ends.
 */
#include <asm/prctl.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/random.h>
#include <linux/resource.h>
#include <linux/sysinfo.h>
#include <linux/utsname.h>

#include "files.h"
#include "thread.h"
#include "vma.h"

_Noreturn void rt_exit(uint64_t status, uint64_t signal)
{
    for (;;)
        HYPERCALL(HUSK_OP_EXIT, status & 0xff, signal);
}

int64_t sys_exit_group(const struct call *call)
{
    rt_exit(call->arg[0], 0);
}

static bool is_own_pid(uint64_t pid)
{
    return (int)pid == 0 || (int)pid == PID;
}

int64_t sys_getpid(const struct call *call)
{
    (void)call;
    return PID;
}

int64_t sys_getppid(const struct call *call)
{
    (void)call;
    return PARENT_PID;
}

int64_t sys_getpgrp(const struct call *call)
{
    (void)call;
    return PID;
}

int64_t sys_getpgid(const struct call *call)
{
    return is_own_pid(call->arg[0]) ? PID : -ESRCH;
}

int64_t sys_getsid(const struct call *call)
{
    return is_own_pid(call->arg[0]) ? PID : -ESRCH;
}

/* It leads its session and its group, where it is alone. */
int64_t sys_setsid(const struct call *call)
{
    (void)call;
    return -EPERM;
}

int64_t sys_setpgid(const struct call *call)
{
    if ((int)call->arg[1] < 0)
        return -EINVAL;
    if (!is_own_pid(call->arg[0]))
        return -ESRCH;
    return is_own_pid(call->arg[1]) ? 0 : -EPERM;
}

/* It has no children. */
int64_t sys_wait4(const struct call *call)
{
    const uint64_t options = 0xe000000b; /* WNOHANG, WUNTRACED, WCONTINUED and those of clones */

    return call->arg[2] & ~options ? -EINVAL : -ECHILD;
}

int64_t sys_waitid(const struct call *call)
{
    const uint64_t kinds = 0xe; /* WEXITED, WSTOPPED, WCONTINUED */

    return call->arg[3] & kinds ? -ECHILD : -EINVAL;
}

/* Linux's own, and nothing that other personalities would change. */
int64_t sys_personality(const struct call *call)
{
    return (uint32_t)call->arg[0] == 0 || (uint32_t)call->arg[0] == UINT32_MAX ? 0 : -EINVAL;
}

int64_t sys_uname(const struct call *call)
{
    static const struct new_utsname name = {
        .sysname = "Linux",
        .nodename = "husk",
        .release = "6.1.0-husk",
        .version = "husk",
        .machine = "x86_64",
        .domainname = "(none)",
    };

    return user_write(call->arg[0], &name);
}

int64_t sys_sysinfo(const struct call *call)
{
    uint64_t held = vma_held();
    struct sysinfo info = {
        .uptime = clock_monotonic() / 1000000000,
        .totalram = BOOT->ram_size,
        .freeram = held < BOOT->ram_size ? BOOT->ram_size - held : 0,
        .procs = thread_count,
        .mem_unit = 1,
    };

    return user_write(call->arg[0], &info);
}

int64_t sys_arch_prctl(const struct call *call)
{
    if (call->arg[0] == ARCH_GET_FS) {
        uint64_t base = fs_base_get();

        return user_write(call->arg[1], &base);
    }
    if (call->arg[0] != ARCH_SET_FS)
        return -EINVAL;
    if (call->arg[1] >> 47)
        return -EPERM;
    fs_base_set(call->arg[1]);
    return 0;
}

/* A function of its own: each start calls it, and should not touch what else prctl needs. */
int64_t thread_set_name(guest_addr_t name)
{
    long len = user_scan((const char *)name, sizeof(current->name) - 1);

    if (len < 0 || user_copy(current->name, (const char *)name, len) < 0)
        return -EFAULT;
    current->name[len] = 0;
    return 0;
}

/* What is set, is told again, and changes nothing where there is one process. */
static int64_t keep(uint32_t *kept, const struct call *call, uint64_t most)
{
    if (call->arg[1] > most)
        return -EINVAL;
    *kept = call->arg[1];
    return 0;
}

int64_t sys_prctl(const struct call *call)
{
    static uint32_t parent_death_signal, subreaper, keep_capabilities;

    switch (call->arg[0]) {
    case PR_SET_PDEATHSIG:
        return keep(&parent_death_signal, call, 64);
    case PR_GET_PDEATHSIG:
        return user_write(call->arg[1], &parent_death_signal);
    case PR_SET_CHILD_SUBREAPER:
        subreaper = call->arg[1] != 0;
        return 0;
    case PR_GET_CHILD_SUBREAPER:
        return user_write(call->arg[1], &subreaper);
    case PR_SET_KEEPCAPS:
        return keep(&keep_capabilities, call, 1);
    case PR_GET_KEEPCAPS:
        return keep_capabilities;
    case PR_SET_THP_DISABLE:
    case PR_SET_TIMERSLACK:
    case PR_GET_SECCOMP:
        return 0;
    case PR_GET_TIMERSLACK:
        return 50000; /* nanoseconds; prctl(2) */
    case PR_CAPBSET_READ:
        return call->arg[1] > CAP_LAST_CAP ? -EINVAL : 0;
    case PR_SET_NAME:
        return thread_set_name(call->arg[1]);
    case PR_GET_NAME:
        return user_write(call->arg[1], &current->name);
    case PR_GET_DUMPABLE:
    case PR_SET_DUMPABLE:
        return 0;
    case PR_GET_NO_NEW_PRIVS:
    case PR_SET_NO_NEW_PRIVS:
        return call->arg[0] == PR_GET_NO_NEW_PRIVS;
    default:
        return -EINVAL;
    }
}

int64_t sys_getrandom(const struct call *call)
{
    const uint64_t chunk = 1 << 20;
    uint64_t addr = call->arg[0], left = call->arg[1];

    if (call->arg[2] & ~(uint64_t)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE) ||
        (call->arg[2] & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
        return -EINVAL;
    if (left > INT32_MAX)
        left = INT32_MAX;
    while (left > 0) {
        int64_t got = HYPERCALL(HUSK_OP_RANDOM, addr, left < chunk ? left : chunk);

        if (got <= 0)
            return addr > call->arg[0] ? (int64_t)(addr - call->arg[0]) : got;
        addr += got;
        left -= got;
    }
    return addr - call->arg[0];
}
