/* SPDX-License-Identifier: ISC */
/* Devices and descriptors below /dev, and what everybody reads below /proc. */
#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void show_device(const char *path)
{
    struct stat st;

    check(stat(path, &st) == 0, "stat %s", path);
    printf("%s: mode %o, size %lld\n", path, (unsigned)st.st_mode, (long long)st.st_size);
}

static bool all(const char *bytes, size_t len, char byte)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != byte)
            return false;
    return true;
}

static void check_null(void)
{
    char buffer[16];
    int fd = open("/dev/null", O_RDWR | O_CREAT | O_TRUNC, 0644);

    show_device("/dev/null");
    check(read(fd, buffer, sizeof buffer) == 0, "null is empty");
    check(write(fd, "lost", 4) == 4, "null takes all");
    check(lseek(fd, 1000, SEEK_SET) == 0 && lseek(fd, 0, SEEK_END) == 0, "lseek stays at 0");
    check_error(ioctl(fd, TIOCGWINSZ, buffer), ENOTTY, "ioctl for terminals");
    check(access("/dev/null", R_OK | W_OK) == 0, "access");
    check_error(access("/dev/null", X_OK), EACCES, "access to execute");
    close(fd);
}

static void check_zero(void)
{
    static char buffer[100000];
    int fd = open("/dev/zero", O_RDWR);
    char *map;

    show_device("/dev/zero");
    memset(buffer, 'x', sizeof buffer);
    check(read(fd, buffer, sizeof buffer) == sizeof buffer && all(buffer, sizeof buffer, 0),
          "zeros");
    check(pread(fd, buffer, 10, 12345) == 10, "pread");
    map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    check(map != MAP_FAILED && all(map, 8192, 0), "mapped zeros");
    if (map != MAP_FAILED)
        memset(map, 1, 8192);
    close(fd);
}

static void check_full(void)
{
    char buffer[16];
    int fd = open("/dev/full", O_RDWR);

    show_device("/dev/full");
    check_error(write(fd, "x", 1), ENOSPC, "write to full");
    check(read(fd, buffer, sizeof buffer) == sizeof buffer && all(buffer, sizeof buffer, 0),
          "full reads as zero");
    close(fd);
}

static void check_random(void)
{
    char one[64] = {0}, other[64] = {0};
    int fd = open("/dev/urandom", O_RDONLY);

    show_device("/dev/urandom");
    show_device("/dev/random");
    check(read(fd, one, sizeof one) == sizeof one && read(fd, other, sizeof other) == sizeof other,
          "random bytes");
    check(memcmp(one, other, sizeof one) != 0 && !all(one, sizeof one, 0), "they differ");
    close(fd);
}

static void check_descriptors(void)
{
    struct stat st, other;
    int fd = open("/dev/stdin", O_RDONLY);
    char name[32], byte;
    int pair[2] = {open("/dev", O_RDONLY | O_DIRECTORY), -1};

    check(fd >= 0 && read(fd, &byte, 1) == 0, "stdin");
    close(fd);
    check(stat("/dev/stdout", &st) == 0 && fstat(1, &other) == 0 && st.st_ino == other.st_ino,
          "stat follows stdout");
    check(lstat("/dev/stdin", &st) == 0 && S_ISLNK(st.st_mode), "lstat does not");
    fd = open("/dev/stdout", O_WRONLY | O_APPEND);
    check(fd >= 0, "open stdout");
    close(fd);
    snprintf(name, sizeof name, "/proc/self/fd/%d/null", pair[0]);
    check(access(name, F_OK) == 0, "path through a directory's descriptor");
    check_error(open("/dev/fd/999", O_RDONLY), ENOENT, "descriptor that is not open");
    close(pair[0]);
}

static void check_names(void)
{
    static const char *const wanted[] = {"null", "zero", "full",  "random", "urandom",
                                         "tty",  "fd",   "stdin", "stdout", "stderr"};
    unsigned found = 0;
    DIR *dir = opendir("/dev");

    for (struct dirent *entry; (entry = readdir(dir));)
        for (unsigned i = 0; i < sizeof wanted / sizeof *wanted; i++)
            found |= strcmp(entry->d_name, wanted[i]) == 0 ? 1U << i : 0;
    check(found == 0x3ff, "names in /dev");
    closedir(dir);
    check_error(open("/dev/none", O_RDONLY), ENOENT, "no such device");
    check_error(open("/dev/null/x", O_RDONLY), ENOTDIR, "below a device");
    check_error(open("/dev", O_WRONLY), EISDIR, "the directory for writing");
    check_error(mkdir("/dev/null", 0755), EEXIST, "mkdir over a device");
    check(chdir("/dev") == 0 && access("./../dev/./null", F_OK) == 0, "relative path");
    check(access("../dev/../dev/zero", F_OK) == 0, "in and out");
    check(chdir("/") == 0 && access("dev/null", F_OK) == 0, "from the root");
}

static void check_proc(void)
{
    static const char *const files[] = {"/proc/self/maps", "/proc/self/status", "/proc/meminfo",
                                        "/proc/cpuinfo", "/proc/uptime"};
    char text[4096];

    for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
        int fd = open(files[i], O_RDONLY);
        struct stat st;

        check(fd >= 0 && read(fd, text, sizeof text) > 8, "%s", files[i]);
        check(fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0, "its size");
        close(fd);
    }
    check_error(open("/proc/meminfo", O_RDONLY | O_DIRECTORY), ENOTDIR, "O_DIRECTORY");
    check(readlink("/proc/self/exe", text, sizeof text) > 1 && text[0] == '/', "exe");
    check(readlink("/proc/self/cwd", text, sizeof text) == 1 && text[0] == '/', "cwd");
    check(access("/proc/self/cwd/dev/null", F_OK) == 0, "path through cwd");
}

int main(void)
{
    check_null();
    check_zero();
    check_full();
    check_random();
    check_descriptors();
    check_names();
    check_proc();
    return exit_status();
}
