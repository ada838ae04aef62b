/* SPDX-License-Identifier: ISC
 *
 * Operations that change the name space of writable mounts, or attributes. As in mounts_ops.c: a
 * walk, the checks that only husk can make, one host call that follows no link.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "resolve.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452 /* Linux 6.6 */
#endif

#define NAME_SIZE (NAME_MAX + 2)

/* The last name as the host should see it: a slash behind it keeps its meaning. */
static const char *last_name(const struct walk *w, char buffer[NAME_SIZE])
{
    snprintf(buffer, NAME_SIZE, "%s%s", w->name, w->slash ? "/" : "");
    return buffer;
}

static int result(long returned)
{
    return returned < 0 ? -errno : 0;
}

/* Walk to a name that is to be created. An existing name is found before a read-only mount is. */
static int walk_to_new(struct walk *w, const struct mounts *mounts, const struct guest_dir *base,
                       const char *path)
{
    int ret = walk_path(w, mounts, base, path, WALK_PARENT, 0);
    struct statx stx;

    if (ret < 0)
        return ret;
    if (*w->name == '\0')
        return -EEXIST;
    if (w->mount == NULL)
        return -EROFS;
    if (w->mount->writable)
        return 0;
    return stat_beneath(w->dir, w->name, STATX_TYPE, &stx) == 0 ? -EEXIST : -EROFS;
}

/* Walk to a name that is to be removed or replaced. What holds a mount point stays where it is. */
static int walk_to_old(struct walk *w, const struct mounts *mounts, const struct guest_dir *base,
                       const char *path)
{
    int ret = walk_path(w, mounts, base, path, WALK_PARENT, 0);

    if (ret < 0)
        return ret;
    if (w->mount != NULL && !w->mount->writable)
        return -EROFS;
    if (*w->name == '\0')
        return -EBUSY;
    if (w->mount == NULL)
        return -EROFS;
    return mount_below(mounts, w->path) ? -EBUSY : 0;
}

int mounts_mkdir(const struct mounts *mounts, const struct guest_dir *base, const char *path,
                 mode_t mode)
{
    WALK(w);
    int ret = walk_to_new(&w, mounts, base, path);

    return ret < 0 ? ret : result(mkdirat(w.dir, w.name, mode & 07777));
}

int mounts_symlink(const struct mounts *mounts, const char *target, const struct guest_dir *base,
                   const char *path)
{
    char name[NAME_SIZE];
    WALK(w);
    int ret = walk_to_new(&w, mounts, base, path);

    return ret < 0 ? ret : result(symlinkat(target, w.dir, last_name(&w, name)));
}

/* Linux refuses "." and ".." by what they are called, before it looks at the mount. */
static int dots_error(const char *path, int flags)
{
    size_t end = strlen(path), start;

    while (end > 0 && path[end - 1] == '/')
        end--;
    for (start = end; start > 0 && path[start - 1] != '/'; start--)
        continue;
    if (end - start == 1 && path[start] == '.')
        return flags & AT_REMOVEDIR ? -EINVAL : -EISDIR;
    if (end - start == 2 && path[start] == '.' && path[start + 1] == '.')
        return flags & AT_REMOVEDIR ? -ENOTEMPTY : -EISDIR;
    return 0;
}

int mounts_unlink(const struct mounts *mounts, const struct guest_dir *base, const char *path,
                  int flags)
{
    char name[NAME_SIZE];
    WALK(w);
    int ret;

    if (flags & ~AT_REMOVEDIR)
        return -EINVAL;
    ret = walk_to_old(&w, mounts, base, path);
    if ((ret == -EBUSY || ret == -EROFS) && dots_error(path, flags))
        return dots_error(path, flags);
    return ret < 0 ? ret : result(unlinkat(w.dir, last_name(&w, name), flags));
}

int mounts_rename(const struct mounts *mounts, const struct guest_dir *from_base, const char *from,
                  const struct guest_dir *to_base, const char *to, unsigned flags,
                  struct renamed *renamed)
{
    char from_name[NAME_SIZE], to_name[NAME_SIZE];
    WALK(source);
    WALK(target);
    int ret, target_ret;

    if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE))
        return -EINVAL;
    ret = walk_to_old(&source, mounts, from_base, from);
    target_ret = walk_to_old(&target, mounts, to_base, to);
    if (ret < 0 && ret != -EROFS)
        return ret;
    if (target_ret < 0 && target_ret != -EROFS)
        return target_ret;
    if (source.mount != target.mount)
        return -EXDEV;
    if (ret < 0)
        return ret;
    strcpy(renamed->from, source.path);
    strcpy(renamed->to, target.path);
    return result(syscall(SYS_renameat2, source.dir, last_name(&source, from_name), target.dir,
                          last_name(&target, to_name), flags));
}

int mounts_link(const struct mounts *mounts, const struct guest_dir *from_base, const char *from,
                const struct guest_dir *to_base, const char *to, int flags)
{
    char name[NAME_SIZE];
    WALK(source);
    WALK(target);
    int ret, target_ret;

    if (flags & ~AT_SYMLINK_FOLLOW)
        return -EINVAL;
    ret = walk_path(&source, mounts, from_base, from,
                    flags & AT_SYMLINK_FOLLOW ? WALK_FOLLOW : WALK_STAY, 0);
    target_ret = walk_to_new(&target, mounts, to_base, to);
    if (ret < 0)
        return ret;
    if (!source.found)
        return -ENOENT;
    if (source.slash && !S_ISDIR(source.stx.stx_mode))
        return -ENOTDIR;
    if (target_ret < 0)
        return target_ret;
    if (source.mount != target.mount)
        return -EXDEV;
    if (S_ISDIR(source.stx.stx_mode) || *source.name == '\0')
        return -EPERM;
    return result(linkat(source.dir, source.name, target.dir, last_name(&target, name), 0));
}

