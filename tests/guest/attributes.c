/* SPDX-License-Identifier: ISC */
/* Argument: a scratch directory. Modes, owners and times. */
#include "scratch.h"

#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <time.h>
#include <utime.h>

static void change_modes(void)
{
    static const mode_t modes[] = {0, 0400, 0644, 0777, 01777, 02755, 04755, 07777, 0600};
    int fd = must_open("file", O_RDWR | O_CREAT), path;

    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        check(chmod("file", modes[i]) == 0, "chmod %04o", modes[i]);
        show_status("file");
    }
    check(fchmod(fd, 0640) == 0, "fchmod");
    show_status("file");
    check(fchmodat(AT_FDCWD, "file", 0604, 0) == 0, "fchmodat");
    show_status("file");
    check(mkdir("dir", 0755) == 0 && chmod("dir", 0711) == 0, "chmod of a directory");
    show_status("dir");
    check(chmod("dir/", 0750) == 0, "with a slash");
    show_status("dir");
    check_error(chmod("file/", 0644), ENOTDIR, "of a file with a slash");
    check_error(chmod("none", 0644), ENOENT, "of nothing");
    check_error(chmod("", 0644), ENOENT, "of an empty name");
    check_error(fchmod(99, 0644), EBADF, "fchmod of no descriptor");
    path = must_open("file", O_PATH);
    check_error(syscall(SYS_fchmod, path, 0644), EBADF, "fchmod of O_PATH");
    close(path);
    close(fd);
    fd = must_open("dir", O_RDONLY);
    check(fchmod(fd, 0700) == 0, "fchmod of a directory");
    show_status("dir");
    close(fd);
}

static void change_owners(void)
{
    int fd = must_open("file", O_RDONLY);

    check(chown("file", getuid(), getgid()) == 0, "chown to oneself");
    check(chown("file", (uid_t)-1, (gid_t)-1) == 0, "chown to nobody else");
    check(fchown(fd, getuid(), (gid_t)-1) == 0, "fchown");
    check(symlink("none", "link") == 0 && lchown("link", getuid(), getgid()) == 0, "lchown");
    check_error(chown("link", getuid(), getgid()), ENOENT, "chown of a link to nothing");
    check(fchownat(AT_FDCWD, "link", getuid(), getgid(), AT_SYMLINK_NOFOLLOW) == 0, "fchownat");
    check(fchownat(fd, "", getuid(), getgid(), AT_EMPTY_PATH) == 0, "fchownat of a descriptor");
    check_error(fchownat(AT_FDCWD, "file", 0, 0, 0x8), EINVAL, "with an unknown flag");
    check(chmod("file", 04755) == 0 && chown("file", getuid(), getgid()) == 0, "chown of set-uid");
    show_status("file");
    close(fd);
}

/* By descriptors that can do nothing else; both C libraries' fchmodat does it like this. */
static void change_by_path_descriptors(void)
{
    const struct timespec times[2] = {{1000000000, 0}, {1000000001, 0}};
    int fd = must_open("file", O_PATH);
    char path[40];
    struct stat status;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    check(chmod(path, 0641) == 0, "chmod of a descriptor's name");
    show_status("file");
    check(fchownat(fd, "", getuid(), getgid(), AT_EMPTY_PATH) == 0, "fchownat of O_PATH");
    check(chown(path, getuid(), getgid()) == 0, "chown by name");
    check(utimensat(fd, "", times, AT_EMPTY_PATH) == 0 && stat("file", &status) == 0 &&
              status.st_mtime == 1000000001,
          "utimensat of O_PATH");
    check(utimensat(AT_FDCWD, path, NULL, 0) == 0 && stat("file", &status) == 0 &&
              status.st_mtime > 1000000001,
          "utimensat by name");
    close(fd);
    check(fchmodat(AT_FDCWD, "dir", 0701, AT_SYMLINK_NOFOLLOW) == 0, "fchmodat without following");
    show_status("dir");
}

static void list_attributes(void)
{
    int fd = must_open("file", O_RDONLY);

    check(listxattr("file", NULL, 0) == 0 && llistxattr("link", NULL, 0) == 0 &&
              flistxattr(fd, NULL, 0) == 0,
          "no extended attributes");
    check_error(listxattr("none", NULL, 0), ENOENT, "of nothing");
    check_error(flistxattr(99, NULL, 0), EBADF, "of no descriptor");
    check(readahead(fd, 0, 4096) == 0, "readahead");
    check_error(readahead(99, 0, 4096), EBADF, "of no descriptor");
    check(fcntl(fd, F_GETOWN) == 0, "F_GETOWN");
    close(fd);
}

