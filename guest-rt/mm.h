/* SPDX-License-Identifier: ISC
 *
 * The application's address space, for the files that change it.
 */
#ifndef HUSK_MM_H
#define HUSK_MM_H

#include "vma.h"

#define LINUX_END 0x7ffffffff000 /* of a program's addresses under Linux (TASK_SIZE) */

/* Lies the range within near RAM, or within far RAM? And could a mapping be placed there? */
bool mm_in_ram(uint64_t start, uint64_t len);
bool mm_is_free(uint64_t start, uint64_t len);

/* The start of LEN free bytes for the application, or 0. RESERVED: they get no rights for now. */
uint64_t mm_find_room(uint64_t len, bool reserved);
/* The same for guest-rt itself. */
uint64_t mm_find_own_room(uint64_t len);

/* Map a free range: fresh pages, or a file, to which it takes a reference. 0 or -errno. */
int64_t mm_map(uint64_t start, uint64_t len, int prot);
int64_t mm_map_file(uint64_t start, uint64_t len, int prot, struct file *file, uint64_t offset,
                    bool shared);

/* Unmap whatever is there. -ENOMEM, and no change, if the table of mappings is full. */
int64_t mm_unmap(uint64_t start, uint64_t len);

/* Record that a range which is mapped has other rights. */
void mm_record_prot(uint64_t start, uint64_t len, int prot);

#endif
