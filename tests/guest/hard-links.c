/* SPDX-License-Identifier: ISC */
/* Argument: a scratch directory. link and linkat. */
#include "scratch.h"

static void link_files(void)
{
    put("file", "text");
    check(link("file", "second") == 0, "link");
    show_status("file");
    check(same_file("file", "second"), "one file with two names");
    put("second", "changed");
    show_file("file");
    check(chmod("file", 0600) == 0, "chmod of one");
    show_status("second");
    check(unlink("file") == 0, "unlink of one");
    show_status("second");
    check(mkdir("dir", 0755) == 0 && link("second", "dir/third") == 0, "into a directory");
    check(same_file("second", "dir/third"), "still one file");
}

static void refuse(void)
{
    check_error(link("second", "dir/third"), EEXIST, "over a file");
    check_error(link("second", "second"), EEXIST, "over itself");
    check_error(link("second", "dir"), EEXIST, "over a directory");
    check_error(link("dir", "dir2"), EPERM, "of a directory");
    check_error(link("none", "x"), ENOENT, "of nothing");
    check_error(link("second", "none/x"), ENOENT, "below nothing");
    check_error(link("second", "second/x"), ENOTDIR, "below a file");
    check_error(link("second/", "x"), ENOTDIR, "of a file with a slash");
    check_error(link("second", "x/"), ENOENT, "to a name with a slash");
    check_error(link("", "x"), ENOENT, "of an empty name");
    check_error(link("second", ""), ENOENT, "to an empty name");
    check_error(linkat(AT_FDCWD, "second", AT_FDCWD, "x", 0x7), EINVAL, "with unknown flags");
}

static void link_links(void)
{
    check(symlink("second", "symlink") == 0 && link("symlink", "symlink2") == 0,
          "of a symbolic link");
    show_status("symlink2");
    check(same_file("symlink", "symlink2"), "links the link");
    check(linkat(AT_FDCWD, "symlink", AT_FDCWD, "followed", AT_SYMLINK_FOLLOW) == 0,
          "AT_SYMLINK_FOLLOW");
    check(same_file("second", "followed"), "links what it points to");
    check(symlink("none", "dangling") == 0, "a link to nothing");
    check_error(linkat(AT_FDCWD, "dangling", AT_FDCWD, "x", AT_SYMLINK_FOLLOW), ENOENT,
                "AT_SYMLINK_FOLLOW of it");
    check_error(link("second", "dangling"), EEXIST, "over it");
}

static void link_by_descriptors(void)
{
    int dir = must_open("dir", O_RDONLY | O_DIRECTORY), fd = must_open("second", O_RDONLY);
    struct stat status;

    check(linkat(dir, "third", dir, "fourth", 0) == 0 && is_there("dir/fourth"), "linkat");
    check(fstat(fd, &status) == 0, "fstat of an open name");
    printf("sees %lu links\n", (unsigned long)status.st_nlink);
    check_error(linkat(fd, "x", AT_FDCWD, "y", 0), ENOTDIR, "linkat of a file");
    close(fd);
    close(dir);
}

static void link_many(void)
{
    char name[30];
    int made = 0;

    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "dir/many-%d", i);
        made += link("second", name) == 0;
    }
    printf("%d more names\n", made);
    show_status("second");
}

int main(int argc, char **argv)
{
    enter_scratch(argc, argv);
    link_files();
    refuse();
    link_links();
    link_by_descriptors();
    link_many();
    return exit_status();
}
