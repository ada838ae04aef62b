/* SPDX-License-Identifier: ISC
 *
 * The directories that guest-rt serves itself: struct husk_local of the boot page.
 */
#ifndef HUSK_RT_LOCALS_H
#define HUSK_RT_LOCALS_H

#include "tmpfs.h"

struct local {
    const char *path; /* terminated */
    size_t length;
    enum husk_local_kind kind;
    uint64_t size;
    struct tmpfs *fs;           /* made when it is first needed */
    struct tmpfs_node *covered; /* the directory of another tmpfs on which it lies, or NULL */
};

/* The innermost one that an absolute path leads into by its first names, and the bytes of the path
 * up to there; NULL if the path starts outside. */
struct local *local_in_path(const char *path, size_t *used);

/* The one with exactly this path, which is canonical; the one that lies on a directory of a tmpfs;
 * the one with this file system. */
struct local *local_at(const char *path);
struct local *local_over(const struct tmpfs_node *node);
struct local *local_of(const struct tmpfs *fs);

/* The root of a tmpfs; NULL when there is no memory for it. */
struct tmpfs_node *local_root(struct local *local);

/* Does another one lie on the directory NODE or below? Then it stays where it is. */
bool local_is_below(const struct tmpfs_node *node);

#endif
