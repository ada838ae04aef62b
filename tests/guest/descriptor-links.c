/* SPDX-License-Identifier: ISC */
/* Argument: a scratch directory. What /proc/self/fd tells and leads to; linkat of what is open. */
#include "scratch.h"

static const char *link_of(int fd)
{
    static char path[64];

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return path;
}

static void show_path(const char *label, int fd)
{
    char target[8192];
    ssize_t length = readlink(link_of(fd), target, sizeof target - 1);

    printf("%s: ", label);
    if (length < 0) {
        puts(error_name(errno));
        return;
    }
    target[length] = '\0';
    print_quoted(target);
    putchar('\n');
}

static void show_paths(void)
{
    int file = must_open("file", O_RDWR | O_CREAT), again = must_open("./dir/../file", O_RDONLY);
    int dir = must_open("dir", O_RDONLY | O_DIRECTORY), inner = must_open("dir/inner", O_PATH);
    int copy = dup(file), null = must_open("/dev/null", O_RDWR);
    char short_target[4] = "####";

    show_path("file", file);
    show_path("the same by dots", again);
    show_path("directory", dir);
    show_path("O_PATH", inner);
    show_path("dup", copy);
    show_path("device", null);
    check(readlink(link_of(file), short_target, 3) == 3 && memcmp(short_target, "###", 3) != 0 &&
              short_target[3] == '#',
          "cut to three bytes");
    check(rename("file", "renamed") == 0 && rename("dir", "moved") == 0, "renames");
    show_path("file", file);
    show_path("directory", dir);
    show_path("below it", inner);
    check(unlink("renamed") == 0, "unlink");
    show_path("file", file);
    put("renamed", "another");
    show_path("with another in its place", file);
    check_error(readlink("/proc/self/fd/999", short_target, 3), ENOENT, "no such descriptor");
    check(unlink("renamed") == 0, "unlink of the other");
    close(again), close(inner), close(copy), close(null), close(dir), close(file);
}

static void lead_on(void)
{
    int dir = must_open("moved", O_RDONLY | O_DIRECTORY), file = must_open("moved/inner", O_RDONLY);
    char path[80], target[4096];
    struct stat a, b;

    snprintf(path, sizeof path, "/proc/self/fd/%d/inner", dir);
    check(stat(path, &a) == 0 && fstat(file, &b) == 0 && a.st_ino == b.st_ino, "through one");
    snprintf(path, sizeof path, "/proc/self/fd/%d//.", dir);
    check(stat(path, &a) == 0 && stat("moved", &b) == 0 && a.st_ino == b.st_ino, "and slashes");
    snprintf(path, sizeof path, "/proc/self/fd/%d/", dir);
    check(stat(path, &a) == 0 && a.st_ino == b.st_ino, "and one slash");
    snprintf(path, sizeof path, "/proc/self/fd/%d/", file);
    check_error(stat(path, &a), ENOTDIR, "a file and a slash");
    check(fstat(file, &b) == 0 && stat(link_of(file), &a) == 0 && a.st_ino == b.st_ino,
          "stat follows");
    check(lstat(link_of(file), &a) == 0 && S_ISLNK(a.st_mode), "lstat does not");
    check(access("/proc/self/cwd/moved/inner", F_OK) == 0, "through cwd");
    check(readlink("/proc/self/cwd", target, sizeof target) > 1, "cwd");
    check(readlink("/proc/self/root", target, sizeof target) == 1 && target[0] == '/', "root");
    check(readlink("/proc/self/exe", target, sizeof target) > 1 && target[0] == '/', "exe");
    check_error(readlink("/proc/self/fd", target, sizeof target), EINVAL, "of a directory");
    check_error(readlink("/proc/self/status", target, sizeof target), EINVAL, "of a text");
    close(dir), close(file);
}

/* A working directory whose path is longer than usual. */
static void go_deep(void)
{
    char name[101] = {0}, target[4096];

    memset(name, 'd', 100);
    for (int i = 0; i < 4; i++)
        if (mkdir(name, 0755) < 0 || chdir(name) < 0)
            give_up(name);
    put("deep", "text");
    check(access("/proc/self/cwd/deep", F_OK) == 0, "a long cwd");
    check(readlink("/proc/self/cwd", target, sizeof target) > 400, "as a whole");
    if (chdir("../../../..") < 0)
        give_up("..");
}

static void link_open_files(void)
{
    int file = must_open("linked", O_RDWR | O_CREAT), dir = must_open(".", O_RDONLY | O_DIRECTORY);
    int nameless = must_open(".", O_TMPFILE | O_RDWR);
    int hidden = must_open(".", O_TMPFILE | O_RDWR | O_EXCL);
    int done = linkat(file, "", AT_FDCWD, "by-empty-path", AT_EMPTY_PATH);

    /* Some kernels want a privilege for it. */
    check(done == 0 || (geteuid() != 0 && errno == ENOENT), "AT_EMPTY_PATH");
    unlink("by-empty-path");
    check(linkat(AT_FDCWD, link_of(file), AT_FDCWD, "second", AT_SYMLINK_FOLLOW) == 0,
          "by /proc/self/fd");
    check(same_file("linked", "second"), "the same file");
    check(write(nameless, "now it has one", 14) == 14, "a file without a name");
    check(linkat(AT_FDCWD, link_of(nameless), dir, "named", AT_SYMLINK_FOLLOW) == 0, "gets one");
    show_status("named");
    show_file("named");
    check_error(linkat(AT_FDCWD, link_of(hidden), dir, "x", AT_SYMLINK_FOLLOW), ENOENT,
                "but not with O_EXCL");
    check_error(linkat(AT_FDCWD, link_of(file), AT_FDCWD, "named", AT_SYMLINK_FOLLOW), EEXIST,
                "over another");
    check_error(linkat(AT_FDCWD, link_of(file), AT_FDCWD, "x", 0), EXDEV, "of the link itself");
    check_error(linkat(dir, "", AT_FDCWD, "x", AT_EMPTY_PATH), EPERM, "of a directory");
    check_error(linkat(AT_FDCWD, "", AT_FDCWD, "x", AT_EMPTY_PATH), EPERM, "of the working one");
    check_error(linkat(99, "", AT_FDCWD, "x", AT_EMPTY_PATH), EBADF, "of no descriptor");
    check_error(linkat(file, "", AT_FDCWD, "x", 0), ENOENT, "without the flag");
    check(unlink("second") == 0 && unlink("linked") == 0, "unlink of both names");
    check_error(linkat(AT_FDCWD, link_of(file), AT_FDCWD, "x", AT_SYMLINK_FOLLOW), ENOENT,
                "of a file that has lost its names");
    close(file), close(dir), close(nameless), close(hidden);
}

int main(int argc, char **argv)
{
    enter_scratch(argc, argv);
    if (mkdir("dir", 0755) < 0)
        give_up("dir");
    put("dir/inner", "inner");
    show_paths();
    lead_on();
    go_deep();
    link_open_files();
    return exit_status();
}
