/* SPDX-License-Identifier: ISC */
/*
 * Argument: a directory. Works in a new directory in it, which it removes again: natively a file
 * system of the host's, under husk one that guest-rt serves.
 */
#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE  2
#endif

/* musl 1.2.3 has no wrapper. */
static long rename_with(const char *from, const char *to, unsigned flags)
{
    return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void put(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    check(write(fd, text, strlen(text)) == (ssize_t)strlen(text), "write %s", name);
    close(fd);
}

static void show(const char *name)
{
    char text[256] = "";
    int fd = open(name, O_RDONLY);
    ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    printf("%s: %zd ", name, len);
    print_quoted(text);
    putchar('\n');
    if (fd >= 0)
        close(fd);
}

static void check_open(void)
{
    int fd;

    put("one", "first text");
    show("one");
    check_error(open("one", O_WRONLY | O_CREAT | O_EXCL, 0644), EEXIST, "O_EXCL");
    check_error(open("none", O_RDONLY), ENOENT, "open of nothing");
    check_error(open("none/one", O_RDONLY), ENOENT, "open below nothing");
    check_error(open("one/", O_RDONLY), ENOTDIR, "open of a file with a slash");
    check_error(open("one/two", O_RDONLY), ENOTDIR, "open below a file");
    check_error(open("one", O_RDONLY | O_DIRECTORY), ENOTDIR, "O_DIRECTORY");
    check_error(open(".", O_WRONLY), EISDIR, "open of a directory for writing");
    check_error(open("new/", O_WRONLY | O_CREAT, 0644), EISDIR, "O_CREAT with a slash");
    fd = open("one", O_RDONLY);
    check_error(write(fd, "x", 1), EBADF, "write to what is open for reading");
    check_error(ftruncate(fd, 1), EINVAL, "ftruncate of it");
    close(fd);
    fd = open("one", O_WRONLY | O_TRUNC);
    check_error(read(fd, &(char){0}, 1), EBADF, "read of what is open for writing");
    close(fd);
    show("one");
    fd = open("one", O_PATH);
    check_error(read(fd, &(char){0}, 1), EBADF, "read with O_PATH");
    close(fd);
    fd = open(".", O_TMPFILE | O_RDWR, 0600);
    check(fd >= 0 && write(fd, "nameless", 8) == 8, "O_TMPFILE");
    check(linkat(fd, "", AT_FDCWD, "named", AT_EMPTY_PATH) == 0, "a name for it");
    close(fd);
    show("named");
}

static void check_offsets(void)
{
    char text[32] = "";
    int fd = open("offsets", O_RDWR | O_CREAT, 0644), copy = dup(fd), other;

    check(write(fd, "0123456789", 10) == 10, "write");
    check(lseek(copy, 0, SEEK_CUR) == 10, "dup shares the offset");
    check(pread(fd, text, 4, 3) == 4 && memcmp(text, "3456", 4) == 0, "pread");
    check(pwrite(fd, "ab", 2, 1) == 2 && lseek(fd, 0, SEEK_CUR) == 10, "pwrite moves nothing");
    check(lseek(fd, -3, SEEK_END) == 7, "SEEK_END");
    check(read(fd, text, 32) == 3 && memcmp(text, "789", 3) == 0, "read to the end");
    check(read(fd, text, 32) == 0, "read at the end");
    check_error(lseek(fd, -1, SEEK_SET), EINVAL, "negative offset");
    check_error(lseek(fd, 0, 77), EINVAL, "unknown whence");
    check(lseek(fd, 100000, SEEK_SET) == 100000 && write(fd, "end", 3) == 3, "a hole");
    check(pread(fd, text, 4, 50000) == 4 && memcmp(text, "\0\0\0\0", 4) == 0, "its zeros");
    check(lseek(fd, 5000, SEEK_DATA) == 98304, "SEEK_DATA");
    check(lseek(fd, 0, SEEK_HOLE) == 4096, "SEEK_HOLE");
    check_error(lseek(fd, 100003, SEEK_DATA), ENXIO, "SEEK_DATA at the end");
    other = open("offsets", O_WRONLY | O_APPEND);
    check(write(other, "+", 1) == 1 && lseek(other, 0, SEEK_CUR) == 100004, "O_APPEND");
    check(pwrite(other, "-", 1, 0) == 1 && lseek(other, 0, SEEK_END) == 100005, "pwrite appends");
    close(other);
    close(copy);
    close(fd);
}

static void check_vectors(void)
{
    char a[3], b[5] = "";
    struct iovec out[] = {{(char *)"abc", 3}, {NULL, 0}, {(char *)"defgh", 5}};
    struct iovec in[] = {{a, sizeof a}, {b, sizeof b}};
    void *volatile nowhere = (void *)8;
    volatile int many = 1025;
    int fd = open("vector", O_RDWR | O_CREAT | O_TRUNC, 0644);

    check(writev(fd, out, 3) == 8, "writev");
    check(preadv(fd, in, 2, 1) == 7 && memcmp(a, "bcd", 3) == 0 && memcmp(b, "efgh", 4) == 0,
          "preadv");
    check_error(readv(fd, in, many), EINVAL, "too many pieces");
    check_error(write(fd, nowhere, 4), EFAULT, "write from nowhere");
    check(lseek(fd, 0, SEEK_SET) == 0, "back");
    check_error(read(fd, nowhere, 4), EFAULT, "read to nowhere");
    close(fd);
}

static void check_truncate(void)
{
    int fd = open("size", O_RDWR | O_CREAT, 0644);
    struct stat st;

    check(write(fd, "abcdefgh", 8) == 8 && ftruncate(fd, 3) == 0, "ftruncate");
    check(truncate("size", 6) == 0, "truncate");
    show("size");
    check_error(truncate("none", 6), ENOENT, "truncate of nothing");
    check_error(truncate(".", 6), EISDIR, "truncate of a directory");
    check_error(truncate("size", -1), EINVAL, "truncate to less than nothing");
    check(posix_fallocate(fd, 0, 10000) == 0 && fstat(fd, &st) == 0 && st.st_size == 10000,
          "fallocate");
    check(fsync(fd) == 0 && fdatasync(fd) == 0, "fsync");
    close(fd);
}

static void check_directories(void)
{
    int fd;

    check(mkdir("d", 0755) == 0 && mkdir("d/e/", 0700) == 0, "mkdir");
    check_error(mkdir("d", 0755), EEXIST, "mkdir again");
    check_error(mkdir("no/d", 0755), ENOENT, "mkdir below nothing");
    check_error(rmdir("d"), ENOTEMPTY, "rmdir of what has entries");
    check_error(rmdir("d/."), EINVAL, "rmdir of .");
    check_error(rmdir("one"), ENOTDIR, "rmdir of a file");
    check_error(unlink("d"), EISDIR, "unlink of a directory");
    check_error(unlink("none"), ENOENT, "unlink of nothing");
    check_error(unlink("one/"), ENOTDIR, "unlink with a slash");
    fd = open("d", O_RDONLY | O_DIRECTORY);
    check(mkdirat(fd, "f", 0755) == 0 && unlinkat(fd, "f", AT_REMOVEDIR) == 0, "mkdirat, unlinkat");
    check(faccessat(fd, "../one", R_OK, 0) == 0, "path through ..");
    close(fd);
    check(rmdir("d/e") == 0 && rmdir("d") == 0, "rmdir");
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void check_listing(void)
{
    char *names[2000], name[32];
    size_t count = 0;
    DIR *dir;

    mkdir("many", 0755);
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "many/entry-%d", i);
        close(open(name, O_WRONLY | O_CREAT, 0644));
    }
    close(open("many/\n\377", O_WRONLY | O_CREAT, 0644));
    dir = opendir("many");
    for (struct dirent *entry; (entry = readdir(dir)) && count < 2000;)
        names[count++] = strdup(entry->d_name);
    qsort(names, count, sizeof *names, by_name);
    printf("%zu entries:", count);
    for (size_t i = 0; i < 5; i++) {
        putchar(' ');
        print_quoted(names[i]);
    }
    putchar('\n');
    rewinddir(dir);
    count = 0;
    for (struct dirent *entry; (entry = readdir(dir));)
        count += entry->d_name[0] != '.' && unlinkat(dirfd(dir), entry->d_name, 0) == 0;
    check(count == 1001, "remove while reading");
    closedir(dir);
    check(rmdir("many") == 0, "nothing is left");
}

