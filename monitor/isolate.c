/* SPDX-License-Identifier: ISC */
#include "isolate.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "resolve.h"

/* What keeps others than root from it, on the distributions that do. */
static const char advice[] =
    "run husk as root, or let users have namespaces: sysctl user.max_user_namespaces above 0, "
    "kernel.unprivileged_userns_clone=1 (Debian), "
    "kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu); a container must allow unshare(2) "
    "and mount(2)";

/* With errno set by what the host did not do. */
static int refuse(const char *what, struct husk_error *err)
{
    return error_set(err, STATUS_HUSK, "--isolate: %s: %s; %s", what, strerror(errno), advice);
}

/* ".." from there leads to the host's files, whatever namespace the monitor is in. */
static int check_streams(struct husk_error *err)
{
    struct stat status;

    for (int fd = 0; fd < 3; fd++)
        if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
            return error_set(err, STATUS_HUSK,
                             "--isolate: descriptor %d is a directory, which leads to the host's "
                             "files; redirect it",
                             fd);
    return 0;
}

static int write_file(const char *path, const char *text)
{
    cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

    return fd < 0 || write(fd, text, strlen(text)) < 0 ? -1 : 0;
}

/* A new user namespace grants everything over the caller's own files, modes notwithstanding. */
static int keep_needed_capabilities(void)
{
    const unsigned needed = 1U << CAP_SYS_ADMIN | 1U << CAP_SYS_CHROOT;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {
        {.effective = needed, .permitted = needed}};

    return (int)syscall(SYS_capset, &header, sets);
}

/* user_namespaces(7): without a privilege only the caller's own user and group can be known. */
static int enter_user_namespace(int namespaces, struct husk_error *err)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    char uid_map[40], gid_map[40];

    snprintf(uid_map, sizeof(uid_map), "%u %u 1", uid, uid);
    snprintf(gid_map, sizeof(gid_map), "%u %u 1", gid, gid);
    if (unshare(namespaces | CLONE_NEWUSER) < 0)
        return refuse(errno == ENOSPC ? "no more user namespaces" : "user namespaces", err);
    if (write_file("/proc/self/uid_map", uid_map) < 0 ||
        write_file("/proc/self/setgroups", "deny") < 0 ||
        write_file("/proc/self/gid_map", gid_map) < 0 || keep_needed_capabilities() < 0)
        return refuse("user namespaces", err);
    return 0;
}

int isolate_begin(bool network, struct husk_error *err)
{
    int namespaces = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | (network ? 0 : CLONE_NEWNET);

    if (check_streams(err) < 0)
        return -1;
    if (unshare(namespaces) < 0) {
        if (errno != EPERM)
            return refuse("namespaces", err);
        if (enter_user_namespace(namespaces, err) < 0)
            return -1;
    }
    /* Else root's mounts below would be the host's too, and the host's unmounting ours. */
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return refuse("mounts", err);
    return 0;
}

/* A copy of the mount tree at FD's directory, or of the part below PATH in it. */
static int clone_tree(int fd, const char *path, unsigned flags)
{
    return (int)syscall(SYS_open_tree, fd, path, flags | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

static int isolate_mount(const struct mount *mount, struct husk_error *err)
{
    cleanup_fd int clone = -1;

    /* A file leads nowhere, and what the guest serves is no mount of the host's. */
    if (mount->local || mount->file >= 0)
        return 0;
    clone = clone_tree(mount->fd, "", AT_EMPTY_PATH | AT_RECURSIVE);
    if (clone < 0 && errno == EINVAL)
        return error_set(err, STATUS_HUSK,
                         "--isolate: the directory for %.120s cannot be mounted again: it is in "
                         "another mount namespace, or its mount is unbindable",
                         mount->path);
    if (clone < 0 || dup3(clone, mount->fd, O_CLOEXEC) < 0)
        return refuse("volumes", err);
    return 0;
}

int isolate_mounts(struct mounts *mounts, struct husk_error *err)
{
    for (size_t i = 0; i < mounts->count; i++)
        if (isolate_mount(&mounts->table[i], err) < 0)
            return -1;
    /* Where there is no /proc descriptors cannot be linked, as without --isolate. */
    mounts->descriptors = clone_tree(AT_FDCWD, "/proc/self/fd", 0);
    return 0;
}

static int mount_empty(void)
{
    cleanup_fd int fs = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);

    if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return -1;
    return (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC,
                        MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
                            MOUNT_ATTR_NOEXEC);
}

/*
 * From the current directory, which is mounted over the root. pivot_root(2) tells the trick with
 * two dots, which needs no directory for the old root. On an initial ramfs it does not work, and
 * the old root stays behind the new one, where no path leads.
 */
static int make_root(void)
{
    if (syscall(SYS_pivot_root, ".", ".") == 0)
        return umount2(".", MNT_DETACH);
    return errno == EINVAL ? chroot(".") : -1;
}

int isolate_end(struct husk_error *err)
{
    cleanup_fd int root = mount_empty();

    if (root < 0 || syscall(SYS_move_mount, root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0 ||
        fchdir(root) < 0 || make_root() < 0 || chdir("/") < 0)
        return refuse("an empty root", err);
    return 0;
}
