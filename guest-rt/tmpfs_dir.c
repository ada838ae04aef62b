/* SPDX-License-Identifier: ISC
 *
 * Making, finding, listing and removing names. Errors come in Linux's order (fs/namei.c).
 */
#include "slab.h"
#include "tmpfs_node.h"
#include "usermem.h"

#define TARGET_MAX 4095 /* PATH_MAX without its zero */

bool tmpfs_is_dot(const struct tmpfs_name *at)
{
    return at->len == 1 && at->name[0] == '.';
}

bool tmpfs_is_dot_dot(const struct tmpfs_name *at)
{
    return at->len == 2 && at->name[0] == '.' && at->name[1] == '.';
}

bool tmpfs_is_dead(const struct tmpfs_node *dir)
{
    return dir->links == 0;
}

static bool is_root(const struct tmpfs_node *node)
{
    return node == node->fs->root;
}

/* A reference is held meanwhile, so that the node goes when this was all that kept it. */
void tmpfs_drop_link(struct tmpfs_node *node)
{
    tmpfs_get(node);
    if (tmpfs_is(node, S_IFDIR)) {
        node->links = 0;
        node->parent->links--;
    } else if (--node->links > 0) {
        node->fs->nodes--;
    }
    tmpfs_touch(node, TMPFS_CTIME);
    tmpfs_put(node);
}

void tmpfs_set_parent(struct tmpfs_node *dir, struct tmpfs_node *parent)
{
    struct tmpfs_node *old = dir->parent;

    dir->parent = tmpfs_get(parent);
    parent->links++;
    if (!old)
        return;
    old->links--;
    tmpfs_put(old);
}

int tmpfs_lookup(const struct tmpfs_name *at, struct tmpfs_node **node)
{
    struct tmpfs_entry *entry;
    int status;

    if (!tmpfs_is(at->dir, S_IFDIR))
        return -ENOTDIR;
    *node = tmpfs_is_dot(at) ? at->dir : tmpfs_parent(at->dir);
    if (tmpfs_is_dot(at) || tmpfs_is_dot_dot(at))
        return 0;
    status = tmpfs_entry_find(at, &entry);
    if (status == 0)
        *node = entry->node;
    return status;
}

/* May a name be made here? */
static int check_free(const struct tmpfs_name *at)
{
    struct tmpfs_node *existing;
    int status = tmpfs_lookup(at, &existing);

    if (status == 0)
        return -EEXIST;
    if (status != -ENOENT)
        return status;
    return tmpfs_is_dead(at->dir) ? -ENOENT : 0;
}

/* Enter NODE and count the link. */
static int enter(const struct tmpfs_name *at, struct tmpfs_node *node)
{
    int status = tmpfs_entry_add(at, node);

    if (status < 0)
        return status;
    node->links++;
    tmpfs_touch(at->dir, TMPFS_CHANGED);
    return 0;
}

/* A directory with the set-group-ID bit hands down its group, inode(7). */
static struct tmpfs_new inherit(const struct tmpfs_new *new, const struct tmpfs_node *dir)
{
    struct tmpfs_new result = *new;

    if (!(dir->mode & S_ISGID))
        return result;
    result.gid = dir->gid;
    if ((new->mode &S_IFMT) == S_IFDIR)
        result.mode |= S_ISGID;
    return result;
}

static int check_new(const struct tmpfs_new *new)
{
    uint32_t type = new->mode &S_IFMT;

    if (type != S_IFREG && type != S_IFDIR && type != S_IFLNK && type != S_IFSOCK)
        return -EPERM;
    if (type == S_IFLNK && new->target_len == 0)
        return -ENOENT;
    if (type == S_IFLNK && new->target_len > TARGET_MAX)
        return -ENAMETOOLONG;
    return 0;
}

int tmpfs_make(const struct tmpfs_name *at, const struct tmpfs_new *new, struct tmpfs_node **node)
{
    struct tmpfs_new inherited;
    int status = check_new(new);

    if (status == 0)
        status = check_free(at);
    if (status < 0)
        return status;
    inherited = inherit(new, at->dir);
    *node = tmpfs_node_new(at->dir->fs, &inherited);
    if (!*node)
        return -ENOSPC;
    status = enter(at, *node);
    if (status < 0) { /* nothing refers to it: this frees it */
        (*node)->links = 0;
        tmpfs_put(tmpfs_get(*node));
        return status;
    }
    if (tmpfs_is(*node, S_IFDIR))
        tmpfs_set_parent(*node, at->dir);
    return 0;
}

