/* SPDX-License-Identifier: ISC */
/* Argument: a scratch directory. What open creates, empties and refuses. */
#include "scratch.h"

#include <stdint.h>
#include <sys/syscall.h>

static long try_open(const char *name, int flags, mode_t mode)
{
    int fd = open(name, flags, mode);

    if (fd < 0)
        return -1;
    close(fd);
    return 0;
}

static void create_modes(void)
{
    static const mode_t modes[] = {0, 0444, 0600, 0666, 0777, 04755, 02711, 01777, 0100644};
    char name[30];

    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        snprintf(name, sizeof name, "mode-%o", modes[i]);
        check(try_open(name, O_WRONLY | O_CREAT, modes[i]) == 0, "created with %04o", modes[i]);
        show_status(name);
    }
    umask(0);
    check(try_open("umask-0", O_RDONLY | O_CREAT, 0666) == 0, "with umask 0");
    umask(077);
    check(try_open("umask-77", O_RDONLY | O_CREAT, 0666) == 0, "with umask 077");
    umask(0777);
    check(try_open("umask-777", O_RDWR | O_CREAT, 0666) == 0, "with umask 0777");
    umask(022);
    show_status("umask-0");
    show_status("umask-77");
    show_status("umask-777");
}

static void create_existing(void)
{
    put("old", "old text");
    check(try_open("old", O_WRONLY | O_CREAT, 0777) == 0, "O_CREAT of what is there");
    show_status("old");
    check_error(try_open("old", O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST, "O_EXCL of it");
    show_file("old");
    check(try_open("old", O_WRONLY | O_TRUNC, 0) == 0, "O_TRUNC");
    show_status("old");
    put("old", "old text");
    check(try_open("old", O_RDWR | O_CREAT | O_TRUNC, 0) == 0, "O_CREAT and O_TRUNC");
    show_status("old");
    put("old", "again");
    check(creat("old", 0600) >= 0, "creat");
    show_status("old");
    check_error(try_open("missing", O_WRONLY | O_TRUNC, 0), ENOENT, "O_TRUNC of nothing");
    check_error(try_open("no/file", O_WRONLY | O_CREAT, 0600), ENOENT, "below nothing");
    check_error(try_open("old/file", O_WRONLY | O_CREAT, 0600), ENOTDIR, "below a file");
    check_error(try_open("", O_WRONLY | O_CREAT, 0600), ENOENT, "an empty name");
}

static void create_directories(void)
{
    if (mkdir("dir", 0755) < 0)
        give_up("dir");
    check_error(try_open("dir", O_WRONLY, 0), EISDIR, "a directory for writing");
    check_error(try_open("dir", O_RDONLY | O_CREAT, 0600), EISDIR, "O_CREAT of a directory");
    check_error(try_open("dir", O_RDONLY | O_CREAT | O_EXCL, 0600), EEXIST, "O_EXCL of it");
    check_error(try_open("dir", O_RDONLY | O_TRUNC, 0), EISDIR, "O_TRUNC of it");
    check_error(try_open("new/", O_WRONLY | O_CREAT, 0600), EISDIR, "O_CREAT with a slash");
    check_error(try_open("old/", O_RDONLY, 0), ENOTDIR, "a file with a slash");
    check_error(try_open("old", O_RDONLY | O_DIRECTORY, 0), ENOTDIR, "O_DIRECTORY of a file");
    check(try_open("dir", O_RDONLY | O_DIRECTORY, 0) == 0, "O_DIRECTORY of a directory");
}

static void create_through_links(void)
{
    if (symlink("target", "link") < 0 || symlink("loop", "loop") < 0)
        give_up("links");
    check_error(try_open("link", O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST,
                "O_EXCL of a link to nothing");
    check_error(try_open("link", O_WRONLY | O_CREAT | O_NOFOLLOW, 0600), ELOOP, "O_NOFOLLOW of it");
    check(!is_there("target"), "nothing was created");
    check(try_open("link", O_WRONLY | O_CREAT, 0600) == 0 && is_there("target"),
          "O_CREAT creates what it points to");
    check_error(try_open("loop", O_WRONLY | O_CREAT, 0600), ELOOP, "O_CREAT of a loop");
}

static void create_read_only_mode(void)
{
    int fd = open("read-only", O_RDWR | O_CREAT | O_EXCL, 0400);

    check(fd >= 0, "created with mode 0400, open for writing");
    check(write(fd, "text", 4) == 4, "write");
    check((fcntl(fd, F_GETFL) & (O_ACCMODE | O_CREAT | O_EXCL)) == O_RDWR,
          "F_GETFL forgets O_CREAT");
    close(fd);
    show_status("read-only");
}

/* Whether the file system has O_TMPFILE is the same natively and in the VM. */
static void create_unnamed(void)
{
    int fd = open("dir", O_TMPFILE | O_RDWR, 0640);
    struct stat status;

    check_error(try_open("dir", O_TMPFILE | O_RDONLY, 0600), EINVAL, "O_TMPFILE without writing");
    check_error(try_open("old", O_TMPFILE | O_RDWR, 0600), ENOTDIR, "O_TMPFILE in a file");
    if (fd < 0) {
        printf("O_TMPFILE: %s\n", error_name(errno));
        return;
    }
    check(write(fd, "unnamed", 7) == 7 && fstat(fd, &status) == 0, "O_TMPFILE");
    printf("links %lu, mode %04o\n", (unsigned long)status.st_nlink, status.st_mode & 07777U);
    show_open("unnamed", fd);
    close(fd);
}

/* openat2(2): not every libc comes with the kernel's headers. */
struct how {
    uint64_t flags, mode, resolve;
};

static void create_by_openat2(void)
{
    struct how how = {.flags = O_WRONLY | O_CREAT | O_EXCL, .mode = 0640};
    long fd = syscall(SYS_openat2, AT_FDCWD, "by-openat2", &how, sizeof how);

    check(fd >= 0 && write((int)fd, "2", 1) == 1, "openat2");
    close((int)fd);
    show_status("by-openat2");
    check_error(syscall(SYS_openat2, AT_FDCWD, "by-openat2", &how, sizeof how), EEXIST, "twice");
    how.flags = O_RDONLY;
    check_error(syscall(SYS_openat2, AT_FDCWD, "by-openat2", &how, sizeof how), EINVAL,
                "a mode without O_CREAT");
    how.flags = 1ULL << 40, how.mode = 0;
    check_error(syscall(SYS_openat2, AT_FDCWD, "by-openat2", &how, sizeof how), EINVAL,
                "an unknown flag");
    check_error(syscall(SYS_openat2, AT_FDCWD, "by-openat2", &how, 8L), EINVAL, "a short struct");
}

static void create_relative_to_directory(void)
{
    int dir = must_open("dir", O_RDONLY | O_DIRECTORY), path = must_open("dir", O_PATH);
    int fd = openat(dir, "by-openat", O_WRONLY | O_CREAT, 0644);

    check(fd >= 0 && is_there("dir/by-openat"), "openat of a directory");
    close(fd);
    fd = openat(path, "by-path", O_WRONLY | O_CREAT, 0644);
    check(fd >= 0 && is_there("dir/by-path"), "openat of an O_PATH descriptor");
    check_error(openat(fd, "x", O_WRONLY | O_CREAT, 0644), ENOTDIR, "openat of a file");
    close(fd);
    close(dir);
    check_error(openat(dir, "x", O_WRONLY | O_CREAT, 0644), EBADF, "openat of what is closed");
    close(path);
}

int main(int argc, char **argv)
{
    enter_scratch(argc, argv);
    create_modes();
    create_existing();
    create_directories();
    create_through_links();
    create_read_only_mode();
    create_unnamed();
    create_by_openat2();
    create_relative_to_directory();
    return exit_status();
}
