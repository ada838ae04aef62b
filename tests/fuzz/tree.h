/* SPDX-License-Identifier: ISC
 *
 * The host files that hypercalls find: a writable mount, a read-only one and a mounted file, in
 * memory where the machine has such a file system. What an input changed is put back.
 */
#ifndef FUZZ_TREE_H
#define FUZZ_TREE_H

#include "mounts.h"

/* The name space with those mounts: /m, /r and /v/file; /tmp is the guest's own. */
struct mounts *tree_create(void);

/* What an input may have changed; the greater includes the lesser. */
enum tree_change {
    TREE_UNCHANGED,
    TREE_NAMES, /* entries came or went */
    TREE_DATA,  /* contents of files */
    TREE_ATTRIBUTES,
};

/* The tree is as it was, and what lies outside the writable mounts never was another. */
void tree_restore(enum tree_change change);

#endif
