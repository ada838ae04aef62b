/* SPDX-License-Identifier: ISC
 *
 * A sparse array of pointers with 64-bit indices: a tree that consumes six bits on each level, as
 * high as its largest index needs.
 */
#ifndef HUSK_RADIX_H
#define HUSK_RADIX_H

#include "rt.h"

struct radix {
    void *root;      /* a struct radix_node, or at height 0 the item with index 0 */
    unsigned height; /* levels of nodes */
};

void *radix_get(const struct radix *radix, uint64_t index);

/* Put an item, which is not NULL, at INDEX. -ENOMEM: no change then, and never over an old item. */
int radix_set(struct radix *radix, uint64_t index, void *item);
/* Take an item out: what was there, or NULL. */
void *radix_remove(struct radix *radix, uint64_t index);

/* The first item at or after *INDEX, or the last at or before it; *INDEX becomes its index. */
void *radix_next(const struct radix *radix, uint64_t *index);
void *radix_previous(const struct radix *radix, uint64_t *index);

#endif