static void show_times(const char *name)
{
    struct stat status;

    if (lstat(name, &status) < 0)
        give_up(name);
    printf("%s: %lld.%09ld, %lld.%09ld\n", name, (long long)status.st_atim.tv_sec,
           status.st_atim.tv_nsec, (long long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

static void set_times(void)
{
    const struct timespec old[2] = {{1000000000, 123456789}, {1234567890, 999999999}};
    const struct timespec access[2] = {{5, 6}, {0, UTIME_OMIT}};
    const struct timespec modified[2] = {{0, UTIME_OMIT}, {4000000000, 8}};
    const struct timespec none[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
    int fd = must_open("file", O_RDONLY);

    check(utimensat(AT_FDCWD, "file", old, 0) == 0, "utimensat");
    show_times("file");
    check(utimensat(AT_FDCWD, "file", access, 0) == 0, "the access time alone");
    show_times("file");
    check(utimensat(AT_FDCWD, "file", modified, 0) == 0, "the modification time alone");
    show_times("file");
    check(utimensat(AT_FDCWD, "file", none, 0) == 0, "neither");
    show_times("file");
    check(futimens(fd, old) == 0, "futimens");
    show_times("file");
    check(utimensat(AT_FDCWD, "dir", old, 0) == 0, "of a directory");
    show_times("dir");
    check(utimensat(AT_FDCWD, "link", old, AT_SYMLINK_NOFOLLOW) == 0, "of a link");
    show_times("link");
    check_error(utimensat(AT_FDCWD, "link", old, 0), ENOENT, "of what it points to");
    check_error(utimensat(AT_FDCWD, "none", old, 0), ENOENT, "of nothing");
    check_error(futimens(99, old), EBADF, "futimens of no descriptor");
    close(fd);
}

static void set_times_in_old_ways(void)
{
    const struct timeval us[2] = {{100, 200000}, {300, 400000}};
    const struct timeval wrong[2] = {{100, 1000000}, {300, 0}};
    const struct timespec bad[2] = {{1, 1000000000}, {1, 1}};
    const struct utimbuf seconds = {11, 22};

    check(utimes("file", us) == 0, "utimes");
    show_times("file");
    check(utime("file", &seconds) == 0, "utime");
    show_times("file");
    check_error(utimes("file", wrong), EINVAL, "utimes of a million microseconds");
    check_error(utimensat(AT_FDCWD, "file", bad, 0), EINVAL, "utimensat of 10^9 nanoseconds");
    show_times("file");
}

static bool is_now(struct timespec when)
{
    return llabs((long long)(time(NULL) - when.tv_sec)) < 600;
}

static void set_to_now(void)
{
    const struct timespec now[2] = {{0, UTIME_NOW}, {0, UTIME_OMIT}};
    struct stat status;

    check(utimensat(AT_FDCWD, "file", now, 0) == 0 && stat("file", &status) == 0, "UTIME_NOW");
    check(is_now(status.st_atim) && status.st_mtim.tv_sec == 22, "sets one");
    check(utimensat(AT_FDCWD, "file", NULL, 0) == 0 && stat("file", &status) == 0, "no times");
    check(is_now(status.st_atim) && is_now(status.st_mtim), "set both");
}

static void change_times_by_writing(void)
{
    const struct timespec old[2] = {{1, 0}, {2, 0}};
    int fd = must_open("written", O_RDWR | O_CREAT);
    struct stat status;

    check(futimens(fd, old) == 0 && fstat(fd, &status) == 0 && status.st_mtim.tv_sec == 2,
          "an old file");
    check(write(fd, "x", 1) == 1 && fstat(fd, &status) == 0 && is_now(status.st_mtim),
          "is new when written to");
    check(is_now(status.st_ctim), "so is its change time");
    check(futimens(fd, old) == 0 && ftruncate(fd, 0) == 0 && fstat(fd, &status) == 0 &&
              is_now(status.st_mtim),
          "or truncated");
    check(utimensat(AT_FDCWD, "dir", old, 0) == 0, "an old directory");
    put("dir/new", "");
    check(stat("dir", &status) == 0 && is_now(status.st_mtim), "is new with a new name in it");
    check(utimensat(AT_FDCWD, "dir", old, 0) == 0 && unlink("dir/new") == 0 &&
              stat("dir", &status) == 0 && is_now(status.st_mtim),
          "and with one less");
    close(fd);
}

static void ask_file_system(void)
{
    struct statvfs by_path, by_fd;
    int fd = must_open("file", O_RDONLY);

    check(statvfs("file", &by_path) == 0 && fstatvfs(fd, &by_fd) == 0, "statvfs and fstatvfs");
    check(by_path.f_bsize == by_fd.f_bsize && by_path.f_fsid == by_fd.f_fsid, "agree");
    printf("block size %lu, name length %lu\n", by_path.f_bsize, by_path.f_namemax);
    check((by_path.f_flag & ST_RDONLY) == 0, "it is writable");
    check(access("file", W_OK) == 0 && access("dir", W_OK) == 0, "access agrees");
    close(fd);
}

int main(int argc, char **argv)
{
    enter_scratch(argc, argv);
    change_modes();
    change_owners();
    change_by_path_descriptors();
    list_attributes();
    set_times();
    set_times_in_old_ways();
    set_to_now();
    change_times_by_writing();
    ask_file_system();
    return exit_status();
}
