/* SPDX-License-Identifier: ISC
 *
 * The operations of abi.h on what lies in a tmpfs: names and attributes. tmpfs.h does the work;
 * here are the arguments, and what Linux checks before it asks a file system.
 */
#include <asm/statfs.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include <linux/time.h>

#include "identity.h"
#include "local_io.h"
#include "locals.h"
#include "lookup.h"

#define TMPFILE (O_TMPFILE & ~O_DIRECTORY)
#define WRITES  (O_WRONLY | O_RDWR)

/* utimensat(2); not in the kernel's headers. */
#define UTIME_NOW  0x3fffffff
#define UTIME_OMIT 0x3ffffffe

static bool is(const struct tmpfs_node *node, uint32_t type)
{
    return (tmpfs_mode(node) & S_IFMT) == type;
}

static struct tmpfs_new new_node(uint32_t mode)
{
    return (struct tmpfs_new){
        .mode = mode, .uid = user_identity()->effective, .gid = group_identity()->effective};
}

/* What Linux refuses without a look at the path. */
static int check_flags(uint32_t flags)
{
    if (flags & O_PATH)
        return 0;
    if (flags & O_CREAT && flags & O_DIRECTORY)
        return -EINVAL;
    if (flags & TMPFILE && (!(flags & O_DIRECTORY) || !(flags & WRITES)))
        return -EINVAL;
    return 0;
}

/* What it refuses then, in its order. */
static int check_open(const struct place *place, uint32_t flags)
{
    const struct tmpfs_node *node = place->node;

    if (flags & O_PATH)
        flags &= O_PATH | O_DIRECTORY;
    if (flags & O_CREAT && place->slash)
        return -EISDIR;
    if (!node)
        return flags & O_CREAT ? 0 : -ENOENT;
    if (flags & O_CREAT && flags & O_EXCL)
        return -EEXIST;
    if (flags & O_CREAT && is(node, S_IFDIR))
        return -EISDIR;
    if (flags & O_DIRECTORY && !is(node, S_IFDIR))
        return -ENOTDIR;
    if (flags & O_PATH || flags & TMPFILE)
        return 0;
    if (is(node, S_IFLNK))
        return -ELOOP;
    if (is(node, S_IFSOCK))
        return -ENXIO;
    return is(node, S_IFDIR) && flags & (WRITES | O_TRUNC) ? -EISDIR : 0;
}

/* The file that is to be opened, with a reference. */
static int open_node(const struct place *place, uint32_t flags, uint32_t mode,
                     struct tmpfs_node **node)
{
    const struct tmpfs_new new = new_node(S_IFREG | (mode & 07777));
    int status = 0;

    if (flags & O_PATH)
        flags = O_PATH;
    *node = place->node;
    if (!*node)
        status = tmpfs_make(&place->at, &new, node);
    else if (flags & TMPFILE)
        return tmpfs_make_nameless(tmpfs_of(*node), &new, flags & O_EXCL, node);
    else if (flags & O_TRUNC)
        status = tmpfs_truncate(*node, 0);
    if (status == 0)
        tmpfs_get(*node);
    return status;
}

/* flags, mode, &file */
static int64_t do_open(const struct place *place, const uint64_t arg[3])
{
    struct tmpfs_node *node;
    struct file *file;
    uint32_t flags = arg[0];
    int status = check_flags(flags);

    if (status == 0)
        status = check_open(place, flags);
    if (status == 0)
        status = open_node(place, flags, arg[1], &node);
    if (status < 0)
        return status;
    file = file_new_tmpfs(node, status_flags(flags));
    tmpfs_put(node);
    *(struct file **)arg[2] = file;
    return file ? 0 : -ENFILE;
}

static int64_t do_stat(const struct place *place, const uint64_t arg[3])
{
    struct statx result;

    if (!place->node)
        return -ENOENT;
    tmpfs_stat(place->node, &result);
    return user_write(arg[2], &result);
}

/* As for root: everything but to execute what nobody may. */
static int64_t do_access(const struct place *place, const uint64_t arg[3])
{
    if (!place->node)
        return -ENOENT;
    if (arg[0] & 1 /* X_OK */ && is(place->node, S_IFREG) && !(tmpfs_mode(place->node) & 0111))
        return -EACCES;
    return 0;
}

static int64_t do_readlink(const struct place *place, const uint64_t arg[3])
{
    return place->node ? tmpfs_readlink(place->node, arg[0], arg[1]) : -ENOENT;
}

static int64_t make(const struct place *place, const struct tmpfs_new *new)
{
    struct tmpfs_node *node;

    return place->node ? -EEXIST : tmpfs_make(&place->at, new, &node);
}

static int64_t do_mkdir(const struct place *place, const uint64_t arg[3])
{
    const struct tmpfs_new new = new_node(S_IFDIR | (arg[0] & 07777));

    return make(place, &new);
}

/* target, length */
static int64_t do_symlink(const struct place *place, const uint64_t arg[3])
{
    struct tmpfs_new new = new_node(S_IFLNK | 0777);
    char target[HUSK_PATH_MAX];

    if (arg[1] >= sizeof(target))
        return -ENAMETOOLONG;
    if (user_copy(target, (const void *)arg[0], arg[1]) < 0)
        return -EFAULT;
    if (place->slash && !place->node)
        return -ENOENT;
    new.target = target;
    new.target_len = arg[1];
    return make(place, &new);
}