int tmpfs_make_nameless(struct tmpfs *fs, const struct tmpfs_new *new, bool exclusive,
                        struct tmpfs_node **node)
{
    if ((new->mode &S_IFMT) != S_IFREG)
        return -EINVAL;
    *node = tmpfs_node_new(fs, new);
    if (!*node)
        return -ENOSPC;
    (*node)->linkable = !exclusive;
    tmpfs_get(*node);
    return 0;
}

int tmpfs_link(const struct tmpfs_name *at, struct tmpfs_node *node)
{
    bool further = node->links > 0;
    int status = check_free(at);

    if (status < 0)
        return status;
    if (tmpfs_is(node, S_IFDIR))
        return -EPERM;
    if (!further && !node->linkable)
        return -ENOENT;
    if (further && !tmpfs_reserve_node(node->fs))
        return -ENOSPC;
    status = enter(at, node);
    if (status < 0) {
        node->fs->nodes -= further;
        return status;
    }
    node->linkable = false;
    tmpfs_touch(node, TMPFS_CTIME);
    return 0;
}

static int find(const struct tmpfs_name *at, struct tmpfs_entry **entry)
{
    return tmpfs_is(at->dir, S_IFDIR) ? tmpfs_entry_find(at, entry) : -ENOTDIR;
}

static void take_out(struct tmpfs_entry *entry)
{
    struct tmpfs_node *node = entry->node, *dir = entry->dir;

    tmpfs_entry_remove(entry);
    tmpfs_touch(dir, TMPFS_CHANGED);
    tmpfs_drop_link(node);
}

int tmpfs_unlink(const struct tmpfs_name *at)
{
    struct tmpfs_entry *entry;
    int status = find(at, &entry);

    if (tmpfs_is_dot(at) || tmpfs_is_dot_dot(at))
        return -EISDIR;
    if (status < 0)
        return status;
    if (tmpfs_is(entry->node, S_IFDIR))
        return -EISDIR;
    take_out(entry);
    return 0;
}

int tmpfs_rmdir(const struct tmpfs_name *at)
{
    struct tmpfs_entry *entry;
    int status = find(at, &entry);

    if (tmpfs_is_dot(at))
        return -EINVAL;
    if (tmpfs_is_dot_dot(at))
        return -ENOTEMPTY;
    if (status < 0)
        return status;
    if (!tmpfs_is(entry->node, S_IFDIR))
        return -ENOTDIR;
    if (entry->node->entries.root)
        return -ENOTEMPTY;
    take_out(entry);
    return 0;
}

static struct tmpfs_entry *first_entry(const struct tmpfs_node *dir)
{
    uint64_t position = 0;

    return radix_next(&dir->entries, &position);
}

bool tmpfs_remove_any(struct tmpfs *fs)
{
    struct tmpfs_entry *entry = first_entry(fs->root);

    if (!entry)
        return false;
    while (tmpfs_is(entry->node, S_IFDIR) && entry->node->entries.root)
        entry = first_entry(entry->node);
    take_out(entry);
    return true;
}

/* Entries have positions from 3 on; after one of them those before it follow. */
int64_t tmpfs_getdents(struct tmpfs_node *dir, uint64_t *position, guest_addr_t to, uint64_t size)
{
    struct dirents dirents = {.addr = to, .size = size};
    struct tmpfs_entry *entry;
    uint64_t at;
    int status;

    if (!tmpfs_is(dir, S_IFDIR))
        return -ENOTDIR;
    if (tmpfs_is_dead(dir))
        return -ENOENT;
    tmpfs_accessed(dir);
    status = dirents_add_dots(&dirents, position, dir->ino, tmpfs_parent(dir)->ino);
    at = *position > 2 ? *position - 1 : UINT64_MAX;
    while (status == 0 && (entry = radix_previous(&dir->entries, &at))) {
        status = dirents_add(&dirents, entry->name, entry->len, entry->node->ino,
                             dirent_type(entry->node->mode), entry->position);
        if (status == 0)
            *position = entry->position;
        at = entry->position - 1;
    }
    return dirents_result(&dirents, status);
}

int64_t tmpfs_path(const struct tmpfs_node *node, char *path, size_t size)
{
    size_t len = 0;

    for (const struct tmpfs_node *at = node; !is_root(at); at = at->entry->dir) {
        if (!at->entry)
            return -ENOENT;
        len += 1 + at->entry->len;
    }
    if (len > size)
        return -ERANGE;
    path += len;
    for (const struct tmpfs_node *at = node; !is_root(at); at = at->entry->dir) {
        path -= at->entry->len;
        memcpy(path, at->entry->name, at->entry->len);
        *--path = '/';
    }
    return len;
}
