/* SPDX-License-Identifier: ISC */
/*
 * Argument: an empty directory. Runs under the husk whose host calls fail on demand (arm.c), and
 * prints what a program gets to see: for each call its error, and whether it works afterwards.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h> /* husk-cc has the kernel's headers */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PAGE = 4096 };

static int file, other, dir;
static char data[3 * PAGE];
static char *view; /* a shared mapping of a page of the file */

static void order(const char *format, const char *call, int error)
{
    char path[100];

    snprintf(path, sizeof path, format, call, error);
    if (access(path, F_OK) < 0 && strncmp(path, "/fault/off", 10) != 0)
        perror(path);
}

static long do_open(void)
{
    int fd = open("sub/inner", O_RDWR);

    return fd < 0 ? -1 : close(fd);
}

static long do_create(void)
{
    int fd = open("new", O_RDWR | O_CREAT | O_EXCL, 0600);

    return fd < 0 ? -1 : unlink("new") | close(fd);
}

static long do_stat(void)
{
    return stat("sub/inner", &(struct stat){0});
}

static long do_read(void)
{
    return lseek(file, 0, SEEK_SET) == 0 && read(file, data, 10) == 10 ? 0 : -1;
}

static long do_write(void)
{
    return pwrite(file, data, 10, 0) == 10 ? 0 : -1;
}

static long do_writev(void)
{
    const struct iovec pieces[2] = {{data, 3}, {data + 10, 4}};

    return lseek(file, 0, SEEK_SET) == 0 && writev(file, pieces, 2) == 7 ? 0 : -1;
}

/* The position stays where it was when nothing was moved. */
static long do_position(void)
{
    if (lseek(file, 5, SEEK_SET) != 5)
        return -2;
    if (read(file, data, 10) == 10)
        return lseek(file, 0, SEEK_CUR) == 15 ? 0 : -2;
    return lseek(file, 0, SEEK_CUR) == 5 ? -1 : -2;
}

static long do_append(void)
{
    int fd = open("sub/inner", O_WRONLY | O_APPEND), error;
    long done = write(fd, data, 10);

    error = errno;
    close(fd);
    errno = error;
    return done == 10 ? 0 : -1;
}

static long do_seek(void)
{
    return lseek(file, 0, SEEK_END) > 0 ? 0 : -1;
}

static long do_getdents(void)
{
    char entries[1000];

    lseek(dir, 0, SEEK_SET);
    return syscall(SYS_getdents64, dir, entries, sizeof entries) > 0 ? 0 : -1;
}

static long do_map(void)
{
    char *map = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, file, 0);

    return map == MAP_FAILED ? -1 : munmap(map, PAGE);
}

static long do_msync(void)
{
    view[0]++;
    return msync(view, PAGE, MS_SYNC);
}

/* What was read and could not be written counts as not read. */
static long do_sendfile(void)
{
    off_t from = 0;
    long done;

    if (lseek(other, 0, SEEK_SET) < 0)
        return -2;
    done = sendfile(other, file, &from, 100);
    return done == 100 && from == 100 ? 0 : done < 0 && from == 0 ? -1 : -2;
}

static long do_rename(void)
{
    return rename("sub/inner", "sub/moved") < 0 ? -1 : rename("sub/moved", "sub/inner");
}

static long do_link(void)
{
    return link("sub/inner", "linked") < 0 ? -1 : unlink("linked");
}

static long do_mkdir(void)
{
    return mkdir("made", 0700) < 0 ? -1 : rmdir("made");
}

static long do_symlink(void)
{
    return symlink("target", "made") < 0 ? -1 : unlink("made");
}

static long do_readlink(void)
{
    char target[10];

    return readlink("link", target, sizeof target) == 3 ? 0 : -1;
}

static long do_unlink(void)
{
    int fd = open("victim", O_WRONLY | O_CREAT, 0600);

    if (fd >= 0)
        close(fd);
    return unlink("victim");
}

static long do_chmod(void)
{
    return chmod("sub/inner", 0640);
}

static long do_fchmod(void)
{
    return fchmod(file, 0640);
}

static long do_chown(void)
{
    return chown("sub/inner", getuid(), getgid());
}

static long do_utimens(void)
{
    return utimensat(AT_FDCWD, "sub/inner", NULL, 0);
}

static long do_truncate(void)
{
    return truncate("sub/inner", 50);
}

static long do_ftruncate(void)
{
    return ftruncate(file, sizeof data);
}

static long do_allocate(void)
{
    return fallocate(file, FALLOC_FL_KEEP_SIZE, 0, sizeof data);
}

static long do_fsync(void)
{
    return fsync(file);
}

static long do_statfs(void)
{
    return fstatfs(file, &(struct statfs){0});
}

static long do_lock(void)
{
    struct flock lock = {.l_type = F_WRLCK, .l_len = 10};

    return fcntl(file, F_SETLK, &lock);
}

static long do_chdir(void)
{
    return chdir("sub") < 0 ? -1 : chdir("..");
}

/* The descriptor is closed, whatever is said. */
static long do_close(void)
{
    int fd = open("other", O_WRONLY), error;
    long done = close(fd);

    error = errno;
    if (fcntl(fd, F_GETFD) >= 0)
        return -2;
    errno = error;
    return done;
}

