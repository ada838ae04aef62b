/* SPDX-License-Identifier: ISC */
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "guest.h"

#define DEPTH_MAX 64 /* more than one input can make directories */

static const char contents[] = "what a file of the fuzzer's tree holds at the beginning";

/* In the scratch directory: m and file are writable mounts, r is a read-only one. */
static const struct entry {
    const char *path, *target; /* a link's; NULL: a directory if PATH ends in "/", else a file */
    off_t size;
} tree[] =
    {
        {"m/a", NULL, sizeof(contents)},
        {"m/d/", NULL, 0},
        {"m/d/b", NULL, 5000}, /* two pages to map */
        {"m/d/up", "..", 0},
        {"m/link", "d/b", 0},
        {"m/loop", "loop", 0},
        {"m/abs", "/r/f", 0},
        {"m/out", "../../outside", 0},
        {"m/tmp", "/tmp/x", 0},
        {"file", NULL, 100},
},
  outside[] = {
      {"r/", NULL, 0},
      {"r/f", NULL, sizeof(contents)},
      {"outside", NULL, sizeof(contents)},
};
#define ENTRIES (sizeof(tree) / sizeof(tree[0]))
#define OUTSIDE (sizeof(outside) / sizeof(outside[0]))

static char scratch[] = "/dev/shm/husk-fuzz-XXXXXX";
static bool mounted;
static int root = -1, writable = -1;
static struct stat before[OUTSIDE];
static ino_t inodes[ENTRIES]; /* a file system in memory never uses a number again */
static bool there[ENTRIES];

static bool is_directory(const struct entry *entry)
{
    return !entry->target && entry->path[strlen(entry->path) - 1] == '/';
}

static void write_file(const struct entry *entry)
{
    int fd = openat(root, entry->path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0644);

    require(fd >= 0 && write(fd, contents, sizeof(contents)) == (ssize_t)sizeof(contents) &&
                ftruncate(fd, entry->size) == 0,
            "a file of the tree cannot be written");
    close(fd);
}

static void make(const struct entry *entry)
{
    if (entry->target)
        require(symlinkat(entry->target, root, entry->path) == 0, "symlinkat");
    else if (is_directory(entry))
        require(mkdirat(root, entry->path, 0755) == 0, "mkdirat");
    else
        write_file(entry);
}

static void empty(int dir, unsigned depth);

static void remove_entry(int dir, const char *name, unsigned depth)
{
    int fd;

    if (unlinkat(dir, name, 0) == 0)
        return;
    require((errno == EISDIR || errno == EPERM) && depth < DEPTH_MAX, "unlinkat");
    if (fchmodat(dir, name, 0700, 0) < 0)
        require(geteuid() == 0, "fchmodat");
    fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    require(fd >= 0, "openat of a directory");
    empty(fd, depth + 1);
    close(fd);
    require(unlinkat(dir, name, AT_REMOVEDIR) == 0, "rmdir");
}

/* Call EACH for all entries. Without opendir(3), whose buffer is 32 KiB. */
static void list(int dir, unsigned depth, void (*each)(int dir, const struct dirent64 *, unsigned))
{
    _Alignas(struct dirent64) char buffer[2048];
    long length;

    require(lseek(dir, 0, SEEK_SET) == 0, "lseek");
    while ((length = syscall(SYS_getdents64, dir, buffer, sizeof(buffer))) > 0)
        for (long at = 0; at < length;) {
            const struct dirent64 *entry = (const void *)(buffer + at);

            if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                each(dir, entry, depth);
            at += entry->d_reclen;
        }
    require(length == 0, "getdents");
}

static void remove_each(int dir, const struct dirent64 *entry, unsigned depth)
{
    remove_entry(dir, entry->d_name, depth);
}

static void empty(int dir, unsigned depth)
{
    list(dir, depth, remove_each);
}

static void remove_all(void)
{
    empty(root, 0);
    rmdir(scratch);
}

/* A file system of its own, of which no name is left when this process is killed. */
static bool mount_scratch(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("husk-fuzz", scratch, "tmpfs", 0, "mode=0700") == 0;
}

static void choose_scratch(void)
{
    struct statfs fs;

    if (statfs("/dev/shm", &fs) < 0 || fs.f_type != TMPFS_MAGIC || access("/dev/shm", W_OK) < 0)
        strcpy(scratch, "/tmp/husk-fuzz-XXXXXX");
    require(mkdtemp(scratch), "mkdtemp");
    mounted = mount_scratch();
    root = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    require(root >= 0, "open of the scratch directory");
    if (!mounted)
        atexit(remove_all);
}

