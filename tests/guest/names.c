/* SPDX-License-Identifier: ISC */
/* Argument: a scratch directory. mkdir, rmdir and unlink; odd names. */
#include "scratch.h"

#include <limits.h>

static void make_directories(void)
{
    check(mkdir("dir", 0755) == 0, "mkdir");
    check_error(mkdir("dir", 0755), EEXIST, "mkdir of a directory");
    check_error(mkdir("dir/", 0755), EEXIST, "with a slash");
    put("file", "text");
    check_error(mkdir("file", 0755), EEXIST, "mkdir of a file");
    check_error(mkdir("file/sub", 0755), ENOTDIR, "mkdir below a file");
    check_error(mkdir("none/sub", 0755), ENOENT, "mkdir below nothing");
    check_error(mkdir("", 0755), ENOENT, "mkdir of an empty name");
    check_error(mkdir(".", 0755), EEXIST, "mkdir of .");
    check_error(mkdir("..", 0755), EEXIST, "mkdir of ..");
    check_error(mkdir("/", 0755), EEXIST, "mkdir of /");
    check_error(mkdir("none/.", 0755), ENOENT, "mkdir of none/.");
    check(mkdir("slash/", 0755) == 0, "mkdir with a slash");
    check(mkdir("dir/./sub", 0700) == 0, "mkdir through .");
    check(mkdir("dir/../sticky", 01777) == 0, "mkdir through ..");
    check(mkdir("all", 07777) == 0, "mkdir with all bits");
    show_status("dir/sub");
    show_status("sticky");
    show_status("all");
    umask(0);
    check(mkdir("umask-0", 0777) == 0, "mkdir with umask 0");
    umask(022);
    show_status("umask-0");
    check(symlink("nowhere", "dangling") == 0, "a link to nothing");
    check_error(mkdir("dangling", 0755), EEXIST, "mkdir of it");
    check_error(mkdir("dangling/", 0755), EEXIST, "with a slash");
}

static void remove_directories(void)
{
    check_error(rmdir("dir"), ENOTEMPTY, "rmdir of a full directory");
    check_error(rmdir("file"), ENOTDIR, "rmdir of a file");
    check_error(rmdir("none"), ENOENT, "rmdir of nothing");
    check_error(rmdir("dir/sub/."), EINVAL, "rmdir of .");
    check_error(rmdir("dir/sub/.."), ENOTEMPTY, "rmdir of ..");
    check_error(rmdir("dangling"), ENOTDIR, "rmdir of a link");
    check(symlink("dir/sub", "to-dir") == 0, "a link to a directory");
    check_error(rmdir("to-dir"), ENOTDIR, "rmdir of it");
    check_error(rmdir("to-dir/"), ENOTDIR, "with a slash");
    check(rmdir("dir/sub/") == 0, "rmdir with a slash");
    check(rmdir("dir") == 0, "rmdir");
    check_error(rmdir("dir"), ENOENT, "rmdir twice");
    check_error(rmdir(""), ENOENT, "rmdir of an empty name");
}

static void remove_files(void)
{
    int dir = must_open("slash", O_RDONLY);

    check_error(unlink("slash"), EISDIR, "unlink of a directory");
    check_error(unlink("slash/"), EISDIR, "with a slash");
    check_error(unlink("file/"), ENOTDIR, "unlink of a file with a slash");
    check_error(unlink("none"), ENOENT, "unlink of nothing");
    check_error(unlink("none/"), ENOENT, "with a slash");
    check_error(unlink("file/x"), ENOTDIR, "unlink below a file");
    check_error(unlink("."), EISDIR, "unlink of .");
    check_error(unlink(".."), EISDIR, "unlink of ..");
    check_error(unlinkat(AT_FDCWD, "file", 0x7), EINVAL, "unlinkat with unknown flags");
    check_error(unlinkat(AT_FDCWD, "file", AT_REMOVEDIR), ENOTDIR, "AT_REMOVEDIR of a file");
    check(unlink("dangling") == 0, "unlink of a link removes the link");
    put("slash/inner", "");
    check(unlinkat(dir, "inner", 0) == 0 && !is_there("slash/inner"), "unlinkat of a directory");
    put("removed", "");
    check(remove("removed") == 0 && remove("umask-0") == 0, "remove of a file and a directory");
    check(unlinkat(AT_FDCWD, "sticky", AT_REMOVEDIR) == 0, "AT_REMOVEDIR of a directory");
    close(dir);
}

static void use_odd_names(void)
{
    static const char *const odd[] = {
        "new\nline", "\xff\xfe\x80", "\xc3\x28", " ",   "-rf",  "*", "tab\t",
        "quote'\"",  "back\\slash",  "...",      "..x", "\x01", "~", "$HOME",
    };

    check(mkdir("odd", 0755) == 0 && chdir("odd") == 0, "a directory for odd names");
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        put(odd[i], odd[i]);
        show_status(odd[i]);
    }
    check(mkdir("dir\n\xff", 0755) == 0, "a directory with such a name");
    check(rename("new\nline", "dir\n\xff/new\xff") == 0, "rename of such a name");
    check(link("\xff\xfe\x80", "linked\x80") == 0, "link of such a name");
    check(symlink("\xc3\x28\n", "to\xc3") == 0, "a link to such a name");
    check(unlink("\x01") == 0, "unlink of such a name");
    check(chdir("..") == 0, "back");
}

static void use_long_names(void)
{
    char name[300], path[PATH_MAX + 10];
    size_t length = 0;

    memset(name, 'n', sizeof name);
    name[255] = '\0';
    put(name, "255");
    check(is_there(name), "a name of 255 bytes");
    name[0] = 'd';
    check(mkdir(name, 0755) == 0, "a directory of 255");
    name[0] = 's';
    check(symlink("x", name) == 0, "a link of 255");
    name[255] = 'n', name[256] = '\0';
    check_error(open(name, O_WRONLY | O_CREAT, 0600), ENAMETOOLONG, "a name of 256 bytes");
    check_error(mkdir(name, 0755), ENAMETOOLONG, "mkdir of it");
    check_error(symlink("x", name), ENAMETOOLONG, "symlink of it");
    check_error(link("file", name), ENAMETOOLONG, "link to it");
    check_error(rename("file", name), ENAMETOOLONG, "rename to it");
    check_error(unlink(name), ENAMETOOLONG, "unlink of it");
    check_error(rmdir(name), ENAMETOOLONG, "rmdir of it");
    for (; length < PATH_MAX; length++)
        path[length] = length % 2 ? '/' : '.';
    path[length] = '\0';
    check_error(mkdir(path, 0755), ENAMETOOLONG, "mkdir of a path of 4096 bytes");
}

static void make_nodes(void)
{
    check(mknod("node", S_IFREG | 0640, 0) == 0 && mknod("other", 0600, 0) == 0,
          "mknod of regular files");
    show_status("node");
    show_status("other");
    check_error(mknod("node", S_IFREG | 0640, 0), EEXIST, "once more");
    check_error(mkfifo("node", 0600), EEXIST, "a FIFO over it");
    check_error(mknod("below/nothing", S_IFREG | 0640, 0), ENOENT, "below nothing");
    check_error(mknod("directory", S_IFDIR | 0700, 0), EPERM, "a directory");
    check_error(mknod("strange", 0170000, 0), EINVAL, "of no type");
}

int main(int argc, char **argv)
{
    enter_scratch(argc, argv);
    make_directories();
    remove_directories();
    remove_files();
    use_odd_names();
    use_long_names();
    make_nodes();
    return exit_status();
}
