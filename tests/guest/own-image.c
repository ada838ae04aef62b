/* SPDX-License-Identifier: ISC */
/* A program reads its own file: by /proc/self/exe, and by the names that it was started by. */
#include "check.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A string that is in the file. */
static const char needle[] = "this very string, and nothing else";

static bool is_image(int fd)
{
    struct stat status;
    char *view = NULL;
    bool found = false;

    if (fd >= 0 && fstat(fd, &status) == 0)
        view = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (view && view != MAP_FAILED)
        found = memcmp(view, ELFMAG, SELFMAG) == 0 &&
                memmem(view, status.st_size, needle, sizeof needle);
    close(fd);
    return found;
}

static void open_by(const char *what, const char *path)
{
    struct stat status;

    check(is_image(open(path, O_RDONLY | O_CLOEXEC)), "open by %s", what);
    check(stat(path, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 1000,
          "stat by %s", what);
    check(access(path, R_OK) == 0, "access by %s", what);
}

int main(int argc, char **argv)
{
    char target[4096] = {0}, head[SELFMAG];
    struct flock lock = {.l_type = F_RDLCK, .l_len = 10};
    struct stat link, file;
    int one, two;

    (void)argc;
    open_by("/proc/self/exe", "/proc/self/exe");
    check(readlink("/proc/self/exe", target, sizeof target - 1) > 1, "readlink");
    open_by("what that says", target);
    open_by("argv[0]", argv[0]);
    open_by("AT_EXECFN", (const char *)getauxval(AT_EXECFN));
    check(lstat("/proc/self/exe", &link) == 0 && S_ISLNK(link.st_mode), "lstat: a link");
    check(stat("/proc/self/exe", &file) == 0 && fstatat(AT_FDCWD, target, &link, 0) == 0 &&
              file.st_ino == link.st_ino && file.st_size == link.st_size,
          "one file");
    one = open("/proc/self/exe", O_RDONLY);
    two = open("/proc/self/exe", O_RDONLY);
    check(read(one, head, SELFMAG) == SELFMAG && lseek(two, 0, SEEK_CUR) == 0 &&
              lseek(one, 0, SEEK_CUR) == SELFMAG,
          "each open has its own offset");
    check(flock(one, LOCK_EX) == 0 && flock(one, LOCK_UN) == 0, "flock");
    check(fcntl(one, F_SETLK, &lock) == 0 && fcntl(two, F_GETLK, &lock) == 0 &&
              lock.l_type == F_UNLCK,
          "record locks meet nobody's");
    check_error(write(one, "x", 1), EBADF, "write to what is open to read");
    check(open("/proc/self/exe", O_RDWR) == -1 && (errno == ETXTBSY || errno == EACCES),
          "open to write is refused");
    check_error(open("/proc/self/exe", O_RDONLY | O_NOFOLLOW), ELOOP, "O_NOFOLLOW");
    check_error(open("/proc/self/exe/x", O_RDONLY), ENOTDIR, "as a directory");
    check_error(open("/proc/self/exe", O_RDONLY | O_DIRECTORY), ENOTDIR, "O_DIRECTORY");
    return exit_status();
}
