/* SPDX-License-Identifier: ISC */
/*
 * Argument: a directory with a file "text". Makes system calls whose lines --trace is known to
 * print; by syscall(), as the libcs take different ways.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static const struct iovec parts[] = {{"one", 3}, {" two\n", 5}};
    char path[4096], data[64];
    const char *directory = argc == 2 ? argv[1] : "";

    snprintf(path, sizeof(path), "%s/text", directory);
    long fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    syscall(SYS_read, fd, data, sizeof(data));
    syscall(SYS_lseek, fd, 2L, SEEK_SET);
    syscall(SYS_close, fd);
    snprintf(path, sizeof(path), "%s/missing", directory);
    syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    syscall(SYS_openat, AT_FDCWD, 8L, O_RDONLY, 0);
    syscall(SYS_write, 1, "tab\there\n", 9L);
    syscall(SYS_writev, 1, parts, 2L);
    syscall(SYS_getppid);
    syscall(SYS_close, 77L);
    syscall(SYS_inotify_init1, 0L);
    syscall(9999, 1L, 2L, 3L, 4L, 5L, 6L);
    syscall(SYS_exit_group, 3L);
}
