/* SPDX-License-Identifier: ISC
 *
 * Inside memory*.c: where guest-physical memory and the page tables lie, and what their entries
 * say.
 */
#ifndef HUSK_MEMORY_TABLES_H
#define HUSK_MEMORY_TABLES_H

#include "memory.h"

/* Page table entries: SDM 3A 4.5.4. Accessed and dirty are preset, so that nobody need set them. */
#define PTE_PRESENT (1ULL << 0)
#define PTE_WRITE   (1ULL << 1)
#define PTE_USER    (1ULL << 2)
#define PTE_USED    (1ULL << 5 | 1ULL << 6)
#define PTE_NX      (1ULL << 63)
/* A bit that the MMU ignores: the page belongs to the guest and may hold data, though it may have
 * no rights at the moment. */
#define PTE_HELD (1ULL << 9)
/* More of them: the host page is a file's; the host may only read it; it is nobody's copy but the
 * file's own; it counts in memory->held. */
#define PTE_FILE      (1ULL << 10)
#define PTE_FILE_READ (1ULL << 11)
#define PTE_SHARED    (1ULL << 52)
#define PTE_COUNTED   (1ULL << 53)
#define PTE_SOFTWARE  (PTE_FILE | PTE_FILE_READ | PTE_SHARED | PTE_COUNTED)

#define TABLE_ENTRIES 512
#define REGION        (2ULL << 20) /* what one page table covers */

static inline uint64_t round_down(uint64_t value, uint64_t unit)
{
    return value & ~(unit - 1);
}

static inline uint64_t round_up(uint64_t value, uint64_t unit)
{
    return (value + unit - 1) & ~(unit - 1);
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Does the range lie in one part of the application's memory, or in guest-rt's of the window? */
bool memory_in_ram(const struct guest_memory *memory, guest_addr_t addr, uint64_t len);
bool memory_in_runtime(guest_addr_t addr, uint64_t len);

/* The entry of the last level of an address of which one of these is true; those of a range follow
 * one another. */
uint64_t *memory_pte(const struct guest_memory *memory, guest_addr_t addr);

/* Does the 2 MiB region of an address of RAM have a page table? All is absent in it otherwise, and
 * its entries are better not touched. */
bool memory_is_linked(const struct guest_memory *memory, guest_addr_t addr);

/* Once, before anything is held outside of near RAM. 0 or -errno. */
int memory_give_up_huge_pages(struct guest_memory *memory);

/* Make a range of RAM ready to get rights: registered with KVM, with page tables. 0 or -errno. */
int memory_prepare(struct guest_memory *memory, guest_addr_t addr, uint64_t len);

#endif
