/* SPDX-License-Identifier: ISC
 *
 * Private to mounts.c and resolve.c: the table of mounts, and the walk that turns a guest path into
 * a name in a host directory. The operations of mounts.h, and later mkdir, unlink or rename, are a
 * walk followed by one host call on (walk.dir, walk.name).
 */
#ifndef HUSK_RESOLVE_H
#define HUSK_RESOLVE_H

#include <limits.h>

#include "mounts.h"

struct mount {
    char *path; /* where the guest sees it: absolute, no ".", "..", "//" or trailing slash */
    int fd;     /* O_PATH; -1 for a local mount */
    int file; /* of a mounted file: opened with the mount's rights, shared by all opens; else -1 */
    bool writable;
    bool devices; /* MOUNT_DEVICES */
    bool local;   /* the guest serves it: walks end here */
};

struct mounts {
    struct mount *table; /* no mount covers another completely: those are removed */
    size_t count;
    uid_t uid; /* who owns the directories that are made up */
    gid_t gid;
    int descriptors; /* of --isolate: /proc/self/fd without a /proc; else -1 */
};

/* The part of PATH below DIR without a leading slash, "" if they are equal, NULL if it is not
 * below. */
const char *path_below(const char *path, const char *dir);

/* The mount at exactly PATH, the innermost one that holds PATH, any below PATH; NULL if none. */
const struct mount *mount_at(const struct mounts *mounts, const char *path);
const struct mount *mount_over(const struct mounts *mounts, const char *path);
const struct mount *mount_below(const struct mounts *mounts, const char *path);

/* What a walk does with the last name. A slash behind it makes the first two follow a link. */
enum walk_end {
    WALK_FOLLOW, /* looks it up and follows it if it is a symbolic link */
    WALK_STAY,   /* looks it up */
    WALK_PARENT, /* leaves it to the caller, who creates, removes or renames it */
};

/*
 * A walk, and where it ended: at NAME in the directory DIR, or, with NAME "", at DIR itself: "/", a
 * mount point, a directory above one, or a path that ends in "." or "..". The last name cannot be
 * changed through DIR then: EBUSY for unlink and rename, EEXIST for mkdir. (That a directory which
 * holds a mount point cannot be renamed is what keeps covered files covered.) A walk that reaches a
 * local mount fails with -EREMOTE; PATH is the mount's then, and REST what was left to walk.
 */
struct walk {
    const struct mount *mount; /* that holds DIR; NULL: a directory of the name space */
    int dir;                   /* O_PATH descriptor, -1 if there is no MOUNT; the walk's */
    const char *name;          /* one name, never "." or ".." */
    bool slash;                /* a slash followed NAME: only a directory will do */
    bool found;                /* STX is valid. False: NAME does not exist, or WALK_PARENT */
    struct statx stx;          /* of the object itself */
    char path[PATH_MAX];       /* the object's guest path, no symbolic link in it */

    /* While it walks; PATH is then that of DIR. */
    const struct mounts *mounts;
    enum walk_end end;
    unsigned mask; /* as of statx(2), for STX */
    bool borrowed; /* DIR belongs to the mount or to the base */
    bool careful;  /* a link lies ahead: one name at a time */
    int links;     /* followed so far */
    size_t length; /* of PATH */
    char *rest;    /* of the path, in TEXT, whose end it fills; links are unfolded in front of it */
    char text[2 * PATH_MAX];
};

/* Returns 0 or -errno. Always ends with walk_close, for which WALK will do. */
int walk_path(struct walk *walk, const struct mounts *mounts, const struct guest_dir *base,
              const char *path, enum walk_end end, unsigned mask);
void walk_close(struct walk *walk);

/* walk_path initializes what it uses: the compiler need not clear 13 KiB for each call. */
/* A walk that is closed when it leaves its scope, whether it was begun or not. It is large and
 * therefore not cleared, but for what walk_close looks at. */
#define WALK(name)                                                                                 \
    struct walk name __attribute__((cleanup(walk_close), uninitialized));                          \
    name.dir = -1

/* openat2(2) of a path without ".." that leaves DIR by no means. A descriptor or -errno. */
int open_beneath(int dir, const char *path, int flags, mode_t mode);

/* statx(2) of NAME in DIR itself, of DIR with NAME "". 0 or -errno. */
int stat_beneath(int dir, const char *name, unsigned mask, struct statx *result);

#endif
