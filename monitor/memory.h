/* SPDX-License-Identifier: ISC
 *
 * The guest's memory: RAM, the window and the page tables, in one host mapping. The monitor alone
 * edits the page tables, and no guest mapping leads to them (docs/architecture.md says why). The one
 * place that turns a guest address into a host pointer.
 */
#ifndef HUSK_MEMORY_H
#define HUSK_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "husk/abi.h"

/*
 * Called when guest-physical pages START..END (page-aligned) are needed for the first time, so that
 * they can be registered with KVM. Returns 0 or -errno.
 */
typedef int memory_register_fn(void *context, uint64_t start, uint64_t end, void *host);

struct guest_memory {
    uint8_t *host;     /* guest-physical 0 */
    uint64_t ram_size; /* bytes, a multiple of 2 MiB */
    uint64_t size;     /* RAM, window and page tables */
    uint64_t *tables;  /* PML4, PDPT, then page directories */
    uint64_t *ptes;    /* one for each page of RAM, indexed by page number */
    uint64_t *window;  /* one for each page of the window */
    memory_register_fn *register_pages;
    void *register_context;
    struct memory_slot {
        uint64_t start, end;
    } *slots; /* registered ranges, ascending */
    size_t slot_count, slot_capacity;
    uint64_t mapped; /* bytes accessible to the application now */
    uint64_t mapped_peak;
};

/*
 * Reserve RAM_SIZE bytes (a multiple of 2 MiB, at most HUSK_RAM_MAX) of guest RAM, the window and
 * page tables that map nothing. No host memory is committed yet. Returns 0 or -1 with ERR set.
 */
int memory_create(struct guest_memory *memory, uint64_t ram_size, struct husk_error *err);
void memory_destroy(struct guest_memory *memory);

/* Guest-physical address of the PML4, for CR3. */
uint64_t memory_root(const struct guest_memory *memory);

/* Guest-physical address of the window's page that has virtual address ADDR. */
uint64_t memory_window_gpa(const struct guest_memory *memory, guest_addr_t addr);

/* Host pointer to a window address that the monitor itself laid out. Not for guest input. */
void *memory_window(const struct guest_memory *memory, guest_addr_t addr);

/*
 * Give LEN bytes from ADDR, which lie in RAM above HUSK_NULL_GUARD or in the window above
 * HUSK_RT_BASE, the rights PROT. Both are page-aligned. Fresh pages read as zero. The vCPU must not be
 * running. Returns 0, -EINVAL (alignment, range, length 0), -EACCES (write and execute), -ENOMEM.
 */
int memory_map(struct guest_memory *memory, guest_addr_t addr, uint64_t len, int prot);

/* Take the pages away; their contents are gone and their host memory is returned. Same errors. */
int memory_unmap(struct guest_memory *memory, guest_addr_t addr, uint64_t len);

/* Change the rights of accessible pages of the range; contents stay. Pages that are not accessible
 * become accessible with what they held. Same errors. */
int memory_protect(struct guest_memory *memory, guest_addr_t addr, uint64_t len, int prot);

/* Contents become zero, rights stay, host memory is returned. Same errors. */
int memory_discard(struct guest_memory *memory, guest_addr_t addr, uint64_t len);

/*
 * Host pointer to LEN bytes at ADDR if ring 3 has the rights ACCESS (enum husk_prot) to all of them,
 * else NULL. LEN may be 0 only for an accessible ADDR. Overflow-safe. Never leads to page tables or
 * to pages of ring 0.
 */
void *memory_pointer(const struct guest_memory *memory, guest_addr_t addr, uint64_t len, int access);

/* As much of it as is accessible: the host pointer, and in *LEN the bytes, or NULL if none is. */
void *memory_pointer_prefix(const struct guest_memory *memory, guest_addr_t addr, uint64_t *len,
                            int access);

/* Copy in or out with that check. Return 0 or -EFAULT. */
int memory_read(const struct guest_memory *memory, void *dst, guest_addr_t addr, size_t len);
int memory_write(const struct guest_memory *memory, guest_addr_t addr, const void *src, size_t len);

#endif
