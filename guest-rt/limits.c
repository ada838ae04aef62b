/* SPDX-License-Identifier: ISC
 *
 * getrlimit(2) and its kin. What a program sets it is told again; only RLIMIT_FSIZE changes what it
 * may do. Limits can be lowered, and soft ones raised up to the hard one.
 */
#include "limits.h"

#include <asm/signal.h>
#include <linux/resource.h>

#include "files.h"

static struct rlimit64 limits[RLIM_NLIMITS];
static uint32_t changed; /* bit N: LIMITS[N] holds something */
static uint64_t file_size = RLIM64_INFINITY;

static struct rlimit64 first_limit(uint64_t resource)
{
    switch (resource) {
    case RLIMIT_STACK:
        return (struct rlimit64){BOOT->stack_top - BOOT->stack_low, RLIM64_INFINITY};
    case RLIMIT_NOFILE:
        return (struct rlimit64){FILES_MAX, FILES_MAX};
    case RLIMIT_CORE:
        return (struct rlimit64){0, 0};
    case RLIMIT_NPROC:
        return (struct rlimit64){1, 1};
    default:
        return (struct rlimit64){RLIM64_INFINITY, RLIM64_INFINITY};
    }
}

static struct rlimit64 limit_of(uint64_t resource)
{
    return changed >> resource & 1 ? limits[resource] : first_limit(resource);
}

static int64_t get_limit(uint64_t resource, uint64_t addr)
{
    struct rlimit64 limit;

    if (resource >= RLIM_NLIMITS)
        return -EINVAL;
    limit = limit_of(resource);
    return user_write(addr, &limit);
}

static int64_t set_limit(uint64_t resource, uint64_t addr)
{
    struct rlimit64 limit;

    if (resource >= RLIM_NLIMITS)
        return -EINVAL;
    if (user_read(&limit, addr) < 0)
        return -EFAULT;
    if (limit.rlim_cur > limit.rlim_max)
        return -EINVAL;
    if (limit.rlim_max > limit_of(resource).rlim_max)
        return -EPERM;
    limits[resource] = limit;
    changed |= 1U << resource;
    if (resource == RLIMIT_FSIZE)
        file_size = limit.rlim_cur;
    return 0;
}

int64_t sys_getrlimit(const struct call *call)
{
    return get_limit((uint32_t)call->arg[0], call->arg[1]);
}

int64_t sys_setrlimit(const struct call *call)
{
    return set_limit((uint32_t)call->arg[0], call->arg[1]);
}

int64_t sys_prlimit64(const struct call *call)
{
    struct rlimit64 old;
    int64_t ret = 0;

    if ((int)call->arg[0] != 0 && (int)call->arg[0] != PID)
        return -ESRCH;
    if ((uint32_t)call->arg[1] >= RLIM_NLIMITS)
        return -EINVAL;
    old = limit_of((uint32_t)call->arg[1]);
    if (call->arg[2])
        ret = set_limit((uint32_t)call->arg[1], call->arg[2]);
    if (ret == 0 && call->arg[3])
        ret = user_write(call->arg[3], &old);
    return ret;
}

bool limits_file_size(void)
{
    return file_size != RLIM64_INFINITY;
}

int64_t limits_room(uint64_t offset)
{
    uint64_t room = offset < file_size ? file_size - offset : 0;

    if (room == 0) {
        signal_raise(SIGXFSZ);
        return -EFBIG;
    }
    return room < INT64_MAX ? (int64_t)room : INT64_MAX;
}

int64_t limits_check_size(uint64_t size)
{
    if (size <= file_size || (int64_t)size < 0) /* which is another error */
        return 0;
    signal_raise(SIGXFSZ);
    return -EFBIG;
}
