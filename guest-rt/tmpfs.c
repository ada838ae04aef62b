/* SPDX-License-Identifier: ISC
 *
 * File systems, and what all nodes have: lifetime, attributes, times.
 */
#include <asm/statfs.h>

#include "pages.h"
#include "slab.h"
#include "tmpfs_node.h"
#include "usermem.h"

#define SECOND      1000000000ULL
#define TMPFS_MAGIC 0x01021994 /* linux/magic.h */

struct statx_timestamp tmpfs_now(const struct tmpfs *fs)
{
    uint64_t now = fs->options.clock();

    return (struct statx_timestamp){.tv_sec = now / SECOND, .tv_nsec = now % SECOND};
}

void tmpfs_touch(struct tmpfs_node *node, unsigned times)
{
    struct statx_timestamp now = tmpfs_now(node->fs);

    if (times & TMPFS_ATIME)
        node->atime = now;
    if (times & TMPFS_MTIME)
        node->mtime = now;
    if (times & TMPFS_CTIME)
        node->ctime = now;
}

static bool is_after(const struct statx_timestamp *a, const struct statx_timestamp *b)
{
    return a->tv_sec > b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec > b->tv_nsec);
}

void tmpfs_accessed(struct tmpfs_node *node)
{
    if (!is_after(&node->atime, &node->mtime) || !is_after(&node->atime, &node->ctime))
        tmpfs_touch(node, TMPFS_ATIME);
}

bool tmpfs_reserve(struct tmpfs *fs, uint64_t pages)
{
    if (fs->page_limit && pages > fs->page_limit - fs->pages)
        return false;
    fs->pages += pages;
    return true;
}

bool tmpfs_reserve_node(struct tmpfs *fs)
{
    if (fs->options.nodes && fs->nodes == fs->options.nodes)
        return false;
    fs->nodes++;
    return true;
}

static bool target_in_page(uint64_t len)
{
    return len + 1 > SLAB_MAX;
}

static bool set_target(struct tmpfs_node *link, const struct tmpfs_new *new)
{
    bool in_page = target_in_page(new->target_len);

    if (in_page && !tmpfs_reserve(link->fs, 1))
        return false;
    link->pages = in_page;
    link->size = new->target_len;
    link->target = in_page ? page_alloc() : slab_alloc(new->target_len + 1);
    if (!link->target) {
        link->fs->pages -= link->pages;
        return false;
    }
    memcpy(link->target, new->target, new->target_len);
    link->target[new->target_len] = 0;
    return true;
}

struct tmpfs_node *tmpfs_node_new(struct tmpfs *fs, const struct tmpfs_new *new)
{
    struct tmpfs_node *node = NULL;

    if (!tmpfs_reserve_node(fs))
        return NULL;
    node = slab_alloc_zeroed(sizeof(*node));
    if (!node)
        goto no_node;
    node->fs = fs;
    node->mode = new->mode;
    node->uid = new->uid;
    node->gid = new->gid;
    tmpfs_touch(node, TMPFS_ATIME | TMPFS_CHANGED);
    node->btime = node->ctime;
    if (tmpfs_is(node, S_IFDIR)) {
        node->links = 1; /* its "." */
        node->size = 2 * TMPFS_ENTRY_BYTES;
        node->position = 2; /* "." and ".." */
    }
    if (tmpfs_is(node, S_IFLNK) && !set_target(node, new))
        goto no_node;
    node->ino = ++fs->last_ino;
    return node;

no_node:
    if (node)
        slab_free(node);
    fs->nodes--;
    return NULL;
}

static void node_free(struct tmpfs_node *node)
{
    if (tmpfs_is(node, S_IFREG))
        tmpfs_data_free(node);
    if (tmpfs_is(node, S_IFLNK)) {
        if (target_in_page(node->size))
            page_free(node->target);
        else
            slab_free(node->target);
        node->fs->pages -= node->pages;
    }
    node->fs->nodes--;
    slab_free(node);
}

struct tmpfs_node *tmpfs_get(struct tmpfs_node *node)
{
    node->references++;
    return node;
}

void tmpfs_put(struct tmpfs_node *node)
{
    while (node && --node->references == 0 && node->links == 0) {
        struct tmpfs_node *parent = node->parent;

        node_free(node);
        node = parent;
    }
}

struct tmpfs *tmpfs_create(const struct tmpfs_options *options)
{
    const struct tmpfs_new new = {
        .mode = S_IFDIR | (options->mode & 07777), .uid = options->uid, .gid = options->gid};
    struct tmpfs *fs = slab_alloc_zeroed(sizeof(*fs));

