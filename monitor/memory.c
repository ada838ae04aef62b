/* SPDX-License-Identifier: ISC
 *
 * The changes of the guest's mappings, and how much it may hold.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "memory_tables.h"

static uint64_t rights(int prot)
{
    if (prot == HUSK_PROT_NONE)
        return PTE_HELD;
    return PTE_HELD | PTE_PRESENT | PTE_USER | PTE_USED | (prot & HUSK_PROT_WRITE ? PTE_WRITE : 0) |
           (prot & HUSK_PROT_EXEC ? 0 : PTE_NX);
}

/* Nothing is writable and executable, nor writable where a file may only be read. */
static bool allowed(uint64_t bits)
{
    return !(bits & PTE_WRITE) || (bits & PTE_NX && !(bits & PTE_FILE_READ));
}

/* The page table entries of a range: one run of a flat array. */
struct entries {
    uint64_t *pte;
    uint64_t gpa;
    uint64_t count;
    bool ram;
};

static int find_entries(const struct guest_memory *memory, guest_addr_t addr, uint64_t len,
                        struct entries *found)
{
    bool ram = memory_in_ram(memory, addr, len);

    if (addr % HUSK_PAGE_SIZE || len % HUSK_PAGE_SIZE || len == 0)
        return -EINVAL;
    if (!ram && !memory_in_runtime(addr, len))
        return -EINVAL;
    *found = (struct entries){.pte = memory_pte(memory, addr),
                              .gpa = ram ? addr : memory_window_gpa(memory, addr),
                              .count = len / HUSK_PAGE_SIZE,
                              .ram = ram};
    return 0;
}

/* Take from REST the next run of entries within one page table, leaving out tables that are not in
 * use: there is nothing in them, and reading them would cost memory. */
static bool next_run(const struct guest_memory *memory, struct entries *rest, struct entries *run)
{
    while (rest->count > 0) {
        uint64_t count = TABLE_ENTRIES - rest->gpa / HUSK_PAGE_SIZE % TABLE_ENTRIES;

        *run = *rest;
        run->count = min_u64(count, rest->count);
        rest->pte += run->count;
        rest->gpa += run->count * HUSK_PAGE_SIZE;
        rest->count -= run->count;
        if (!run->ram || memory_is_linked(memory, run->gpa))
            return true;
    }
    return false;
}

/* Does the page of an entry count? 1 or 0. A shared file's never does. */
static uint64_t counts(uint64_t pte)
{
    return pte / PTE_COUNTED & ~(pte / PTE_SHARED) & 1;
}

/* What there is in a range of entries. */
struct content {
    uint64_t seen;    /* entries that are in a table */
    uint64_t any;     /* bits that one of these has */
    uint64_t every;   /* bits that all of them have */
    uint64_t counted; /* those that count, */
    uint64_t shared;  /* and those of shared files */
};

/* No comparison for each entry: the loops over them are what large mappings cost. */
static struct content look(const struct guest_memory *memory, struct entries rest)
{
    struct content content = {.every = ~0ULL};
    struct entries run;

    while (next_run(memory, &rest, &run)) {
        content.seen += run.count;
        for (uint64_t i = 0; i < run.count; i++) {
            uint64_t pte = run.pte[i];

            content.any |= pte;
            content.every &= pte;
            content.counted += counts(pte);
            content.shared += pte / PTE_SHARED & 1;
        }
    }
    return content;
}

/* Set all entries to BITS and their addresses, and keep those of KEEP that are set. */
static void set_entries(const struct entries *entries, uint64_t bits, uint64_t keep)
{
    uint64_t now = bits | entries->gpa;

    for (uint64_t i = 0; i < entries->count; i++, now += HUSK_PAGE_SIZE)
        entries->pte[i] = now | (entries->pte[i] & keep);
}

static void clear_entries(const struct guest_memory *memory, struct entries rest)
{
    struct entries run;

    while (next_run(memory, &rest, &run))
        memset(run.pte, 0, run.count * sizeof(*run.pte));
}

/* LESS pages do not count any more, and MORE do. */
static void count(struct guest_memory *memory, uint64_t less, uint64_t more)
{
    memory->held += (more - less) * HUSK_PAGE_SIZE;
    memory->held_peak = max_u64(memory->held_peak, memory->held);
}

