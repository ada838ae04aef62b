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

struct mounts;

/* Returns an empty name space (its root is an empty directory) or NULL. Free with mounts_free. */
struct mounts *mounts_new(void);
void mounts_free(struct mounts *mounts);

/*
 * Make the host's HOST (a directory or a regular file, opened now) visible at the absolute guest
 * path GUEST. Returns 0, or -1 with ERR set (STATUS_HUSK): HOST missing or not accessible, of
 * another type, GUEST relative, too long, with "..", below a mounted file, the same GUEST twice.
 *
 * As with mount(2), a mount covers what is at GUEST, earlier mounts below it included; the host
 * decides what names mean the same, so do not cover secrets on a file system that ignores case.
 * Directories above GUEST that no other mount provides are made up: read-only, owned by the
 * process. A GUEST that lies in another mount but does not exist there can be reached and is not
 * listed by getdents on its host directory.
 */
int mounts_add(struct mounts *mounts, const char *host, const char *guest, bool writable,
               struct husk_error *err);

/* A directory of the name space: where relative paths start, or what was opened. */
struct guest_dir {
    int fd;     /* host descriptor, or -1 for a directory that exists only in the name space */
    char *path; /* its absolute guest path, no "." or "..", no symbolic link, no trailing slash;
                   owned */
};

/*
 * What an open found. A directory's descriptor comes from the host with the rights asked for, as
 * does a file's, unless the file itself is mounted: then it is a duplicate of one descriptor with
 * the mount's rights, and its user sees to the access mode, O_APPEND and offsets. It never blocks
 * in an open; with O_PATH it may also be a link, a device, a FIFO or a socket (kind FILE).
 */
struct opened {
    enum husk_kind kind; /* FILE or DIR */
    int fd;              /* host descriptor, caller closes; -1 for a directory of the name space */
    char *path;          /* of a directory: as in struct guest_dir, caller frees; else NULL */
    bool writable;       /* the mount's right */
};

/*
 * All of these: BASE is where a relative PATH starts, NULL for "/". PATH is terminated and shorter
 * than PATH_MAX. They return 0 (or as said), or -errno as Linux gives for the same call on bind
 * mounts in an otherwise empty root: ENOENT outside every mount, EROFS for writing in a read-only
 * one, ELOOP after 40 links, ENAMETOOLONG. Absolute symbolic links start at the guest's root, ".."
 * at the guest's root stays there; neither leaves the mounts, also not while another host process
 * renames directories or swaps them for links. Host magic links (/proc/PID/fd) are not followed:
 * ELOOP. Devices, FIFOs and sockets cannot be opened: EACCES.
 *
 * Limits that Linux has not: a directory's absolute guest path is shorter than PATH_MAX, and a path
 * with its links unfolded than twice that: ENAMETOOLONG. ".." leads to the directory that has
 * BASE's path without its last name: whoever renames directories for the guest updates their
 * guest_dir.
 */

/* FLAGS and MODE as of open(2); O_CLOEXEC always, O_NONBLOCK never matters. The umask is the
 * host's. */
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

#endif
