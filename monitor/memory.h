/* SPDX-License-Identifier: ISC
 *
 * The guest's memory: RAM, the window and the page tables, in one host mapping. The monitor alone
 * edits the page tables, and no guest mapping leads to them (docs/architecture.md says why). The
 * one place that turns a guest address into a host pointer.
 *
 * The application may hold RAM_SIZE bytes, and has more addresses than that: near RAM, of this very
 * size, and far RAM behind the tables, for what it only reserves or what finds no room. What it
 * holds is counted page by page; it cannot have more, wherever it lies.
 */
#ifndef HUSK_MEMORY_H
#define HUSK_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "husk/abi.h"

/*
 * Called when guest-physical pages START..END (page-aligned) are needed for the first time, so that
 * they can be registered with KVM. Returns 0 or -errno.
 */
typedef int memory_register_fn(void *context, uint64_t start, uint64_t end, void *host);

#define MEMORY_RANGES_MAX 64

/* Guest-physical pages, first and past the last. */
struct memory_range {
    uint64_t start, end;
};

struct guest_memory {
    uint8_t *host;     /* guest-physical 0; memory_tables.c says what follows */
    uint64_t ram_size; /* bytes that may be held, and size of near RAM; a multiple of 2 MiB */
    uint64_t far_start, far_end; /* far RAM; equal: there is none */
    uint64_t size;               /* of guest-physical memory */
    void *mapping;               /* what HOST is a part of */
    size_t mapping_size;
    uint64_t *pdes;        /* page directory entries of near RAM's GiBs, one for each 2 MiB */
    uint64_t *ptes;        /* page table entries of near RAM, indexed by page number */
    uint64_t *far_pdes;    /* likewise of the GiBs that follow, */
    uint64_t *far_ptes;    /* and of far RAM */
    uint64_t *window_ptes; /* likewise of the window */
    bool small_pages;      /* the host makes no huge pages any more */
    bool far_open;         /* far RAM has been used; before, its tables are not there */
    bool broken; /* the host mapping is not what the page tables say: do not run the guest again */
    uint64_t held; /* bytes of RAM that count as the application's now, and at most so far */
    uint64_t held_peak;
    uint64_t slack;               /* bytes that the host may hold in huge pages beyond HELD */
    struct memory_range small[2]; /* where it has none: memory_keep_small */
    memory_register_fn *register_pages;
    void *register_context;
    uint64_t next_registration;                        /* bytes */
    struct memory_range registered[MEMORY_RANGES_MAX]; /* ascending, not adjacent */
    size_t registered_count;
};

/* Guest-physical memory with no more RAM than this ends where the registers of an APIC in the
 * kernel begin. */
#define MEMORY_BELOW_APIC (3ULL << 30)

/*
 * Reserve RAM_SIZE bytes (a multiple of 2 MiB, at least 4 MiB, at most HUSK_RAM_MAX) of guest RAM,
 * the window, far RAM if the host has the address space, and page tables that map only husk's fixed
 * pages of the window. No host memory is committed yet. REGISTER_PAGES is called with CONTEXT.
 * Returns 0 or -1 with ERR set (STATUS_HUSK).
 */
int memory_create(struct guest_memory *memory, uint64_t ram_size,
                  memory_register_fn *register_pages, void *context, struct husk_error *err);
void memory_destroy(struct guest_memory *memory);

/* Guest-physical address of the PML4, for CR3. */
uint64_t memory_root(const struct guest_memory *memory);

/* Guest-physical address of the window's page that has virtual address ADDR. */
uint64_t memory_window_gpa(const struct guest_memory *memory, guest_addr_t addr);

/* Host pointer to an address of RAM or the window that the monitor itself chose. Not for what the
 * guest says: it checks nothing. */
void *memory_host(const struct guest_memory *memory, guest_addr_t addr);

/*
 * No transparent huge pages between START and END of RAM, multiples of the page size (two such
 * ranges at most), whatever the host does with large mappings: a program that touches a page there
 * would wait until 2 MiB are cleared, and they would count as its memory.
 */
