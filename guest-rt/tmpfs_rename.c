/* SPDX-License-Identifier: ISC */
#include <linux/fs.h>

#include "tmpfs_node.h"

/* What is about to be renamed. */
struct renaming {
    const struct tmpfs_name *from, *to;
    struct tmpfs_entry *source;
    struct tmpfs_entry *target; /* NULL: there is none */
    uint32_t flags;
};

/* Is NODE the directory DIR, or above it? */
static bool is_above(const struct tmpfs_node *node, const struct tmpfs_node *dir)
{
    while (dir && dir != node)
        dir = dir->parent;
    return dir;
}

static bool is_dots(const struct tmpfs_name *at)
{
    return tmpfs_is_dot(at) || tmpfs_is_dot_dot(at);
}

static int check_names(const struct renaming *r)
{
    if (r->flags & ~(uint32_t)(RENAME_NOREPLACE | RENAME_EXCHANGE) ||
        r->flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
        return -EINVAL;
    if (!tmpfs_is(r->from->dir, S_IFDIR) || !tmpfs_is(r->to->dir, S_IFDIR))
        return -ENOTDIR;
    if (is_dots(r->from))
        return -EBUSY;
    if (is_dots(r->to))
        return r->flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
    return 0;
}

static int find_both(struct renaming *r)
{
    int status = tmpfs_entry_find(r->from, &r->source);

    if (status < 0)
        return status;
    if (tmpfs_is_dead(r->to->dir))
        return -ENOENT;
    status = tmpfs_entry_find(r->to, &r->target);
    if (status == -ENOENT)
        return r->flags & RENAME_EXCHANGE ? -ENOENT : 0;
    if (status == 0 && r->flags & RENAME_NOREPLACE)
        return -EEXIST;
    return status;
}

/* A directory may not move below itself, nor replace what it lies in. */
static int check_loops(const struct renaming *r)
{
    if (is_above(r->source->node, r->to->dir))
        return -EINVAL;
    if (r->target && is_above(r->target->node, r->from->dir))
        return r->flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
    return 0;
}

static int check_replaceable(const struct tmpfs_node *old, const struct tmpfs_node *new)
{
    bool new_is_dir = tmpfs_is(new, S_IFDIR);

    if (tmpfs_is(old, S_IFDIR) != new_is_dir)
        return new_is_dir ? -ENOTDIR : -EISDIR;
    return new_is_dir && old->entries.root ? -ENOTEMPTY : 0;
}

static void adopt(struct tmpfs_node *node, struct tmpfs_node *dir)
{
    if (tmpfs_is(node, S_IFDIR) && node->parent != dir)
        tmpfs_set_parent(node, dir);
}

static int exchange(const struct renaming *r)
{
    struct tmpfs_node *one = r->source->node, *other = r->target->node;

    tmpfs_entry_point(r->source, other);
    tmpfs_entry_point(r->target, one);
    adopt(one, r->to->dir);
    adopt(other, r->from->dir);
    tmpfs_touch(other, TMPFS_CTIME);
    return 0;
}

/* The entry of the target stays, so that who reads the directory meets the name once. */
static int replace(const struct renaming *r)
{
    struct tmpfs_node *new = r->source->node, *old = r->target->node;
    int status = check_replaceable(old, new);

    if (status < 0)
        return status;
    tmpfs_entry_remove(r->source);
    if (old->entry == r->target)
        old->entry = NULL;
    tmpfs_entry_point(r->target, new);
    adopt(new, r->to->dir);
    tmpfs_drop_link(old);
    return 0;
}

static int move(const struct renaming *r)
{
    struct tmpfs_node *node = r->source->node;
    int status;

    if (r->from->dir == r->to->dir)
        return tmpfs_entry_rename(r->source, r->to);
    status = tmpfs_entry_add(r->to, node);
    if (status < 0)
        return status;
    tmpfs_entry_remove(r->source);
    adopt(node, r->to->dir);
    return 0;
}

int tmpfs_rename(const struct tmpfs_name *from, const struct tmpfs_name *to, uint32_t flags)
{
    struct renaming r = {.from = from, .to = to, .flags = flags};
    struct tmpfs_node *node;
    int status = check_names(&r);

    if (status == 0)
        status = find_both(&r);
    if (status == 0)
        status = check_loops(&r);
    if (status < 0)
        return status;
    node = r.source->node;
    if (r.target && r.target->node == node)
        return 0;
    if (flags & RENAME_EXCHANGE)
        status = exchange(&r);
    else
        status = r.target ? replace(&r) : move(&r);
    if (status < 0)
        return status;
    tmpfs_touch(node, TMPFS_CTIME);
    tmpfs_touch(from->dir, TMPFS_CHANGED);
    tmpfs_touch(to->dir, TMPFS_CHANGED);
    return 0;
}
