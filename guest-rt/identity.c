/* SPDX-License-Identifier: ISC */
#include "identity.h"

#include <linux/capability.h>

#define UNCHANGED  UINT32_MAX
#define GROUPS_MAX 32

static struct identity user, group;
static uint32_t groups[GROUPS_MAX];
static uint32_t group_count;
static bool known;

static void know(void)
{
    if (known)
        return;
    known = true;
    user = (struct identity){BOOT->uid, BOOT->euid, BOOT->euid};
    group = (struct identity){BOOT->gid, BOOT->egid, BOOT->egid};
}

const struct identity *user_identity(void)
{
    know();
    return &user;
}

const struct identity *group_identity(void)
{
    know();
    return &group;
}

/* As Linux, for a process with no other capabilities than those of its effective user. */
static bool is_privileged(void)
{
    return user_identity()->effective == 0;
}

static bool may_become(const struct identity *identity, uint32_t id)
{
    return is_privileged() || id == UNCHANGED || id == identity->real ||
           id == identity->effective || id == identity->saved;
}

static uint32_t choose(uint32_t id, uint32_t old)
{
    return id == UNCHANGED ? old : id;
}

static int64_t set_all(struct identity *identity, uint32_t real, uint32_t effective, uint32_t saved)
{
    know();
    if (!may_become(identity, real) || !may_become(identity, effective) ||
        !may_become(identity, saved))
        return -EPERM;
    *identity =
        (struct identity){choose(real, identity->real), choose(effective, identity->effective),
                          choose(saved, identity->saved)};
    return 0;
}

/* setreuid(2): the saved one follows if the real one is set, or the effective one to another. */
static int64_t set_two(struct identity *identity, uint32_t real, uint32_t effective)
{
    bool follows;

    know();
    if (!is_privileged() && real != UNCHANGED && real != identity->real &&
        real != identity->effective)
        return -EPERM;
    follows = real != UNCHANGED || (effective != UNCHANGED && effective != identity->real);
    return set_all(identity, real, effective,
                   follows ? choose(effective, identity->effective) : UNCHANGED);
}

static int64_t set_one(struct identity *identity, uint32_t id)
{
    know();
    if (id == UNCHANGED)
        return -EINVAL;
    if (is_privileged())
        return set_all(identity, id, id, id);
    return id == identity->real || id == identity->saved
               ? set_all(identity, UNCHANGED, id, UNCHANGED)
               : -EPERM;
}

/* setfsuid(2): it has no effect of its own here, and tells what it was. */
static int64_t set_for_files(const struct identity *identity)
{
    return identity->effective;
}

int64_t sys_setuid(const struct call *call)
{
    return set_one(&user, call->arg[0]);
}

int64_t sys_setgid(const struct call *call)
{
    return set_one(&group, call->arg[0]);
}

int64_t sys_setreuid(const struct call *call)
{
    return set_two(&user, call->arg[0], call->arg[1]);
}

int64_t sys_setregid(const struct call *call)
{
    return set_two(&group, call->arg[0], call->arg[1]);
}

int64_t sys_setresuid(const struct call *call)
{
    return set_all(&user, call->arg[0], call->arg[1], call->arg[2]);
}

int64_t sys_setresgid(const struct call *call)
{
    return set_all(&group, call->arg[0], call->arg[1], call->arg[2]);
}

int64_t sys_setfsuid(const struct call *call)
{
    (void)call;
    return set_for_files(user_identity());
}

int64_t sys_setfsgid(const struct call *call)
{
    (void)call;
    return set_for_files(group_identity());
}

int64_t sys_getuid(const struct call *call)
{
    (void)call;
    return user_identity()->real;
}

int64_t sys_geteuid(const struct call *call)
{
    (void)call;
    return user_identity()->effective;
}

int64_t sys_getgid(const struct call *call)
{
    (void)call;
    return group_identity()->real;
}

int64_t sys_getegid(const struct call *call)
{
    (void)call;
    return group_identity()->effective;
}

static int64_t put(const struct call *call, const struct identity *identity)
{
    if (user_write(call->arg[0], &identity->real) < 0 ||
        user_write(call->arg[1], &identity->effective) < 0 ||
        user_write(call->arg[2], &identity->saved) < 0)
        return -EFAULT;
    return 0;
}

int64_t sys_getresuid(const struct call *call)
{
    return put(call, user_identity());
}

int64_t sys_getresgid(const struct call *call)
{
    return put(call, group_identity());
}

int64_t sys_getgroups(const struct call *call)
{
    int32_t size = (int32_t)call->arg[0];

    if (size < 0 || (size > 0 && (uint32_t)size < group_count))
        return -EINVAL;
    if (size > 0 && user_copy((void *)call->arg[1], groups, group_count * sizeof(groups[0])) < 0)
        return -EFAULT;
    return group_count;
}

int64_t sys_setgroups(const struct call *call)
{
    uint64_t count = (uint32_t)call->arg[0];

    if (!is_privileged())
        return -EPERM;
    if (count > GROUPS_MAX)
        return -EINVAL;
    if (user_copy(groups, (const void *)call->arg[1], count * sizeof(groups[0])) < 0)
        return -EFAULT;
    group_count = count;
    return 0;
}

/* There are none, also for root: what they would allow is the host's business. */
int64_t sys_capget(const struct call *call)
{
    static const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];
    struct __user_cap_header_struct header;

    if (user_read(&header, call->arg[0]) < 0)
        return -EFAULT;
    if (header.version != _LINUX_CAPABILITY_VERSION_3) {
        header.version = _LINUX_CAPABILITY_VERSION_3;
        if (user_write(call->arg[0], &header) < 0)
            return -EFAULT;
        return call->arg[1] ? -EINVAL : 0;
    }
    if (header.pid != 0 && header.pid != PID)
        return -ESRCH;
    return call->arg[1] ? user_write(call->arg[1], &none) : 0;
}

int64_t sys_capset(const struct call *call)
{
    struct __user_cap_data_struct wanted[_LINUX_CAPABILITY_U32S_3];

    if (user_read(&wanted, call->arg[1]) < 0)
        return -EFAULT;
    for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
        if (wanted[i].effective | wanted[i].permitted | wanted[i].inheritable)
            return -EPERM;
    return 0;
}

/* Calls that change the machine, which nobody here may. */
int64_t sys_forbidden(const struct call *call)
{
    (void)call;
    return -EPERM;
}

/* Extended attributes: no file has any (paths.c lists them). */
int64_t sys_unsupported(const struct call *call)
{
    (void)call;
    return -EOPNOTSUPP;
}

/* splice(2) and its like: programs that are told so read and write instead. */
int64_t sys_no_splice(const struct call *call)
{
    (void)call;
    return -EINVAL;
}
