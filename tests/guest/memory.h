/* SPDX-License-Identifier: ISC */
/* What the tests of memory calls share. Without signal handlers only EFAULT tells what is mapped.
 */
#ifndef GUEST_MEMORY_H
#define GUEST_MEMORY_H

#include "check.h"

#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096 };

/* Reads up to the first zero byte. */
static inline bool is_readable(const void *address)
{
    return syscall(SYS_access, address, F_OK) == 0 || errno != EFAULT;
}

/* Overwrites 16 bytes. */
static inline bool is_writable(void *address)
{
    return syscall(SYS_clock_getres, CLOCK_MONOTONIC, address) == 0;
}

static inline bool holds_only(const void *memory, unsigned char byte, size_t size)
{
    const unsigned char *bytes = memory;

    for (size_t i = 0; i < size; i++)
        if (bytes[i] != byte)
            return false;
    return true;
}

static inline void *map_pages(size_t pages, int protection)
{
    return mmap(NULL, pages * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

#endif
