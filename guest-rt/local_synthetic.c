/* SPDX-License-Identifier: ISC
 *
 * The operations of abi.h on the files of synthetic.h. None can be changed.
 */
#include <asm/statfs.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "local_io.h"
#include "object.h"
#include "synthetic_text.h"

#define SYNTHETIC_MAGIC 0x6b737568 /* "husk", as the monitor's own directories */

static int64_t open_image(uint32_t flags, struct file **file)
{
    int64_t handle = HYPERCALL(HUSK_OP_IMAGE);

    if (handle < 0)
        return handle;
    *file = file_new(handle, HUSK_KIND_FILE, flags);
    if (!*file)
        HYPERCALL(HUSK_OP_CLOSE, handle);
    return *file ? 0 : -ENFILE;
}

/* One that stays open, to be looked at; NULL: there can be none. */
static struct file *image(void)
{
    static struct file *file;

    if (!file)
        open_image(O_RDONLY, &file);
    return file;
}

/* The description that opening FILE duplicates: a descriptor's, or the terminal's. Of the image,
 * one like it. */
static struct file *behind(const struct synthetic_file *file)
{
    if (file->entry->kind == SYNTHETIC_DESCRIPTOR)
        return file_get(file->descriptor);
    if (file->entry->kind == SYNTHETIC_IMAGE)
        return image();
    for (uint64_t fd = 0; fd < 3; fd++)
        if (file_get(fd) && file_get(fd)->kind == HUSK_KIND_TTY)
            return file_get(fd);
    return NULL;
}

/* It cannot be opened again, so it has to have been opened for the same. */
static int64_t duplicate(const struct synthetic_file *synthetic, uint32_t flags,
                         struct file **result)
{
    struct file *file = behind(synthetic);
    uint32_t want = flags & O_ACCMODE, mode = file ? file->flags & O_ACCMODE : 0;

    if (!file)
        return synthetic->entry->kind == SYNTHETIC_TTY ? -ENXIO : -ENOENT;
    if (flags & O_DIRECTORY && file->kind != HUSK_KIND_DIR)
        return -ENOTDIR;
    if (!(flags & O_PATH) && mode != O_RDWR && mode != want)
        return -EACCES;
    file_hold(file);
    *result = file;
    return 0;
}

static bool duplicates(const struct synthetic_file *file)
{
    return file->entry->kind == SYNTHETIC_DESCRIPTOR || file->entry->kind == SYNTHETIC_TTY;
}

/* flags, mode, &file */
static int64_t do_open(const struct place *place, const uint64_t arg[3])
{
    const struct synthetic_file *synthetic = &place->synthetic;
    struct file **file = (struct file **)arg[2];
    uint32_t flags = arg[0];
    int status;

    if (!synthetic->entry)
        return flags & O_CREAT && !(flags & O_PATH) ? -EROFS : -ENOENT;
    if (duplicates(synthetic) && place->end == HUSK_END_FOLLOW)
        return duplicate(synthetic, flags, file);
    status = synthetic_may_open(synthetic, flags);
    if (status < 0)
        return status;
    if (synthetic->entry->kind == SYNTHETIC_IMAGE && place->end == HUSK_END_FOLLOW)
        return open_image(status_flags(flags), file);
    *file = file_new_synthetic(synthetic, status_flags(flags));
    return *file ? 0 : -ENFILE;
}

/* A descriptor or the image, to be followed: what follows concerns the file. */
static bool follows(const struct place *place)
{
    const struct synthetic *entry = place->synthetic.entry;

    return entry && place->end == HUSK_END_FOLLOW &&
           (entry->kind == SYNTHETIC_DESCRIPTOR || entry->kind == SYNTHETIC_IMAGE);
}

/* flags, mask, &struct statx */
static int64_t do_stat(const struct place *place, const uint64_t arg[3])
{
    struct statx result;

    if (!place->synthetic.entry)
        return -ENOENT;
    if (follows(place) && !behind(&place->synthetic))
        return -ENOENT;
    if (follows(place))
        return file_path_call(HUSK_OP_STAT, behind(&place->synthetic), arg[0] | AT_EMPTY_PATH,
                              arg[1], arg[2]);
    synthetic_stat(&place->synthetic, clock_realtime(), &result);
    return user_write(arg[2], &result);
}

/* mode, flags. As for root, but that texts cannot be written. */
static int64_t do_access(const struct place *place, const uint64_t arg[3])
{
    const struct synthetic *entry = place->synthetic.entry;

    if (!entry)
        return -ENOENT;
    if (follows(place))
        return behind(&place->synthetic) ? 0 : -ENOENT;
    if (arg[0] & 1 /* X_OK */ && !(entry->mode & 0111))
        return -EACCES;
    return arg[0] & 2 /* W_OK */ && !(entry->mode & 0222) ? -EACCES : 0;
}

/* Does PATH still name what FILE is? */
static bool is_named(struct file *file, const char *path)
{
    struct statx open, named;

    return file_path_call(HUSK_OP_STAT, file, AT_EMPTY_PATH, STATX_INO, (uint64_t)&open) == 0 &&
           path_call(HUSK_OP_STAT, AT_FDCWD, (uint64_t)path, HUSK_END_STAY, AT_SYMLINK_NOFOLLOW,
                     STATX_INO, (uint64_t)&named) == 0 &&
           open.stx_ino == named.stx_ino && open.stx_dev_major == named.stx_dev_major &&
           open.stx_dev_minor == named.stx_dev_minor;
}

