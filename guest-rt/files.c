/* SPDX-License-Identifier: ISC
 *
 * The descriptor table: open, dup, close and fcntl's part of it live here without an exit.
 */
#include <linux/close_range.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/stat.h>

#include "ahead.h"
#include "epoll.h"
#include "lookup.h"
#include "pipe.h"

static struct file files[FILES_MAX + 1]; /* and the working directory */
static struct descriptor {
    struct file *file;
    bool close_on_exec;
} table[FILES_MAX];

static bool holds_record_locks; /* perhaps */
static bool uses_locks;         /* of any kind, perhaps */
static uint32_t removals;

void files_init(void)
{
    for (uint64_t fd = 0; fd < 3; fd++)
        if (BOOT->stdio_kind[fd] != HUSK_KIND_NONE)
            fd_install(fd, file_new(fd, BOOT->stdio_kind[fd], BOOT->stdio_flags[fd]), false);
}

struct file *file_get(uint64_t fd)
{
    return fd < FILES_MAX ? table[fd].file : NULL;
}

struct file *file_new(uint32_t handle, enum husk_kind kind, uint32_t flags)
{
    for (struct file *file = files; file < files + ARRAY_SIZE(files); file++)
        if (file->references == 0) {
            *file = (struct file){.references = 1,
                                  .handle = handle,
                                  .flags = flags,
                                  .kind = kind,
                                  .removals = removals};
            return file;
        }
    return NULL;
}

struct file *file_new_tmpfs(struct tmpfs_node *node, uint32_t flags)
{
    bool is_dir = (tmpfs_mode(node) & S_IFMT) == S_IFDIR;
    struct file *file = file_new(0, is_dir ? HUSK_KIND_DIR : HUSK_KIND_FILE, flags);

    if (!file)
        return NULL;
    file->system = FS_TMPFS;
    file->node = tmpfs_get(node);
    return file;
}

struct file *file_new_synthetic(const struct synthetic_file *synthetic, uint32_t flags)
{
    bool is_dir = synthetic->entry->kind == SYNTHETIC_DIRECTORY;
    struct file *file = file_new(0, is_dir ? HUSK_KIND_DIR : HUSK_KIND_FILE, flags);

    if (!file)
        return NULL;
    file->system = FS_SYNTHETIC;
    file->synthetic = *synthetic;
    return file;
}

int64_t fd_find(uint64_t lowest)
{
    for (uint64_t fd = lowest; fd < FILES_MAX; fd++)
        if (!table[fd].file)
            return fd;
    return -EMFILE;
}

void fd_install(uint64_t fd, struct file *file, bool close_on_exec)
{
    table[fd] = (struct descriptor){file, close_on_exec};
}

bool fd_close_on_exec(uint64_t fd)
{
    return table[fd].close_on_exec;
}

void fd_set_close_on_exec(uint64_t fd, bool on)
{
    table[fd].close_on_exec = on;
}

/* Any close of a file ends the process's record locks on it; the host sees only the last one. */
static void give_back_record_locks(const struct file *file)
{
    struct flock all = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

    if (file->kind == HUSK_KIND_FILE && !(file->flags & O_PATH))
        HYPERCALL(HUSK_OP_LOCK, file->handle, F_SETLK, &all);
}

int64_t fd_close(uint64_t fd)
{
    struct file *file = file_get(fd);

    if (!file)
        return -EBADF;
    table[fd].file = NULL;
    if (holds_record_locks && file->references > 1)
        give_back_record_locks(file);
    return file_release(file);
}

void file_hold(struct file *file)
{
    file->references++;
}

void files_removed(void)
{
    removals++;
}

/* Nobody can tell when it is closed, and it cannot fail: nothing was written, no lock goes, and no
 * deleted file waits to give its space back. */
static bool closes_unnoticed(const struct file *file)
{
    return file->system == FS_HOST &&
           (file->kind == HUSK_KIND_FILE || file->kind == HUSK_KIND_DIR) &&
           (file->flags & O_ACCMODE) == O_RDONLY && !uses_locks && file->removals == removals;
}

int64_t file_release(struct file *file)
{
    if (--file->references > 0)
        return 0;
    if (file->watching)
        epoll_forget(file);
    ahead_forget(file);
    if (closes_unnoticed(file)) {
        hypercall_defer(HUSK_OP_CLOSE, file->handle, 0);
        return 0;
    }
    return FILE_CALL(HUSK_OP_CLOSE, file);
}

int64_t file_call(enum husk_op op, struct file *file, uint64_t arg0, uint64_t arg1, uint64_t arg2,
                  uint64_t arg3)
{
    const struct file_system_ops *const systems[] = {
        [FS_TMPFS] = &tmpfs_ops, [FS_SYNTHETIC] = &synthetic_ops, [FS_OBJECT] = &object_ops};

    if (file->system == FS_HOST)
        return HYPERCALL(op, file->handle, arg0, arg1, arg2, arg3);
    if (!systems[file->system]->on_file[op])
        return -EINVAL;
    return systems[file->system]->on_file[op](file, (const uint64_t[]){arg0, arg1, arg2, arg3});
}

int64_t sys_close(const struct call *call)
{
    return fd_close(call->arg[0]);
}

