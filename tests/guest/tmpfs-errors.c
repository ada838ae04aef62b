/* SPDX-License-Identifier: ISC */
/*
 * Argument: a directory. Prints the error of many odd calls on files in a new directory in it,
 * which it removes again. What is right is what Linux does.
 */
#include "check.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void show(const char *what, long result)
{
    printf("%s: %s\n", what, result < 0 ? error_name(errno) : "ok");
}

#define SHOW(call) show(#call, (call))

static void make_files(void)
{
    SHOW(mkdir("d", 0755));
    SHOW(symlink("d", "to-d"));
    SHOW(symlink("nothing", "dangling"));
    SHOW(open("f", O_CREAT | O_WRONLY, 0644));
    SHOW(symlink("f", "to-f"));
}

static void show_slashes(void)
{
    SHOW(rmdir("to-d/"));
    SHOW(rmdir("to-d"));
    SHOW(mkdir("dangling", 0755));
    SHOW(mkdir("dangling/", 0755));
    SHOW(unlink("to-f/"));
    SHOW(unlink("to-d/"));
    SHOW(rename("f", "d/"));
    SHOW(rename("f", "x/"));
    SHOW(rename("to-d", "y"));
    SHOW(rename("y", "to-d"));
    SHOW(rename("to-d/", "z"));
    SHOW(symlink("a", "s/"));
    SHOW(link("f", "n/"));
    SHOW(link("f/", "n"));
    SHOW(open("f/", O_RDONLY));
    SHOW(access("f/.", F_OK));
    SHOW(open("to-d/", O_RDONLY | O_NOFOLLOW));
}

static void show_dots(void)
{
    SHOW(rmdir("."));
    SHOW(rmdir("d/.."));
    SHOW(unlink("."));
    SHOW(unlink("d/.."));
    SHOW(mkdir(".", 0755));
    SHOW(mkdir("..", 0755));
    SHOW(rename("d/..", "x"));
    SHOW(rename("d", "d/.."));
    SHOW(open("d/.", O_RDONLY));
}

static void show_opens(void)
{
    SHOW(open("dangling", O_CREAT | O_EXCL | O_WRONLY, 0644));
    SHOW(open("d", O_RDONLY | O_CREAT, 0644));
    SHOW(open("d", O_WRONLY | O_TRUNC));
    SHOW(open("to-d", O_RDONLY | O_NOFOLLOW | O_DIRECTORY));
    SHOW(open("to-f", O_PATH | O_NOFOLLOW));
    SHOW(syscall(SYS_openat, AT_FDCWD, "f", O_TMPFILE | O_RDWR, 0600));
    SHOW(syscall(SYS_openat, AT_FDCWD, "d", O_TMPFILE, 0600));
    SHOW(openat(open("f", O_RDONLY), "x", O_RDONLY));
    SHOW(openat(99, "x", O_RDONLY));
}

static void show_links(void)
{
    SHOW(symlink("a", "f"));
    SHOW(symlink("", "e"));
    SHOW(link("f", "to-f"));
    SHOW(link("to-f", "l2"));
    SHOW(linkat(AT_FDCWD, "to-f", AT_FDCWD, "l3", AT_SYMLINK_FOLLOW));
    SHOW(rename("f", "f"));
    SHOW(rename("f", "l3"));
    SHOW(access("f", F_OK));
    SHOW(rename("d", "to-d"));
}

static void show_lengths(void)
{
    char path[PATH_MAX + 1];

    memset(path, 'n', sizeof path);
    path[256] = '\0';
    show("name of 256 bytes", open(path, O_CREAT | O_WRONLY, 0644));
    show("access to it", access(path, F_OK));
    path[255] = '\0';
    show("name of 255 bytes", open(path, O_CREAT | O_WRONLY, 0644));
    show("unlink of it", unlink(path));
    memset(path, '/', sizeof path);
    path[0] = '.';
    path[PATH_MAX] = '\0';
    show("path of 4096 bytes", access(path, F_OK));
    path[PATH_MAX - 1] = '\0';
    show("path of 4095 bytes", access(path, F_OK));
}

static void show_attributes(void)
{
    SHOW(chmod("dangling", 0600));
    SHOW(truncate("d", 0));
    SHOW(readlink("d", (char[9]){0}, 9));
    SHOW(chdir("f"));
    SHOW(chdir("dangling"));
    SHOW(access("", F_OK));
    SHOW(fchownat(open("f", O_PATH), "", -1, -1, AT_EMPTY_PATH));
    SHOW(syscall(SYS_fchmod, open("f", O_PATH), 0600));
    SHOW(lchown("to-f", -1, -1));
    SHOW(syscall(SYS_newfstatat, AT_FDCWD, "f", 8, 0));
}

static void show_descriptors(void)
{
    SHOW(fallocate(open("f", O_RDONLY), 0, 0, 10));
    SHOW(fallocate(open("f", O_RDWR), 3 /* PUNCH_HOLE, KEEP_SIZE */, 0, 10));
    SHOW(lseek(open("d", O_RDONLY), 0, SEEK_SET));
    SHOW(ftruncate(open("f", O_RDWR), -1));
    SHOW(read(open("d", O_RDONLY), (char[9]){0}, 9));
    SHOW(syscall(SYS_getdents64, open(".", O_RDONLY), (char[9]){0}, 9));
}

static void remove_files(void)
{
    static const char *const names[] = {"f", "to-f", "dangling", "to-d", "l2", "l3"};

    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        SHOW(unlink(names[i]));
    SHOW(rmdir("d"));
}

int main(int argc, char **argv)
{
    char scratch[PATH_MAX];

    snprintf(scratch, sizeof scratch, "%s/husk-guest-XXXXXX", argc > 1 ? argv[1] : "/tmp");
    check(mkdtemp(scratch) && chdir(scratch) == 0, "a new directory");
    if (failed_checks)
        return exit_status();
    make_files();
    show_slashes();
    show_dots();
    show_opens();
    show_links();
    show_lengths();
    show_attributes();
    show_descriptors();
    remove_files();
    check(chdir("/") == 0 && rmdir(scratch) == 0, "everything is gone");
    return exit_status();
}
