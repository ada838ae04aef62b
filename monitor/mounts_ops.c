/* SPDX-License-Identifier: ISC
 *
 * Operations on guest paths: a walk, the checks that only husk can make, then one host call on the
 * name where the walk ended.
 */
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "resolve.h"

/* What the guest may ask of an open. Other flags are ignored, as by open(2). */
#define OPEN_FLAGS                                                                                 \
    (O_WRONLY | O_RDWR | O_CREAT | O_EXCL | O_TRUNC | O_APPEND | O_DSYNC | O_SYNC | O_DIRECT |     \
     O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_NONBLOCK | O_TMPFILE)
#define PATH_FLAGS (O_PATH | O_DIRECTORY | O_NOFOLLOW)

/* Chances for a host that exchanges a file for a link between look-up and open; the later ones come
 * at other intervals, since the two may be in step. */
#define OPEN_TRIES   64
#define OPEN_IN_STEP 8
#define OPEN_CHANGED 1

/* Of statx(2): without effect here, where automounts are left alone and no path is empty. */
#define STAT_IGNORED (AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE)

static bool is_dir(const struct walk *w)
{
    return S_ISDIR(w->stx.stx_mode);
}

/* A device, a FIFO or a socket. */
static bool is_special(const struct walk *w)
{
    return !is_dir(w) && !S_ISREG(w->stx.stx_mode) && !S_ISLNK(w->stx.stx_mode);
}

static bool is_writable(const struct walk *w)
{
    return w->mount != NULL && w->mount->writable;
}

static enum walk_end walk_end_for(int flags)
{
    return flags & AT_SYMLINK_NOFOLLOW ? WALK_STAY : WALK_FOLLOW;
}

/* Walk to something that must be there. */
static int walk_to(struct walk *w, const struct mounts *mounts, const struct guest_dir *base,
                   const char *path, enum walk_end end, unsigned mask)
{
    int error = walk_path(w, mounts, base, path, end, mask);

    if (error)
        return error;
    if (!w->found)
        return -ENOENT;
    return w->slash && !is_dir(w) ? -ENOTDIR : 0;
}

int mounts_stat(const struct mounts *mounts, const struct guest_dir *base, const char *path,
                int flags, unsigned mask, struct statx *result)
{
    WALK(w);
    int error;

    if (flags & ~(AT_SYMLINK_NOFOLLOW | STAT_IGNORED) || mask & STATX__RESERVED)
        return -EINVAL;
    error = walk_to(&w, mounts, base, path, walk_end_for(flags), mask);
    if (error == 0)
        *result = w.stx;
    return error;
}

int mounts_resolve(const struct mounts *mounts, const struct guest_dir *base, const char *path,
                   enum husk_end end, char buffer[HUSK_PATH_MAX])
{
    static const enum walk_end ends[] = {
        [HUSK_END_FOLLOW] = WALK_FOLLOW,
        [HUSK_END_STAY] = WALK_STAY,
        [HUSK_END_PARENT] = WALK_PARENT,
    };
    WALK(w);
    int length, error;

    if (end > HUSK_END_PARENT)
        return -EINVAL;
    error = walk_path(&w, mounts, base, path, ends[end], 0);
    if (error != -EREMOTE)
        return error;
    length = snprintf(buffer, HUSK_PATH_MAX, "%s%s", w.path, w.rest);
    return length < HUSK_PATH_MAX ? length : -ENAMETOOLONG;
}

/* faccessat2(2) of where a walk ended, with the one identity that the guest has. */
static int access_at(const struct walk *w, int mode)
{
    int flags = AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
    mode_t type = w->stx.stx_mode & S_IFMT;

    if (w->dir >= 0 && syscall(SYS_faccessat2, w->dir, w->name, mode, flags))
        return -errno;
    /* A read-only mount says nothing about devices, FIFOs and sockets. */
    if (mode & W_OK && !is_writable(w) && (type == S_IFREG || type == S_IFDIR || type == S_IFLNK))
        return -EROFS;
    return 0;
}

int mounts_access(const struct mounts *mounts, const struct guest_dir *base, const char *path,
                  int mode, int flags)
{
    WALK(w);
    int error;

    if (mode & ~(R_OK | W_OK | X_OK) || flags & ~(AT_SYMLINK_NOFOLLOW | AT_EACCESS | AT_EMPTY_PATH))
        return -EINVAL;
    error = walk_to(&w, mounts, base, path, walk_end_for(flags), 0);
    if (error || mode == F_OK)
        return error;
    return access_at(&w, mode);
}

int mounts_readlink(const struct mounts *mounts, const struct guest_dir *base, const char *path,
                    char *buffer, size_t size)
{
    WALK(w);
    int error = walk_to(&w, mounts, base, path, WALK_STAY, 0);
    ssize_t length;

    if (error)
        return error;
    if (*w.name == '\0')
        return -EINVAL;
    length = readlinkat(w.dir, w.name, buffer, size < PATH_MAX ? size : PATH_MAX);
    return length < 0 ? -errno : (int)length;
}

/* The flags that count, or -EINVAL for what Linux refuses without a look at the path. */
static int open_flags(int flags)
{
    if (flags & O_PATH)
        return flags & PATH_FLAGS;
    flags &= OPEN_FLAGS;
    if (flags & O_CREAT && flags & O_DIRECTORY)
        return -EINVAL;
    if (flags & (O_TMPFILE & ~O_DIRECTORY) &&
        (!(flags & O_DIRECTORY) || !(flags & (O_WRONLY | O_RDWR))))
        return -EINVAL;
    return flags;
}

