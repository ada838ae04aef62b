/* SPDX-License-Identifier: ISC
 *
 * Calls that take paths, and directories. The monitor resolves paths; this side finds out from
 * where.
 */
#include <asm/stat.h>
#include <linux/fcntl.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <linux/types.h>

#include "lookup.h"

uint32_t status_flags(uint32_t flags)
{
    return flags & ~(uint32_t)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
}

static enum husk_end end_for(uint32_t flags)
{
    bool stays = flags & O_NOFOLLOW || (flags & O_CREAT && flags & O_EXCL);

    return stays ? HUSK_END_STAY : HUSK_END_FOLLOW;
}

int64_t file_open(uint64_t dirfd, uint64_t addr, uint32_t flags, uint32_t mode, struct file **file)
{
    int64_t ret;

    /* guest-rt's file systems make the description themselves. */
    *file = NULL;
    ret = path_call(HUSK_OP_OPEN, dirfd, addr, end_for(flags), flags, file_mode(mode),
                    (uint64_t)file);
    if (ret < 0 || *file)
        return ret;
    *file = file_new(HUSK_OPEN_HANDLE(ret), HUSK_OPEN_KIND(ret), status_flags(flags));
    if (!*file)
        HYPERCALL(HUSK_OP_CLOSE, HUSK_OPEN_HANDLE(ret));
    return *file ? 0 : -ENFILE;
}

static int64_t open_path(uint64_t dirfd, uint64_t addr, uint32_t flags, uint32_t mode)
{
    struct file *file;
    int64_t fd = fd_find(0), ret;

    if (fd < 0)
        return fd;
    ret = file_open(dirfd, addr, flags, mode, &file);
    if (ret < 0)
        return ret;
    fd_install(fd, file, flags & O_CLOEXEC);
    return fd;
}

int64_t sys_open(const struct call *call)
{
    return open_path(AT_FDCWD, call->arg[0], call->arg[1], call->arg[2]);
}

int64_t sys_openat(const struct call *call)
{
    return open_path(call->arg[0], call->arg[1], call->arg[2], call->arg[3]);
}

int64_t sys_creat(const struct call *call)
{
    return open_path(AT_FDCWD, call->arg[0], O_CREAT | O_WRONLY | O_TRUNC, call->arg[1]);
}

/* Without the RESOLVE_ flags: programs fall back to openat when they are told EINVAL. */
int64_t sys_openat2(const struct call *call)
{
    struct open_how how;

    if (call->arg[3] < sizeof(how))
        return -EINVAL;
    if (user_read(&how, call->arg[2]) < 0)
        return -EFAULT;
    if (how.resolve || how.flags >> 32 || how.mode >> 12)
        return -EINVAL;
    if (how.mode && !(how.flags & (O_CREAT | __O_TMPFILE)))
        return -EINVAL;
    return open_path(call->arg[0], call->arg[1], how.flags, how.mode);
}

static int64_t get_statx(uint64_t dirfd, uint64_t addr, uint64_t flags, uint64_t mask,
                         struct statx *result)
{
    const uint64_t known =
        AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE;

    if (flags & ~known)
        return -EINVAL;
    return path_call(HUSK_OP_STAT, dirfd, addr, path_how(flags), flags, mask, (uint64_t)result);
}

static int64_t get_statx_of(uint64_t fd, struct statx *result)
{
    struct file *file = file_get((uint32_t)fd);

    if (!file)
        return -EBADF;
    return file_path_call(HUSK_OP_STAT, file, AT_EMPTY_PATH, STATX_BASIC_STATS, (uint64_t)result);
}

static uint64_t device(uint32_t major, uint32_t minor)
{
    return (minor & 0xff) | (uint64_t)(major & 0xfff) << 8 | (uint64_t)(minor & ~0xffU) << 12 |
           (uint64_t)(major & ~0xfffU) << 32;
}

static int64_t put_stat(const struct statx *from, uint64_t addr)
{
    const struct stat to = {
        .st_dev = device(from->stx_dev_major, from->stx_dev_minor),
        .st_ino = from->stx_ino,
        .st_nlink = from->stx_nlink,
        .st_mode = from->stx_mode,
        .st_uid = from->stx_uid,
        .st_gid = from->stx_gid,
        .st_rdev = device(from->stx_rdev_major, from->stx_rdev_minor),
        .st_size = from->stx_size,
        .st_blksize = from->stx_blksize,
        .st_blocks = from->stx_blocks,
        .st_atime = from->stx_atime.tv_sec,
        .st_atime_nsec = from->stx_atime.tv_nsec,
        .st_mtime = from->stx_mtime.tv_sec,
        .st_mtime_nsec = from->stx_mtime.tv_nsec,
        .st_ctime = from->stx_ctime.tv_sec,
        .st_ctime_nsec = from->stx_ctime.tv_nsec,
    };

    return user_write(addr, &to);
}