static const struct {
    const char *name, *call;
    int error;
    const char *error_name;
    long (*step)(void);
} steps[] = {
    {"open", "openat2", EMFILE, "EMFILE", do_open},
    {"open", "openat2", ENFILE, "ENFILE", do_open},
    {"open", "statx", EIO, "EIO", do_open},
    {"open", "strdup", ENOMEM, "ENOMEM", do_open},
    {"create", "openat2", ENOSPC, "ENOSPC", do_create},
    {"create", "openat2", EDQUOT, "EDQUOT", do_create},
    {"stat", "statx", EIO, "EIO", do_stat},
    {"read", "preadv", EIO, "EIO", do_read},
    {"read", "preadv", EINTR, "EINTR", do_read},
    {"write", "pwritev", ENOSPC, "ENOSPC", do_write},
    {"write", "pwritev", EDQUOT, "EDQUOT", do_write},
    {"write", "pwritev", EIO, "EIO", do_write},
    {"writev", "pwritev", ENOSPC, "ENOSPC", do_writev},
    {"read and the position", "preadv", EIO, "EIO", do_position},
    {"append", "pwritev2", ENOSPC, "ENOSPC", do_append},
    {"seek", "lseek", EIO, "EIO", do_seek},
    {"getdents", "getdents64", EIO, "EIO", do_getdents},
    {"mmap", "mmap", ENOMEM, "ENOMEM", do_map},
    {"mmap", "mmap", EAGAIN, "EAGAIN", do_map},
    {"msync", "msync", EIO, "EIO", do_msync},
    {"sendfile that cannot read", "preadv", EIO, "EIO", do_sendfile},
    {"sendfile that cannot write", "pwritev", ENOSPC, "ENOSPC", do_sendfile},
    {"rename", "renameat2", ENOSPC, "ENOSPC", do_rename},
    {"link", "linkat", EMLINK, "EMLINK", do_link},
    {"mkdir", "mkdirat", ENOSPC, "ENOSPC", do_mkdir},
    {"symlink", "symlinkat", EDQUOT, "EDQUOT", do_symlink},
    {"readlink", "readlinkat", EIO, "EIO", do_readlink},
    {"unlink", "unlinkat", EIO, "EIO", do_unlink},
    {"chmod", "fchmodat2", EIO, "EIO", do_chmod},
    {"fchmod", "fchmod", EIO, "EIO", do_fchmod},
    {"chown", "fchownat", EDQUOT, "EDQUOT", do_chown},
    {"utimensat", "utimensat", EIO, "EIO", do_utimens},
    {"truncate", "ftruncate", EINTR, "EINTR", do_truncate},
    {"ftruncate", "ftruncate", EIO, "EIO", do_ftruncate},
    {"fallocate", "fallocate", ENOSPC, "ENOSPC", do_allocate},
    {"fsync", "fsync", EIO, "EIO", do_fsync},
    {"fstatfs", "fstatfs", EIO, "EIO", do_statfs},
    {"lock", "fcntl", ENOLCK, "ENOLCK", do_lock},
    {"chdir", "openat2", EMFILE, "EMFILE", do_chdir},
    {"close", "close", EIO, "EIO", do_close},
};

static const char *outcome(long result, int wanted, const char *name)
{
    if (result == 0)
        return "done";
    if (result == -2)
        return "done in part";
    return errno == wanted ? name : strerror(errno);
}

static int descriptors(void)
{
    return access("/fault/descriptors", F_OK) < 0 ? errno : 0;
}

static void prepare(const char *path)
{
    if (chdir(path) < 0 || mkdir("sub", 0700) < 0 || symlink("sub", "link") < 0)
        perror(path), exit(2);
    file = open("file", O_RDWR | O_CREAT, 0600);
    other = open("other", O_RDWR | O_CREAT, 0600);
    dir = open("sub", O_RDONLY | O_DIRECTORY);
    close(open("sub/inner", O_WRONLY | O_CREAT, 0600));
    if (write(file, data, sizeof data) != sizeof data)
        perror("file"), exit(2);
    view = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
}

static void move_in_pieces(void)
{
    struct iovec pieces[2] = {{data, 10}, {data + 10, 10}};

    order("/fault/short/7%s", "", 0);
    printf("short read: %zd\n", pread(file, data, 100, 0));
    printf("short write: %zd\n", pwrite(file, data, 100, 0));
    lseek(file, 0, SEEK_SET);
    printf("short readv: %zd", readv(file, pieces, 2));
    printf(", then at %lld\n", (long long)lseek(file, 0, SEEK_CUR));
    printf("sendfile in pieces: %ld\n", do_sendfile());
    order("/fault/off%s", "", 0);
}

int main(int argc, char **argv)
{
    int before;

    if (argc != 2)
        return 2;
    prepare(argv[1]);
    do_lock(); /* from now on files are looked for in the table */
    before = descriptors();
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        printf("%s, %s: ", steps[i].name, steps[i].call);
        order("/fault/arm/%s/1/%d", steps[i].call, steps[i].error);
        printf("%s", outcome(steps[i].step(), steps[i].error, steps[i].error_name));
        if (access("/fault/off", F_OK) < 0)
            printf(" (the host call was not made)");
        printf(", then %s\n", outcome(steps[i].step(), 0, ""));
    }
    move_in_pieces();
    printf("descriptors: %d more\n", descriptors() - before);
}