static void check_rename(void)
{
    int fd;

    put("a", "this is a");
    put("b", "this is b");
    fd = open("b", O_RDONLY);
    check(rename("a", "b") == 0, "rename over an open file");
    check(read(fd, &(char[9]){0}, 9) == 9, "which can be read");
    close(fd);
    show("a");
    show("b");
    put("a", "another");
    check_error(rename_with("a", "b", RENAME_NOREPLACE), EEXIST, "NOREPLACE");
    check(rename_with("a", "b", RENAME_EXCHANGE) == 0, "EXCHANGE");
    show("a");
    mkdir("up", 0755);
    mkdir("up/down", 0755);
    check_error(rename("up", "up/down/x"), EINVAL, "rename below itself");
    check_error(rename("up", "a"), ENOTDIR, "directory over file");
    check_error(rename("a", "up"), EISDIR, "file over directory");
    check_error(rename("none", "x"), ENOENT, "rename of nothing");
    check_error(rename("up/.", "x"), EBUSY, "rename of .");
    check(rename("a", "up/down/a") == 0 && rename("up/down", "flat") == 0, "into others");
    show("flat/a");
    check(unlink("flat/a") == 0 && rmdir("flat") == 0 && rmdir("up") == 0, "clean up");
}

static void check_links(void)
{
    char target[PATH_MAX], absolute[PATH_MAX + 8];
    struct stat st;

    put("file", "linked");
    check(link("file", "hard") == 0 && stat("file", &st) == 0 && st.st_nlink == 2, "link");
    check_error(link("file", "hard"), EEXIST, "link again");
    check_error(link(".", "dir"), EPERM, "link of a directory");
    check(symlink("file", "soft") == 0 && symlink("loop", "loop") == 0, "symlink");
    check(symlink("no/thing", "dangling") == 0 && symlink("..", "above") == 0, "symlink");
    show("soft");
    check(readlink("soft", target, sizeof target) == 4, "readlink");
    check_error(readlink("file", target, sizeof target), EINVAL, "readlink of a file");
    check_error(open("loop", O_RDONLY), ELOOP, "a loop");
    check_error(open("soft", O_RDONLY | O_NOFOLLOW), ELOOP, "O_NOFOLLOW");
    check_error(open("dangling", O_RDONLY | O_CREAT, 0644), ENOENT, "create by a dangling link");
    check(lstat("soft", &st) == 0 && S_ISLNK(st.st_mode) && st.st_size == 4, "lstat");
    check(getcwd(target, sizeof target) != NULL, "getcwd");
    snprintf(absolute, sizeof absolute, "%s/file", target);
    check(symlink(absolute, "absolute") == 0, "absolute symlink");
    show("absolute");
    check(access("above/..", F_OK) == 0 && access("above/above", F_OK) != 0, "out by a link");
    check(symlink("/dev/null", "null") == 0 && stat("null", &st) == 0 && S_ISCHR(st.st_mode),
          "symlink to a device");
    show("null");
    check(unlink("file") == 0, "unlink leaves the other name");
    show("hard");
    show("soft");
}

