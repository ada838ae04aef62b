/* SPDX-License-Identifier: ISC
 *
 * File systems in guest memory. Operations work on nodes, not on paths, and return 0 or a value, or
 * the -errno that Linux's tmpfs gives. Nobody's permissions are checked: the caller is root. Memory
 * that runs out is ENOSPC, like the limit.
 *
 * Not for the caller to forget: EROFS, the access mode of descriptors, RLIMIT_FSIZE, locks, and
 * paths' trailing slashes.
 */
#ifndef HUSK_TMPFS_H
#define HUSK_TMPFS_H

#include "pages.h"

struct tmpfs;
struct tmpfs_node;
struct statfs;
struct statx;
struct statx_timestamp;

#define TMPFS_NAME_MAX 255

struct tmpfs_options {
    uint64_t size;           /* bytes of file contents, rounded up to pages; 0: no limit */
    uint64_t nodes;          /* files and further hard links; 0: no limit */
    uint32_t device;         /* minor number of st_dev, unlike that of other file systems */
    uint32_t mode, uid, gid; /* of the root directory: 01777 for /tmp */
    uint64_t (*clock)(void); /* nanoseconds since 1970 */
};

/* A name in a directory. "." and ".." may be looked up; the rest refuses them as Linux does. */
struct tmpfs_name {
    struct tmpfs_node *dir;
    const char *name; /* in guest-rt's memory; needs no zero */
    size_t len;
};

/* What a new node is to be. Its type is that of MODE: S_IFREG, S_IFDIR, S_IFLNK or S_IFSOCK.
 */
struct tmpfs_new {
    uint32_t mode; /* with the umask applied */
    uint32_t uid, gid;
    const char *target; /* of a symbolic link, in guest-rt's memory */
    size_t target_len;
};

/* A file system, or NULL (ENOMEM). */
struct tmpfs *tmpfs_create(const struct tmpfs_options *options);
/* All references that tmpfs_get made must be gone. */
void tmpfs_destroy(struct tmpfs *fs);
struct tmpfs_node *tmpfs_root(struct tmpfs *fs);
void tmpfs_statfs(const struct tmpfs *fs, struct statfs *result);

/*
 * References. Operations return nodes without one: a node lasts while it has a name, or until the
 * last tmpfs_put. Open files and working directories need one each.
 */
struct tmpfs_node *tmpfs_get(struct tmpfs_node *node);
void tmpfs_put(struct tmpfs_node *node);

/* Attributes. */
struct tmpfs *tmpfs_of(const struct tmpfs_node *node);
uint32_t tmpfs_mode(const struct tmpfs_node *node); /* type and permissions */
uint64_t tmpfs_size(const struct tmpfs_node *node);
struct tmpfs_node *tmpfs_parent(const struct tmpfs_node *dir); /* the root's is the root */
void tmpfs_stat(const struct tmpfs_node *node, struct statx *result);
void tmpfs_chmod(struct tmpfs_node *node, uint32_t mode);
/* (uint32_t)-1 leaves an owner or group as it is. */
void tmpfs_chown(struct tmpfs_node *node, uint32_t uid, uint32_t gid);
/* NULL leaves a time as it is (UTIME_OMIT); tmpfs_now is for UTIME_NOW. */
void tmpfs_set_times(struct tmpfs_node *node, const struct statx_timestamp *atime,
                     const struct statx_timestamp *mtime);
struct statx_timestamp tmpfs_now(const struct tmpfs *fs);

/* Directories. *NODE is what was found or made. */
int tmpfs_lookup(const struct tmpfs_name *at, struct tmpfs_node **node);
int tmpfs_make(const struct tmpfs_name *at, const struct tmpfs_new *new, struct tmpfs_node **node);
/* O_TMPFILE: a regular file without a name, with one reference. tmpfs_link may give it a name
 * unless EXCLUSIVE (O_EXCL). */
int tmpfs_make_nameless(struct tmpfs *fs, const struct tmpfs_new *new, bool exclusive,
                        struct tmpfs_node **node);
/* The caller has compared file systems (EXDEV). */
int tmpfs_link(const struct tmpfs_name *at, struct tmpfs_node *node);
int tmpfs_unlink(const struct tmpfs_name *at);
int tmpfs_rmdir(const struct tmpfs_name *at);
/* Flags of renameat2(2): RENAME_NOREPLACE, RENAME_EXCHANGE. */
int tmpfs_rename(const struct tmpfs_name *from, const struct tmpfs_name *to, uint32_t flags);

/*
 * getdents64: *POSITION starts at 0 and is d_off of the entry after which to go on; any value is
 * safe. Entries come newest first, and what is made while a directory is read does not appear in
 * that reading: therefore a reading ends, and what is there throughout comes exactly once.
 */
int64_t tmpfs_getdents(struct tmpfs_node *dir, uint64_t *position, guest_addr_t to, uint64_t size);

/* The path by a node's latest name from the file system's root, "" for the root itself, without a
 * zero: its length, -ENOENT when that was removed, -ERANGE. */
int64_t tmpfs_path(const struct tmpfs_node *node, char *path, size_t size);

/* Bytes of a symbolic link's target, cut at SIZE; -EINVAL if it is none. */
int64_t tmpfs_readlink(struct tmpfs_node *link, guest_addr_t to, uint64_t size);
/* The same without a copy, for path resolution; NULL if it is none. */
const char *tmpfs_target(const struct tmpfs_node *link, size_t *len);

/* Regular files; -EISDIR or -EINVAL for the rest. O_APPEND is an offset of tmpfs_size. */
int64_t tmpfs_read(struct tmpfs_node *file, guest_addr_t to, uint64_t len, uint64_t offset);
int64_t tmpfs_write(struct tmpfs_node *file, guest_addr_t from, uint64_t len, uint64_t offset);
int tmpfs_truncate(struct tmpfs_node *file, uint64_t size);
/* MODE: FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE. */
int tmpfs_fallocate(struct tmpfs_node *file, uint32_t mode, int64_t offset, int64_t len);
/* Let its contents be what mappings can show, from now on: the number for HUSK_OP_MAPFILE, or
 * -ENOMEM; -ENODEV for what is no regular file. */
int64_t tmpfs_share(struct tmpfs_node *file);
/* WHENCE: SEEK_DATA or SEEK_HOLE. The offset, or -ENXIO. */
int64_t tmpfs_seek(const struct tmpfs_node *file, int64_t offset, uint32_t whence);

#endif
