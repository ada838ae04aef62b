/* SPDX-License-Identifier: ISC
 *
 * Transfers between guest-rt and the application's buffers that may stop half-way, as read(2) and
 * write(2) do, and the records of getdents64(2).
 */
#ifndef HUSK_USERMEM_H
#define HUSK_USERMEM_H

#include "rt.h"

/* Bytes that were moved: less than LEN only where the application's memory ends. */
size_t copy_to_user(guest_addr_t to, const void *from, size_t len);
size_t copy_from_user(void *to, guest_addr_t from, size_t len);
size_t clear_user(guest_addr_t to, size_t len);

/* A buffer of getdents64 that is being filled. */
struct dirents {
    guest_addr_t addr;
    uint64_t size, used;
};

/* The type's bits of a mode as d_type: 4 is DT_DIR, as S_IFDIR is 0040000. */
static inline uint8_t dirent_type(uint32_t mode)
{
    return mode >> 12 & 15;
}

/* NEXT is where to go on after this entry. -EINVAL when it does not fit, -EFAULT. */
int dirents_add(struct dirents *dirents, const char *name, size_t len, uint64_t ino, uint8_t type,
                uint64_t next);

/* "." and "..", with 1 and 2 to go on after them, unless *POSITION, which advances, is there. */
int dirents_add_dots(struct dirents *dirents, uint64_t *position, uint64_t ino,
                     uint64_t parent_ino);

/* What the call returns when it ended with STATUS. */
static inline int64_t dirents_result(const struct dirents *dirents, int status)
{
    return dirents->used > 0 ? (int64_t)dirents->used : status;
}

#endif