/* A path from DIR, or absolute, to what a descriptor has open, for all who see procfs. */
struct itself {
    int dir;
    char path[32];
};

static struct itself itself_of(const struct mounts *mounts, int fd)
{
    struct itself itself = {.dir = mounts->descriptors};

    snprintf(itself.path, sizeof(itself.path), "%s%d", itself.dir < 0 ? "/proc/self/fd/" : "", fd);
    return itself;
}

/* linkat(2): AT_EMPTY_PATH is for the privileged. */
static int link_descriptor(const struct mounts *mounts, int fd, int dir, const char *name)
{
    const struct itself itself = itself_of(mounts, fd);
    int ret = result(linkat(fd, "", dir, name, AT_EMPTY_PATH));

    if (ret != -ENOENT)
        return ret;
    return result(linkat(itself.dir, itself.path, dir, name, AT_SYMLINK_FOLLOW));
}

int mounts_link_opened(const struct mounts *mounts, const struct mount *mount, int fd,
                       const struct guest_dir *to_base, const char *to)
{
    char name[NAME_SIZE];
    WALK(target);
    int ret = walk_to_new(&target, mounts, to_base, to);
    struct statx stx;

    if (ret < 0)
        return ret;
    if (mount != target.mount)
        return -EXDEV;
    ret = stat_beneath(fd, "", STATX_TYPE, &stx);
    if (ret < 0)
        return ret;
    if (S_ISDIR(stx.stx_mode))
        return -EPERM;
    return link_descriptor(mounts, fd, target.dir, last_name(&target, name));
}

/* Walk to something whose attributes are to be changed. */
static int walk_to_change(struct walk *w, const struct mounts *mounts, const struct guest_dir *base,
                          const char *path, int flags)
{
    int ret;

    if (flags & ~AT_SYMLINK_NOFOLLOW)
        return -EINVAL;
    ret = walk_path(w, mounts, base, path, flags ? WALK_STAY : WALK_FOLLOW, 0);
    if (ret < 0)
        return ret;
    if (!w->found)
        return -ENOENT;
    if (w->slash && !S_ISDIR(w->stx.stx_mode))
        return -ENOTDIR;
    return w->mount != NULL && w->mount->writable ? 0 : -EROFS;
}

/* Through a descriptor: of what may be opened, and whose record locks end with it. */
static int chmod_opened(const struct walk *w, mode_t mode)
{
    cleanup_fd int fd = -1;
    struct statx stx;
    int ret;

    fd = open_beneath(w->dir, *w->name ? w->name : ".", O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (fd == -EACCES)
        fd = open_beneath(w->dir, w->name, O_WRONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0)
        return fd;
    ret = stat_beneath(fd, "", STATX_TYPE, &stx);
    if (ret == 0 && !S_ISREG(stx.stx_mode) && !S_ISDIR(stx.stx_mode))
        return -EACCES;
    return ret < 0 ? ret : result(fchmod(fd, mode));
}

/* Before Linux 6.6, where the kernel cannot change a mode without following links. */
static int chmod_by_procfs(const struct walk *w, mode_t mode)
{
    cleanup_fd int fd = -1;
    struct itself itself;
    int ret;

    if (S_ISLNK(w->stx.stx_mode))
        return -EOPNOTSUPP;
    if (w->mount->file >= 0)
        return result(fchmod(w->mount->file, mode));
    fd = open_beneath(w->dir, *w->name ? w->name : ".", O_PATH, 0);
    if (fd < 0)
        return fd;
    itself = itself_of(w->mounts, fd);
    ret = result(syscall(SYS_fchmodat, itself.dir, itself.path, mode));
    return ret == -ENOENT ? chmod_opened(w, mode) : ret;
}

int mounts_chmod(const struct mounts *mounts, const struct guest_dir *base, const char *path,
                 mode_t mode, int flags)
{
    const int no_links = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
    WALK(w);
    int ret = walk_to_change(&w, mounts, base, path, flags);

    if (ret < 0)
        return ret;
    ret = result(syscall(SYS_fchmodat2, w.dir, w.name, mode & 07777, no_links));
    return ret == -ENOSYS ? chmod_by_procfs(&w, mode & 07777) : ret;
}

int mounts_chmod_opened(const struct mounts *mounts, int fd, mode_t mode)
{
    struct itself itself;
    int ret = result(syscall(SYS_fchmod, fd, mode));

    if (ret != -EBADF) /* O_PATH */
        return ret;
    ret = result(syscall(SYS_fchmodat2, fd, "", mode, AT_EMPTY_PATH));
    if (ret != -ENOSYS)
        return ret;
    itself = itself_of(mounts, fd);
    return result(syscall(SYS_fchmodat, itself.dir, itself.path, mode));
}

int mounts_chown(const struct mounts *mounts, const struct guest_dir *base, const char *path,
                 uid_t uid, gid_t gid, int flags)
{
    WALK(w);
    int ret = walk_to_change(&w, mounts, base, path, flags);

    return ret < 0 ? ret
                   : result(fchownat(w.dir, w.name, uid, gid, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH));
}

int mounts_utimes(const struct mounts *mounts, const struct guest_dir *base, const char *path,
                  const struct timespec times[2], int flags)
{
    WALK(w);
    int ret = walk_to_change(&w, mounts, base, path, flags);

    if (ret < 0)
        return ret;
    return result(
        syscall(SYS_utimensat, w.dir, w.name, times, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH));
}
