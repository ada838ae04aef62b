/* SPDX-License-Identifier: ISC
 *
 * Memory that has rights, and that the monitor does not know before it is touched: so it counts
 * only then. Stacks of the application's threads, mappings with MAP_STACK, of which programs have
 * many, each large, and use little; and what the application gave back with MADV_DONTNEED.
 */
#ifndef HUSK_LAZY_H
#define HUSK_LAZY_H

#include "mm.h"

/* Map a free range as a stack with PROT, PROT_NONE or PROT_READ | PROT_WRITE. 0 or -errno. */
int64_t lazy_map(uint64_t start, uint64_t len, int prot);

/* What START..END holds, which lies in VMA, is given up, and does not count any more. False, and no
 * change: it is too little to be worth it, or no memory of this kind. VMA may be split. */
bool lazy_forget(const struct vma *vma, uint64_t start, uint64_t end);

/* VMA, which is fresh and lazy, gets PROT_READ | PROT_WRITE. 0 or -errno; VMA may be split. */
int64_t lazy_permit(struct vma *vma);

/* Was ADDR, which the application or a copy for it faulted at, where memory is that the monitor
 * does not know? Then it does now. */
bool lazy_reach(uint64_t addr);

/* The monitor knows all of a range of the application's afterwards, as far as there is memory. */
void lazy_reach_range(uint64_t addr, uint64_t len);

/* The same for all that an operation reads or writes there. Before it is asked for: it may have an
 * effect before it finds memory that it cannot use, or do with less. */
void lazy_reach_arguments(enum husk_op op, const uint64_t arg[6]);

extern bool lazy_there; /* perhaps */

#endif
