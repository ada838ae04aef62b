/* SPDX-License-Identifier: ISC
 *
 * Calls that change names and attributes. The monitor does it; this side finds the arguments.
 */
#include <linux/fcntl.h>
#include <linux/stat.h>
#include <linux/time.h>

#include "io.h"
#include "limits.h"
#include "lookup.h"

static uint32_t mode_mask;

void change_init(void)
{
    mode_mask = BOOT->umask;
}

uint32_t file_mode(uint32_t mode)
{
    return mode & ~mode_mask;
}

int64_t sys_umask(const struct call *call)
{
    uint32_t old = mode_mask;

    mode_mask = call->arg[0] & 0777;
    return old;
}

static int64_t make_directory(uint64_t dirfd, uint64_t addr, uint64_t mode)
{
    return path_call(HUSK_OP_MKDIR, dirfd, addr, HUSK_END_PARENT, file_mode(mode & 01777), 0, 0);
}

int64_t sys_mkdir(const struct call *call)
{
    return make_directory(AT_FDCWD, call->arg[0], call->arg[1]);
}

int64_t sys_mkdirat(const struct call *call)
{
    return make_directory(call->arg[0], call->arg[1], call->arg[2]);
}

static int64_t remove_name(uint64_t dirfd, uint64_t addr, uint64_t flags)
{
    files_removed();
    return path_call(HUSK_OP_UNLINK, dirfd, addr, HUSK_END_PARENT, flags, 0, 0);
}

int64_t sys_unlink(const struct call *call)
{
    return remove_name(AT_FDCWD, call->arg[0], 0);
}

int64_t sys_rmdir(const struct call *call)
{
    return remove_name(AT_FDCWD, call->arg[0], AT_REMOVEDIR);
}

int64_t sys_unlinkat(const struct call *call)
{
    return remove_name(call->arg[0], call->arg[1], (uint32_t)call->arg[2]);
}

/* If one path leads into a file system of guest-rt's: 1; 0 if it stays; -errno. */
static int64_t resolve_either(struct place *one, struct place *other)
{
    int64_t ret = one->system == FS_HOST ? place_resolve(one) : 0;

    if (ret < 0)
        return ret;
    if (other->system == FS_HOST) {
        int64_t moved = place_resolve(other);

        return moved < 0 ? moved : ret | moved;
    }
    return ret;
}

/* "/tmp" itself, to be renamed: EBUSY comes before EXDEV. */
static bool is_mount_point(const struct place *place)
{
    return place->system == FS_TMPFS && place->end == HUSK_END_PARENT && !place->at.len;
}

static int64_t call_two(enum husk_op op, struct place *source, struct place *target, uint64_t flags)
{
    while (source->system == FS_HOST || target->system == FS_HOST) {
        int64_t ret = -EXDEV, moved;

        if (is_mount_point(source))
            return -EBUSY;
        if (source->system == target->system) {
            ret = HYPERCALL(op, &source->host, &target->host, flags);
            if (ret == 0 && op == HUSK_OP_RENAME)
                paths_moved();
            if (ret != -EREMOTE)
                return ret;
        }
        moved = resolve_either(source, target);
        if (moved <= 0)
            return moved < 0 ? moved : ret;
    }
    if (source->system != target->system)
        return -EXDEV;
    return source->system == FS_TMPFS ? tmpfs_two_names(op, source, target, flags) : -EROFS;
}

/* Operations on two names. */
static int64_t two_names(enum husk_op op, const uint64_t from[2], const uint64_t to[2],
                         uint64_t flags)
{
    unsigned how = HUSK_END_PARENT;
    struct place source, target;
    int64_t ret;

    if (op == HUSK_OP_LINK)
        how = (flags & AT_SYMLINK_FOLLOW ? HUSK_END_FOLLOW : HUSK_END_STAY) |
              (flags & AT_EMPTY_PATH ? PATH_MAY_BE_EMPTY : 0);
    if (op == HUSK_OP_RENAME)
        files_removed();
    ret = path_find(from[0], from[1], how, &source);
    if (ret == 0 && op == HUSK_OP_LINK && place_follow_descriptor(&source))
        flags |= AT_EMPTY_PATH;
    if (ret == 0)
        ret = path_find(to[0], to[1], HUSK_END_PARENT, &target);
    return ret < 0 ? ret : call_two(op, &source, &target, flags);
}

int64_t sys_rename(const struct call *call)
{
    const uint64_t from[2] = {AT_FDCWD, call->arg[0]}, to[2] = {AT_FDCWD, call->arg[1]};

    return two_names(HUSK_OP_RENAME, from, to, 0);
}