/* Only RAM's count. */
static void account(struct guest_memory *memory, const struct entries *entries, uint64_t less,
                    uint64_t more)
{
    if (entries->ram)
        count(memory, less, more);
}

/* May the guest hold MORE pages, if it holds LESS of others then? This is what makes --memory a
 * limit. */
static bool has_room(const struct guest_memory *memory, uint64_t less, uint64_t more)
{
    uint64_t taken = memory->held + memory->slack;

    return more <= less || (taken <= memory->ram_size &&
                            more - less <= (memory->ram_size - taken) / HUSK_PAGE_SIZE);
}

int memory_hold(struct guest_memory *memory, uint64_t old, uint64_t new)
{
    int ret = new > old ? memory_give_up_huge_pages(memory) : 0;

    if (ret < 0)
        return ret;
    if (!has_room(memory, old / HUSK_PAGE_SIZE, new / HUSK_PAGE_SIZE))
        return -ENOMEM;
    count(memory, old / HUSK_PAGE_SIZE, new / HUSK_PAGE_SIZE);
    return 0;
}

/*
 * Make KVM forget what it derived from the old entries. It caches no absent translation, so only
 * rights that were taken away need this. Changing the host mapping's protection and back drops
 * every translation that leads to these pages, on shadow paging as on EPT and NPT (mmu_notifier),
 * and touches neither contents nor the vCPU. Pages that the host may only read are a file's own,
 * which dropping does not change either. ANY: bits that one of the entries has.
 */
static int flush(struct guest_memory *memory, const struct entries *entries, uint64_t any)
{
    for (uint64_t i = 0, run; i < entries->count; i += run) {
        uint64_t kind = entries->pte[i] & PTE_FILE_READ;
        void *host = memory->host + entries->gpa + i * HUSK_PAGE_SIZE;

        for (run = any & PTE_FILE_READ ? 1 : entries->count; i + run < entries->count; run++)
            if ((entries->pte[i + run] & PTE_FILE_READ) != kind)
                break;
        if (kind ? madvise(host, run * HUSK_PAGE_SIZE, MADV_DONTNEED) < 0
                 : mprotect(host, run * HUSK_PAGE_SIZE, PROT_NONE) < 0 ||
                       mprotect(host, run * HUSK_PAGE_SIZE, PROT_READ | PROT_WRITE) < 0) {
            memory->broken = true;
            return -errno;
        }
    }
    return 0;
}

