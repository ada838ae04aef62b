/* SPDX-License-Identifier: ISC
 *
 * Names of a file system: one hash table for all its directories, which grows with them.
 */
#include "pages.h"
#include "slab.h"
#include "tmpfs_node.h"

#define BUCKETS_MIN (HUSK_PAGE_SIZE / sizeof(struct tmpfs_entry *))

static bool same(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/, over the directory's number and the name. */
static uint32_t hash_of(const struct tmpfs_name *at)
{
    uint64_t hash = 0xcbf29ce484222325 ^ at->dir->ino;

    for (size_t i = 0; i < at->len; i++)
        hash = (hash ^ (uint8_t)at->name[i]) * 0x100000001b3;
    return hash ^ hash >> 32;
}

static struct tmpfs_entry **buckets_new(size_t buckets)
{
    size_t bytes = buckets * sizeof(struct tmpfs_entry *);
    void *memory = bytes == HUSK_PAGE_SIZE ? page_alloc() : rt_pages_alloc(bytes);

    return memory ? memset(memory, 0, bytes) : NULL;
}

static void buckets_free(struct tmpfs_entry **table, size_t buckets)
{
    size_t bytes = buckets * sizeof(struct tmpfs_entry *);

    if (bytes == HUSK_PAGE_SIZE)
        page_free(table);
    else
        rt_pages_free(table, bytes);
}

bool tmpfs_names_init(struct tmpfs *fs)
{
    fs->buckets = buckets_new(BUCKETS_MIN);
    fs->bucket_count = BUCKETS_MIN;
    return fs->buckets;
}

void tmpfs_names_free(struct tmpfs *fs)
{
    buckets_free(fs->buckets, fs->bucket_count);
}

static struct tmpfs_entry **bucket_of(const struct tmpfs *fs, uint32_t hash)
{
    return &fs->buckets[hash & (fs->bucket_count - 1)];
}

static void hash_insert(struct tmpfs_entry *entry)
{
    struct tmpfs_entry **bucket = bucket_of(entry->dir->fs, entry->hash);

    entry->next = *bucket;
    *bucket = entry;
}

static void hash_remove(struct tmpfs_entry *entry)
{
    struct tmpfs_entry **at = bucket_of(entry->dir->fs, entry->hash);

    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
}

/* Without memory the table stays as it is: slower, but right. */
static void resize(struct tmpfs *fs, size_t buckets)
{
    struct tmpfs_entry **old = fs->buckets, **new = buckets_new(buckets);
    size_t old_count = fs->bucket_count;

    if (!new)
        return;
    fs->buckets = new;
    fs->bucket_count = buckets;
    for (size_t i = 0; i < old_count; i++)
        while (old[i]) {
            struct tmpfs_entry *entry = old[i];

            old[i] = entry->next;
            hash_insert(entry);
        }
    buckets_free(old, old_count);
}

static struct tmpfs_entry *entry_new(const struct tmpfs_name *at, uint64_t position)
{
    struct tmpfs_entry *entry = slab_alloc(sizeof(*entry) + at->len);

    if (!entry)
        return NULL;
    *entry = (struct tmpfs_entry){
        .dir = at->dir, .position = position, .hash = hash_of(at), .len = at->len};
    memcpy(entry->name, at->name, at->len);
    return entry;
}

int tmpfs_entry_find(const struct tmpfs_name *at, struct tmpfs_entry **found)
{
    uint32_t hash = hash_of(at);

    if (at->len > TMPFS_NAME_MAX)
        return -ENAMETOOLONG;
    for (struct tmpfs_entry *entry = *bucket_of(at->dir->fs, hash); entry; entry = entry->next) {
        if (entry->hash == hash && entry->dir == at->dir && entry->len == at->len &&
            same(entry->name, at->name, at->len)) {
            *found = entry;
            return 0;
        }
    }
    return -ENOENT;
}

int tmpfs_entry_add(const struct tmpfs_name *at, struct tmpfs_node *node)
{
    struct tmpfs_node *dir = at->dir;
    struct tmpfs_entry *entry = entry_new(at, dir->position + 1);

    if (!entry)
        return -ENOSPC;
    if (radix_set(&dir->entries, entry->position, entry) < 0) {
        slab_free(entry);
        return -ENOSPC;
    }
    dir->position++;
    dir->size += TMPFS_ENTRY_BYTES;
    hash_insert(entry);
    tmpfs_entry_point(entry, node);
    if (++dir->fs->entry_count > dir->fs->bucket_count)
        resize(dir->fs, 2 * dir->fs->bucket_count);
    return 0;
}

void tmpfs_entry_remove(struct tmpfs_entry *entry)
{
    struct tmpfs_node *dir = entry->dir;
    struct tmpfs *fs = dir->fs;

    hash_remove(entry);
    radix_remove(&dir->entries, entry->position);
    dir->size -= TMPFS_ENTRY_BYTES;
    if (entry->node->entry == entry)
        entry->node->entry = NULL;
    slab_free(entry);
    if (--fs->entry_count < fs->bucket_count / 8 && fs->bucket_count > BUCKETS_MIN)
        resize(fs, fs->bucket_count / 2);
}

int tmpfs_entry_rename(struct tmpfs_entry *entry, const struct tmpfs_name *to)
{
    struct tmpfs_entry *new = entry_new(to, entry->position);

    if (!new)
        return -ENOSPC;
    radix_set(&to->dir->entries, new->position, new); /* cannot fail: the index is in use */
    hash_remove(entry);
    hash_insert(new);
    tmpfs_entry_point(new, entry->node);
    slab_free(entry);
    return 0;
}

void tmpfs_entry_point(struct tmpfs_entry *entry, struct tmpfs_node *node)
{
    entry->node = node;
    node->entry = entry;
}
