/* SPDX-License-Identifier: ISC */
#include "landlock.h"

#include <errno.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "resolve.h"
#include "run.h"

/* linux/landlock.h of 6.18; Debian 12's ends at ABI 2. */
#define ACCESS_FS_TRUNCATE  (1ULL << 14) /* since ABI 3 */
#define ACCESS_FS_IOCTL_DEV (1ULL << 15) /* 5 */
#define ACCESS_NET_BIND     1ULL         /* 4: TCP */
#define ACCESS_NET_CONNECT  2ULL         /* 4 */
#define RULE_NET_PORT       2            /* enum landlock_rule_type */
#define SCOPE_BOTH          3            /* 6: abstract sockets and signals */

struct ruleset {
    uint64_t access_fs, access_net, scoped;
};

struct net_port_rule {
    uint64_t allowed_access, port;
};

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* To rename a device, FIFO or socket takes the right to make one; the seccomp filter lets none be
 * made. */
#define WRITE                                                                                      \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                               \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | \
     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |   \
     LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER |      \
     ACCESS_FS_TRUNCATE)

/* Every right that this ABI knows. */
static struct ruleset all_rights(long abi)
{
    struct ruleset rights = {.access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};

    if (abi >= 2)
        rights.access_fs |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3)
        rights.access_fs |= ACCESS_FS_TRUNCATE;
    if (abi >= 5)
        rights.access_fs |= ACCESS_FS_IOCTL_DEV;
    if (abi >= LANDLOCK_ABI_TCP)
        rights.access_net = ACCESS_NET_BIND | ACCESS_NET_CONNECT;
    if (abi >= 6)
        rights.scoped = SCOPE_BOTH;
    return rights;
}

static size_t ruleset_size(long abi)
{
    if (abi >= 6)
        return sizeof(struct ruleset);
    return abi >= LANDLOCK_ABI_TCP ? offsetof(struct ruleset, scoped)
                                   : offsetof(struct ruleset, access_net);
}

/* Devices and FIFOs of a read-only mount can be written to, as on Linux. */
static uint64_t rights_of(const struct mount *mount)
{
    return READ | (mount->writable ? WRITE : 0) |
           (mount->devices ? LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_FS_IOCTL_DEV : 0);
}

/* A mounted file was opened before, and is never opened again: it needs no rule. */
static int allow_mounts(int ruleset, const struct mounts *mounts, uint64_t known)
{
    for (size_t i = 0; i < mounts->count; i++) {
        const struct mount *mount = &mounts->table[i];
        const struct landlock_path_beneath_attr rule = {
            .allowed_access = rights_of(mount) & known,
            .parent_fd = mount->fd,
        };

        if (mount->local || mount->file >= 0)
            continue;
        if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
            return -errno;
    }
    return 0;
}

static int allow_port(int ruleset, uint16_t port)
{
    const struct net_port_rule rule = {ACCESS_NET_CONNECT, port};

    return syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) < 0 ? -errno : 0;
}

/* Landlock knows ports, not addresses: net_policy.c sees to those. */
static int allow_ports(int ruleset, const struct net_policy *policy)
{
    int ret = 0;

    for (size_t i = 0; ret == 0 && i < policy->permit_count; i++)
        ret = allow_port(ruleset, policy->permits[i].port);
    for (size_t i = 0; ret == 0 && i < policy->publication_count; i++)
        if (policy->publications[i].protocol == NET_TCP)
            ret = allow_port(ruleset, policy->publications[i].host.port);
    return ret;
}

static bool allows_any_port(const struct net_policy *policy)
{
    for (size_t i = 0; i < policy->permit_count; i++)
        if (policy->permits[i].port == 0)
            return true;
    return false;
}

static int allow_grants(int ruleset, const struct ruleset *rights, const struct run *run)
{
    int ret = allow_mounts(ruleset, run->mounts, rights->access_fs);

    if (ret == 0 && rights->access_net & ACCESS_NET_CONNECT)
        ret = allow_ports(ruleset, &run->network.policy);
    return ret;
}

int landlock_enter(const struct run *run)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    struct ruleset rights;
    cleanup_fd int ruleset = -1;
    int ret;

    if (abi < 1)
        return abi < 0 ? -errno : -EOPNOTSUPP;
    rights = all_rights(abi);
    if (run && allows_any_port(&run->network.policy))
        rights.access_net &= ~ACCESS_NET_CONNECT;
    ruleset = (int)syscall(SYS_landlock_create_ruleset, &rights, ruleset_size(abi), 0);
    if (ruleset < 0)
        return -errno;
    ret = run ? allow_grants(ruleset, &rights, run) : 0;
    if (ret == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
        ret = -errno;
    return ret < 0 ? ret : (int)abi;
}