/* Give the host memory back; the pages read as zero from now on, and are no file's any more. */
static int release(struct guest_memory *memory, const struct entries *entries, bool file)
{
    void *host = memory->host + entries->gpa;
    size_t len = entries->count * HUSK_PAGE_SIZE;
    bool failed;

    if (file) {
        failed = mmap(host, len, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED;
        /* A new mapping, which knows nothing of memory_keep_small. */
        madvise(host, len, MADV_NOHUGEPAGE);
    } else {
        failed = madvise(host, len, MADV_DONTNEED) < 0;
    }
    memory->broken |= failed;
    return failed ? -errno : 0;
}

/*
 * What memory_map and memory_map_file share: check, say in BEFORE what was there, and set all
 * entries to BITS.
 */
static int begin_map(struct guest_memory *memory, guest_addr_t addr, uint64_t len, uint64_t bits,
                     struct entries *entries, struct content *before)
{
    uint64_t more;
    int ret = find_entries(memory, addr, len, entries);

    if (ret < 0)
        return ret;
    if (!allowed(bits))
        return -EACCES;
    *before = look(memory, *entries);
    more = counts(bits) ? entries->count : 0;
    if (entries->ram) {
        if (!has_room(memory, before->counted, more))
            return -ENOMEM;
        ret = memory_prepare(memory, addr, len);
        if (ret < 0)
            return ret;
        /* Once more: where far RAM was opened there may be less room. */
        if (!has_room(memory, before->counted, more))
            return -ENOMEM;
    }
    set_entries(entries, bits, 0);
    account(memory, entries, before->counted, more);
    return 0;
}

int memory_map(struct guest_memory *memory, guest_addr_t addr, uint64_t len, int prot)
{
    struct entries entries;
    struct content before;
    int ret = begin_map(memory, addr, len, rights(prot) | PTE_COUNTED, &entries, &before);

    if (ret < 0)
        return ret;
    return before.any & PTE_HELD ? release(memory, &entries, before.any & PTE_FILE) : 0;
}

int memory_unmap(struct guest_memory *memory, guest_addr_t addr, uint64_t len)
{
    struct entries entries;
    struct content before;
    int ret = find_entries(memory, addr, len, &entries);

    if (ret < 0)
        return ret;
    before = look(memory, entries);
    if (!(before.any & PTE_HELD))
        return 0;
    clear_entries(memory, entries);
    account(memory, &entries, before.counted, 0);
    return release(memory, &entries, before.any & PTE_FILE);
}

int memory_protect(struct guest_memory *memory, guest_addr_t addr, uint64_t len, int prot)
{
    bool writable = prot & HUSK_PROT_WRITE;
    struct entries entries;
    struct content before;
    uint64_t more;
    int ret = find_entries(memory, addr, len, &entries);

    if (ret < 0)
        return ret;
    if (!allowed(rights(prot)))
        return -EACCES;
    before = look(memory, entries);
    if (before.seen < entries.count || !(before.every & PTE_HELD))
        return -ENOMEM;
    if (!allowed(rights(prot) | (before.any & PTE_FILE_READ)))
        return -EACCES;
    more = writable ? entries.count - before.counted - before.shared : 0;
    if (entries.ram && !has_room(memory, 0, more))
        return -ENOMEM;
    set_entries(&entries, rights(prot) | (writable ? PTE_COUNTED : 0), PTE_SOFTWARE);
    account(memory, &entries, 0, more);
    return before.any & PTE_PRESENT ? flush(memory, &entries, before.any) : 0;
}

int memory_discard(struct guest_memory *memory, guest_addr_t addr, uint64_t len)
{
    struct entries entries;
    int ret = find_entries(memory, addr, len, &entries);

    return ret < 0 ? ret : release(memory, &entries, false);
}

/* Put the file behind the entries, which must lead nowhere if this fails. */
static int show_file(struct guest_memory *memory, const struct entries *entries, int fd,
                     uint64_t offset, enum memory_file kind)
{
    int prot = kind == MEMORY_FILE_SHARED_READ ? PROT_READ : PROT_READ | PROT_WRITE;
    int flags = kind == MEMORY_FILE_PRIVATE ? MAP_PRIVATE | MAP_NORESERVE : MAP_SHARED;
    int ret;

    if (mmap(memory->host + entries->gpa, entries->count * HUSK_PAGE_SIZE, prot, flags | MAP_FIXED,
             fd, (off_t)offset) != MAP_FAILED)
        return 0;
    ret = -errno;
    /* What was there may be unmapped by now, and a hole would be filled by whatever the monitor
     * maps next. */
    release(memory, entries, true);
    return ret;
}

int memory_map_file(struct guest_memory *memory, guest_addr_t addr, uint64_t len, int prot, int fd,
                    uint64_t offset, enum memory_file kind)
{
    bool counted = kind == MEMORY_FILE_PRIVATE && prot & HUSK_PROT_WRITE;
    uint64_t bits = rights(prot) | PTE_FILE | (counted ? PTE_COUNTED : 0) |
                    (kind != MEMORY_FILE_PRIVATE ? PTE_SHARED : 0) |
                    (kind == MEMORY_FILE_SHARED_READ ? PTE_FILE_READ : 0);
    struct entries entries;
    struct content before;
    int ret = begin_map(memory, addr, len, bits, &entries, &before);

    if (ret < 0)
        return ret;
    ret = show_file(memory, &entries, fd, offset, kind);
    if (ret < 0) {
        clear_entries(memory, entries);
        account(memory, &entries, counted ? entries.count : 0, 0);
    }
    return ret;
}

int memory_place_file(struct guest_memory *memory, guest_addr_t addr, uint64_t len, int fd,
                      uint64_t offset)
{
    struct entries entries;
    int ret = find_entries(memory, addr, len, &entries);

    if (ret == 0)
        ret = show_file(memory, &entries, fd, offset, MEMORY_FILE_PRIVATE);
    for (uint64_t i = 0; ret == 0 && i < entries.count; i++)
        entries.pte[i] |= PTE_FILE;
    return ret;
}

int memory_sync(struct guest_memory *memory, guest_addr_t addr, uint64_t len, int flags)
{
    struct entries entries;
    int ret = find_entries(memory, addr, len, &entries);

    if (ret < 0)
        return ret;
    return msync(memory->host + entries.gpa, len, flags) < 0 ? -errno : 0;
}