void memory_keep_small(struct guest_memory *memory, guest_addr_t start, uint64_t end);

/*
 * The changes of the guest's mappings. ADDR and LEN are multiples of the page size; the range lies
 * in near RAM above HUSK_NULL_GUARD, in far RAM, or in the window above HUSK_RT_BASE, else -EINVAL.
 * The vCPU must not be running. They return 0 or -errno; when the host refuses half-way (too many
 * mappings), memory->broken is set and the run must end. -EACCES for PROT (enum husk_prot) with
 * write and execute. -ENOMEM, and no change, for what the guest may not hold: each page counts from
 * its mapping to its unmapping, whatever its rights are; a file's only if they are private and were
 * ever writable.
 */

/* Fresh pages that read as zero, with the rights PROT; what was there is gone. */
int memory_map(struct guest_memory *memory, guest_addr_t addr, uint64_t len, int prot);

/* No rights; contents are gone and their host memory is returned. */
int memory_unmap(struct guest_memory *memory, guest_addr_t addr, uint64_t len);

/* Other rights, contents stay. -ENOMEM, and no change, also when a page of the range was never
 * mapped. */
int memory_protect(struct guest_memory *memory, guest_addr_t addr, uint64_t len, int prot);

/* Contents become zero, or again the file's; rights stay, host memory is returned. */
int memory_discard(struct guest_memory *memory, guest_addr_t addr, uint64_t len);

/* How guest memory shows a file. */
enum memory_file {
    MEMORY_FILE_PRIVATE,     /* pages are copied when they are written to */
    MEMORY_FILE_SHARED,      /* they are the file's own; the descriptor must allow both */
    MEMORY_FILE_SHARED_READ, /* likewise, and they can never become writable */
};

/*
 * Map LEN bytes of FD from OFFSET on (a multiple of the page size), at once and without reading
 * them. What was there is gone, also on failure. Where the file ends before (or is truncated
 * later), access raises SIGBUS in the guest. Returns 0 or -errno.
 */
int memory_map_file(struct guest_memory *memory, guest_addr_t addr, uint64_t len, int prot, int fd,
                    uint64_t offset, enum memory_file kind);

/* Let pages that are mapped show a file, privately, and count as before. */
int memory_place_file(struct guest_memory *memory, guest_addr_t addr, uint64_t len, int fd,
                      uint64_t offset);

/* What the guest holds elsewhere, in files of memory, grows from OLD bytes to NEW, or shrinks. Page
 * sizes' multiples. 0, -ENOMEM (it may not hold so much), or another -errno of the host's. */
int memory_hold(struct guest_memory *memory, uint64_t old, uint64_t new);

/* msync(2) of the range. 0 or -errno. */
int memory_sync(struct guest_memory *memory, guest_addr_t addr, uint64_t len, int flags);

/* The handler of SIGBUS and SIGSEGV: the copies of memory_read, memory_write and memory_poke return
 * -EFAULT instead. */
void memory_on_bus_error(int signal);

/* Write a byte of the application's code, whatever its rights are. 0 or -EFAULT. */
int memory_poke(const struct guest_memory *memory, guest_addr_t addr, uint8_t byte);

/*
 * Host pointer to LEN bytes at ADDR if ring 3 has the rights ACCESS (enum husk_prot) to all of
 * them, else NULL. LEN may be 0 only for an accessible ADDR. Overflow-safe. Never leads to page
 * tables or to pages of ring 0.
 */
void *memory_pointer(const struct guest_memory *memory, guest_addr_t addr, uint64_t len,
                     int access);

/* As much of it as is accessible: the host pointer, and in *LEN the bytes, or NULL if none is. */
void *memory_pointer_prefix(const struct guest_memory *memory, guest_addr_t addr, uint64_t *len,
                            int access);

/* Copy in or out with that check. Return 0 or -EFAULT. */
int memory_read(const struct guest_memory *memory, void *dst, guest_addr_t addr, size_t len);
int memory_write(const struct guest_memory *memory, guest_addr_t addr, const void *src, size_t len);

#endif