int64_t sys_renameat(const struct call *call)
{
    return two_names(HUSK_OP_RENAME, call->arg, call->arg + 2, 0);
}

int64_t sys_renameat2(const struct call *call)
{
    return two_names(HUSK_OP_RENAME, call->arg, call->arg + 2, (uint32_t)call->arg[4]);
}

int64_t sys_link(const struct call *call)
{
    const uint64_t from[2] = {AT_FDCWD, call->arg[0]}, to[2] = {AT_FDCWD, call->arg[1]};

    return two_names(HUSK_OP_LINK, from, to, 0);
}

int64_t sys_linkat(const struct call *call)
{
    return two_names(HUSK_OP_LINK, call->arg, call->arg + 2, (uint32_t)call->arg[4]);
}

static int64_t make_symlink(uint64_t target, uint64_t dirfd, uint64_t addr)
{
    long len = user_scan((const char *)target, HUSK_PATH_MAX);

    if (len < 0)
        return -EFAULT;
    if (len == 0 || len == HUSK_PATH_MAX)
        return len ? -ENAMETOOLONG : -ENOENT;
    return path_call(HUSK_OP_SYMLINK, dirfd, addr, HUSK_END_PARENT, target, len, 0);
}

int64_t sys_symlink(const struct call *call)
{
    return make_symlink(call->arg[0], AT_FDCWD, call->arg[1]);
}

int64_t sys_symlinkat(const struct call *call)
{
    return make_symlink(call->arg[0], call->arg[1], call->arg[2]);
}

/*
 * The attribute operations: on a path, or, with AT_EMPTY_PATH and no path, on the descriptor
 * itself. VALUE is what the operation takes after its path.
 */
