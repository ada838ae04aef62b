/* SPDX-License-Identifier: ISC */
#include "tmpfs_shared.h"

static char *address_of(const struct tmpfs_node *file, uint64_t number)
{
    return file->shared.base + number * HUSK_PAGE_SIZE;
}

char *tmpfs_shared_page(const struct tmpfs_node *file, uint64_t number)
{
    return number < file->pages ? address_of(file, number) : NULL;
}

/* A file that grows will grow again: half as much more than it has, or just what is needed. */
static int make_room(struct tmpfs_node *file, uint64_t pages)
{
    uint64_t more = file->shared.bytes + file->shared.bytes / 2;

    if (pages <= file->shared.bytes / HUSK_PAGE_SIZE)
        return 0;
    if (pages < more / HUSK_PAGE_SIZE && shared_pages_grow(&file->shared, more) == 0)
        return 0;
    return shared_pages_grow(&file->shared, pages * HUSK_PAGE_SIZE) < 0 ? -ENOSPC : 0;
}

int tmpfs_shared_reach(struct tmpfs_node *file, uint64_t pages)
{
    uint64_t before = file->pages, old = file->shared.bytes / HUSK_PAGE_SIZE;

    if (pages <= before)
        return 0;
    if (!tmpfs_reserve(file->fs, pages - before))
        return -ENOSPC;
    if (make_room(file, pages) < 0) {
        file->fs->pages -= pages - before;
        return -ENOSPC;
    }
    /* Who has mapped more than the file had may have written there. */
    if (old > pages)
        old = pages;
    memset(address_of(file, before), 0, (old - before) * HUSK_PAGE_SIZE);
    file->pages = pages;
    return 0;
}

void tmpfs_shared_drop(struct tmpfs_node *file, uint64_t first, uint64_t last)
{
    uint64_t end = last < file->pages ? last : file->pages;

    if (first >= end)
        return;
    memset(address_of(file, first), 0, (end - first) * HUSK_PAGE_SIZE);
    if (last < UINT64_MAX)
        return;
    file->fs->pages -= end - first;
    file->pages = first;
}

void tmpfs_shared_free(struct tmpfs_node *file)
{
    file->fs->pages -= file->pages;
    file->pages = 0;
    shared_pages_free(&file->shared);
}
