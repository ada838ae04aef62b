/* SPDX-License-Identifier: ISC */
/*
 * Arguments: operations, each with its paths: does one after the other and prints what came of it,
 * as "mkdir /a: EEXIST" or "mkdir /a: done".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

static long try_open(const char *path, int flags)
{
    int fd = open(path, flags, 0644);

    return fd < 0 ? -1 : close(fd);
}

static long do_read(const char *path)
{
    return try_open(path, O_RDONLY);
}

static long do_create(const char *path)
{
    return try_open(path, O_RDWR | O_CREAT | O_EXCL);
}

static long do_open_create(const char *path)
{
    return try_open(path, O_RDWR | O_CREAT);
}

static long do_empty(const char *path)
{
    return try_open(path, O_RDONLY | O_TRUNC);
}

static long do_unnamed(const char *path)
{
    return try_open(path, O_TMPFILE | O_RDWR);
}

static long do_path(const char *path)
{
    return try_open(path, O_PATH);
}

static long do_write(const char *path)
{
    int fd = open(path, O_WRONLY);
    ssize_t done = fd < 0 ? -1 : write(fd, "written\n", 8);
    int error = errno;

    if (fd >= 0)
        close(fd);
    errno = error;
    return done < 0 ? -1 : 0;
}

/* Until the file system is full or the size limit is reached. */
static long do_fill(const char *path)
{
    static char data[100000];
    int fd = open(path, O_WRONLY | O_CREAT, 0644), error = 0;
    ssize_t done = 0;

    if (fd < 0)
        return -1;
    while ((done = write(fd, data, sizeof data)) == sizeof data)
        continue;
    if (done >= 0) /* a part was written; the rest says why */
        done = write(fd, data, sizeof data);
    error = errno;
    close(fd);
    errno = error;
    return done < 0 ? -1 : 0;
}

static long do_map(const char *path)
{
    int fd = open(path, O_RDONLY);
    void *view = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    return view == MAP_FAILED ? -1 : 0;
}

static long do_mkdir(const char *path)
{
    return mkdir(path, 0755);
}

static long do_truncate(const char *path)
{
    return truncate(path, 1);
}

static long do_chmod(const char *path)
{
    return chmod(path, 0600);
}

static long do_fchmod(const char *path)
{
    int fd = open(path, O_RDONLY);

    return fd < 0 ? -1 : fchmod(fd, 0600);
}

static long do_chown(const char *path)
{
    return chown(path, getuid(), getgid());
}

static long do_touch(const char *path)
{
    return utimes(path, NULL);
}

static long do_access(const char *path)
{
    return access(path, W_OK);
}

static long do_stat(const char *path)
{
    return lstat(path, &(struct stat){0});
}

static long do_rmdir(const char *path)
{
    return rmdir(path);
}

static long do_unlink(const char *path)
{
    return unlink(path);
}

static long do_chdir(const char *path)
{
    return chdir(path);
}

static long do_rename(const char *from, const char *to)
{
    return rename(from, to);
}

static long do_link(const char *from, const char *to)
{
    return link(from, to);
}

static long do_link_open(const char *from, const char *to)
{
    int fd = open(from, O_RDONLY);

    return fd < 0 ? -1 : linkat(fd, "", AT_FDCWD, to, AT_EMPTY_PATH);
}

static long do_symlink(const char *target, const char *path)
{
    return symlink(target, path);
}

static long do_exchange(const char *from, const char *to)
{
    return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 2);
}

static const struct {
    const char *name;
    long (*one)(const char *path);
    long (*two)(const char *from, const char *to);
} operations[] = {
    {"read", do_read, NULL},
    {"create", do_create, NULL},
    {"open-create", do_open_create, NULL},
    {"empty", do_empty, NULL},
    {"unnamed", do_unnamed, NULL},
    {"path", do_path, NULL},
    {"write", do_write, NULL},
    {"fill", do_fill, NULL},
    {"map", do_map, NULL},
    {"mkdir", do_mkdir, NULL},
    {"rmdir", do_rmdir, NULL},
    {"unlink", do_unlink, NULL},
    {"chdir", do_chdir, NULL},
    {"truncate", do_truncate, NULL},
    {"chmod", do_chmod, NULL},
    {"fchmod", do_fchmod, NULL},
    {"chown", do_chown, NULL},
    {"touch", do_touch, NULL},
    {"access", do_access, NULL},
    {"stat", do_stat, NULL},
    {"exchange", NULL, do_exchange},
    {"rename", NULL, do_rename},
    {"link", NULL, do_link},
    {"link-open", NULL, do_link_open},
    {"symlink", NULL, do_symlink},
};

static const char *error_name(int error)
{
    static const struct {
        int error;
        const char *name;
    } names[] = {
        {EROFS, "EROFS"},   {EXDEV, "EXDEV"},   {EBUSY, "EBUSY"},     {EACCES, "EACCES"},
        {ENOENT, "ENOENT"}, {EEXIST, "EEXIST"}, {ENOTDIR, "ENOTDIR"}, {EISDIR, "EISDIR"},
        {ENOSPC, "ENOSPC"}, {EFBIG, "EFBIG"},   {EPERM, "EPERM"},     {ENOTEMPTY, "ENOTEMPTY"},
        {EINVAL, "EINVAL"}, {ELOOP, "ELOOP"},   {ENXIO, "ENXIO"},     {ENODEV, "ENODEV"},
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].error == error)
            return names[i].name;
    return strerror(error);
}

int main(int argc, char **argv)
{
    for (char **at = argv + 1; at < argv + argc;) {
        size_t i = 0;
        long result;

        while (i < sizeof operations / sizeof *operations && strcmp(operations[i].name, *at) != 0)
            i++;
        if (i == sizeof operations / sizeof *operations ||
            at + 1 + !!operations[i].two >= argv + argc)
            return 2;
        result = operations[i].two ? operations[i].two(at[1], at[2]) : operations[i].one(at[1]);
        printf("%s %s", *at, at[1]);
        if (operations[i].two)
            printf(" %s", at[2]);
        printf(": %s\n", result < 0 ? error_name(errno) : "done");
        at += operations[i].two ? 3 : 2;
    }
}
