/* SPDX-License-Identifier: ISC
 *
 * The working directory: an open file description that belongs to no descriptor.
 */
#include <linux/fcntl.h>

#include "locals.h"
#include "lookup.h"

static struct file *directory;   /* NULL: the host's root */
static char path[HUSK_PATH_MAX]; /* of a directory of the host's */
static size_t path_length;       /* 0: not looked up yet */
static bool moved;               /* it, or a directory above, may have another name by now */

void paths_moved(void)
{
    moved = true;
}

static void take_path(const char *from, size_t len)
{
    memcpy(path, from, len);
    path[len] = 0;
    path_length = len;
    moved = false;
}

/* What the monitor started with: a handle, or the path of a local directory. */
static void init(void)
{
    if (path_length)
        return;
    take_path((const char *)BOOT->cwd, BOOT->cwd_length);
    if (BOOT->cwd_handle != HUSK_DIR_ROOT)
        directory = file_new(BOOT->cwd_handle, HUSK_KIND_DIR, O_PATH | O_DIRECTORY);
    else if (local_at(path))
        file_open(AT_FDCWD, (uint64_t)path, O_PATH | O_DIRECTORY, 0, &directory);
}

struct file *working_directory(void)
{
    init();
    return directory;
}

int64_t file_path(const struct file *file, char *to, size_t size)
{
    const struct local *local;
    int64_t len;

    if (file->system == FS_HOST)
        return HYPERCALL(HUSK_OP_PATH, file->handle, to, size);
    if (file->system == FS_SYNTHETIC) {
        len = strlen(file->synthetic.entry->path);
        memcpy(to, file->synthetic.entry->path, len);
        return len;
    }
    local = local_of(tmpfs_of(file->node));
    if (!local)
        return -ENOENT; /* memfd_create's */
    memcpy(to, local->path, local->length);
    len = tmpfs_path(file->node, to + local->length, size - local->length);
    return len < 0 ? len : (int64_t)local->length + len;
}

static int64_t look_up_path(const struct file *file)
{
    static char text[HUSK_PATH_MAX];
    int64_t len = file_path(file, text, sizeof(text) - 1);

    if (len >= 0)
        take_path(text, len);
    return len;
}

int64_t sys_getcwd(const struct call *call)
{
    init();
    if (directory && (moved || directory->system != FS_HOST)) {
        int64_t len = look_up_path(directory);

        if (len < 0)
            return len;
    }
    if (call->arg[1] <= path_length)
        return -ERANGE;
    if (user_copy((void *)call->arg[0], path, path_length + 1) < 0)
        return -EFAULT;
    return path_length + 1;
}

/* May it be the working directory, and what is its path? */
static int64_t check_host(const struct file *file)
{
    static const char here[] = ".";
    int64_t ret = HYPERCALL(HUSK_OP_ACCESS, file->handle, here, 1, 1 /* X_OK */, AT_EACCESS);

    return ret < 0 ? ret : look_up_path(file);
}

/* Takes over the reference. */
static int64_t enter(struct file *file)
{
    int64_t ret = file->system == FS_HOST ? check_host(file) : 0;

    if (ret < 0) {
        file_release(file);
        return ret;
    }
    if (directory)
        file_release(directory);
    directory = file;
    return 0;
}

int64_t sys_chdir(const struct call *call)
{
    struct file *file;
    int64_t ret;

    init();
    ret = file_open(AT_FDCWD, call->arg[0], O_PATH | O_DIRECTORY, 0, &file);
    return ret < 0 ? ret : enter(file);
}

int64_t sys_fchdir(const struct call *call)
{
    struct file *file = file_get((uint32_t)call->arg[0]);

    if (!file)
        return -EBADF;
    if (file->kind != HUSK_KIND_DIR)
        return -ENOTDIR;
    init();
    file_hold(file);
    return enter(file);
}
