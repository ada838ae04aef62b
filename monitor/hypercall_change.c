/* SPDX-License-Identifier: ISC
 *
 * Hypercalls that change names and attributes of files. mounts.h decides what a path may reach, and
 * what may be changed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cleanup.h"
#include "hypercall.h"

/* What the attribute operations act on: an open handle (fd), or else a path. */
struct target {
    int fd;
    struct path_argument path;
    int flags; /* AT_SYMLINK_NOFOLLOW or 0 */
};

/* "dir, path, length" and AT_ FLAGS. CHANGE: the handle's mount must be writable. */
static int get_target(struct run *run, const struct husk_desc *desc, uint64_t flags, bool change,
                      struct target *target)
{
    const struct handle *handle;

    target->fd = -1;
    target->flags = (int)flags & AT_SYMLINK_NOFOLLOW;
    if (!(flags & AT_EMPTY_PATH) || desc->arg[2] > 0)
        return hypercall_get_path(run, desc->arg[0], desc->arg[1], desc->arg[2], &target->path);
    handle = handles_get(&run->handles, desc->arg[0]);
    if (!handle)
        return -EBADF;
    if (change && !handle->writable)
        return -EROFS;
    target->fd = handle->dir.fd;
    /* A directory of the name space has no descriptor. */
    target->path.dir = &handle->dir;
    strcpy(target->path.text, ".");
    return 0;
}

static int64_t result(long returned)
{
    return returned < 0 ? -errno : 0;
}

int64_t serve_mkdir(struct run *run, const struct husk_desc *desc)
{
    uncleared struct path_argument path;
    int ret = hypercall_get_path(run, desc->arg[0], desc->arg[1], desc->arg[2], &path);

    return ret < 0 ? ret : mounts_mkdir(run->mounts, path.dir, path.text, (mode_t)desc->arg[3]);
}

int64_t serve_unlink(struct run *run, const struct husk_desc *desc)
{
    uncleared struct path_argument path;
    int ret = hypercall_get_path(run, desc->arg[0], desc->arg[1], desc->arg[2], &path);

    return ret < 0 ? ret : mounts_unlink(run->mounts, path.dir, path.text, (int)desc->arg[3]);
}

int64_t serve_symlink(struct run *run, const struct husk_desc *desc)
{
    uncleared struct path_argument path, target;
    int ret = hypercall_get_path(run, desc->arg[0], desc->arg[1], desc->arg[2], &path);

    if (ret == 0)
        ret = hypercall_get_path(run, HUSK_DIR_ROOT, desc->arg[3], desc->arg[4], &target);
    return ret < 0 ? ret : mounts_symlink(run->mounts, target.text, path.dir, path.text);
}

/* One of "&from, &to". */
static int get_husk_path(struct run *run, guest_addr_t addr, struct husk_path *path)
{
    return memory_read(&run->memory, path, addr, sizeof(*path));
}

static int get_indirect_path(struct run *run, guest_addr_t addr, struct path_argument *argument)
{
    struct husk_path path;
    int ret = get_husk_path(run, addr, &path);

    return ret < 0 ? ret : hypercall_get_path(run, path.dir, path.addr, path.len, argument);
}

static int get_two_paths(struct run *run, const struct husk_desc *desc, struct path_argument two[2])
{
    int ret = get_indirect_path(run, desc->arg[0], &two[0]);

    return ret < 0 ? ret : get_indirect_path(run, desc->arg[1], &two[1]);
}

/* Open directories keep their names in step: ".." starts from them. */
static void follow_rename(struct run *run, const struct renamed *renamed, bool exchanged)
{
    static const char aside[] = "//"; /* a name that no directory has */

    if (exchanged)
        handles_rename(&run->handles, renamed->to, aside);
    handles_rename(&run->handles, renamed->from, renamed->to);
    if (exchanged)
        handles_rename(&run->handles, aside, renamed->from);
}

int64_t serve_rename(struct run *run, const struct husk_desc *desc)
{
    uncleared struct path_argument two[2];
    uncleared struct renamed renamed;
    int ret = get_two_paths(run, desc, two);

    if (ret == 0)
        ret = mounts_rename(run->mounts, two[0].dir, two[0].text, two[1].dir, two[1].text,
                            (unsigned)desc->arg[2], &renamed);
    if (ret == 0)
        follow_rename(run, &renamed, desc->arg[2] & RENAME_EXCHANGE);
    return ret;
}

/* linkat of what is open: a directory of the name space is one that cannot be linked. */
static int64_t link_handle(struct run *run, uint64_t number, guest_addr_t to)
{
    const struct handle *handle = handles_get(&run->handles, number);
    uncleared struct path_argument path;
    int ret;

    if (!handle && number != HUSK_DIR_ROOT)
        return -EBADF;
    ret = get_indirect_path(run, to, &path);
    if (ret < 0)
        return ret;
    if (!handle || handle->dir.fd < 0)
        return -EPERM;
    return mounts_link_opened(run->mounts, handle->mount, handle->dir.fd, path.dir, path.text);
}

