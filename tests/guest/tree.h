/* SPDX-License-Identifier: ISC */
/* What the tests of files share: the directory made by make-tree.sh, their first argument. */
#ifndef GUEST_TREE_H
#define GUEST_TREE_H

#include "check.h"

#include <limits.h>
#include <stdlib.h>

static const char *tree_root;

static inline void find_tree(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s DIR    (made by make-tree.sh)\n", argv[0]);
        exit(2);
    }
    tree_root = argv[1];
}

/* The path of a name in the tree; the last four results stay valid. */
static inline const char *in_tree(const char *name)
{
    static char paths[4][2 * PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", tree_root, name);
    return path;
}

#endif