static int64_t do_unlink(const struct place *place, const uint64_t arg[3])
{
    if (arg[0] & ~(uint64_t)AT_REMOVEDIR)
        return -EINVAL;
    if (!place->at.len)
        return arg[0] ? -EBUSY : -EISDIR;
    if (arg[0])
        return tmpfs_rmdir(&place->at);
    if (place->slash && place->node)
        return is(place->node, S_IFDIR) ? -EISDIR : -ENOTDIR;
    return tmpfs_unlink(&place->at);
}

static int64_t do_chmod(const struct place *place, const uint64_t arg[3])
{
    if (!place->node)
        return -ENOENT;
    if (is(place->node, S_IFLNK))
        return -EOPNOTSUPP;
    tmpfs_chmod(place->node, arg[0]);
    return 0;
}

static int64_t do_chown(const struct place *place, const uint64_t arg[3])
{
    if (!place->node)
        return -ENOENT;
    tmpfs_chown(place->node, (uint32_t)arg[0], (uint32_t)(arg[0] >> 32));
    return 0;
}

static bool is_time(const struct timespec *time)
{
    return time->tv_nsec == UTIME_NOW || time->tv_nsec == UTIME_OMIT ||
           (uint64_t)time->tv_nsec < 1000000000;
}

/* times or 0 */
static int64_t do_utimes(const struct place *place, const uint64_t arg[3])
{
    struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};
    struct statx_timestamp set[2];

    if (arg[0] && user_read(&times, arg[0]) < 0)
        return -EFAULT;
    if (!is_time(&times[0]) || !is_time(&times[1]))
        return -EINVAL;
    if (!place->node)
        return -ENOENT;
    for (int i = 0; i < 2; i++)
        set[i] = times[i].tv_nsec == UTIME_NOW
                     ? tmpfs_now(tmpfs_of(place->node))
                     : (struct statx_timestamp){times[i].tv_sec, times[i].tv_nsec, 0};
    tmpfs_set_times(place->node, times[0].tv_nsec == UTIME_OMIT ? NULL : &set[0],
                    times[1].tv_nsec == UTIME_OMIT ? NULL : &set[1]);
    return 0;
}

static int64_t do_truncate(const struct place *place, const uint64_t arg[3])
{
    if ((int64_t)arg[0] < 0)
        return -EINVAL;
    return place->node ? tmpfs_truncate(place->node, arg[0]) : -ENOENT;
}

static int64_t do_statfs(const struct place *place, const uint64_t arg[3])
{
    struct statfs result;

    if (!place->node)
        return -ENOENT;
    tmpfs_statfs(tmpfs_of(place->node), &result);
    return user_write(arg[0], &result);
}

static int64_t do_link(const struct place *from, const struct place *to, uint32_t flags)
{
    if (flags & ~(uint32_t)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    if (!from->node)
        return -ENOENT;
    if (!to->at.len)
        return -EEXIST;
    if (tmpfs_of(from->node) != tmpfs_of(to->at.dir))
        return -EXDEV;
    if (to->slash && !to->node)
        return -ENOENT;
    return tmpfs_link(&to->at, from->node);
}

static int64_t do_rename(const struct place *from, const struct place *to, uint32_t flags)
{
    if (tmpfs_of(from->at.dir) != tmpfs_of(to->at.dir))
        return -EXDEV;
    if (!from->at.len || !to->at.len)
        return -EBUSY;
    if ((from->node && local_is_below(from->node)) || (to->node && local_is_below(to->node)))
        return -EBUSY;
    if (from->node && !is(from->node, S_IFDIR) && (from->slash || to->slash))
        return -ENOTDIR;
    return tmpfs_rename(&from->at, &to->at, flags);
}

int64_t tmpfs_two_names(enum husk_op op, const struct place *from, const struct place *to,
                        uint32_t flags)
{
    return op == HUSK_OP_LINK ? do_link(from, to, flags) : do_rename(from, to, flags);
}

const struct file_system_ops tmpfs_ops = {
    .on_place =
        {
            [HUSK_OP_OPEN] = do_open,
            [HUSK_OP_STAT] = do_stat,
            [HUSK_OP_ACCESS] = do_access,
            [HUSK_OP_READLINK] = do_readlink,
            [HUSK_OP_MKDIR] = do_mkdir,
            [HUSK_OP_UNLINK] = do_unlink,
            [HUSK_OP_SYMLINK] = do_symlink,
            [HUSK_OP_CHMOD] = do_chmod,
            [HUSK_OP_CHOWN] = do_chown,
            [HUSK_OP_UTIMES] = do_utimes,
            [HUSK_OP_TRUNCATE] = do_truncate,
            [HUSK_OP_STATFS] = do_statfs,
        },
    .on_file =
        {
            [HUSK_OP_READ] = local_read,
            [HUSK_OP_WRITE] = local_write,
            [HUSK_OP_READV] = local_readv,
            [HUSK_OP_WRITEV] = local_writev,
            [HUSK_OP_CLOSE] = local_close,
            [HUSK_OP_SEEK] = local_seek,
            [HUSK_OP_GETDENTS] = local_getdents,
            [HUSK_OP_ALLOCATE] = local_allocate,
            [HUSK_OP_SYNC] = local_nothing,
            [HUSK_OP_LOCK] = local_lock,
            [HUSK_OP_FLOCK] = local_flock,
            [HUSK_OP_APPEND] = local_nothing,
        },
};