int64_t sys_close_range(const struct call *call)
{
    uint64_t first = (uint32_t)call->arg[0], last = (uint32_t)call->arg[1], flags = call->arg[2];

    if (first > last || flags & ~(uint64_t)(CLOSE_RANGE_CLOEXEC | CLOSE_RANGE_UNSHARE))
        return -EINVAL;
    for (uint64_t fd = first; fd <= last && fd < FILES_MAX; fd++) {
        if (flags & CLOSE_RANGE_CLOEXEC)
            fd_set_close_on_exec(fd, true);
        else
            fd_close(fd);
    }
    return 0;
}

static int64_t duplicate(uint64_t fd, uint64_t lowest, bool close_on_exec)
{
    struct file *file = file_get(fd);
    int64_t copy;

    if (!file)
        return -EBADF;
    copy = fd_find(lowest);
    if (copy < 0)
        return copy;
    file->references++;
    fd_install(copy, file, close_on_exec);
    return copy;
}

static int64_t duplicate_to(uint64_t fd, uint64_t to, bool close_on_exec)
{
    struct file *file = file_get(fd);

    if (!file || to >= FILES_MAX)
        return -EBADF;
    file->references++;
    fd_close(to);
    fd_install(to, file, close_on_exec);
    return to;
}

int64_t sys_dup(const struct call *call)
{
    return duplicate(call->arg[0], 0, false);
}

int64_t sys_dup2(const struct call *call)
{
    uint64_t fd = (uint32_t)call->arg[0], to = (uint32_t)call->arg[1];

    if (fd == to)
        return file_get(fd) ? (int64_t)to : -EBADF;
    return duplicate_to(fd, to, false);
}

int64_t sys_dup3(const struct call *call)
{
    uint64_t fd = (uint32_t)call->arg[0], to = (uint32_t)call->arg[1], flags = call->arg[2];

    if (fd == to || flags & ~(uint64_t)O_CLOEXEC)
        return -EINVAL;
    return duplicate_to(fd, to, flags & O_CLOEXEC);
}

/* Of the flags only O_APPEND means something to the host. */
static int64_t set_flags(struct file *file, uint32_t value)
{
    const uint32_t changeable = O_APPEND | O_NONBLOCK | O_NOATIME;
    int64_t ret = 0;

    if (file->kind == HUSK_KIND_FILE && (file->flags ^ value) & O_APPEND)
        ret = FILE_CALL(HUSK_OP_APPEND, file, (value & O_APPEND) != 0);
    if (ret == 0)
        file->flags = (file->flags & ~changeable) | (value & changeable);
    return ret;
}

/* A record lock that starts at the file's position: the host does not know it. */
static int64_t set_lock(const struct call *call, struct file *file)
{
    struct flock lock;
    int64_t ret;

    if (user_read(&lock, call->arg[2]) < 0)
        return -EFAULT;
    if (lock.l_whence == SEEK_CUR && file->kind == HUSK_KIND_FILE &&
        file->offset != OFFSET_ON_HOST) {
        lock.l_whence = SEEK_SET;
        lock.l_start += (int64_t)file->offset;
    }
    holds_record_locks |= call->arg[1] == F_SETLK || call->arg[1] == F_SETLKW;
    uses_locks |= call->arg[1] != F_GETLK && call->arg[1] != F_OFD_GETLK;
    ret = FILE_CALL(HUSK_OP_LOCK, file, call->arg[1], &lock);
    if (ret < 0 || (call->arg[1] != F_GETLK && call->arg[1] != F_OFD_GETLK))
        return ret;
    if (lock.l_type != F_UNLCK && lock.l_pid == 0)
        lock.l_pid = PID;
    return user_write(call->arg[2], &lock);
}

int64_t sys_fcntl(const struct call *call)
{
    uint64_t fd = (uint32_t)call->arg[0], value = call->arg[2];
    struct file *file = file_get(fd);

    if (!file)
        return -EBADF;
    switch (call->arg[1]) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        if (value >= FILES_MAX)
            return -EINVAL;
        return duplicate(fd, value, call->arg[1] == F_DUPFD_CLOEXEC);
    case F_GETFD:
        return fd_close_on_exec(fd) ? FD_CLOEXEC : 0;
    case F_SETFD:
        fd_set_close_on_exec(fd, value & FD_CLOEXEC);
        return 0;
    case F_GETFL:
        return file->flags;
    }
    if (file->flags & O_PATH)
        return -EBADF;
    switch (call->arg[1]) {
    case F_GETPIPE_SZ:
        return pipe_size(file);
    case F_SETPIPE_SZ:
        return pipe_set_size(file, (uint32_t)value);
    case F_SETFL:
        return set_flags(file, value);
    case F_GETOWN: /* nobody is told by SIGIO */
    case F_SETOWN:
    case F_SETOWN_EX:
        return 0;
    case F_GETOWN_EX:
        return user_write(value, &(const struct f_owner_ex){.type = F_OWNER_PID});
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return set_lock(call, file);
    default:
        return -EINVAL;
    }
}

int64_t sys_flock(const struct call *call)
{
    struct file *file = file_get((uint32_t)call->arg[0]);

    if (!file || file->flags & O_PATH)
        return -EBADF;
    uses_locks = true;
    return FILE_CALL(HUSK_OP_FLOCK, file, call->arg[1]);
}