static int64_t change(enum husk_op op, uint64_t dirfd, uint64_t addr, uint64_t value,
                      uint64_t flags)
{
    if (flags & ~(uint64_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    return path_call(op, dirfd, addr, path_how(flags), value, flags, 0);
}

static int64_t change_open(enum husk_op op, uint64_t fd, uint64_t value)
{
    struct file *file = file_get((uint32_t)fd);

    if (!file || (file->flags & O_PATH && op != HUSK_OP_STATFS))
        return -EBADF;
    return file_path_call(op, file, value, AT_EMPTY_PATH, 0);
}

int64_t sys_chmod(const struct call *call)
{
    return change(HUSK_OP_CHMOD, AT_FDCWD, call->arg[0], call->arg[1] & 07777, 0);
}

int64_t sys_fchmod(const struct call *call)
{
    return change_open(HUSK_OP_CHMOD, call->arg[0], call->arg[1] & 07777);
}

int64_t sys_fchmodat(const struct call *call)
{
    return change(HUSK_OP_CHMOD, call->arg[0], call->arg[1], call->arg[2] & 07777, 0);
}

int64_t sys_fchmodat2(const struct call *call)
{
    return change(HUSK_OP_CHMOD, call->arg[0], call->arg[1], call->arg[2] & 07777,
                  (uint32_t)call->arg[3]);
}

static uint64_t owner(uint64_t uid, uint64_t gid)
{
    return (uint32_t)uid | gid << 32;
}

int64_t sys_chown(const struct call *call)
{
    return change(HUSK_OP_CHOWN, AT_FDCWD, call->arg[0], owner(call->arg[1], call->arg[2]), 0);
}

int64_t sys_lchown(const struct call *call)
{
    return change(HUSK_OP_CHOWN, AT_FDCWD, call->arg[0], owner(call->arg[1], call->arg[2]),
                  AT_SYMLINK_NOFOLLOW);
}

int64_t sys_fchown(const struct call *call)
{
    return change_open(HUSK_OP_CHOWN, call->arg[0], owner(call->arg[1], call->arg[2]));
}

int64_t sys_fchownat(const struct call *call)
{
    return change(HUSK_OP_CHOWN, call->arg[0], call->arg[1], owner(call->arg[2], call->arg[3]),
                  (uint32_t)call->arg[4]);
}

int64_t sys_truncate(const struct call *call)
{
    int64_t ret = limits_check_size(call->arg[1]);

    return ret < 0 ? ret : change(HUSK_OP_TRUNCATE, AT_FDCWD, call->arg[0], call->arg[1], 0);
}

int64_t sys_ftruncate(const struct call *call)
{
    struct file *file = file_get((uint32_t)call->arg[0]);
    int64_t ret = 0;

    if (file && !(file->flags & O_PATH) && (file->flags & O_ACCMODE) == O_RDONLY)
        return -EINVAL;
    if (file && file_seekable(file))
        ret = limits_check_size(call->arg[1]);
    return ret < 0 ? ret : change_open(HUSK_OP_TRUNCATE, call->arg[0], call->arg[1]);
}

int64_t sys_statfs(const struct call *call)
{
    return change(HUSK_OP_STATFS, AT_FDCWD, call->arg[0], call->arg[1], 0);
}

int64_t sys_fstatfs(const struct call *call)
{
    return change_open(HUSK_OP_STATFS, call->arg[0], call->arg[1]);
}

/* TIMES is the caller's or guest-rt's, as utimensat takes it; without a path, of the descriptor. */
static int64_t set_times(uint64_t dirfd, uint64_t addr, uint64_t times, uint64_t flags)
{
    if (!addr)
        return change_open(HUSK_OP_UTIMES, dirfd, times);
    return change(HUSK_OP_UTIMES, dirfd, addr, times, flags);
}

int64_t sys_utimensat(const struct call *call)
{
    return set_times(call->arg[0], call->arg[1], call->arg[2], (uint32_t)call->arg[3]);
}

/* With microseconds, as utimes and futimesat take them. */
static int64_t set_times_us(uint64_t dirfd, uint64_t addr, uint64_t from)
{
    struct timeval us[2];
    struct timespec ns[2];

    if (!from)
        return set_times(dirfd, addr, 0, 0);
    if (user_read(&us, from) < 0)
        return -EFAULT;
    for (int i = 0; i < 2; i++) {
        if ((uint64_t)us[i].tv_usec >= 1000000)
            return -EINVAL;
        ns[i] = (struct timespec){us[i].tv_sec, us[i].tv_usec * 1000};
    }
    return set_times(dirfd, addr, (uint64_t)ns, 0);
}

int64_t sys_utimes(const struct call *call)
{
    return set_times_us(AT_FDCWD, call->arg[0], call->arg[1]);
}

int64_t sys_futimesat(const struct call *call)
{
    return set_times_us(call->arg[0], call->arg[1], call->arg[2]);
}

int64_t sys_utime(const struct call *call)
{
    int64_t seconds[2];
    struct timespec ns[2] = {0};

    if (!call->arg[1])
        return set_times(AT_FDCWD, call->arg[0], 0, 0);
    if (user_read(&seconds, call->arg[1]) < 0)
        return -EFAULT;
    ns[0].tv_sec = seconds[0];
    ns[1].tv_sec = seconds[1];
    return set_times(AT_FDCWD, call->arg[0], (uint64_t)ns, 0);
}

int64_t sys_fallocate(const struct call *call)
{
    struct file *file = file_get((uint32_t)call->arg[0]);
    uint64_t end;
    int64_t ret = 0;

    if (!file || (file->flags & O_ACCMODE) == O_RDONLY)
        return -EBADF;
    if (!__builtin_add_overflow(call->arg[2], call->arg[3], &end) && file_seekable(file))
        ret = limits_check_size(end);
    if (ret < 0)
        return ret;
    return FILE_CALL(HUSK_OP_ALLOCATE, file, call->arg[1], call->arg[2], call->arg[3]);
}

static int64_t sync_open(uint64_t fd, bool data_only)
{
    struct file *file = file_get((uint32_t)fd);

    if (!file || file->flags & O_PATH)
        return -EBADF;
    return FILE_CALL(HUSK_OP_SYNC, file, data_only);
}

int64_t sys_fsync(const struct call *call)
{
    return sync_open(call->arg[0], false);
}

int64_t sys_fdatasync(const struct call *call)
{
    return sync_open(call->arg[0], true);
}

/* More than was asked for. */
int64_t sys_sync_file_range(const struct call *call)
{
    return sync_open(call->arg[0], true);
}

int64_t sys_syncfs(const struct call *call)
{
    return sync_open(call->arg[0], false);
}

/* Nothing of a file is kept on this side; the host's caches are not the guest's to flush. */
int64_t sys_sync(const struct call *call)
{
    (void)call;
    return 0;
}

int64_t sys_fadvise64(const struct call *call)
{
    struct file *file = file_get((uint32_t)call->arg[0]);

    if (!file || file->flags & O_PATH)
        return -EBADF;
    if (file->kind == HUSK_KIND_STREAM || file->kind == HUSK_KIND_TTY)
        return -ESPIPE;
    return call->arg[3] > 5 ? -EINVAL : 0;
}

/* The host reads ahead by itself. */
int64_t sys_readahead(const struct call *call)
{
    const struct file *file = file_for(call->arg[0], HUSK_OP_READ);

    if (!file)
        return -EBADF;
    return file_seekable(file) ? 0 : -EINVAL;
}
