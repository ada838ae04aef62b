/* SPDX-License-Identifier: ISC */
#include "radix.h"

#include "slab.h"

#define BITS  6
#define SLOTS (1 << BITS)
#define DEEP  11 /* levels for 64 bits */

struct radix_node {
    void *slot[SLOTS];
    uint64_t used; /* slots that are not NULL */
};

static bool fits(const struct radix *radix, uint64_t index)
{
    return radix->height == DEEP || index >> BITS * radix->height == 0;
}

static void **slot_of(struct radix_node *node, uint64_t index, unsigned level)
{
    return &node->slot[index >> BITS * level & (SLOTS - 1)];
}

/* The item at INDEX, which fits, or NULL: then 1 << *SHIFT aligned indices around it are empty. */
static void *descend(const struct radix *radix, uint64_t index, unsigned *shift)
{
    unsigned level = radix->height;
    void *item = radix->root;

    while (level > 0 && item) {
        level--;
        item = *slot_of(item, index, level);
    }
    *shift = BITS * level;
    return item;
}

void *radix_get(const struct radix *radix, uint64_t index)
{
    unsigned shift;

    return fits(radix, index) ? descend(radix, index, &shift) : NULL;
}

/* Free the nodes on the way to INDEX that are empty, and levels that have become needless. */
static void prune(struct radix *radix, uint64_t index)
{
    void **way[DEEP]; /* the slots that hold the nodes, top down */
    unsigned depth = 0;
    void **at = &radix->root;

    while (depth < radix->height && *at) {
        way[depth] = at;
        at = slot_of(*at, index, radix->height - 1 - depth);
        depth++;
    }
    for (; depth > 0; depth--) {
        struct radix_node *node = *way[depth - 1];

        if (node->used > 0)
            break;
        slab_free(node);
        *way[depth - 1] = NULL;
        if (depth > 1)
            ((struct radix_node *)*way[depth - 2])->used--;
    }
    while (radix->height > 0 && radix->root) {
        struct radix_node *top = radix->root;

        if (top->used > 1 || !top->slot[0])
            return;
        radix->root = top->slot[0];
        radix->height--;
        slab_free(top);
    }
    if (!radix->root)
        radix->height = 0;
}

/* Add levels until INDEX fits. */
static bool raise_to(struct radix *radix, uint64_t index)
{
    while (!fits(radix, index)) {
        if (radix->root) {
            struct radix_node *top = slab_alloc_zeroed(sizeof(*top));

            if (!top)
                return false;
            top->slot[0] = radix->root;
            top->used = 1;
            radix->root = top;
        }
        radix->height++;
    }
    return true;
}

/* Make the nodes on the way to INDEX: where its item goes, or NULL. */
static void **make_way(struct radix *radix, uint64_t index, struct radix_node **leaf)
{
    void **at = &radix->root;

    *leaf = NULL;
    for (unsigned level = radix->height; level-- > 0;) {
        if (!*at) {
            *at = slab_alloc_zeroed(sizeof(struct radix_node));
            if (!*at)
                return NULL;
            if (*leaf)
                (*leaf)->used++;
        }
        *leaf = *at;
        at = slot_of(*at, index, level);
    }
    return at;
}

int radix_set(struct radix *radix, uint64_t index, void *item)
{
    struct radix_node *leaf;
    void **slot = NULL;

    if (raise_to(radix, index))
        slot = make_way(radix, index, &leaf);
    if (!slot) {
        prune(radix, index);
        return -ENOMEM;
    }
    if (leaf && !*slot)
        leaf->used++;
    *slot = item;
    return 0;
}

void *radix_remove(struct radix *radix, uint64_t index)
{
    struct radix_node *leaf = NULL;
    void **at = &radix->root;
    void *item;

    if (!fits(radix, index))
        return NULL;
    for (unsigned level = radix->height; level-- > 0 && *at;) {
        leaf = *at;
        at = slot_of(leaf, index, level);
    }
    item = *at;
    if (!item)
        return NULL;
    *at = NULL;
    if (leaf)
        leaf->used--;
    prune(radix, index);
    return item;
}

void *radix_next(const struct radix *radix, uint64_t *index)
{
    uint64_t at = *index;

    while (fits(radix, at)) {
        unsigned shift;
        void *item = descend(radix, at, &shift);
        uint64_t next;

        if (item) {
            *index = at;
            return item;
        }
        next = ((at >> shift) + 1) << shift;
        if (next < at)
            return NULL;
        at = next;
    }
    return NULL;
}

void *radix_previous(const struct radix *radix, uint64_t *index)
{
    uint64_t at = *index;

    if (!fits(radix, at))
        at = (1ULL << BITS * radix->height) - 1;
    for (;;) {
        unsigned shift;
        void *item = descend(radix, at, &shift);

        if (item) {
            *index = at;
            return item;
        }
        at = at >> shift << shift;
        if (at == 0)
            return NULL;
        at--;
    }
}
