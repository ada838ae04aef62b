/* SPDX-License-Identifier: ISC */
/*
 * What the tests of stacks share: mappings with MAP_STACK. husk's monitor knows of each only what
 * was reached, in pieces of 256 KiB, of which the last one is there from the start.
 */
#ifndef GUEST_STACKS_H
#define GUEST_STACKS_H

#include "check.h"

#include <stdlib.h>
#include <sys/mman.h>

enum {
    KIB = 1024,
    MIB = 1024 * KIB,
    PIECE = 256 * KIB,
    READ_WRITE = PROT_READ | PROT_WRITE,
    AS_STACK = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK
};

static inline char *map_as_stack(char *at, size_t size, int protection, int flags)
{
    char *stack = mmap(at, size, protection, AS_STACK | flags, -1, 0);

    if (stack == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    return stack;
}

/* Without a guard, and nobody has touched any of it. */
static inline char *new_stack(size_t size)
{
    return map_as_stack(NULL, size, READ_WRITE, 0);
}

#endif
