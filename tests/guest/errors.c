/* SPDX-License-Identifier: ISC */
/* Argument: a scratch directory. Calls on descriptors that they cannot be made on. */
#include "scratch.h"

#include <sys/file.h>
#include <sys/uio.h>

static char buffer[16];
static struct iovec piece = {buffer, 4};

static long do_read(int fd)
{
    return read(fd, buffer, 4);
}
static long do_pread(int fd)
{
    return pread(fd, buffer, 4, 0);
}
static long do_readv(int fd)
{
    return readv(fd, &piece, 1);
}
static long do_preadv(int fd)
{
    return preadv(fd, &piece, 1, 0);
}
static long do_write(int fd)
{
    return write(fd, "text", 4);
}
static long do_pwrite(int fd)
{
    return pwrite(fd, "text", 4, 0);
}
static long do_writev(int fd)
{
    return writev(fd, &piece, 1);
}
static long do_pwritev(int fd)
{
    return pwritev(fd, &piece, 1, 0);
}
static long do_write_nothing(int fd)
{
    return write(fd, "", 0);
}
static long do_read_nothing(int fd)
{
    return read(fd, buffer, 0);
}
static long do_lseek(int fd)
{
    return lseek(fd, 0, SEEK_SET);
}
static long do_ftruncate(int fd)
{
    return ftruncate(fd, 4);
}
static long do_fallocate(int fd)
{
    return fallocate(fd, 0, 0, 4);
}
static long do_fsync(int fd)
{
    return fsync(fd);
}
static long do_fchmod(int fd)
{
    return fchmod(fd, 0755);
}
static long do_fstat(int fd)
{
    return fstat(fd, &(struct stat){0});
}
static long do_flock(int fd)
{
    return flock(fd, LOCK_UN);
}
static long do_fchdir(int fd)
{
    return fchdir(fd);
}
static long do_getfl(int fd)
{
    return fcntl(fd, F_GETFL) >= 0 ? 0 : -1;
}
static long do_setfl(int fd)
{
    return fcntl(fd, F_SETFL, 0);
}
static long do_fadvise(int fd)
{
    errno = posix_fadvise(fd, 0, 0, POSIX_FADV_NORMAL);
    return errno ? -1 : 0;
}
static long do_openat(int fd)
{
    int found = openat(fd, "file", O_RDONLY);

    return found < 0 ? -1 : close(found);
}

static const struct {
    const char *name;
    long (*call)(int fd);
} calls[] = {
    {"read", do_read},
    {"pread", do_pread},
    {"readv", do_readv},
    {"preadv", do_preadv},
    {"write", do_write},
    {"pwrite", do_pwrite},
    {"writev", do_writev},
    {"pwritev", do_pwritev},
    {"read of 0", do_read_nothing},
    {"write of 0", do_write_nothing},
    {"lseek", do_lseek},
    {"ftruncate", do_ftruncate},
    {"fallocate", do_fallocate},
    {"fsync", do_fsync},
    {"fstat", do_fstat},
    {"flock", do_flock},
    {"F_GETFL", do_getfl},
    {"F_SETFL", do_setfl},
    {"posix_fadvise", do_fadvise},
    {"openat", do_openat},
};

/* Each call with that descriptor; the comparison with a native run is the check. */
static void try_all(const char *label, int fd)
{
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        long result = calls[i].call(fd);

        printf("%s of %s: ", calls[i].name, label);
        if (result < 0)
            puts(error_name(errno));
        else
            printf("%ld\n", result);
    }
}

static void try_changes_of_attributes(void)
{
    int path = must_open("file", O_PATH), dir = must_open(".", O_RDONLY);

    check_error(do_fchdir(path), ENOTDIR, "fchdir to a file");
    check(do_fchdir(dir) == 0, "fchdir");
    check(do_fchmod(dir) == 0, "fchmod of a directory");
    check_error(fcntl(path, 9999, 0), EBADF, "an unknown fcntl of O_PATH");
    check_error(fcntl(dir, 9999, 0), EINVAL, "an unknown fcntl");
    check_error(read(dir, buffer, 4), EISDIR, "read of a directory");
    close(path);
    close(dir);
}

int main(int argc, char **argv)
{
    int fd;

    enter_scratch(argc, argv);
    put("file", "contents");
    put("other", "contents");
    try_all("a reader", fd = must_open("file", O_RDONLY));
    close(fd);
    try_all("a closed one", fd);
    try_all("a writer", fd = must_open("other", O_WRONLY));
    close(fd);
    try_all("a directory", fd = must_open(".", O_RDONLY | O_DIRECTORY));
    close(fd);
    try_all("O_PATH", fd = must_open("file", O_PATH));
    close(fd);
    try_all("O_PATH of a directory", fd = must_open(".", O_PATH));
    close(fd);
    try_all("mode 3", fd = must_open("file", 3));
    close(fd);
    try_all("-1", -1);
    try_all("1024", 1024);
    try_changes_of_attributes();
    show_file("file");
    show_file("other");
    return exit_status();
}
