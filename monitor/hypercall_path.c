/* SPDX-License-Identifier: ISC
 *
 * Hypercalls that take paths, and directories. mounts.h decides what a path may reach.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cleanup.h"
#include "hypercall.h"

#define STATX_FLAGS  (AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_SYNC_TYPE)
#define GETDENTS_MAX (64 << 10)
#define VIRTUAL_MAX  4096 /* an entry has less than 300 bytes */

static int get_dir(struct run *run, uint64_t number, const struct guest_dir **dir)
{
    const struct handle *handle;

    *dir = NULL;
    if (number == HUSK_DIR_ROOT)
        return 0;
    handle = handles_get(&run->handles, number);
    if (!handle)
        return -EBADF;
    if (handle->kind != HUSK_KIND_DIR)
        return -ENOTDIR;
    *dir = &handle->dir;
    return 0;
}

int hypercall_get_path(struct run *run, uint64_t dir, guest_addr_t addr, uint64_t len,
                       struct path_argument *path)
{
    int ret = get_dir(run, dir, &path->dir);

    if (ret < 0)
        return ret;
    if (len >= sizeof(path->text))
        return -ENAMETOOLONG;
    if (memory_read(&run->memory, path->text, addr, len) < 0)
        return -EFAULT;
    path->text[len] = 0;
    return strlen(path->text) == len ? 0 : -EINVAL;
}

/* The first three arguments of most operations. */
static int get_path(struct run *run, const struct husk_desc *desc, struct path_argument *path)
{
    return hypercall_get_path(run, desc->arg[0], desc->arg[1], desc->arg[2], path);
}

int64_t serve_open(struct run *run, const struct husk_desc *desc)
{
    struct opened opened = {.fd = -1};
    uncleared struct path_argument path;
    enum husk_kind kind;
    int64_t handle;
    int ret = get_path(run, desc, &path);

    if (ret == 0)
        ret = mounts_open(run->mounts, path.dir, path.text, (int)desc->arg[3] & ~O_APPEND,
                          (mode_t)desc->arg[4] & 07777, &opened);
    if (ret < 0)
        return ret;
    kind = opened.kind;
    handle = handles_insert(&run->handles, &opened);
    if (handle < 0)
        return handle;
    handles_get(&run->handles, (uint64_t)handle)->append = desc->arg[3] & O_APPEND;
    return handle | (int64_t)kind << 32;
}

/* What the guest runs it may read: also a file behind the program, or names for a backtrace. */
int64_t serve_image(struct run *run, const struct husk_desc *desc)
{
    struct opened opened = {.kind = HUSK_KIND_FILE};

    (void)desc;
    /* musl's fcntl makes two calls of it. */
    opened.fd = (int)syscall(SYS_fcntl, run->program.image.file.fd, F_DUPFD_CLOEXEC, 0);
    return opened.fd < 0 ? -errno : handles_insert(&run->handles, &opened);
}

int64_t serve_volume(struct run *run, const struct husk_desc *desc)
{
    bool writable;
    const char *path = mounts_volume(run->mounts, desc->arg[0], &writable);
    size_t len = path ? strlen(path) : 0;

    if (!path)
        return -ENOENT;
    if (len > desc->arg[2])
        return -ERANGE;
    if (memory_write(&run->memory, desc->arg[1], path, len) < 0)
        return -EFAULT;
    return (int64_t)len | (int64_t)writable << 32;
}

/*
 * Of what is in no mount: standard input and output, sockets, the image. Not statx, whose
 * AT_EMPTY_PATH the jail cannot tell from a look at a path.
 */
static int stat_unmounted(int fd, struct statx *result)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    *result = (struct statx){
        .stx_mask = STATX_BASIC_STATS,
        .stx_blksize = (uint32_t)st.st_blksize,
        .stx_nlink = (uint32_t)st.st_nlink,
        .stx_uid = st.st_uid,
        .stx_gid = st.st_gid,
        .stx_mode = (uint16_t)st.st_mode,
        .stx_ino = st.st_ino,
        .stx_size = (uint64_t)st.st_size,
        .stx_blocks = (uint64_t)st.st_blocks,
        .stx_atime = {.tv_sec = st.st_atim.tv_sec, .tv_nsec = (uint32_t)st.st_atim.tv_nsec},
        .stx_mtime = {.tv_sec = st.st_mtim.tv_sec, .tv_nsec = (uint32_t)st.st_mtim.tv_nsec},
        .stx_ctime = {.tv_sec = st.st_ctim.tv_sec, .tv_nsec = (uint32_t)st.st_ctim.tv_nsec},
        .stx_rdev_major = major(st.st_rdev),
        .stx_rdev_minor = minor(st.st_rdev),
        .stx_dev_major = major(st.st_dev),
        .stx_dev_minor = minor(st.st_dev),
    };
    return 0;
}

/* stat of what a handle names. */
static int stat_handle(struct run *run, uint64_t number, unsigned mask, struct statx *result)
{
    const struct handle *handle = handles_get(&run->handles, number);

    if (!handle)
        return -EBADF;
    if (handle->dir.fd < 0)
        return mounts_stat_virtual(run->mounts, &handle->dir, result);
    if (!handle->mount)
        return stat_unmounted(handle->dir.fd, result);
    return syscall(SYS_statx, handle->dir.fd, "", AT_EMPTY_PATH, mask, result) < 0 ? -errno : 0;
}

