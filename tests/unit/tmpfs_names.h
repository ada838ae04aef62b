/* SPDX-License-Identifier: ISC
 *
 * For the tests of tmpfs: operations by names.
 */
#ifndef TMPFS_NAMES_H
#define TMPFS_NAMES_H

#include "tmpfs_fixture.h"

static inline struct tmpfs_name in(struct tmpfs_node *dir, const char *name)
{
    return (struct tmpfs_name){.dir = dir, .name = name, .len = strlen(name)};
}

static inline struct tmpfs_name at(const char *name)
{
    return in(tmpfs_root(fs), name);
}

static inline struct tmpfs_node *make(struct tmpfs_name name, uint32_t mode)
{
    const struct tmpfs_new new = {.mode = mode, .target = "target", .target_len = 6};
    struct tmpfs_node *node;

    assert_int_equal(tmpfs_make(&name, &new, &node), 0);
    return node;
}

static inline int make_fails(struct tmpfs_name name, uint32_t mode)
{
    const struct tmpfs_new new = {.mode = mode, .target = "target", .target_len = 6};
    struct tmpfs_node *node;

    return tmpfs_make(&name, &new, &node);
}

static inline struct tmpfs_node *find_node(struct tmpfs_name name)
{
    struct tmpfs_node *node;

    return tmpfs_lookup(&name, &node) == 0 ? node : NULL;
}

static inline int unlink_at(const char *name)
{
    struct tmpfs_name place = at(name);

    return tmpfs_unlink(&place);
}

static inline int rename_at(struct tmpfs_name from, struct tmpfs_name to, uint32_t flags)
{
    return tmpfs_rename(&from, &to, flags);
}

static inline int64_t write_text(struct tmpfs_node *file, const char *text, uint64_t offset)
{
    return tmpfs_write(file, addr(text), strlen(text), offset);
}

#endif
