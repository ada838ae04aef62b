/* SPDX-License-Identifier: ISC */
/* Argument: the tree. stat, lstat, fstat, fstatat and statx: what they tell and that they agree. */
#include "check.h"
#include "tree.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* musl 1.2.3 has no statx, and its struct is the kernel's: statx(2). */
struct statx_result {
    uint32_t mask, block_size;
    uint64_t attributes;
    uint32_t links, user, group;
    uint16_t mode, unused;
    uint64_t inode, size, blocks, attributes_mask;
    struct {
        int64_t seconds;
        uint32_t nanoseconds;
        int32_t unused;
    } accessed, born, changed, modified;
    uint32_t special_major, special_minor, device_major, device_minor;
    uint64_t spare[14];
};

_Static_assert(sizeof(struct statx_result) == 256, "struct statx");

enum { BASIC_STATS = 0x7ff };

static long call_statx(int directory, const char *path, int flags, unsigned mask,
                       struct statx_result *result)
{
    return syscall(SYS_statx, directory, path, flags, mask, result);
}

static const char *type_name(mode_t mode)
{
    return S_ISREG(mode)   ? "file"
           : S_ISDIR(mode) ? "directory"
           : S_ISLNK(mode) ? "link"
                           : "something else";
}

static bool same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_mode == b->st_mode &&
           a->st_nlink == b->st_nlink && a->st_uid == b->st_uid && a->st_gid == b->st_gid &&
           a->st_size == b->st_size && a->st_blocks == b->st_blocks &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static bool statx_agrees(const struct statx_result *x, const struct stat *s)
{
    return (x->mask & BASIC_STATS) == BASIC_STATS && x->mode == s->st_mode &&
           x->links == s->st_nlink && x->inode == s->st_ino && x->size == (uint64_t)s->st_size &&
           x->blocks == (uint64_t)s->st_blocks && x->user == s->st_uid && x->group == s->st_gid &&
           x->modified.seconds == s->st_mtim.tv_sec &&
           x->modified.nanoseconds == s->st_mtim.tv_nsec;
}

static void check_file(const char *name)
{
    const char *path = in_tree(name);
    struct stat status = {0}, other = {0};
    struct statx_result extended = {0};

    check(stat(path, &status) == 0, "stat of %s", name);
    printf("%s, mode %04o", type_name(status.st_mode), status.st_mode & 07777);
    if (S_ISREG(status.st_mode))
        printf(", %ld bytes, %lu names, modified at %ld.%09ld", (long)status.st_size,
               (unsigned long)status.st_nlink, (long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    putchar('\n');
    check(status.st_blksize > 0 && status.st_nlink > 0 && status.st_ino > 0, "it is plausible");

    int fd = open(path, O_RDONLY);
    check(fstat(fd, &other) == 0 && same(&status, &other), "fstat agrees");
    check(fstatat(fd, "", &other, AT_EMPTY_PATH) == 0 && same(&status, &other),
          "fstatat with AT_EMPTY_PATH agrees");
    check(call_statx(fd, "", AT_EMPTY_PATH, BASIC_STATS, &extended) == 0 &&
              statx_agrees(&extended, &status),
          "statx with AT_EMPTY_PATH agrees");
    close(fd);
    check(call_statx(AT_FDCWD, path, 0, BASIC_STATS, &extended) == 0 &&
              statx_agrees(&extended, &status),
          "statx of the path agrees");
    if (!S_ISLNK(status.st_mode))
        check(fstatat(AT_FDCWD, path, &other, 0) == 0 && same(&status, &other), "fstatat agrees");
}

static void check_link(const char *name, const char *target)
{
    struct stat link = {0}, followed = {0}, direct = {0};
    struct statx_result extended = {0};

    check(lstat(in_tree(name), &link) == 0 && S_ISLNK(link.st_mode), "lstat of %s", name);
    check(stat(in_tree(name), &followed) == 0 && stat(in_tree(target), &direct) == 0 &&
              same(&followed, &direct),
          "stat sees %s", target);
    check(fstatat(AT_FDCWD, in_tree(name), &direct, AT_SYMLINK_NOFOLLOW) == 0 &&
              same(&direct, &link),
          "AT_SYMLINK_NOFOLLOW sees the link");
    check(call_statx(AT_FDCWD, in_tree(name), AT_SYMLINK_NOFOLLOW, BASIC_STATS, &extended) == 0 &&
              statx_agrees(&extended, &link),
          "so does statx");
}

static void check_relations(void)
{
    struct stat a = {0}, b = {0};

    stat(in_tree("files/text"), &a);
    stat(in_tree("files/text-hardlink"), &b);
    check(same(&a, &b), "two names of one file");
    stat(in_tree("files/page"), &b);
    check(a.st_ino != b.st_ino && a.st_dev == b.st_dev, "two files differ in the inode");
    stat(in_tree("nested/a/.."), &a);
    stat(in_tree("nested"), &b);
    check(same(&a, &b), "a directory and its child's parent");
    lstat(in_tree("links/relative"), &a);
    printf("size of the relative link: %ld\n", (long)a.st_size);
    lstat(in_tree("links/absolute"), &a);
    check((size_t)a.st_size == strlen(in_tree("files/text")), "size of an absolute link");
}

static void check_errors(void)
{
    struct stat status;
    struct statx_result extended;
    const char *file = in_tree("files/text");

    check_error(stat(in_tree("missing"), &status), ENOENT, "missing file");
    check_error(stat(in_tree("files/text/x"), &status), ENOTDIR, "file as a directory");
    check_error(stat(in_tree("links/dangling"), &status), ENOENT, "dangling link");
    check(lstat(in_tree("links/dangling"), &status) == 0, "lstat of a dangling link");
    check_error(stat(in_tree("links/self"), &status), ELOOP, "link to itself");
    check_error(fstat(-1, &status), EBADF, "no file");
    check_error(fstatat(AT_FDCWD, "", &status, 0), ENOENT, "empty path");
    check_error(syscall(SYS_newfstatat, AT_FDCWD, file, &status, 1 << 20), EINVAL, "unknown flag");
    check_error(call_statx(AT_FDCWD, file, 1 << 20, BASIC_STATS, &extended), EINVAL,
                "statx, unknown flag");
    check_error(call_statx(AT_FDCWD, file, 0, 1u << 31, &extended), EINVAL, "statx, reserved mask");
    check_error(call_statx(-1, "text", 0, BASIC_STATS, &extended), EBADF, "statx, no directory");
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"files/empty",   "files/text",       "files/large",
                                        "files/private", "files/executable", "files/readonly",
                                        "nested",        "strict",           "many"};

    find_tree(argc, argv);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        check_file(names[i]);
    check_link("links/relative", "files/text");
    check_link("links/absolute", "files/text");
    check_link("links/directory", "nested");
    check_link("links/chain-10", "files/text");
    check_relations();
    check_errors();
    return exit_status();
}
