/* SPDX-License-Identifier: ISC */
/* Argument: the tree. Reading and following symbolic links. */
#include "check.h"
#include "tree.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Shows the tree's own path as DIR, as it may be anywhere. */
static void print_target(const char *name)
{
    char target[PATH_MAX] = "";
    size_t root = strlen(tree_root);
    ssize_t length = readlink(in_tree(name), target, sizeof target - 1);

    if (strncmp(target, tree_root, root) == 0)
        printf("%s -> DIR%s\n", name, target + root);
    else
        printf("%s -> %s, %zd bytes\n", name, target, length);
}

static void check_readlink(void)
{
    char target[64];
    int directory = open(in_tree("links"), O_RDONLY | O_DIRECTORY);

    print_target("links/relative");
    print_target("links/absolute");
    print_target("links/directory");
    print_target("links/absolute-directory");
    print_target("links/winding");
    print_target("links/dangling");
    print_target("links/self");
    print_target("links/here/here/here/loop-a");

    memset(target, '#', sizeof target);
    check(readlink(in_tree("links/relative"), target, 5) == 5 && memcmp(target, "../fi#", 6) == 0,
          "readlink cuts and adds no zero");
    check(readlinkat(directory, "loop-b", target, sizeof target) == 6, "readlinkat");
    check_error(readlink(in_tree("files/text"), target, sizeof target), EINVAL, "of a file");
    check_error(readlink(in_tree("files"), target, sizeof target), EINVAL, "of a directory");
    check_error(readlink(in_tree("links/missing"), target, sizeof target), ENOENT, "of nothing");
    check_error(readlink(in_tree("files/text/x"), target, sizeof target), ENOTDIR, "below a file");
    check_error(readlink("", target, sizeof target), ENOENT, "of an empty path");
    check_error(readlink(in_tree("links/directory/"), target, sizeof target), EINVAL,
                "with a slash at the end");
    close(directory);
}

static bool starts_with_line(int directory, const char *path)
{
    char start[4];
    int fd = openat(directory, path, O_RDONLY);
    bool right = fd >= 0 && read(fd, start, 4) == 4 && memcmp(start, "line", 4) == 0;

    if (fd >= 0)
        close(fd);
    return right;
}

static void check_following(void)
{
    static const char *const names[] = {
        "links/relative",
        "links/absolute",
        "links/winding",
        "links/here/here/relative",
        "links/directory/../files/text",
        "links/absolute-directory/../../files/text",
        "links/absolute-directory/b/c/../../../../files/text",
        "links/chain-0",
        "links/chain-10",
        "links/chain-30",
        "nested/a/b/c/../../../../files/text",
        "files/../files/../files/./text",
    };
    int links = open(in_tree("links"), O_RDONLY | O_DIRECTORY);

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        check(starts_with_line(AT_FDCWD, in_tree(names[i])), "%s", names[i]);
    check(starts_with_line(links, "relative"), "relative, from links");
    check(starts_with_line(links, "../links/winding"), "../links/winding, from links");
    check(starts_with_line(links, "../nested/a/../../files/text"), "a way up, from links");
    close(links);

    int directory = open(in_tree("links/absolute-directory"), O_RDONLY | O_DIRECTORY);
    check(directory >= 0, "O_DIRECTORY follows a link to a directory");
    check(starts_with_line(directory, "../../files/text"), "and .. is the target's parent");
    close(directory);
}

static void check_loops(void)
{
    struct stat status;

    check_error(open(in_tree("links/self"), O_RDONLY), ELOOP, "a link to itself");
    check_error(open(in_tree("links/loop-a"), O_RDONLY), ELOOP, "two links in a circle");
    check_error(open(in_tree("links/loop-a/x"), O_RDONLY), ELOOP, "below a circle");
    check_error(open(in_tree("links/chain-45"), O_RDONLY), ELOOP, "46 links in a row");
    check(lstat(in_tree("links/chain-45"), &status) == 0, "lstat of the last of them");
    check_error(open(in_tree("links/dangling"), O_RDONLY), ENOENT, "a dangling link");
    check_error(open(in_tree("links/dangling/x"), O_RDONLY), ENOENT, "below a dangling link");
    check_error(open(in_tree("links/relative/x"), O_RDONLY), ENOTDIR, "below a link to a file");
    check_error(open(in_tree("links/relative/"), O_RDONLY), ENOTDIR, "a link to a file, slash");
    check_error(open(in_tree("links/relative"), O_RDONLY | O_NOFOLLOW), ELOOP, "O_NOFOLLOW");
    int fd = open(in_tree("links/here/relative"), O_RDONLY);
    check(fd >= 0, "links on the way are followed");
    close(fd);
    fd = open(in_tree("links/here/../files/text"), O_RDONLY | O_NOFOLLOW);
    check(fd >= 0, "also with O_NOFOLLOW");
    close(fd);
}

static void check_realpath(void)
{
    static const char *const names[] = {"links/winding", "links/chain-10", "links/here/directory/a",
                                        "nested/a/../a/b/./c"};
    size_t root = strlen(tree_root);

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = realpath(in_tree(names[i]), NULL);
        bool inside = path != NULL && strncmp(path, tree_root, root) == 0;
        printf("realpath of %s: %s%s\n", names[i], inside ? "DIR" : "", inside ? path + root : "?");
        free(path);
    }
    check(realpath(in_tree("links/self"), NULL) == NULL && errno == ELOOP, "realpath of a loop");
}

int main(int argc, char **argv)
{
    find_tree(argc, argv);
    check_readlink();
    check_following();
    check_loops();
    check_realpath();
    return exit_status();
}
