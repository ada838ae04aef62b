/* SPDX-License-Identifier: ISC
 *
 * The guest's file name space: host directories and files that -v made visible, and the directories
 * above them. Resolves guest paths and never leaves the mounts.
 */
#ifndef HUSK_MOUNTS_H
#define HUSK_MOUNTS_H

#include <linux/stat.h> /* struct statx, which musl 1.2.3 lacks */
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "error.h"
#include "husk/abi.h"

struct mount;
struct mounts; /* not changed once the guest runs: any thread may use it */

/* Returns an empty name space (its root is an empty directory) or NULL. Free with mounts_free. */
struct mounts *mounts_new(void);
void mounts_free(struct mounts *mounts);

/* What a mount allows besides reading. */
enum mount_rights {
    MOUNT_READ_ONLY = 0,
    MOUNT_WRITABLE = 1,
    MOUNT_DEVICES = 2, /* devices, FIFOs and terminals can be opened; with no more than these */
};

/*
 * Make the host's HOST (a directory or a regular file, opened now) visible at the absolute guest
 * path GUEST, with RIGHTS (enum mount_rights). Returns 0, or -1 with ERR set (STATUS_HUSK): HOST
 * missing or not accessible, of another type, GUEST relative, too long, with "..", below a mounted
 * file, the same GUEST twice.
 *
 * As with mount(2), a mount covers what is at GUEST, earlier mounts below it included; the host
 * decides what names mean the same, so do not cover secrets on a file system that ignores case.
 * Directories above GUEST that no other mount provides are made up: read-only, owned by the
 * process. A GUEST that lies in another mount but does not exist there can be reached and is not
 * listed by getdents on its host directory.
 */
int mounts_add(struct mounts *mounts, const char *host, const char *guest, unsigned rights,
               struct husk_error *err);

/*
 * Let the guest serve what is at GUEST, an absolute path in canonical form: a directory, listed as
 * one, at which every walk ends with -EREMOTE. Returns 0, or -1 with ERR set as above: GUEST is
 * "/", below a mounted file, at or above a mount.
 */
int mounts_add_local(struct mounts *mounts, const char *guest, struct husk_error *err);

/* The host descriptors of all mounts, two for each, and one more, into FDS if it is not NULL; -1:
 * none. Returns how many. */
size_t mounts_descriptors(const struct mounts *mounts, int *fds);

/* The guest path of the NUMBERth mount that the host provides, or NULL. */
const char *mounts_volume(const struct mounts *mounts, uint64_t number, bool *writable);

/* Is there a mount at GUEST, or below it? */
bool mounts_has(const struct mounts *mounts, const char *guest);
bool mounts_has_below(const struct mounts *mounts, const char *guest);

/* A directory of the name space: where relative paths start, or what was opened. */
struct guest_dir {
    int fd;     /* host descriptor, or -1 for a directory that exists only in the name space */
    char *path; /* owned; absolute guest path without ".", "..", links or a trailing slash */
};

/*
 * What an open found. The descriptor has the rights that were asked for, except where the file
 * itself is mounted: then it is a duplicate of the mount's one descriptor, with the mount's rights,
 * and whoever uses it sees to access mode, O_APPEND and offsets. With O_PATH it may be a symbolic
 * link, a device, a FIFO or a socket too (kind FILE); it cannot be read or written.
 */
struct opened {
    enum husk_kind kind; /* FILE (block devices too), DIR; of MOUNT_DEVICES also STREAM and TTY */
    int fd;              /* host descriptor, caller closes; -1 for a directory of the name space */
    char *path;          /* as in struct guest_dir, caller frees */
    bool writable;       /* the mount's right */
    const struct mount *mount; /* that holds it; NULL: a directory of the name space */
};

/*
 * All of these: BASE is where a relative PATH starts, NULL for "/". PATH is terminated and shorter
 * than PATH_MAX. They return 0 (or as said), or -errno as Linux gives for the same call on bind
 * mounts in an otherwise empty root: ENOENT outside every mount, EROFS for writing in a read-only
 * one, ELOOP after 40 links, ENAMETOOLONG. Absolute symbolic links start at the guest's root, ".."
 * at the guest's root stays there; neither leaves the mounts, also not while another host process
 * renames directories or swaps them for links. Host magic links (/proc/PID/fd) are not followed:
 * ELOOP. Devices, FIFOs, sockets and the mem files of procfs cannot be opened: EACCES, but for the
 * first two where the mount has MOUNT_DEVICES.
 *
 * Limits that Linux has not: a directory's absolute guest path is shorter than PATH_MAX, and a path
 * with its links unfolded than twice that: ENAMETOOLONG. ".." leads to the directory that has
 * BASE's path without its last name: whoever renames directories for the guest updates their
 * guest_dir.
 */