static void put_target(struct file *file, struct text *text)
{
    char path[HUSK_PATH_MAX];
    int64_t len;

    if (file->system == FS_OBJECT) {
        object_name(file->object, text);
        return;
    }
    len = file_path(file, path, sizeof(path) - 1);
    if (len >= 0) {
        path[len] = 0;
        text_string(text, path);
        if (!is_named(file, path))
            text_string(text, " (deleted)");
    } else if (file->system == FS_TMPFS) {
        text_string(text, "/ (deleted)");
    } else if (file->kind == HUSK_KIND_TTY) {
        text_string(text, "/dev/tty");
    } else if (file->kind == HUSK_KIND_STREAM) {
        text_string(text, "pipe:[");
        text_decimal(text, file->handle + 1, 0);
        text_char(text, ']');
    } else {
        text_string(text, "anon_inode:[file]");
    }
}

/* /dev/stdin leads to /proc/self/fd/0, and that to a path, or to a name in brackets. */
static int64_t descriptor_target(const struct synthetic_file *link, char *target, size_t size)
{
    struct text text = {.left = size, .to = (guest_addr_t)target};
    struct file *file = file_get(link->descriptor);

    if (link->entry->path[1] == 'd') {
        text_string(&text, "/proc/self/fd/");
        text_decimal(&text, link->descriptor, 0);
    } else if (file) {
        put_target(file, &text);
    }
    return text_finish(&text);
}

static int64_t do_readlink(const struct place *place, const uint64_t arg[3])
{
    const struct synthetic_file *link = &place->synthetic;
    char target[HUSK_PATH_MAX];
    int64_t len;

    if (!link->entry)
        return -ENOENT;
    len = link->entry->kind == SYNTHETIC_DESCRIPTOR
              ? descriptor_target(link, target, sizeof(target))
              : synthetic_target(link, target, sizeof(target));
    if (len < 0)
        return len;
    if ((uint64_t)len > arg[1])
        len = arg[1];
    return user_copy((void *)arg[0], target, len) < 0 ? -EFAULT : len;
}

static int64_t do_make(const struct place *place, const uint64_t arg[3])
{
    (void)arg;
    return place->synthetic.entry ? -EEXIST : -EROFS;
}

static int64_t do_unlink(const struct place *place, const uint64_t arg[3])
{
    (void)arg;
    return place->synthetic.entry ? -EROFS : -ENOENT;
}

/* value, flags */
static int64_t change(enum husk_op op, const struct place *place, const uint64_t arg[3])
{
    if (!place->synthetic.entry || (follows(place) && !behind(&place->synthetic)))
        return -ENOENT;
    if (follows(place))
        return file_path_call(op, behind(&place->synthetic), arg[0], arg[1] | AT_EMPTY_PATH, 0);
    return -EROFS;
}

static int64_t do_chmod(const struct place *place, const uint64_t arg[3])
{
    return change(HUSK_OP_CHMOD, place, arg);
}

static int64_t do_chown(const struct place *place, const uint64_t arg[3])
{
    return change(HUSK_OP_CHOWN, place, arg);
}

static int64_t do_utimes(const struct place *place, const uint64_t arg[3])
{
    return change(HUSK_OP_UTIMES, place, arg);
}

static int64_t do_truncate(const struct place *place, const uint64_t arg[3])
{
    (void)arg;
    if (place->synthetic.entry && place->synthetic.entry->kind == SYNTHETIC_DIRECTORY)
        return -EISDIR;
    return place->synthetic.entry && !follows(place) ? -EINVAL
                                                     : change(HUSK_OP_TRUNCATE, place, arg);
}

static int64_t do_statfs(const struct place *place, const uint64_t arg[3])
{
    const struct statfs result = {
        .f_type = SYNTHETIC_MAGIC,
        .f_bsize = HUSK_PAGE_SIZE,
        .f_frsize = HUSK_PAGE_SIZE,
        .f_namelen = TMPFS_NAME_MAX,
    };

    return place->synthetic.entry ? user_write(arg[0], &result) : -ENOENT;
}

/* Linux's devices and proc have no fsync. */
static int64_t refuse_sync(struct file *file, const uint64_t arg[4])
{
    (void)arg;
    return file->kind == HUSK_KIND_DIR ? 0 : -EINVAL;
}

const struct file_system_ops synthetic_ops = {
    .on_place =
        {
            [HUSK_OP_OPEN] = do_open,
            [HUSK_OP_STAT] = do_stat,
            [HUSK_OP_ACCESS] = do_access,
            [HUSK_OP_READLINK] = do_readlink,
            [HUSK_OP_MKDIR] = do_make,
            [HUSK_OP_SYMLINK] = do_make,
            [HUSK_OP_UNLINK] = do_unlink,
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
            [HUSK_OP_CLOSE] = local_nothing,
            [HUSK_OP_SEEK] = local_seek,
            [HUSK_OP_GETDENTS] = local_getdents,
            [HUSK_OP_ALLOCATE] = local_allocate,
            [HUSK_OP_SYNC] = refuse_sync,
            [HUSK_OP_LOCK] = local_lock,
            [HUSK_OP_FLOCK] = local_flock,
            [HUSK_OP_APPEND] = local_nothing,
        },
};
