/* SPDX-License-Identifier: ISC */
#include "jail.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "embedded.h"
#include "landlock.h"
#include "run.h"

#define MONITOR_MEMORY (160UL << 20) /* symbols.c, the largest user, may take 105 MiB */
#define FIRST_OWN      3             /* the first descriptor after standard error */

static void close_range_(unsigned first, unsigned last)
{
    syscall(SYS_close_range, first, last, 0);
}

static int compare(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;

    return (x > y) - (x < y);
}

#define OWN_OTHERS 6

/* How many descriptors a run may have open. */
static size_t own_descriptors_max(const struct run *run)
{
    return OWN_OTHERS + run->network.policy.publication_count +
           mounts_descriptors(run->mounts, NULL);
}

/*
 * What RUN needs, into FDS; -1 means none. Who opens more before the guest runs adds it here, or it
 * is closed, as /dev/kvm is.
 */
static size_t own_descriptors(const struct run *run, int *fds)
{
    const struct net_policy *policy = &run->network.policy;
    const struct handle *workdir = &run->handles.table[FIRST_OWN];
    const int others[OWN_OTHERS] = {
        run->vm.vm,    run->vm.vcpu,  run->program.image.file.fd,
        run->trace_fd, run->stats.fd, workdir->kind == HUSK_KIND_NONE ? -1 : workdir->dir.fd,
    };
    size_t count = OWN_OTHERS;

    memcpy(fds, others, sizeof(others));
    for (size_t i = 0; i < policy->publication_count; i++)
        fds[count++] = policy->publications[i].fd;
    return count + mounts_descriptors(run->mounts, fds + count);
}

/* Inherited descriptors stay open until here: --trace=/dev/fd/5 may name one. */
static void close_inherited(const struct run *run)
{
    cleanup_free int *fds = run ? calloc(own_descriptors_max(run), sizeof(*fds)) : NULL;
    size_t count = fds ? own_descriptors(run, fds) : 0;
    int next = FIRST_OWN;

    if (fds)
        qsort(fds, count, sizeof(*fds), compare);
    for (size_t i = 0; i < count; i++) {
        if (fds[i] < next)
            continue;
        if (fds[i] > next)
            close_range_((unsigned)next, (unsigned)fds[i] - 1);
        next = fds[i] + 1;
    }
    close_range_((unsigned)next, ~0U);
}

/*
 * From now on the process cannot have more address space than the guest and MONITOR_MEMORY
 * for everything else: malloc fails, whatever the guest brings the monitor to do.
 */
static void limit_memory(const struct run *run)
{
    const rlim_t size = run->memory.mapping_size + MONITOR_MEMORY;

    setrlimit(RLIMIT_AS, &(struct rlimit){size, size});
}

/* The bounding set takes CAP_SETPCAP; without that, no_new_privs keeps it from having an effect. */
static void drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    static const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {0};

    if (syscall(SYS_capget, &header, sets) == 0 && memcmp(sets, none, sizeof(sets)) == 0)
        return;
    if (sets[0].effective & 1U << CAP_SETPCAP)
        for (int capability = 0; prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0; capability++)
            continue;
    syscall(SYS_capset, &header, none);
}

static unsigned grants_of(const struct run *run)
{
    unsigned grants = 0;

    if (!run)
        return 0;
    if (net_policy_is_open(&run->network.policy))
        grants |= JAIL_NETWORK;
    for (size_t i = 0; i < run->options->volume_count; i++)
        grants |= JAIL_FILES | (run->options->volumes[i].writable ? JAIL_WRITE : 0);
    return grants;
}

static int load_filter(unsigned grants)
{
    const struct jail_filter *filters = (const struct jail_filter *)embedded_jail;
    const struct sock_filter *code = (const struct sock_filter *)(filters + JAIL_COMBINATIONS);
    const struct sock_fprog program = {
        .len = (unsigned short)filters[grants].count,
        .filter = (struct sock_filter *)(uintptr_t)(code + filters[grants].first),
    };

    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -errno : 0;
}

void jail_enter(const struct run *run, struct jail_report *report)
{
    int ret;

    *report = (struct jail_report){0};
    close_inherited(run);
    if (run)
        limit_memory(run);
    /* Not the limit alone: it does not hold where cores go to a pipe (core(5)). */
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    drop_capabilities();
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    ret = landlock_enter(run);
    report->landlock_abi = ret < 0 ? 0 : ret;
    report->error[JAIL_LANDLOCK] = ret < 0 ? -ret : 0;
    report->error[JAIL_LANDLOCK_TCP] =
        report->landlock_abi < LANDLOCK_ABI_TCP ? ret < 0 ? -ret : EOPNOTSUPP : 0;
    report->error[JAIL_SECCOMP] = -load_filter(grants_of(run));
}

static const struct {
    const char *name, *advice;
} layers[JAIL_LAYERS] = {
    [JAIL_LANDLOCK] = {"Landlock", "boot with lsm=...,landlock, Linux 5.15 or later"},
    [JAIL_LANDLOCK_TCP] = {"Landlock for TCP", "Linux 6.7 or later has it"},
    [JAIL_SECCOMP] = {"seccomp", "the kernel needs CONFIG_SECCOMP_FILTER"},
};

const char *jail_layer_name(enum jail_layer layer)
{
    return layers[layer].name;
}

const char *jail_layer_advice(enum jail_layer layer)
{
    return layers[layer].advice;
}