/*
 * FLAGS and MODE as of open(2). Blocks only where Linux does, on a FIFO or device that may be
 * opened; never acquires a terminal. O_CLOEXEC is always set. The monitor's umask applies: set it
 * to 0 before the guest runs.
 */
int mounts_open(const struct mounts *mounts, const struct guest_dir *base, const char *path,
                int flags, mode_t mode, struct opened *opened);

/* FLAGS: AT_SYMLINK_NOFOLLOW; statx(2)'s others have no effect. MASK as of statx(2). */
int mounts_stat(const struct mounts *mounts, const struct guest_dir *base, const char *path,
                int flags, unsigned mask, struct statx *result);

/*
 * MODE: F_OK or of R_OK, W_OK, X_OK. FLAGS: AT_SYMLINK_NOFOLLOW; AT_EACCESS is always meant: the
 * guest's identity is the monitor's effective one.
 */
int mounts_access(const struct mounts *mounts, const struct guest_dir *base, const char *path,
                  int mode, int flags);

/* Returns the number of bytes put into BUFFER, at most SIZE, not terminated. */
int mounts_readlink(const struct mounts *mounts, const struct guest_dir *base, const char *path,
                    char *buffer, size_t size);

/*
 * Where PATH enters a local mount: its path, and the rest of PATH behind it as it is, into BUFFER.
 * Returns the length, 0 if PATH leads into none, or -errno.
 */
int mounts_resolve(const struct mounts *mounts, const struct guest_dir *base, const char *path,
                   enum husk_end end, char buffer[HUSK_PATH_MAX]);

/* stat of a directory that exists only in the name space (opened.fd == -1). */
int mounts_stat_virtual(const struct mounts *mounts, const struct guest_dir *dir,
                        struct statx *result);

/*
 * Entries of such a directory from *POSITION on, as getdents64(2) lays them out, into BUFFER;
 * advances *POSITION (0 at first). Returns bytes, 0 at the end, -EINVAL when BUFFER is too small
 * for one entry.
 */
int mounts_getdents_virtual(const struct mounts *mounts, const struct guest_dir *dir,
                            uint64_t *position, void *buffer, size_t size);

/*
 * Changes, in writable mounts only: elsewhere EROFS. Mount points, and directories that hold one,
 * stay: EBUSY. From one mount into another: EXDEV, as between bind mounts. FLAGS of the last three:
 * AT_SYMLINK_NOFOLLOW. TIMES as of utimensat(2), NULL for now.
 */
int mounts_mkdir(const struct mounts *mounts, const struct guest_dir *base, const char *path,
                 mode_t mode);
int mounts_symlink(const struct mounts *mounts, const char *target, const struct guest_dir *base,
                   const char *path);
int mounts_unlink(const struct mounts *mounts, const struct guest_dir *base, const char *path,
                  int flags);
/* From where to where, as guest paths without links: on success, for those who remember paths. */
struct renamed {
    char from[HUSK_PATH_MAX], to[HUSK_PATH_MAX];
};
int mounts_rename(const struct mounts *mounts, const struct guest_dir *from_base, const char *from,
                  const struct guest_dir *to_base, const char *to, unsigned flags,
                  struct renamed *renamed);
int mounts_link(const struct mounts *mounts, const struct guest_dir *from_base, const char *from,
                const struct guest_dir *to_base, const char *to, int flags);
/* The same for what is open as FD, from an open in MOUNT. */
int mounts_link_opened(const struct mounts *mounts, const struct mount *mount, int fd,
                       const struct guest_dir *to_base, const char *to);
int mounts_chmod(const struct mounts *mounts, const struct guest_dir *base, const char *path,
                 mode_t mode, int flags);
/* Of what is open as FD, also with O_PATH. */
int mounts_chmod_opened(const struct mounts *mounts, int fd, mode_t mode);
int mounts_chown(const struct mounts *mounts, const struct guest_dir *base, const char *path,
                 uid_t uid, gid_t gid, int flags);
int mounts_utimes(const struct mounts *mounts, const struct guest_dir *base, const char *path,
                  const struct timespec times[2], int flags);

#endif