static void check_attributes(void)
{
    const struct timespec times[2] = {{1000000000, 5}, {1234567890, 987654321}};
    struct stat st;
    int fd;

    umask(027);
    fd = open("mode", O_RDWR | O_CREAT, 0666);
    fstat(fd, &st);
    printf("mode %o, size %d, links %d\n", (unsigned)st.st_mode, (int)st.st_size, (int)st.st_nlink);
    check(fchmod(fd, 0604) == 0 && stat("mode", &st) == 0, "fchmod");
    printf("mode %o\n", (unsigned)st.st_mode);
    check(chmod("mode", 04755) == 0 && fstat(fd, &st) == 0, "chmod");
    printf("mode %o\n", (unsigned)st.st_mode);
    check(chown("mode", -1, -1) == 0 && fchown(fd, getuid(), getgid()) == 0, "chown");
    check(futimens(fd, times) == 0 && stat("mode", &st) == 0, "futimens");
    printf("atime %lld.%ld, mtime %lld.%ld\n", (long long)st.st_atim.tv_sec, st.st_atim.tv_nsec,
           (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    check(utimensat(AT_FDCWD, "mode", (struct timespec[]){{0, UTIME_OMIT}, {0, UTIME_NOW}}, 0) == 0,
          "utimensat");
    stat("mode", &st);
    check(st.st_atim.tv_sec == 1000000000 && st.st_mtim.tv_sec > 1500000000, "now and omit");
    check_error(utimensat(AT_FDCWD, "mode", (struct timespec[]){{0, -1}, {0, 0}}, 0), EINVAL,
                "nanoseconds out of range");
    chmod("mode", 0644);
    check_error(access("mode", X_OK), EACCES, "access to execute");
    check(access("mode", R_OK | W_OK) == 0, "access");
    close(fd);
    umask(022);
}

static void check_copies(void)
{
    char text[16] = "";
    int in, out, fd;

    put("in", "0123456789");
    in = open("in", O_RDONLY);
    out = open("out", O_RDWR | O_CREAT, 0644);
    check(sendfile(out, in, NULL, 4) == 4, "sendfile");
    check(copy_file_range(in, NULL, out, NULL, 100, 0) == 6, "copy_file_range");
    show("out");
    fd = open("/dev/null", O_WRONLY);
    check(sendfile(fd, in, &(off_t){2}, 5) == 5, "sendfile to /dev/null");
    close(fd);
    check(flock(in, LOCK_EX) == 0 && flock(in, LOCK_UN) == 0, "flock");
    check(fcntl(out, F_SETLK, &(struct flock){.l_type = F_WRLCK}) == 0, "record lock");
    check_error(ioctl(out, 0x5401 /* TCGETS */, text), ENOTTY, "ioctl for terminals");
    close(in);
    close(out);
}

static void check_mapping(void)
{
    int fd = open("map", O_RDWR | O_CREAT, 0644);
    char *map;

    check(write(fd, "mapped contents", 15) == 15, "write");
    map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    check(map != MAP_FAILED && memcmp(map, "mapped contents", 16) == 0, "private mapping");
    if (map != MAP_FAILED)
        memcpy(map, "MAPPED", 6);
    show("map");
    check(map != MAP_FAILED && munmap(map, 4096) == 0, "munmap");
    map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    check(map != MAP_FAILED && map[1] == 'a', "read-only mapping");
    munmap(map, 4096);
    close(fd);
}

static void check_unlinked(void)
{
    char text[8] = "";
    int fd = open("gone", O_RDWR | O_CREAT, 0644);
    struct stat st;

    check(unlink("gone") == 0 && write(fd, "still", 5) == 5, "write to an unlinked file");
    check(pread(fd, text, 8, 0) == 5 && memcmp(text, "still", 5) == 0, "read it");
    check(fstat(fd, &st) == 0 && st.st_nlink == 0 && st.st_size == 5, "stat it");
    close(fd);
    check_error(access("gone", F_OK), ENOENT, "its name");
}

static void check_cwd(void)
{
    char path[PATH_MAX];
    const char *name;
    int fd = open(".", O_RDONLY | O_DIRECTORY);

    mkdir("in1", 0755);
    mkdir("in1/in2", 0755);
    check(chdir("in1/in2") == 0 && getcwd(path, sizeof path) != NULL, "chdir, getcwd");
    name = strrchr(path, '/');
    printf("cwd ends in %s\n", name);
    check(rename("../../in1", "../../out1") == 0, "rename above it");
    check(getcwd(path, sizeof path) && strstr(path, "/out1/in2"), "getcwd then");
    check(rmdir("../in2") == 0, "remove it");
    check_error(getcwd(path, sizeof path) ? 0 : -1, ENOENT, "getcwd then");
    check_error(open("x", O_WRONLY | O_CREAT, 0644), ENOENT, "create in it");
    check(fchdir(fd) == 0 && rmdir("out1") == 0, "fchdir");
    check_error(chdir("one"), ENOTDIR, "chdir to a file");
    close(fd);
}

static void remove_all(void)
{
    DIR *dir = opendir(".");

    for (struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            unlink(entry->d_name);
    closedir(dir);
}

int main(int argc, char **argv)
{
    char scratch[PATH_MAX];

    snprintf(scratch, sizeof scratch, "%s/husk-guest-XXXXXX", argc > 1 ? argv[1] : "/tmp");
    check(mkdtemp(scratch) && chdir(scratch) == 0, "a new directory");
    if (failed_checks)
        return exit_status();
    umask(022);
    check_open();
    check_offsets();
    check_vectors();
    check_truncate();
    check_directories();
    check_listing();
    check_rename();
    check_links();
    check_attributes();
    check_copies();
    check_mapping();
    check_unlinked();
    check_cwd();
    remove_all();
    check(chdir("/") == 0 && rmdir(scratch) == 0, "everything is gone");
    return exit_status();
}
