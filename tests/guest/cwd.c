/* SPDX-License-Identifier: ISC */
/* Argument: the tree. The working directory, and paths relative to it. */
#include "check.h"
#include "tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void print_directory(const char *how)
{
    char path[PATH_MAX] = "";
    size_t root = strlen(tree_root);

    if (getcwd(path, sizeof path) == NULL)
        printf("%s: error %s\n", how, error_name(errno));
    else if (strncmp(path, tree_root, root) == 0)
        printf("%s: DIR%s\n", how, path + root);
    else
        printf("%s: outside of the tree\n", how);
}

static bool opens(const char *path)
{
    int fd = open(path, O_RDONLY);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void check_moving(void)
{
    check(chdir(tree_root) == 0, "chdir to the tree");
    print_directory("there");
    check(opens("files/text") && opens("./files/text"), "relative paths open");
    check(!opens("text"), "names from elsewhere do not");
    check(chdir("files") == 0 && opens("text") && opens("../nested/file"), "chdir down");
    print_directory("down");
    check(chdir("..") == 0 && opens("files/text"), "chdir up");
    print_directory("up");
    check(chdir("nested/a/../a/b//c/./d") == 0, "chdir by a winding path");
    print_directory("winding");
    check(chdir("../../../../..") == 0, "chdir up five levels");
    print_directory("five up");
    check(chdir("links/directory/a") == 0, "chdir through a link");
    print_directory("through a link");
    check(chdir(in_tree("links/absolute-directory")) == 0, "chdir to an absolute link");
    print_directory("absolute link");
    check(chdir(".") == 0 && chdir("./") == 0, "chdir to where it is");
    print_directory("the same");
}

static void check_descriptors(void)
{
    int files = open(in_tree("files"), O_RDONLY | O_DIRECTORY);
    int text = open(in_tree("files/text"), O_RDONLY);

    check(fchdir(files) == 0 && opens("text"), "fchdir");
    print_directory("fchdir");
    check_error(fchdir(text), ENOTDIR, "fchdir to a file");
    check_error(fchdir(-1), EBADF, "fchdir to nothing");
    close(files);
    check(opens("text"), "the directory stays when its descriptor goes");
    check(opens("../many/entry-299"), "also with .. from there");
    close(text);
}

static void check_getcwd(void)
{
    char buffer[PATH_MAX];
    char expected[PATH_MAX + 8];
    size_t length = (size_t)snprintf(expected, sizeof expected, "%s/files", tree_root);

    chdir(in_tree("files"));
    check(getcwd(buffer, length + 1) == buffer && strcmp(buffer, expected) == 0,
          "getcwd with just enough room");
    check(getcwd(buffer, length) == NULL && errno == ERANGE, "one byte less is ERANGE");
    check(getcwd(buffer, 1) == NULL && errno == ERANGE, "one byte is ERANGE");
    check_error(syscall(SYS_getcwd, buffer, 0), ERANGE, "the system call with no room");
    check(syscall(SYS_getcwd, buffer, sizeof buffer) == (long)length + 1,
          "the system call counts the final zero");
    char *allocated = getcwd(NULL, 0);
    check(allocated != NULL && strcmp(allocated, expected) == 0, "getcwd allocates");
    free(allocated);
}

static void check_errors(void)
{
    chdir(in_tree("nested"));
    check_error(chdir("missing"), ENOENT, "chdir to nothing");
    check_error(chdir("file"), ENOTDIR, "chdir to a file");
    check_error(chdir("file/.."), ENOTDIR, "chdir below a file");
    check_error(chdir(in_tree("links/self")), ELOOP, "chdir to a loop");
    check_error(chdir(in_tree("links/dangling")), ENOENT, "chdir to a dangling link");
    print_directory("errors leave it");
}

static void check_other_calls(void)
{
    struct stat here, there;
    char target[64] = "";

    chdir(in_tree("links"));
    check(stat(".", &here) == 0 && stat(in_tree("links"), &there) == 0 &&
              here.st_ino == there.st_ino,
          "stat of .");
    check(lstat("relative", &here) == 0 && S_ISLNK(here.st_mode), "lstat of a name");
    check(access("../files/text", R_OK) == 0, "access to a name");
    check(readlink("loop-a", target, sizeof target) == 6, "readlink of a name");
    DIR *directory = opendir(".");
    int count = 0;
    while (directory != NULL && readdir(directory) != NULL)
        count++;
    printf("%d entries in .\n", count);
    closedir(directory);
}

int main(int argc, char **argv)
{
    find_tree(argc, argv);
    check_moving();
    check_descriptors();
    check_getcwd();
    check_errors();
    check_other_calls();
    return exit_status();
}
