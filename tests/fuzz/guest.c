/* SPDX-License-Identifier: ISC */
#include "guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "memory_tables.h"

#define PAGES        (GUEST_RAM / HUSK_PAGE_SIZE)
#define WINDOW_PAGES (HUSK_WINDOW_SIZE / HUSK_PAGE_SIZE)
#define RT_FIRST     ((HUSK_RT_BASE - HUSK_WINDOW) / HUSK_PAGE_SIZE)
#define DIRECTORIES  (GUEST_RAM >> 21)

#define PTE_ADDRESS 0xffffffffff000ULL

static struct guest_memory kept;
static uint64_t kept_ptes[PAGES], kept_pdes[DIRECTORIES];

void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "fuzz: %s\n", what);
    fflush(stderr);
    abort();
}

/* What is freed is not used for a while, but not for so long that memory is always new. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=4:malloc_context_size=4";
}

/* The linker puts it in the place of libc's. */
ssize_t __wrap_getrandom(void *buffer, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *buffer, size_t size, unsigned flags)
{
    (void)flags;
    memset(buffer, 0x5a, size);
    return (ssize_t)size;
}

static int accept_registration(void *context, uint64_t start, uint64_t end, void *host)
{
    (void)context, (void)host;
    require(start < end && start % HUSK_PAGE_SIZE == 0 && end % HUSK_PAGE_SIZE == 0,
            "registered memory is whole pages");
    return 0;
}

void guest_create(struct guest_memory *memory)
{
    struct husk_error err = {0};

    require(memory_create(memory, GUEST_RAM, accept_registration, NULL, &err) == 0, err.text);
    guest_keep(memory);
}

void guest_keep(const struct guest_memory *memory)
{
    kept = *memory;
    memcpy(kept_ptes, memory->ptes, sizeof(kept_ptes));
    memcpy(kept_pdes, memory->pdes, sizeof(kept_pdes));
}

/* No page is writable and executable, and each shows the host page of its own address. */
static void check_entry(uint64_t entry, uint64_t gpa)
{
    if (entry == 0)
        return;
    require((entry & PTE_ADDRESS) == gpa, "a page leads to another's memory");
    require(!(entry & PTE_PRESENT) || !(entry & PTE_WRITE) || entry & PTE_NX,
            "a page is writable and executable");
}

/* Entries COUNT from PTES on, of the pages from ADDR, that are not as in KEEP (NULL: absent). */
static void unmap_changed(struct guest_memory *memory, const uint64_t *ptes, const uint64_t *keep,
                          uint64_t count, guest_addr_t addr, uint64_t gpa)
{
    uint64_t first = count, last = 0;

    for (uint64_t i = 0; i < count; i++) {
        if (ptes[i] == (keep ? keep[i] : 0))
            continue;
        check_entry(ptes[i], gpa + i * HUSK_PAGE_SIZE);
        first = first < i ? first : i;
        last = i;
    }
    if (first < count)
        require(memory_unmap(memory, addr + first * HUSK_PAGE_SIZE,
                             (last - first + 1) * HUSK_PAGE_SIZE) == 0,
                "memory cannot be unmapped");
}

/* Map again, with its rights, what was kept and is not mapped as it was. */
static void restore_kept(struct guest_memory *memory)
{
    for (uint64_t i = 0; i < PAGES; i++)
        if (memory->ptes[i] != kept_ptes[i])
            require(memory_map(memory, i * HUSK_PAGE_SIZE, HUSK_PAGE_SIZE,
                               HUSK_PROT_READ | HUSK_PROT_WRITE) == 0,
                    "memory cannot be mapped again");
}

/* The page directory entry of far RAM: those of the GiB in which near RAM ends come first. */
static uint64_t *far_pde(struct guest_memory *memory, guest_addr_t addr)
{
    uint64_t near = round_up(GUEST_RAM, 1ULL << 30);

    return addr < near ? &memory->pdes[addr / REGION] : &memory->far_pdes[(addr - near) / REGION];
}

/* As if far RAM had never been used: else each input would make all that follow it slower. */
static void forget_far(struct guest_memory *memory)
{
    for (uint64_t at = memory->far_start; memory->far_open && at < memory->far_end; at += REGION) {
        uint64_t *pde = far_pde(memory, at);

        if (*pde == 0)
            continue;
        require(memory_unmap(memory, at, min_u64(REGION, memory->far_end - at)) == 0,
                "far memory cannot be unmapped");
        *pde = 0;
    }
}

static void keep_as_before(struct guest_memory *memory)
{
    require(memory->held == kept.held, "memory that nobody holds counts");
    *memory = kept;
    memcpy(memory->pdes, kept_pdes, sizeof(kept_pdes));
}

void guest_restore(struct guest_memory *memory)
{
    require(!memory->broken, "the host refused to change mappings");
    require(memory->held + memory->slack <= memory->ram_size, "more is held than there may be");
    unmap_changed(memory, memory->ptes + HUSK_NULL_GUARD / HUSK_PAGE_SIZE,
                  kept_ptes + HUSK_NULL_GUARD / HUSK_PAGE_SIZE,
                  PAGES - HUSK_NULL_GUARD / HUSK_PAGE_SIZE, HUSK_NULL_GUARD, HUSK_NULL_GUARD);
    unmap_changed(memory, memory->window_ptes + RT_FIRST, NULL, WINDOW_PAGES - RT_FIRST,
                  HUSK_RT_BASE, memory_window_gpa(memory, HUSK_RT_BASE));
    forget_far(memory);
    memory->slack = kept.slack; /* else there may not be room for all that was kept */
    restore_kept(memory);
    keep_as_before(memory);
}

void guest_zero(struct guest_memory *memory, guest_addr_t addr, uint64_t len)
{
    bool ram = addr < GUEST_RAM && len <= GUEST_RAM - addr;
    bool window = addr >= HUSK_WINDOW && addr - HUSK_WINDOW < HUSK_WINDOW_SIZE &&
                  len <= HUSK_WINDOW + HUSK_WINDOW_SIZE - addr;

    if (ram || window)
        memset(memory_host(memory, addr), 0, len);
}

void guest_forget(struct guest_memory *memory)
{
    uint64_t *window = memory->window_ptes + RT_FIRST;
    uint64_t window_gpa = memory_window_gpa(memory, HUSK_RT_BASE);

    for (uint64_t i = 0; i < PAGES; i++)
        check_entry(memory->ptes[i], i * HUSK_PAGE_SIZE);
    for (uint64_t i = 0; i < WINDOW_PAGES - RT_FIRST; i++)
        check_entry(window[i], window_gpa + i * HUSK_PAGE_SIZE);
    memcpy(memory->ptes, kept_ptes, sizeof(kept_ptes));
    memset(window, 0, (WINDOW_PAGES - RT_FIRST) * sizeof(*window));
    memory->held = kept.held;
    keep_as_before(memory);
}
