/* SPDX-License-Identifier: ISC
 *
 * The application's mappings: a sorted table of ranges that do not overlap.
 */
#ifndef HUSK_VMA_H
#define HUSK_VMA_H

#include "files.h"

struct vma {
    uint64_t start, end; /* page-aligned */
    uint8_t prot;        /* PROT_ bits */
    bool fresh;          /* the monitor does not know it: PROT_NONE until now, or lazy */
    bool lazy;           /* see lazy.h */
    bool shared;         /* MAP_SHARED of a file */
    struct file *file;   /* that it shows, holding a reference, or NULL */
    uint64_t offset;     /* of its first byte in the file */
};

/* The first mapping that ends above ADDR, or NULL. Valid until the next change. */
struct vma *vma_after(uint64_t addr);

/* Is all of START..END mapped, or none of it? */
bool vma_covers(uint64_t start, uint64_t end);
bool vma_free(uint64_t start, uint64_t end);

/* Enter a range that is free (taking over the reference to its file), or take a range out. -ENOMEM
 * when the table is full: no change then. */
int vma_insert(const struct vma *vma);
int vma_remove(uint64_t start, uint64_t end);

/* Make sure that a mapping starts or ends at ADDR, if one lies across it. -ENOMEM. */
int vma_split(uint64_t addr);

/* Make neighbours that are alike one again, from START to END. */
void vma_join(uint64_t start, uint64_t end);

/* The highest free range of LEN bytes that lies in LOW..HIGH: its start, or 0. */
uint64_t vma_find_free(uint64_t low, uint64_t high, uint64_t len);

/* Bytes of all mappings, and of those that count as memory: not what is only reserved, nor files
 * that are not copied. */
uint64_t vma_total(void);
uint64_t vma_held(void);

#endif
