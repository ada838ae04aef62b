/* SPDX-License-Identifier: ISC
 *
 * Files of memory (HUSK_MEMORY_FILE in abi.h): memfds that the guest's pages can show. They are no
 * handles, so that no operation but these two finds one: what they hold is counted.
 */
#ifndef HUSK_MEMORY_FILES_H
#define HUSK_MEMORY_FILES_H

#include "memory.h"

struct memory_files {
    struct {
        int fd;
        uint64_t size; /* 0: there is none */
    } file[HUSK_MEMORY_FILES_MAX];
};

/*
 * HUSK_OP_MEMORY. Returns the number, or -errno: -EBADF for a NUMBER that is none, -EINVAL for a
 * SIZE that is no multiple of the page size, too large, or smaller than it was, but for 0; -ENOMEM
 * when the guest may not hold so much, -ENFILE when there are as many files as there can be.
 */
int64_t memory_files_resize(struct memory_files *files, struct guest_memory *memory,
                            uint64_t number, uint64_t size);

/* The descriptor, for reading and writing, or -1 (EBADF). */
int memory_files_descriptor(const struct memory_files *files, uint64_t number);

#endif
