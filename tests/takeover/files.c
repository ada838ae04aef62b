/* SPDX-License-Identifier: ISC
 *
 * What lies outside of the mounts, and what a mount does not allow.
 */
#include "attack.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>

#include "resolve.h"

static long open_at(int dir, const char *path, uint64_t flags)
{
    struct open_how how = {.flags = flags, .mode = flags & O_CREAT ? 0600 : 0};

    return CALL(SYS_openat2, dir, path, &how, sizeof(how));
}

static long open_call(void)
{
    return CALL(SYS_open, "/etc/passwd", O_RDONLY);
}

static long openat_call(void)
{
    return CALL(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
}

static long open_passwd(void)
{
    return open_at(AT_FDCWD, "/etc/passwd", O_RDONLY);
}

static long open_above_mount(void)
{
    return open_at(mount_fd, "../secret", O_RDONLY);
}

static long open_root(void)
{
    return open_at(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY);
}

static long open_kvm(void)
{
    return open_at(AT_FDCWD, "/dev/kvm", O_RDWR);
}

static long open_memory(void)
{
    return open_at(AT_FDCWD, "/proc/self/mem", O_RDWR);
}

static long open_in_mount(void)
{
    return open_at(mount_fd, "file", O_RDONLY) >= 0 ? 0 : -1;
}

static long write_in_mount(void)
{
    return open_at(mount_fd, "file", O_RDWR);
}

static long create_in_mount(void)
{
    return open_at(mount_fd, "new", O_RDWR | O_CREAT);
}

static long write_above_mount(void)
{
    return open_at(mount_fd, "../secret", O_WRONLY);
}

static long create_above_mount(void)
{
    return open_at(mount_fd, "../new", O_WRONLY | O_CREAT);
}

static long truncate_above_mount(void)
{
    return open_at(mount_fd, "../secret", O_RDONLY | O_TRUNC);
}

/* A path alone is found, but leads to nothing. */
static long read_through_path(void)
{
    long fd = open_at(mount_fd, "../secret", O_PATH);
    char path[40], byte;

    if (fd < 0 || CALL(SYS_read, fd, &byte, 1) != -EBADF)
        return 0;
    snprintf(path, sizeof(path), "/proc/self/fd/%ld", fd);
    return open_at(AT_FDCWD, path, O_RDONLY);
}

static long unlink_above_mount(void)
{
    return CALL(SYS_unlinkat, mount_fd, "../secret", 0);
}

static long rename_from_above(void)
{
    return CALL(SYS_renameat2, mount_fd, "../secret", mount_fd, "stolen", 0);
}

static long rename_to_above(void)
{
    return CALL(SYS_renameat2, mount_fd, "file", mount_fd, "../secret", 0);
}

static long link_from_above(void)
{
    return CALL(SYS_linkat, mount_fd, "../secret", mount_fd, "stolen", 0);
}

static long mkdir_above(void)
{
    return CALL(SYS_mkdirat, mount_fd, "../new", 0700);
}

static long symlink_above(void)
{
    return CALL(SYS_symlinkat, "/etc/passwd", mount_fd, "../new");
}

static long make_directory(void)
{
    return CALL(SYS_mkdirat, mount_fd, "directory", 0700);
}

static long make_fifo(void)
{
    return CALL(SYS_mknodat, mount_fd, "fifo", 010600, 0);
}

static long change_mode(void)
{
    return CALL(452 /* fchmodat2 */, mount_fd, "file", 0777, 0);
}

static long look_outside(void)
{
    char buffer[256];

    return CALL(SYS_statx, AT_FDCWD, "/etc/passwd", 0, 0, buffer);
}

/* The kernel heeds the flag only where there is no path. */
static long look_with_empty_path(void)
{
    char buffer[256];

    return CALL(SYS_statx, AT_FDCWD, "/etc/passwd", AT_EMPTY_PATH, 0, buffer);
}

static long look_at(int dir, const char *path)
{
    char buffer[256];

    return CALL(SYS_statx, dir, path, 0, 0, buffer);
}

static long look_at_proc(void)
{
    return look_at(AT_FDCWD, "/proc/self/status");
}

static long look_above_mount(void)
{
    return look_at(mount_fd, "../secret");
}

static long look_at_workdir(void)
{
    return look_at(AT_FDCWD, "secret");
}

/* Of --isolate: the monitor's own descriptors, and nothing else of /proc. */
static long look_above_descriptors(void)
{
    return look_at(taken->mounts->descriptors, "../status");
}

static long find_above_mount(void)
{
    return open_at(mount_fd, "../secret", O_PATH) >= 0 ? 0 : -errno;
}

static long find_through_descriptor(void)
{
    char path[40];

    snprintf(path, sizeof(path), "%d/../secret", mount_fd);
    return open_at(taken->mounts->descriptors, path, O_PATH) >= 0 ? 0 : -errno;
}

static long read_link_above(void)
{
    char target[16];

    return CALL(SYS_readlinkat, mount_fd, "../link", target, sizeof(target));
}

static long access_above(void)
{
    return CALL(439 /* faccessat2 */, mount_fd, "../secret", R_OK, 0);
}

static long change_mode_above(void)
{
    return CALL(SYS_fchmodat, mount_fd, "../secret", 0644);
}

static long change_group_above(void)
{
    return CALL(SYS_fchownat, mount_fd, "../secret", -1, -1, 0);
}

static long change_times_above(void)
{
    return CALL(SYS_utimensat, mount_fd, "../secret", NULL, 0);
}

static long change_times_outside(void)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s/../secret", taken->options->volumes[0].host);
    return CALL(SYS_utimensat, AT_FDCWD, path, NULL, 0);
}

static long make_in_root(void)
{
    return CALL(SYS_mkdirat, AT_FDCWD, "/new", 0700);
}

const struct attack attacks_on_files[] = {
    {"open", open_call},
    {"openat", openat_call},
    {"open-passwd", open_passwd},
    {"open-root", open_root},
    {"open-kvm", open_kvm},
    {"open-memory", open_memory},
    {"open-above-mount", open_above_mount},
    {"open-in-mount", open_in_mount},
    {"write-in-mount", write_in_mount},
    {"create-in-mount", create_in_mount},
    {"write-above-mount", write_above_mount},
    {"create-above-mount", create_above_mount},
    {"truncate-above-mount", truncate_above_mount},
    {"read-through-path", read_through_path},
    {"unlink-above-mount", unlink_above_mount},
    {"rename-from-above", rename_from_above},
    {"rename-to-above", rename_to_above},
    {"link-from-above", link_from_above},
    {"mkdir-above", mkdir_above},
    {"symlink-above", symlink_above},
    {"make-directory", make_directory},
    {"make-fifo", make_fifo},
    {"change-mode", change_mode},
    {"look-outside", look_outside},
    {"look-with-empty-path", look_with_empty_path},
    {"look-at-proc", look_at_proc},
    {"look-above-mount", look_above_mount},
    {"look-at-workdir", look_at_workdir},
    {"look-above-descriptors", look_above_descriptors},
    {"find-above-mount", find_above_mount},
    {"find-through-descriptor", find_through_descriptor},
    {"read-link-above", read_link_above},
    {"access-above", access_above},
    {"change-mode-above", change_mode_above},
    {"change-group-above", change_group_above},
    {"change-times-above", change_times_above},
    {"change-times-outside", change_times_outside},
    {"make-in-root", make_in_root},
    {NULL, NULL},
};
