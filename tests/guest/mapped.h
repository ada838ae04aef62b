/* SPDX-License-Identifier: ISC */
/* What the tests of MAP_SHARED share: a file's mapping, and what the file itself says. */
#ifndef GUEST_MAPPED_H
#define GUEST_MAPPED_H

#include "check.h"

#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096 };

static inline char *map(int fd, size_t length, int prot, off_t offset)
{
    return mmap(NULL, length, prot, MAP_SHARED, fd, offset);
}

static inline char byte_at(int fd, off_t offset)
{
    char byte = 0;

    return pread(fd, &byte, 1, offset) == 1 ? byte : '?';
}

#endif
