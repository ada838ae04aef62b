/* SPDX-License-Identifier: ISC
 *
 * The guest's file name space: host directories and files that -v made visible, and the directories
 * above them. Resolves guest paths and never leaves the mounts.
 */
#ifndef HUSK_MOUNTS_H
#define HUSK_MOUNTS_H

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
 * Make the host's HOST (a directory or a regular file, opened now) visible at the absolute guest path
 * GUEST. Later mounts cover earlier ones. Returns 0, or -1 with ERR set (STATUS_HUSK): HOST missing
 * or not accessible, of another type, GUEST relative or with "..", the same GUEST twice.
 */
int mounts_add(struct mounts *mounts, const char *host, const char *guest, bool writable,
               struct husk_error *err);

/* A directory of the name space: where relative paths start, or what was opened. */
struct guest_dir {
    int fd;     /* host descriptor, or -1 for a directory that exists only in the name space */
    char *path; /* its absolute guest path, no "." or "..", no symbolic link, no trailing slash; owned */
};

/* What an open found. */
struct opened {
    enum husk_kind kind;  /* FILE or DIR */
    int fd;               /* host descriptor, caller closes; -1 for a directory of the name space */
    char *path;           /* of a directory: as in struct guest_dir, caller frees; else NULL */
    bool writable;        /* the mount's right */
};

/*
 * All of these: BASE is where a relative PATH starts, NULL for "/". PATH is terminated and shorter
 * than PATH_MAX. They return 0 (or as said), or -errno as Linux gives for the same call on bind
 * mounts in an otherwise empty root: ENOENT outside every mount, EROFS for writing in a read-only
 * one, ELOOP after 40 links, ENAMETOOLONG. Absolute symbolic links start at the guest's root, ".."
 * at the guest's root stays there; neither leaves the mounts, also not while another host process
 * renames directories or swaps them for links. Host magic links (/proc/PID/fd) are not followed:
 * ELOOP. Devices, FIFOs and sockets cannot be opened: EACCES.
 */

/* FLAGS and MODE as of open(2). Never blocks on a FIFO, never acquires a terminal. */
int mounts_open(const struct mounts *mounts, const struct guest_dir *base, const char *path, int flags,
                mode_t mode, struct opened *opened);

/* FLAGS: AT_SYMLINK_NOFOLLOW. MASK as of statx(2). */
int mounts_stat(const struct mounts *mounts, const struct guest_dir *base, const char *path, int flags,
                unsigned mask, struct statx *result);

/* MODE: F_OK or of R_OK, W_OK, X_OK. FLAGS: AT_SYMLINK_NOFOLLOW, AT_EACCESS. */
int mounts_access(const struct mounts *mounts, const struct guest_dir *base, const char *path, int mode,
                  int flags);

/* Returns the number of bytes put into BUFFER, at most SIZE, not terminated. */
int mounts_readlink(const struct mounts *mounts, const struct guest_dir *base, const char *path,
                    char *buffer, size_t size);

/* stat of a directory that exists only in the name space (opened.fd == -1). */
int mounts_stat_virtual(const struct mounts *mounts, const struct guest_dir *dir, struct statx *result);

/*
 * Entries of such a directory from *POSITION on, as getdents64(2) lays them out, into BUFFER;
 * advances *POSITION (0 at first). Returns bytes, 0 at the end, -EINVAL when BUFFER is too small for
 * one entry.
 */
int mounts_getdents_virtual(const struct mounts *mounts, const struct guest_dir *dir,
                            uint64_t *position, void *buffer, size_t size);

#endif
