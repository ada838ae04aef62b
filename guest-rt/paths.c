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

#include "files.h"

static char working_directory[HUSK_PATH_MAX];
static uint64_t working_directory_length;
static uint64_t working_directory_handle = HUSK_DIR_ROOT;

static bool working_directory_moved;

void paths_moved(void)
{
    working_directory_moved = true;
}

static void init_working_directory(void)
{
    if (working_directory_length)
        return;
    working_directory_length = BOOT->cwd_length;
    memcpy(working_directory, (const char *)BOOT->cwd, working_directory_length);
    working_directory_handle = BOOT->cwd_handle;
}

/* A directory above, or itself, may have another name by now: the monitor knows. */
static void refresh_working_directory(void)
{
    int64_t len;

    init_working_directory();
    if (!working_directory_moved || working_directory_handle == HUSK_DIR_ROOT)
        return;
    len = HYPERCALL(HUSK_OP_DIRPATH, working_directory_handle, working_directory,
                    sizeof(working_directory) - 1);
    if (len < 0)
        return;
    working_directory[len] = 0;
    working_directory_length = len;
    working_directory_moved = false;
}

/* Linux's order of errors: the path's memory, its length, then the descriptor. */
int64_t get_path(uint64_t dirfd, uint64_t addr, bool may_be_empty, struct husk_path *path)
{
    long len = user_scan((const char *)addr, HUSK_PATH_MAX);
    char first = 0;
    struct file *file;

    if (len < 0)
        return -EFAULT;
    if (len == HUSK_PATH_MAX)
        return -ENAMETOOLONG;
    if (len == 0 && !may_be_empty)
        return -ENOENT;
    if (user_copy(&first, (const char *)addr, 1) < 0)
        return -EFAULT;
    *path = (struct husk_path){HUSK_DIR_ROOT, addr, len};
    if (first == '/')
        return 0;
    if ((int)dirfd == AT_FDCWD) {
        init_working_directory();
        path->dir = working_directory_handle;
        return 0;
    }
    file = file_get((uint32_t)dirfd);
    if (!file)
        return -EBADF;
    if (file->kind != HUSK_KIND_DIR && len > 0)
        return -ENOTDIR;
    path->dir = file->handle;
    return 0;
}

static int64_t open_path(uint64_t dirfd, uint64_t addr, uint32_t flags, uint32_t mode)
{
    struct husk_path path;
    struct file *file;
    int64_t fd, result;

    result = get_path(dirfd, addr, false, &path);
    if (result < 0)
        return result;
    fd = fd_find(0);
    if (fd < 0)
        return fd;
    result = HYPERCALL(HUSK_OP_OPEN, path.dir, path.addr, path.len, flags, file_mode(mode));
    if (result < 0)
        return result;
    file = file_new(HUSK_OPEN_HANDLE(result), HUSK_OPEN_KIND(result),
                    flags & ~(uint32_t)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC));
    if (!file) {
        HYPERCALL(HUSK_OP_CLOSE, HUSK_OPEN_HANDLE(result));
        return -ENFILE;
    }
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
    struct husk_path path;
    int64_t ret;

    if (flags & ~known)
        return -EINVAL;
    ret = get_path(dirfd, addr, flags & AT_EMPTY_PATH, &path);
    if (ret < 0)
        return ret;
    return HYPERCALL(HUSK_OP_STAT, path.dir, path.addr, path.len, flags, mask, result);
}

static int64_t get_statx_of(uint64_t fd, struct statx *result)
{
    struct file *file = file_get((uint32_t)fd);

    if (!file)
        return -EBADF;
    return HYPERCALL(HUSK_OP_STAT, file->handle, 0, 0, AT_EMPTY_PATH, STATX_BASIC_STATS, result);
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
    struct husk_path path;
    int64_t ret;

    if (mode & ~7ULL || flags & ~(uint64_t)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    ret = get_path(dirfd, addr, flags & AT_EMPTY_PATH, &path);
    return ret < 0 ? ret : HYPERCALL(HUSK_OP_ACCESS, path.dir, path.addr, path.len, mode, flags);
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
    struct husk_path path;
    int64_t ret;

    if ((int)size <= 0)
        return -EINVAL;
    ret = get_path(dirfd, addr, false, &path);
    return ret < 0
               ? ret
               : HYPERCALL(HUSK_OP_READLINK, path.dir, path.addr, path.len, buffer, (uint32_t)size);
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
    return HYPERCALL(HUSK_OP_GETDENTS, file->handle, call->arg[1], (uint32_t)call->arg[2]);
}

int64_t sys_getcwd(const struct call *call)
{
    refresh_working_directory();
    if (call->arg[1] <= working_directory_length)
        return -ERANGE;
    if (user_copy((void *)call->arg[0], working_directory, working_directory_length + 1) < 0)
        return -EFAULT;
    return working_directory_length + 1;
}

/* Take HANDLE, a directory opened for this, as the working directory. */
static int64_t enter(uint64_t handle)
{
    static const char here[] = ".";
    static char path[HUSK_PATH_MAX];
    int64_t len = HYPERCALL(HUSK_OP_ACCESS, handle, here, 1, 1 /* X_OK */, AT_EACCESS);

    if (len == 0)
        len = HYPERCALL(HUSK_OP_DIRPATH, handle, path, sizeof(path) - 1);
    if (len < 0) {
        HYPERCALL(HUSK_OP_CLOSE, handle);
        return len;
    }
    if (working_directory_handle != HUSK_DIR_ROOT)
        HYPERCALL(HUSK_OP_CLOSE, working_directory_handle);
    memcpy(working_directory, path, len);
    working_directory[len] = 0;
    working_directory_length = len;
    working_directory_handle = handle;
    return 0;
}

static int64_t open_directory(const struct husk_path *path)
{
    int64_t result =
        HYPERCALL(HUSK_OP_OPEN, path->dir, path->addr, path->len, O_PATH | O_DIRECTORY, 0);

    return result < 0 ? result : HUSK_OPEN_HANDLE(result);
}

int64_t sys_chdir(const struct call *call)
{
    struct husk_path path;
    int64_t ret = get_path(AT_FDCWD, call->arg[0], false, &path);

    if (ret == 0)
        ret = open_directory(&path);
    return ret < 0 ? ret : enter(ret);
}

int64_t sys_fchdir(const struct call *call)
{
    struct file *file = file_get((uint32_t)call->arg[0]);
    const char here[] = ".";
    int64_t handle;

    if (!file)
        return -EBADF;
    if (file->kind != HUSK_KIND_DIR)
        return -ENOTDIR;
    init_working_directory();
    handle = open_directory(&(struct husk_path){file->handle, (uint64_t)here, 1});
    return handle < 0 ? handle : enter(handle);
}
