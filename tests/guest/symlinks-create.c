/* SPDX-License-Identifier: ISC */
/* Argument: a scratch directory. symlink, and what is written through links. */
#include "scratch.h"

#include <limits.h>

static void show_link(const char *name)
{
    char target[300];
    ssize_t length = readlink(name, target, sizeof target - 1);

    print_quoted(name);
    if (length < 0) {
        printf(": %s\n", error_name(errno));
        return;
    }
    target[length] = '\0';
    printf(" -> ");
    print_quoted(target);
    putchar('\n');
}

static void create(void)
{
    put("file", "text");
    check(mkdir("dir", 0755) == 0, "a directory");
    check(symlink("file", "link") == 0, "symlink");
    check(symlink("../file", "dir/up") == 0, "to ..");
    check(symlink("/does/not/exist", "absolute") == 0, "to an absolute path");
    check(symlink("\xff\n x", "odd\xff") == 0, "to any bytes");
    check(symlink("dir/", "slash") == 0, "to a path with a slash");
    check(symlink(".", "here") == 0, "to .");
    show_link("link");
    show_link("dir/up");
    show_link("absolute");
    show_link("odd\xff");
    show_link("slash");
    show_link("file");
    show_status("link");
    check_error(symlink("x", "link"), EEXIST, "over a link");
    check_error(symlink("x", "file"), EEXIST, "over a file");
    check_error(symlink("x", "dir"), EEXIST, "over a directory");
    check_error(symlink("", "empty"), ENOENT, "to nothing at all");
    check_error(symlink("x", ""), ENOENT, "of an empty name");
    check_error(symlink("x", "new/"), ENOENT, "with a slash");
    check_error(symlink("x", "none/new"), ENOENT, "below nothing");
    check_error(symlink("x", "file/new"), ENOTDIR, "below a file");
}

static void create_long(void)
{
    char target[PATH_MAX + 1], back[PATH_MAX];

    memset(target, 't', sizeof target);
    target[4095] = '\0';
    check(symlink(target, "long") == 0, "to 4095 bytes");
    check(readlink("long", back, sizeof back) == 4095 && memcmp(back, target, 4095) == 0,
          "which are all there");
    check(readlink("long", back, 10) == 10, "readlink into ten bytes");
    check_error(open("long", O_RDONLY), ENAMETOOLONG, "a name of 4095 bytes cannot be opened");
    target[4095] = 't', target[4096] = '\0';
    check_error(symlink(target, "longer"), ENAMETOOLONG, "to 4096 bytes");
}

static void write_through(void)
{
    int dir = must_open("dir", O_RDONLY | O_DIRECTORY), fd = must_open("link", O_WRONLY | O_TRUNC);

    check(write(fd, "by link", 7) == 7, "write through a link");
    close(fd);
    show_file("file");
    put("dir/up", "from below");
    show_file("file");
    put("here/here/slash/new", "far");
    show_file("dir/new");
    check(mkdir("slash/sub", 0755) == 0, "mkdir through a link");
    check(truncate("link", 4) == 0, "truncate through a link");
    check(chmod("link", 0600) == 0, "chmod through a link");
    show_status("file");
    check(symlinkat("new", dir, "by-symlinkat") == 0, "symlinkat");
    show_link("dir/by-symlinkat");
    check(unlink("link") == 0 && is_there("file"), "unlink of a link leaves the file");
    close(dir);
}

static void chase_chains(void)
{
    char from[20] = "file", to[20];

    for (int i = 0; i < 42; i++) {
        snprintf(to, sizeof to, "chain-%d", i);
        if (symlink(from, to) < 0)
            give_up(to);
        strcpy(from, to);
    }
    check(access("chain-39", W_OK) == 0, "40 links");
    check_error(access("chain-40", W_OK), ELOOP, "41 links");
    check_error(truncate("chain-41", 0), ELOOP, "truncate of 42 links");
    check(unlink("chain-20") == 0, "one taken away");
    check_error(open("chain-30", O_WRONLY), ENOENT, "leaves the rest without end");
    check(open("chain-30", O_WRONLY | O_CREAT, 0644) >= 0 && is_there("chain-20"),
          "where O_CREAT creates");
    show_status("chain-20");
}

int main(int argc, char **argv)
{
    enter_scratch(argc, argv);
    create();
    create_long();
    write_through();
    chase_chains();
    return exit_status();
}