static void hide_scratch(void)
{
    if (mounted)
        require(umount2(scratch, MNT_DETACH) == 0 && rmdir(scratch) == 0, "umount2");
}

static void add(struct mounts *mounts, const char *name, const char *guest, unsigned rights)
{
    struct husk_error err = {0};
    char path[64];

    snprintf(path, sizeof(path), "%s/%s", scratch, name);
    require(mounts_add(mounts, path, guest, rights, &err) == 0, err.text);
}

/* Is it the tree's entry of that name? DEPTH 0 is m, 1 is m/d. */
static bool is_known(const struct entry *known, ino_t inode, const struct dirent64 *found,
                     unsigned depth)
{
    static const char *const dirs[] = {"m/", "m/d/"};
    const char *name = known->path + strlen(dirs[depth]);
    size_t length = strlen(found->d_name);

    return inode == found->d_ino && strncmp(known->path, dirs[depth], strlen(dirs[depth])) == 0 &&
           strncmp(name, found->d_name, length) == 0 &&
           (name[length] == 0 || strcmp(name + length, "/") == 0);
}

static void keep_known(int dir, const struct dirent64 *found, unsigned depth)
{
    for (size_t i = 0; i < ENTRIES; i++)
        if (is_known(&tree[i], inodes[i], found, depth)) {
            there[i] = true;
            return;
        }
    remove_entry(dir, found->d_name, depth);
}

static void make_missing(void)
{
    struct stat made;

    for (size_t i = 0; i < ENTRIES; i++) {
        if (there[i])
            continue;
        make(&tree[i]);
        require(fstatat(root, tree[i].path, &made, AT_SYMLINK_NOFOLLOW) == 0, "fstatat");
        inodes[i] = made.st_ino;
    }
}

static void restore_names(void)
{
    int dir;

    memset(there, 0, sizeof(there));
    there[ENTRIES - 1] = true; /* a mount point stays */
    list(writable, 0, keep_known);
    if (there[1]) {
        dir = openat(root, tree[1].path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        require(dir >= 0, "openat of a directory");
        list(dir, 1, keep_known);
        close(dir);
    }
    make_missing();
}

static void restore_attributes(void)
{
    require(fchown(writable, geteuid(), getegid()) == 0 && fchmod(writable, 0755) == 0, "fchmod");
    require(fchownat(root, "file", geteuid(), getegid(), 0) == 0 &&
                fchmodat(root, "file", 0644, 0) == 0,
            "fchmodat");
    empty(writable, 0);
    memset(there, 0, sizeof(there));
    there[ENTRIES - 1] = true;
    make_missing();
}

struct mounts *tree_create(void)
{
    struct mounts *mounts = mounts_new();
    struct husk_error err = {0};

    require(mounts, "mounts_new");
    choose_scratch();
    for (size_t i = 0; i < OUTSIDE; i++)
        make(&outside[i]);
    for (size_t i = 0; i < OUTSIDE; i++)
        require(fstatat(root, outside[i].path, &before[i], 0) == 0, "fstatat");
    require(mkdirat(root, "m", 0755) == 0, "mkdirat");
    writable = openat(root, "m", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    make_missing();
    add(mounts, "m", "/m", MOUNT_WRITABLE);
    add(mounts, "r", "/r", MOUNT_READ_ONLY);
    add(mounts, "file", "/v/file", MOUNT_WRITABLE);
    require(mounts_add_local(mounts, "/tmp", &err) == 0, err.text);
    hide_scratch();
    return mounts;
}

/* Access times apart. */
static void check_outside(void)
{
    for (size_t i = 0; i < OUTSIDE; i++) {
        const struct stat *old = &before[i];
        struct stat now;

        require(fstatat(root, outside[i].path, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
                    now.st_ino == old->st_ino && now.st_mode == old->st_mode &&
                    now.st_nlink == old->st_nlink && now.st_uid == old->st_uid &&
                    now.st_gid == old->st_gid && now.st_size == old->st_size &&
                    now.st_mtim.tv_sec == old->st_mtim.tv_sec &&
                    now.st_mtim.tv_nsec == old->st_mtim.tv_nsec,
                "something outside the writable mounts was changed");
    }
}

void tree_restore(enum tree_change change)
{
    if (change == TREE_UNCHANGED)
        return;
    if (change == TREE_ATTRIBUTES)
        restore_attributes();
    else
        restore_names();
    for (size_t i = 0; i < ENTRIES && change >= TREE_DATA; i++)
        if (!tree[i].target && !is_directory(&tree[i]))
            write_file(&tree[i]);
    check_outside();
}