int64_t serve_link(struct run *run, const struct husk_desc *desc)
{
    uncleared struct path_argument two[2];
    struct husk_path from;
    int ret = get_husk_path(run, desc->arg[0], &from);

    if (ret == 0 && desc->arg[2] & AT_EMPTY_PATH && from.len == 0)
        return link_handle(run, from.dir, desc->arg[1]);
    if (ret == 0)
        ret = get_two_paths(run, desc, two);
    return ret < 0 ? ret
                   : mounts_link(run->mounts, two[0].dir, two[0].text, two[1].dir, two[1].text,
                                 (int)desc->arg[2] & ~AT_EMPTY_PATH);
}

int64_t serve_chmod(struct run *run, const struct husk_desc *desc)
{
    mode_t mode = (mode_t)desc->arg[3] & 07777;
    uncleared struct target target;
    int ret = get_target(run, desc, desc->arg[4], true, &target);

    if (ret < 0)
        return ret;
    if (target.fd >= 0)
        return mounts_chmod_opened(run->mounts, target.fd, mode);
    return mounts_chmod(run->mounts, target.path.dir, target.path.text, mode, target.flags);
}

int64_t serve_chown(struct run *run, const struct husk_desc *desc)
{
    uid_t uid = (uid_t)desc->arg[3];
    gid_t gid = (gid_t)(desc->arg[3] >> 32);
    uncleared struct target target;
    int ret = get_target(run, desc, desc->arg[4], true, &target);

    if (ret < 0)
        return ret;
    if (target.fd >= 0)
        return result(fchownat(target.fd, "", uid, gid, AT_EMPTY_PATH));
    return mounts_chown(run->mounts, target.path.dir, target.path.text, uid, gid, target.flags);
}

int64_t serve_utimes(struct run *run, const struct husk_desc *desc)
{
    struct timespec times[2];
    uncleared struct target target;
    int ret = get_target(run, desc, desc->arg[4], true, &target);

    if (ret < 0)
        return ret;
    if (desc->arg[3] && memory_read(&run->memory, times, desc->arg[3], sizeof(times)) < 0)
        return -EFAULT;
    if (target.fd >= 0)
        return result(
            syscall(SYS_utimensat, target.fd, "", desc->arg[3] ? times : NULL, AT_EMPTY_PATH));
    return mounts_utimes(run->mounts, target.path.dir, target.path.text,
                         desc->arg[3] ? times : NULL, target.flags);
}

/* A FIFO must not block. */
#define TRUNCATE_FLAGS (O_WRONLY | O_NONBLOCK)

/*
 * The handle of the file at PATH if the guest may have record locks on it; else NULL. Closing a
 * descriptor that is opened here would end them.
 */
static struct handle *find_locked(struct run *run, const struct path_argument *path)
{
    struct statx stx;

    if (!run->handles.locks_records ||
        mounts_stat(run->mounts, path->dir, path->text, 0, STATX_INO, &stx) < 0)
        return NULL;
    return handles_find_file(&run->handles, makedev(stx.stx_dev_major, stx.stx_dev_minor),
                             stx.stx_ino);
}

static int64_t truncate_path(struct run *run, const struct path_argument *path, off_t size)
{
    struct handle *locked = find_locked(run, path);
    struct opened opened;
    int64_t ret;

    if (locked && locked->writer >= 0) {
        ret = mounts_access(run->mounts, path->dir, path->text, W_OK, 0);
        return ret < 0 ? ret : result(ftruncate(locked->writer, size));
    }
    ret = mounts_open(run->mounts, path->dir, path->text, TRUNCATE_FLAGS, 0, &opened);
    if (ret < 0)
        return ret;
    free(opened.path);
    ret = result(ftruncate(opened.fd, size));
    if (locked)
        locked->writer = opened.fd;
    else
        close(opened.fd);
    return ret;
}

int64_t serve_truncate(struct run *run, const struct husk_desc *desc)
{
    off_t size = (off_t)desc->arg[3];
    uncleared struct target target;
    int ret = get_target(run, desc, desc->arg[4], false, &target);

    if (ret < 0)
        return ret;
    if (size < 0)
        return -EINVAL;
    /* The host knows whether the descriptor was opened for writing. */
    if (target.fd >= 0)
        return result(ftruncate(target.fd, size));
    return truncate_path(run, &target.path, size);
}

/* A directory of the name space: an empty read-only file system. */
static void statfs_virtual(struct statfs *result)
{
    *result = (struct statfs){
        .f_type = 0x6b737568, /* "husk" */
        .f_bsize = HUSK_PAGE_SIZE,
        .f_namelen = 255,
        .f_frsize = HUSK_PAGE_SIZE,
        .f_flags = 1, /* ST_RDONLY */
    };
}

int64_t serve_statfs(struct run *run, const struct husk_desc *desc)
{
    struct opened opened = {.fd = -1};
    uncleared struct target target;
    struct statfs found;
    int64_t ret = get_target(run, desc, desc->arg[4], false, &target);

    if (ret == 0 && target.fd < 0)
        ret = mounts_open(run->mounts, target.path.dir, target.path.text, O_PATH, 0, &opened);
    if (ret < 0)
        return ret;
    if (target.fd < 0 && opened.fd < 0)
        statfs_virtual(&found);
    else
        ret = result(fstatfs(target.fd >= 0 ? target.fd : opened.fd, &found));
    if (opened.fd >= 0)
        close(opened.fd);
    free(opened.path);
    return ret < 0 ? ret : memory_write(&run->memory, desc->arg[3], &found, sizeof(found));
}