static int64_t stat_path(uint64_t dirfd, uint64_t addr, uint64_t flags, uint64_t out)
{
    struct statx found;
    int64_t ret = get_statx(dirfd, addr, flags, STATX_BASIC_STATS, &found);

    return ret < 0 ? ret : put_stat(&found, out);
}

int64_t sys_stat(const struct call *call)
{
    return stat_path(AT_FDCWD, call->arg[0], 0, call->arg[1]);
}

int64_t sys_lstat(const struct call *call)
{
    return stat_path(AT_FDCWD, call->arg[0], AT_SYMLINK_NOFOLLOW, call->arg[1]);
}

int64_t sys_fstat(const struct call *call)
{
    struct statx found;
    int64_t ret = get_statx_of(call->arg[0], &found);

    return ret < 0 ? ret : put_stat(&found, call->arg[1]);
}

int64_t sys_newfstatat(const struct call *call)
{
    return stat_path(call->arg[0], call->arg[1], call->arg[3], call->arg[2]);
}

int64_t sys_statx(const struct call *call)
{
    struct statx found;
    int64_t ret;

    if (call->arg[3] & STATX__RESERVED)
        return -EINVAL;
    ret = get_statx(call->arg[0], call->arg[1], call->arg[2], call->arg[3], &found);
    return ret < 0 ? ret : user_write(call->arg[4], &found);
}

static int64_t access_path(uint64_t dirfd, uint64_t addr, uint64_t mode, uint64_t flags)
{
    if (mode & ~7ULL || flags & ~(uint64_t)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    return path_call(HUSK_OP_ACCESS, dirfd, addr, path_how(flags), mode, flags, 0);
}

int64_t sys_access(const struct call *call)
{
    return access_path(AT_FDCWD, call->arg[0], call->arg[1], 0);
}

int64_t sys_faccessat(const struct call *call)
{
    return access_path(call->arg[0], call->arg[1], call->arg[2], 0);
}

int64_t sys_faccessat2(const struct call *call)
{
    return access_path(call->arg[0], call->arg[1], call->arg[2], call->arg[3]);
}

static int64_t read_link(uint64_t dirfd, uint64_t addr, uint64_t buffer, uint64_t size)
{
    if ((int)size <= 0)
        return -EINVAL;
    return path_call(HUSK_OP_READLINK, dirfd, addr, HUSK_END_STAY, buffer, (uint32_t)size, 0);
}

int64_t sys_readlink(const struct call *call)
{
    return read_link(AT_FDCWD, call->arg[0], call->arg[1], call->arg[2]);
}

int64_t sys_readlinkat(const struct call *call)
{
    return read_link(call->arg[0], call->arg[1], call->arg[2], call->arg[3]);
}

int64_t sys_getdents64(const struct call *call)
{
    struct file *file = file_get((uint32_t)call->arg[0]);

    if (!file || file->flags & O_PATH)
        return -EBADF;
    if (file->kind != HUSK_KIND_DIR)
        return -ENOTDIR;
    return FILE_CALL(HUSK_OP_GETDENTS, file, call->arg[1], (uint32_t)call->arg[2]);
}

/* No file has extended attributes, but it has to be there. */
static int64_t list_attributes(uint64_t addr, uint64_t flags)
{
    int64_t ret = path_call(HUSK_OP_ACCESS, AT_FDCWD, addr, path_how(flags), 0, flags, 0);

    return ret < 0 ? ret : 0;
}

int64_t sys_listxattr(const struct call *call)
{
    return list_attributes(call->arg[0], 0);
}

int64_t sys_llistxattr(const struct call *call)
{
    return list_attributes(call->arg[0], AT_SYMLINK_NOFOLLOW);
}

int64_t sys_flistxattr(const struct call *call)
{
    const struct file *file = file_get((uint32_t)call->arg[0]);

    return file && !(file->flags & O_PATH) ? 0 : -EBADF;
}

/* Regular files are made; FIFOs, sockets and devices are what no file system here can have. */
static int64_t make_node(uint64_t dirfd, uint64_t addr, uint64_t mode)
{
    struct statx there;
    struct file *file;
    int64_t ret;

    switch (mode & S_IFMT) {
    case 0:
    case S_IFREG:
        ret = file_open(dirfd, addr, O_CREAT | O_EXCL | O_WRONLY, mode, &file);
        return ret < 0 ? ret : file_release(file);
    case S_IFIFO:
    case S_IFSOCK:
    case S_IFCHR:
    case S_IFBLK:
        ret = path_call(HUSK_OP_STAT, dirfd, addr, HUSK_END_STAY, AT_SYMLINK_NOFOLLOW, STATX_INO,
                        (uint64_t)&there);
        return ret == -ENOENT ? -EPERM : ret < 0 ? ret : -EEXIST;
    case S_IFDIR:
        return -EPERM;
    default:
        return -EINVAL;
    }
}

int64_t sys_mknod(const struct call *call)
{
    return make_node(AT_FDCWD, call->arg[0], call->arg[1]);
}

int64_t sys_mknodat(const struct call *call)
{
    return make_node(call->arg[0], call->arg[1], call->arg[2]);
}