/* procfs calls it a regular file; /proc/self/mem is the monitor's own memory. */
static int refuse_process_memory(const struct walk *w)
{
    struct statfs fs;

    if (strcmp(w->name, "mem") != 0)
        return 0;
    if (fstatfs(w->dir, &fs))
        return -errno;
    return fs.f_type == PROC_SUPER_MAGIC ? -EACCES : 0;
}

/* Why Linux would not open what the walk found, in the order in which it checks; or 0. */
static int open_refusal(const struct walk *w, int flags)
{
    int refusal;
    bool writes = flags & (O_WRONLY | O_RDWR | O_TRUNC);

    if (flags & O_CREAT && w->slash)
        return -EISDIR;
    if (!w->found && !(flags & O_CREAT))
        return -ENOENT;
    if (!w->found)
        return is_writable(w) ? 0 : -EROFS;
    if (flags & O_CREAT && flags & O_EXCL)
        return -EEXIST;
    if (flags & O_CREAT && is_dir(w))
        return -EISDIR;
    if ((flags & O_DIRECTORY || w->slash) && !is_dir(w))
        return -ENOTDIR;
    if (flags & O_PATH)
        return 0;
    if ((flags & O_TMPFILE) == O_TMPFILE)
        return is_writable(w) ? 0 : -EROFS;
    if (S_ISLNK(w->stx.stx_mode))
        return -ELOOP;
    if (is_dir(w))
        return writes ? -EISDIR : 0;
    if (is_special(w))
        return w->mount->devices ? 0 : -EACCES;
    refusal = refuse_process_memory(w);
    if (refusal)
        return refusal;
    if (flags & O_TRUNC && !is_writable(w))
        return -EROFS;
    if (writes && !is_writable(w))
        return access_at(w, flags & O_RDWR ? R_OK | W_OK : W_OK);
    return 0;
}

/* Every open of a mounted file shares its one open description: see struct opened. */
static int open_mounted_file(const struct mount *mount, int flags)
{
    int from = flags & O_PATH ? mount->fd : mount->file;
    int fd = (int)syscall(SYS_fcntl, from, F_DUPFD_CLOEXEC, 0); /* musl's makes two calls of it */

    if (fd < 0)
        return -errno;
    if (flags & O_TRUNC && ftruncate(fd, 0)) {
        int error = errno;

        close(fd);
        return -error;
    }
    return fd;
}

/* A descriptor of what the walk found or, with O_CREAT, did not find; -errno. */
static int open_host(const struct walk *w, int flags, mode_t mode)
{
    bool creates = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;

    if (w->mount->file >= 0)
        return open_mounted_file(w->mount, flags);
    if (w->found && is_special(w) && !(flags & O_PATH))
        flags = (flags & ~O_TRUNC) | O_NOCTTY;
    else if (!(flags & O_PATH))
        flags |= O_NONBLOCK | O_NOCTTY; /* in case a FIFO or a terminal takes the file's place */
    return open_beneath(w->dir, *w->name ? w->name : ".", flags, creates ? mode & 07777 : 0);
}

static enum husk_kind kind_of(const struct walk *w, int fd, int flags)
{
    char termios[64]; /* larger than the kernel's */

    if (is_dir(w))
        return HUSK_KIND_DIR;
    if (flags & O_PATH || !is_special(w) || S_ISBLK(w->stx.stx_mode))
        return HUSK_KIND_FILE;
    return ioctl(fd, TCGETS, termios) == 0 ? HUSK_KIND_TTY : HUSK_KIND_STREAM;
}

/* Open what the walk found, or did not find. */
static int open_found(struct walk *w, int flags, mode_t mode, struct opened *opened)
{
    cleanup_fd int fd = -1;
    int error;

    if (w->mount != NULL) {
        fd = open_host(w, flags, mode);
        if (fd == -ELOOP || fd == -EXDEV)
            return OPEN_CHANGED;
        error = fd < 0 ? fd : stat_beneath(fd, "", STATX_TYPE, &w->stx);
        if (error)
            return error;
        if (!(flags & O_PATH) && is_special(w) && !w->mount->devices)
            return -EACCES;
    }
    opened->kind = kind_of(w, fd, flags);
    opened->writable = is_writable(w);
    opened->mount = w->mount;
    opened->fd = fd_release(&fd);
    return 0;
}

static int open_once(const struct mounts *mounts, const struct guest_dir *base, const char *path,
                     int flags, mode_t mode, struct opened *opened)
{
    bool stays = flags & O_NOFOLLOW || (flags & O_CREAT && flags & O_EXCL);
    WALK(w);
    int error = walk_path(&w, mounts, base, path, stays ? WALK_STAY : WALK_FOLLOW, 0);

    if (error == 0)
        error = open_refusal(&w, flags);
    if (error)
        return error;
    /* First, for nothing has been created yet. */
    opened->path = strdup(w.path);
    if (opened->path == NULL)
        return -ENOMEM;
    error = open_found(&w, flags, mode, opened);
    if (error) {
        free(opened->path);
        opened->path = NULL;
    }
    return error;
}

int mounts_open(const struct mounts *mounts, const struct guest_dir *base, const char *path,
                int flags, mode_t mode, struct opened *opened)
{
    int result = open_flags(flags);

    if (result < 0)
        return result;
    flags = result;
    for (int i = 0; i < OPEN_TRIES; i++) {
        result = open_once(mounts, base, path, flags, mode, opened);
        if (result != OPEN_CHANGED)
            return result;
        if (i >= OPEN_IN_STEP)
            nanosleep(&(struct timespec){.tv_nsec = i * 1000L}, NULL);
    }
    return -ELOOP;
}