int64_t serve_stat(struct run *run, const struct husk_desc *desc)
{
    unsigned mask = (unsigned)desc->arg[4] & ~(unsigned)STATX__RESERVED;
    struct statx result = {0};
    uncleared struct path_argument path;
    int ret;

    if (desc->arg[2] == 0 && desc->arg[3] & AT_EMPTY_PATH && desc->arg[0] != HUSK_DIR_ROOT) {
        ret = stat_handle(run, desc->arg[0], mask, &result);
    } else {
        ret = get_path(run, desc, &path);
        if (ret == 0)
            ret = mounts_stat(run->mounts, path.dir,
                              path.text[0] || !(desc->arg[3] & AT_EMPTY_PATH) ? path.text : "/",
                              (int)desc->arg[3] & STATX_FLAGS, mask, &result);
    }
    return ret < 0 ? ret : memory_write(&run->memory, desc->arg[5], &result, sizeof(result));
}

int64_t serve_access(struct run *run, const struct husk_desc *desc)
{
    uncleared struct path_argument path;
    int ret = get_path(run, desc, &path);

    if (ret < 0)
        return ret;
    if (desc->arg[3] & ~7ULL)
        return -EINVAL;
    return mounts_access(run->mounts, path.dir, path.text, (int)desc->arg[3],
                         (int)desc->arg[4] & (AT_SYMLINK_NOFOLLOW | AT_EACCESS));
}

int64_t serve_readlink(struct run *run, const struct husk_desc *desc)
{
    uncleared char target[HUSK_PATH_MAX];
    size_t size = desc->arg[4] < sizeof(target) ? desc->arg[4] : sizeof(target);
    uncleared struct path_argument path;
    int ret = get_path(run, desc, &path);

    if (ret == 0)
        ret = mounts_readlink(run->mounts, path.dir, path.text, target, size);
    if (ret > 0 && memory_write(&run->memory, desc->arg[3], target, (size_t)ret) < 0)
        return -EFAULT;
    return ret;
}

int64_t serve_resolve(struct run *run, const struct husk_desc *desc)
{
    char resolved[HUSK_PATH_MAX];
    struct path_argument path;
    int ret = get_path(run, desc, &path);

    if (ret == 0 && desc->arg[3] > HUSK_END_PARENT)
        ret = -EINVAL;
    if (ret == 0)
        ret =
            mounts_resolve(run->mounts, path.dir, path.text, (enum husk_end)desc->arg[3], resolved);
    if (ret <= 0)
        return ret;
    if ((uint64_t)ret > desc->arg[5])
        return -ERANGE;
    return memory_write(&run->memory, desc->arg[4], resolved, (size_t)ret) < 0 ? -EFAULT : ret;
}

/* A directory that exists only in the name space. */
static int64_t getdents_virtual(struct run *run, struct handle *handle, guest_addr_t addr,
                                size_t size)
{
    _Alignas(8) uncleared char entries[VIRTUAL_MAX];
    int64_t len = mounts_getdents_virtual(run->mounts, &handle->dir, &handle->virtual_position,
                                          entries, size < sizeof(entries) ? size : sizeof(entries));

    if (len > 0 && memory_write(&run->memory, addr, entries, (size_t)len) < 0)
        return -EFAULT;
    return len;
}

/* The kernel writes straight to the guest: it leaves gaps between entries, which in a buffer of the
 * monitor would hold what was there before. */
int64_t serve_getdents(struct run *run, const struct husk_desc *desc)
{
    size_t size = desc->arg[2] < GETDENTS_MAX ? desc->arg[2] : GETDENTS_MAX;
    struct handle *handle = handles_get(&run->handles, desc->arg[0]);
    void *entries;
    long len;

    if (!handle)
        return -EBADF;
    if (handle->kind != HUSK_KIND_DIR)
        return -ENOTDIR;
    entries = memory_pointer(&run->memory, desc->arg[1], size, HUSK_PROT_WRITE);
    if (!entries)
        return -EFAULT;
    if (handle->dir.fd < 0)
        return getdents_virtual(run, handle, desc->arg[1], size);
    len = syscall(SYS_getdents64, handle->dir.fd, entries, size);
    return len < 0 ? -errno : len;
}

int64_t serve_path(struct run *run, const struct husk_desc *desc)
{
    const struct handle *handle = NULL;
    const char *path = "/";
    int ret;

    if (desc->arg[0] != HUSK_DIR_ROOT) {
        handle = handles_get(&run->handles, desc->arg[0]);
        if (!handle)
            return -EBADF;
        path = handle->dir.path;
    }
    if (!path)
        return -ENOTDIR;
    if (!*path)
        return -ENOENT; /* as getcwd(2) of a directory that is gone */
    if (strlen(path) > desc->arg[2])
        return -ERANGE;
    ret = memory_write(&run->memory, desc->arg[1], path, strlen(path));
    return ret < 0 ? ret : (int64_t)strlen(path);
}
