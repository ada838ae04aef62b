/* SPDX-License-Identifier: ISC
 *
 * Contents of a regular file that was mapped with MAP_SHARED, tmpfs_share: its pages are one piece,
 * a struct shared_pages, up to the file's end and none of them a hole, as who has mapped them
 * writes without guest-rt's knowing. Only tmpfs_data.c needs this.
 */
#ifndef HUSK_TMPFS_SHARED_H
#define HUSK_TMPFS_SHARED_H

#include "tmpfs_node.h"

static inline bool tmpfs_is_shared(const struct tmpfs_node *file)
{
    return file->shared.bytes > 0;
}

/* A page, or NULL behind the last. */
char *tmpfs_shared_page(const struct tmpfs_node *file, uint64_t number);

/* Have at least so many pages; new ones are zero. 0 or -ENOSPC. */
int tmpfs_shared_reach(struct tmpfs_node *file, uint64_t pages);

/* Zero the pages FIRST..LAST - 1; those up to the last are none any more if LAST is UINT64_MAX. */
void tmpfs_shared_drop(struct tmpfs_node *file, uint64_t first, uint64_t last);

void tmpfs_shared_free(struct tmpfs_node *file);

#endif
