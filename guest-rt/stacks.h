/* SPDX-License-Identifier: ISC
 *
 * Stacks of the application's threads: mappings with MAP_STACK, of which programs have many, each
 * large, and use little. The monitor knows, and counts as memory, only what was reached, from the
 * end down, in pieces.
 */
#ifndef HUSK_STACKS_H
#define HUSK_STACKS_H

#include "mm.h"
#include "thread.h"

/* Map a free range as a stack with PROT, PROT_NONE or PROT_READ | PROT_WRITE. 0 or -errno. */
int64_t stack_map(uint64_t start, uint64_t len, int prot);

/* VMA, a stack that is fresh, gets PROT_READ | PROT_WRITE. 0 or -errno; VMA may be split. */
int64_t stack_permit(struct vma *vma);

/* Was ADDR, which the application or a copy for it faulted at, in a stack's part that the monitor
 * does not know? Then it does now. */
bool stack_reach(uint64_t addr);

/* The same for a call's arguments: it failed with -EFAULT, and is worth another try if so. */
bool stack_reach_arguments(const struct call *call);

extern bool stacks_there; /* perhaps */
void stack_look(uint64_t addr);

/*
 * The current thread makes a system call with stack pointer RSP: addresses on its stack that the
 * monitor will be told lie above that, but for the red zone. It knows them from now on.
 */
static inline void stack_entered(uint64_t rsp)
{
    const uint64_t red_zone = 128; /* System V ABI, AMD64 supplement, 3.2.2 */
    uint64_t addr = rsp - red_zone;

    if (stacks_there && (addr < current->known.start || addr >= current->known.end))
        stack_look(addr);
}

#endif
