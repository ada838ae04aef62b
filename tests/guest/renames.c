/* SPDX-License-Identifier: ISC */
/* Argument: a scratch directory. rename and renameat2, over everything. */
#include "scratch.h"

#include <sys/syscall.h>

/* renameat2(2) */
enum { NOREPLACE = 1, EXCHANGE = 2 };

static long rename2(const char *from, const char *to, unsigned flags)
{
    return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void make_dir(const char *name)
{
    if (mkdir(name, 0755) < 0)
        give_up(name);
}

static void rename_files(void)
{
    put("a", "text of a");
    put("b", "text of b");
    check(rename("a", "c") == 0 && !is_there("a"), "a file to a new name");
    check(rename("c", "b") == 0 && !is_there("c"), "a file over a file");
    show_file("b");
    check(rename("b", "b") == 0, "a file to itself");
    check(link("b", "b2") == 0 && rename("b", "b2") == 0, "a file to its other name");
    check(is_there("b") && is_there("b2"), "does nothing");
    check_error(rename("none", "x"), ENOENT, "nothing");
    check_error(rename("b", "none/x"), ENOENT, "to below nothing");
    check_error(rename("b", "b2/x"), ENOTDIR, "to below a file");
    check_error(rename("b/", "x"), ENOTDIR, "a file with a slash");
    check_error(rename("b", "x/"), ENOTDIR, "a file to a name with a slash");
    check_error(rename("", "x"), ENOENT, "an empty name");
    check_error(rename("b", ""), ENOENT, "to an empty name");
}

static void rename_directories(void)
{
    make_dir("dir");
    make_dir("empty");
    make_dir("full");
    put("full/inner", "inner");
    put("dir/file", "file");
    check_error(rename("b", "empty"), EISDIR, "a file over a directory");
    check_error(rename("dir", "b"), ENOTDIR, "a directory over a file");
    check_error(rename("dir", "full"), ENOTEMPTY, "a directory over a full one");
    check(rename("dir", "empty") == 0 && !is_there("dir"), "a directory over an empty one");
    show_file("empty/file");
    check(rename("empty", "dir/") == 0, "a directory to a name with a slash");
    check_error(rename("dir", "dir/sub"), EINVAL, "a directory into itself");
    make_dir("dir/sub");
    check_error(rename("dir", "dir/sub/deeper"), EINVAL, "below itself");
    check_error(rename("dir/sub", "dir"), ENOTEMPTY, "over what it is in");
    check(rename("dir/sub", "moved") == 0 && rename("moved", "full/moved") == 0, "up and down");
    check_error(rename("dir/.", "x"), EBUSY, "of .");
    check_error(rename("dir/..", "x"), EBUSY, "of ..");
    check_error(rename("full", "dir/."), EBUSY, "over .");
}

static void rename_links(void)
{
    if (symlink("b", "link") < 0 || symlink("dir", "dirlink") < 0)
        give_up("links");
    check(rename("link", "link2") == 0, "a link is renamed, not what it points to");
    show_status("link2");
    put("over", "goes away");
    check(rename("over", "link2") == 0, "a file over a link");
    show_status("link2");
    check(is_there("b"), "leaves what it pointed to");
    check_error(rename("dir", "dirlink"), ENOTDIR, "a directory over a link to a directory");
    check_error(rename("dirlink/", "x"), ENOTDIR, "a link with a slash");
}

static void rename_without_replacing(void)
{
    put("one", "1");
    put("two", "2");
    check_error(rename2("one", "two", NOREPLACE), EEXIST, "NOREPLACE over a file");
    show_file("two");
    check(rename2("one", "three", NOREPLACE) == 0, "NOREPLACE to a new name");
    check_error(rename2("none", "x", NOREPLACE), ENOENT, "NOREPLACE of nothing");
    check_error(rename2("two", "x", 0x80), EINVAL, "an unknown flag");
    check_error(rename2("two", "three", NOREPLACE | EXCHANGE), EINVAL, "both flags");
}

static void exchange(void)
{
    check(rename2("two", "three", EXCHANGE) == 0, "EXCHANGE of files");
    show_file("two");
    show_file("three");
    check(rename2("two", "full", EXCHANGE) == 0, "EXCHANGE of a file and a directory");
    show_status("full");
    show_file("two/inner");
    check(rename2("two", "full", EXCHANGE) == 0, "and back");
    check_error(rename2("two", "none", EXCHANGE), ENOENT, "EXCHANGE with nothing");
    check_error(rename2("full", "full/inner", EXCHANGE), EINVAL, "with what is in it");
}

static void keep_open_files(void)
{
    char text[20] = "";
    int old = must_open("two", O_RDWR), dir = must_open("full", O_RDONLY | O_DIRECTORY);
    struct stat status;

    put("new", "new text");
    check(rename("new", "two") == 0, "over an open file");
    check(pread(old, text, 10, 0) == 1, "it can still be read");
    check(write(old, "written", 7) == 7 && fstat(old, &status) == 0 && status.st_nlink == 0,
          "and written, without a name");
    show_file("two");
    close(old);
    old = must_open("three", O_RDWR);
    check(rename("three", "four") == 0 && pwrite(old, "same", 4, 0) == 4, "an open file renamed");
    show_file("four");
    close(old);
    check(rename("full", "other") == 0, "an open directory renamed");
    check(faccessat(dir, "inner", F_OK, 0) == 0, "its descriptor finds what is in it");
    old = openat(dir, "later", O_WRONLY | O_CREAT, 0644);
    check(old >= 0 && is_there("other/later"), "and creates there");
    close(old);
    check(renameat(dir, "later", AT_FDCWD, "earlier") == 0 && is_there("earlier"),
          "renameat of a directory");
    close(dir);
}

static void rename_working_directory(void)
{
    char path[4096];
    int dir;

    make_dir("work");
    make_dir("work/sub");
    dir = must_open("work/sub", O_RDONLY | O_DIRECTORY);
    check(chdir("work") == 0 && rename("../work", "../elsewhere") == 0, "the working directory");
    put("created", "where it is now");
    check(getcwd(path, sizeof path) && strcmp(strrchr(path, '/'), "/elsewhere") == 0,
          "getcwd knows");
    check(chdir("..") == 0 && is_there("elsewhere/created"), "relative names follow it");
    check(faccessat(dir, "../created", F_OK, 0) == 0, ".. of an open directory below leads there");
    make_dir("swapped");
    check(rename2("elsewhere", "swapped", EXCHANGE) == 0, "exchanged with another");
    check(faccessat(dir, "../../swapped/created", F_OK, 0) == 0 &&
              faccessat(dir, "../created", F_OK, 0) == 0,
          "it leads there");
    check(fchdir(dir) == 0 && getcwd(path, sizeof path) &&
              strcmp(path + strlen(path) - 12, "/swapped/sub") == 0 && chdir("../..") == 0,
          "fchdir into it");
    close(dir);
}

int main(int argc, char **argv)
{
    enter_scratch(argc, argv);
    rename_files();
    rename_directories();
    rename_links();
    rename_without_replacing();
    exchange();
    keep_open_files();
    rename_working_directory();
    return exit_status();
}