    if (!fs)
        return NULL;
    fs->options = *options;
    fs->page_limit = options->size / HUSK_PAGE_SIZE + (options->size % HUSK_PAGE_SIZE > 0);
    fs->root = tmpfs_node_new(fs, &new);
    if (!fs->root || !tmpfs_names_init(fs)) {
        if (fs->root)
            slab_free(fs->root);
        slab_free(fs);
        return NULL;
    }
    fs->root->links = 2;
    return fs;
}

void tmpfs_destroy(struct tmpfs *fs)
{
    while (tmpfs_remove_any(fs))
        continue;
    node_free(fs->root);
    tmpfs_names_free(fs);
    slab_free(fs);
}

struct tmpfs_node *tmpfs_root(struct tmpfs *fs)
{
    return fs->root;
}

void tmpfs_statfs(const struct tmpfs *fs, struct statfs *result)
{
    uint64_t free_pages = fs->page_limit - fs->pages, free_nodes = fs->options.nodes - fs->nodes;

    *result = (struct statfs){
        .f_type = TMPFS_MAGIC,
        .f_bsize = HUSK_PAGE_SIZE,
        .f_frsize = HUSK_PAGE_SIZE,
        .f_namelen = TMPFS_NAME_MAX,
        .f_fsid.val = {fs->options.device},
    };
    if (fs->page_limit) {
        result->f_blocks = fs->page_limit;
        result->f_bfree = result->f_bavail = free_pages;
    }
    if (fs->options.nodes) {
        result->f_files = fs->options.nodes;
        result->f_ffree = free_nodes;
    }
}

struct tmpfs *tmpfs_of(const struct tmpfs_node *node)
{
    return node->fs;
}

uint32_t tmpfs_mode(const struct tmpfs_node *node)
{
    return node->mode;
}

uint64_t tmpfs_size(const struct tmpfs_node *node)
{
    return node->size;
}

struct tmpfs_node *tmpfs_parent(const struct tmpfs_node *dir)
{
    return dir->parent ? dir->parent : dir->fs->root;
}

void tmpfs_stat(const struct tmpfs_node *node, struct statx *result)
{
    *result = (struct statx){
        .stx_mask = STATX_BASIC_STATS | STATX_BTIME,
        .stx_blksize = HUSK_PAGE_SIZE,
        .stx_nlink = node->links,
        .stx_uid = node->uid,
        .stx_gid = node->gid,
        .stx_mode = node->mode,
        .stx_ino = node->ino,
        .stx_size = node->size,
        .stx_blocks = node->pages * (HUSK_PAGE_SIZE / 512),
        .stx_atime = node->atime,
        .stx_btime = node->btime,
        .stx_ctime = node->ctime,
        .stx_mtime = node->mtime,
        .stx_dev_minor = node->fs->options.device,
    };
}

void tmpfs_chmod(struct tmpfs_node *node, uint32_t mode)
{
    node->mode = (node->mode & S_IFMT) | (mode & 07777);
    tmpfs_touch(node, TMPFS_CTIME);
}

/* Whoever gets a program of another's may not run it with that owner's rights: chown(2). */
void tmpfs_chown(struct tmpfs_node *node, uint32_t uid, uint32_t gid)
{
    const uint32_t keep = (uint32_t)-1;

    if (uid != keep)
        node->uid = uid;
    if (gid != keep)
        node->gid = gid;
    if (!tmpfs_is(node, S_IFDIR)) {
        node->mode &= ~(uint32_t)S_ISUID;
        if (node->mode & S_IXGRP)
            node->mode &= ~(uint32_t)S_ISGID;
    }
    tmpfs_touch(node, TMPFS_CTIME);
}

void tmpfs_set_times(struct tmpfs_node *node, const struct statx_timestamp *atime,
                     const struct statx_timestamp *mtime)
{
    if (atime)
        node->atime = *atime;
    if (mtime)
        node->mtime = *mtime;
    if (atime || mtime)
        tmpfs_touch(node, TMPFS_CTIME);
}

const char *tmpfs_target(const struct tmpfs_node *link, size_t *len)
{
    if (!tmpfs_is(link, S_IFLNK))
        return NULL;
    *len = link->size;
    return link->target;
}

int64_t tmpfs_readlink(struct tmpfs_node *link, guest_addr_t to, uint64_t size)
{
    size_t len;
    const char *target = tmpfs_target(link, &len);

    if (!target || size == 0)
        return -EINVAL;
    if (len > size)
        len = size;
    tmpfs_accessed(link);
    return user_copy((void *)to, target, len) < 0 ? -EFAULT : (int64_t)len;
}
