/* SPDX-License-Identifier: ISC
 *
 * What the tmpfs files share: tmpfs.c (nodes), tmpfs_data.c (contents), tmpfs_dir.c (names).
 */
#ifndef HUSK_TMPFS_NODE_H
#define HUSK_TMPFS_NODE_H

#include <linux/stat.h>
#include <linux/types.h>

#include "radix.h"
#include "shared.h"
#include "tmpfs.h"

#define TMPFS_SIZE_MAX INT64_MAX
#define TMPFS_ENTRY_BYTES                                                                          \
    20 /* what an entry adds to a directory's size: BOGO_DIRENT_SIZE of Linux */

/* A name in a directory: in the directory's radix by position, and in a hash table by name. */
struct tmpfs_entry {
    struct tmpfs_entry *next; /* with the same hash bucket */
    struct tmpfs_node *dir, *node;
    uint64_t position;
    uint32_t hash;
    uint8_t len;
    char name[];
};

struct tmpfs_node {
    struct tmpfs *fs;
    uint64_t ino;
    uint64_t size;
    uint32_t mode, uid, gid;
    uint32_t links, references;
    bool linkable; /* without a name, but may get one */
    struct statx_timestamp atime, mtime, ctime, btime;
    uint64_t pages; /* that count against the size limit */
    union {
        struct radix contents; /* of a regular file: pages by number; tmpfs_data.c */
        struct radix entries;  /* of a directory: by position */
        char *target;          /* of a symbolic link */
    };
    struct shared_pages shared; /* of a regular file that was mapped: its contents instead */
    struct tmpfs_entry *entry;  /* its latest name; NULL for the root and when that was removed */
    /* Of a directory. */
    struct tmpfs_node *parent; /* holds a reference; NULL for the root */
    uint64_t position;         /* of the latest entry */
};

struct tmpfs {
    struct tmpfs_options options;
    uint64_t page_limit, pages; /* of contents */
    uint64_t nodes;             /* files and further links */
    uint64_t last_ino;
    struct tmpfs_node *root;
    struct tmpfs_entry **buckets;
    size_t bucket_count, entry_count;
};

static inline bool tmpfs_is(const struct tmpfs_node *node, uint32_t type)
{
    return (node->mode & S_IFMT) == type;
}

enum {
    TMPFS_ATIME = 1,
    TMPFS_MTIME = 2,
    TMPFS_CTIME = 4,
    TMPFS_CHANGED = TMPFS_MTIME | TMPFS_CTIME
};
/* Set times to now. */
void tmpfs_touch(struct tmpfs_node *node, unsigned times);
/* It was read: as with relatime, only the first time after a change counts. */
void tmpfs_accessed(struct tmpfs_node *node);

/* A node without a name or reference, or NULL (ENOSPC). A directory has to get its parent. */
struct tmpfs_node *tmpfs_node_new(struct tmpfs *fs, const struct tmpfs_new *new);

/* Count pages against the limit. */
bool tmpfs_reserve(struct tmpfs *fs, uint64_t pages);
bool tmpfs_reserve_node(struct tmpfs *fs);

void tmpfs_data_free(struct tmpfs_node *file);
/* Take out the first entry of the root's tree that has nothing below it. */
bool tmpfs_remove_any(struct tmpfs *fs);

bool tmpfs_names_init(struct tmpfs *fs);
void tmpfs_names_free(struct tmpfs *fs);
int tmpfs_entry_find(const struct tmpfs_name *at, struct tmpfs_entry **entry);
/* Enter NODE. -ENOSPC. */
int tmpfs_entry_add(const struct tmpfs_name *at, struct tmpfs_node *node);
void tmpfs_entry_remove(struct tmpfs_entry *entry);
/* Another name in the same directory, at the same position. -ENOSPC. */
int tmpfs_entry_rename(struct tmpfs_entry *entry, const struct tmpfs_name *to);
void tmpfs_entry_point(struct tmpfs_entry *entry, struct tmpfs_node *node);
/* Let a directory's ".." be PARENT. */
void tmpfs_set_parent(struct tmpfs_node *dir, struct tmpfs_node *parent);
/* One name less. */
void tmpfs_drop_link(struct tmpfs_node *node);
bool tmpfs_is_dot(const struct tmpfs_name *at);
bool tmpfs_is_dot_dot(const struct tmpfs_name *at);
/* A directory that rmdir took: nothing can be made in it. */
bool tmpfs_is_dead(const struct tmpfs_node *dir);

#endif
