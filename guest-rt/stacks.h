/* SPDX-License-Identifier: ISC
 *
 * Stacks of the application's threads: mappings with MAP_STACK, of which programs have many, each
 * large, and use little. The monitor knows, and counts as memory, only what was reached, in pieces.
 */
#ifndef HUSK_STACKS_H
#define HUSK_STACKS_H

#include "mm.h"

/* Map a free range as a stack with PROT, PROT_NONE or PROT_READ | PROT_WRITE. 0 or -errno. */
int64_t stack_map(uint64_t start, uint64_t len, int prot);

/* VMA, a stack that is fresh, gets PROT_READ | PROT_WRITE. 0 or -errno; VMA may be split. */
int64_t stack_permit(struct vma *vma);

/* Was ADDR, which the application or a copy for it faulted at, in a stack's part that the monitor
 * does not know? Then it does now. */
bool stack_reach(uint64_t addr);

/* The monitor knows all of stacks in a range of the application's afterwards, if there is memory.
 */
void stack_reach_range(uint64_t addr, uint64_t len);

/* The same for all that an operation reads or writes there. Before it is asked for: it may have an
 * effect before it finds memory that it cannot use, or do with less. */
void stack_reach_arguments(enum husk_op op, const uint64_t arg[6]);

extern bool stacks_there; /* perhaps */

#endif
