/* SPDX-License-Identifier: ISC
 *
 * What the guest may name: a table of host objects, each with its kind. A handle carries the
 * generation of its entry, so that one that was closed never reaches what came after it.
 */
#ifndef HUSK_HANDLES_H
#define HUSK_HANDLES_H

#include "husk/abi.h"
#include "mounts.h"

#define HANDLES_MAX 1088 /* the guest's 1,024 descriptors and what it holds for itself */

struct handle {
    enum husk_kind kind; /* HUSK_KIND_NONE: free */
    uint16_t generation;
    bool writable;             /* the mount's right: attributes may be changed */
    bool append;               /* every write goes to the end */
    struct guest_dir dir;      /* fd of every kind; path of directories */
    uint64_t virtual_position; /* of a directory that has no host descriptor */
};

struct handles {
    struct handle table[HANDLES_MAX];
};

/* Handles 0, 1 and 2 for the monitor's own descriptors, with the kinds that were found. */
void handles_init(struct handles *handles, const uint8_t stdio_kind[3]);

/* Take over what was opened. Returns the handle, or -ENFILE: OPENED is then closed. */
int64_t handles_insert(struct handles *handles, struct opened *opened);

/* The entry, or NULL (EBADF): never issued, closed, or stale. */
struct handle *handles_get(struct handles *handles, uint64_t number);

/* Directories that were opened at or below FROM are at or below TO now. */
void handles_rename(struct handles *handles, const char *from, const char *to);

/* Close it. 0 or -EBADF. */
int handles_close(struct handles *handles, uint64_t number);

#endif
