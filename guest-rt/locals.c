/* SPDX-License-Identifier: ISC */
#include "locals.h"
#include "identity.h"

#include <linux/stat.h>

#define NODE_BYTES   1024    /* a file for this much of a tmpfs's size */
#define NODES_MIN    1024    /* but at least so many */
#define FIRST_DEVICE 0xfffe0 /* minor numbers below that of the monitor's own directories */

static struct local table[HUSK_LOCALS_MAX];
static size_t count;

/* At the first use, so that a program that opens nothing pays nothing. */
static struct local *locals(void)
{
    if (count > 0)
        return table;
    for (size_t i = 0; i < BOOT->local_count; i++) {
        const struct husk_local *from = (const struct husk_local *)&BOOT->locals[i];

        table[i] = (struct local){
            .path = from->path, .length = from->length, .kind = from->kind, .size = from->size};
    }
    count = BOOT->local_count;
    return table;
}

static bool same(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

static size_t name_length(const char *name)
{
    size_t len = 0;

    while (name[len] && name[len] != '/')
        len++;
    return len;
}

static const char *skip_slashes_and_dots(const char *at)
{
    while (*at == '/' || (*at == '.' && (at[1] == '/' || !at[1])))
        at++;
    return at;
}

/* Bytes of PATH that spell DIR, with slashes and "." in between, or 0. */
static size_t spelled(const char *path, const char *dir)
{
    const char *at = path;

    while (*dir) {
        size_t len = name_length(dir + 1);

        at = skip_slashes_and_dots(at);
        if (name_length(at) != len || !same(at, dir + 1, len))
            return 0;
        at += len;
        dir += 1 + len;
    }
    return at - path;
}

struct local *local_in_path(const char *path, size_t *used)
{
    struct local *found = NULL;

    locals();
    for (size_t i = 0; i < count; i++) {
        size_t bytes = spelled(path, table[i].path);

        if (bytes > 0 && (!found || table[i].length > found->length)) {
            found = &table[i];
            *used = bytes;
        }
    }
    return found;
}

struct local *local_at(const char *path)
{
    size_t used = 0;
    struct local *local = local_in_path(path, &used);

    return local && !path[used] ? local : NULL;
}

struct local *local_over(const struct tmpfs_node *node)
{
    for (size_t i = 0; i < count; i++)
        if (table[i].covered == node)
            return &table[i];
    return NULL;
}

struct local *local_of(const struct tmpfs *fs)
{
    for (size_t i = 0; i < count; i++)
        if (table[i].fs == fs)
            return &table[i];
    return NULL;
}

bool local_is_below(const struct tmpfs_node *node)
{
    for (size_t i = 0; i < count; i++) {
        const struct tmpfs_node *at = table[i].covered;

        while (at && at != node && at != tmpfs_parent(at))
            at = tmpfs_parent(at);
        if (at && at == node)
            return true;
    }
    return false;
}

/* The directory for LOCAL in the file system of OUTER. Without memory it is not listed. */
static void cover(struct local *outer, struct local *local)
{
    const struct tmpfs_new new = {.mode = S_IFDIR | 0755,
                                  .uid = user_identity()->effective,
                                  .gid = group_identity()->effective};
    struct tmpfs_node *node = tmpfs_root(outer->fs);

    for (const char *rest = local->path + outer->length; *rest;) {
        struct tmpfs_name at = {.dir = node, .name = rest + 1, .len = name_length(rest + 1)};

        if (tmpfs_lookup(&at, &node) < 0 && tmpfs_make(&at, &new, &node) < 0)
            return;
        rest = at.name + at.len;
    }
    local->covered = tmpfs_get(node);
}

/* The innermost of the others that hold LOCAL. */
static struct local *outer_of(const struct local *local)
{
    struct local *outer = NULL;

    for (size_t i = 0; i < count; i++)
        if (table[i].length < local->length && spelled(local->path, table[i].path) &&
            (!outer || table[i].length > outer->length))
            outer = &table[i];
    return outer;
}

/* The address of another file's function would need a GOT. */
static uint64_t now(void)
{
    return clock_realtime();
}

static struct tmpfs *make(const struct local *local)
{
    uint64_t nodes = local->size / NODE_BYTES;

    return tmpfs_create(&(struct tmpfs_options){
        .size = local->size,
        .nodes = nodes > NODES_MIN ? nodes : NODES_MIN,
        .device = FIRST_DEVICE + (local - table),
        .mode = 01777,
        .uid = user_identity()->effective,
        .gid = group_identity()->effective,
        .clock = now,
    });
}

struct tmpfs_node *local_root(struct local *local)
{
    if (!local->fs) {
        local->fs = make(local);
        if (!local->fs)
            return NULL;
        for (size_t i = 0; i < count; i++)
            if (outer_of(&table[i]) == local)
                cover(local, &table[i]);
    }
    return tmpfs_root(local->fs);
}
