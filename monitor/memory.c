/* SPDX-License-Identifier: ISC */
#include "memory.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Page table entries: SDM 3A 4.5.4. Accessed and dirty are preset, so that nobody need set them. */
#define PTE_PRESENT (1ULL << 0)
#define PTE_WRITE   (1ULL << 1)
#define PTE_USER    (1ULL << 2)
#define PTE_USED    (1ULL << 5 | 1ULL << 6)
#define PTE_NX      (1ULL << 63)
/* A bit that the MMU ignores: the page belongs to the guest and may hold data, though it may have
 * no rights at the moment. */
#define PTE_HELD (1ULL << 9)
/* Two more: the host page is a file's, and the host may only read it. */
#define PTE_FILE      (1ULL << 10)
#define PTE_FILE_READ (1ULL << 11)
#define PTE_SOFTWARE  (PTE_FILE | PTE_FILE_READ)

#define TABLE_ENTRIES 512
#define REGION        (2ULL << 20) /* what one page table covers */
#define GIB           (1ULL << 30)

/* Guest-physical pages of the tables, counted from the end of the window. */
enum { TABLE_PML4, TABLE_PDPT, TABLE_WINDOW_PD, TABLE_WINDOW_PT, TABLE_PD = TABLE_WINDOW_PT + 2 };

/* Top of RAM registered from the start, for the main stack; later registrations double in size, so
 * that their number stays far below MEMORY_RANGES_MAX. */
#define FIRST_REGISTRATION (8ULL << 20)
#define MIN_REGISTRATION   (4ULL << 20)

/* Top of RAM, for the main stack and the first small mappings, that is no place for huge pages. */
#define SMALL_PAGES (16ULL << 20)

static uint64_t round_down(uint64_t value, uint64_t unit)
{
    return value & ~(unit - 1);
}

static uint64_t round_up(uint64_t value, uint64_t unit)
{
    return (value + unit - 1) & ~(unit - 1);
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t tables_gpa(const struct guest_memory *memory, uint64_t page)
{
    return memory->ram_size + HUSK_WINDOW_SIZE + page * HUSK_PAGE_SIZE;
}

static uint64_t *table(const struct guest_memory *memory, uint64_t page)
{
    return (uint64_t *)(memory->host + tables_gpa(memory, page));
}

uint64_t memory_root(const struct guest_memory *memory)
{
    return tables_gpa(memory, TABLE_PML4);
}

uint64_t memory_window_gpa(const struct guest_memory *memory, guest_addr_t addr)
{
    return memory->ram_size + (addr - HUSK_WINDOW);
}

void *memory_host(const struct guest_memory *memory, guest_addr_t addr)
{
    return memory->host + (addr >= HUSK_WINDOW ? memory_window_gpa(memory, addr) : addr);
}

/* Entries that point to tables grant everything; the last level decides. */
static uint64_t table_entry(uint64_t gpa)
{
    return gpa | PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_USED;
}

static void window_page(struct guest_memory *memory, guest_addr_t addr, guest_addr_t backing,
                        uint64_t rights)
{
    memory->window_ptes[(addr - HUSK_WINDOW) / HUSK_PAGE_SIZE] =
        memory_window_gpa(memory, backing) | PTE_PRESENT | PTE_USED | rights;
}

static void build_tables(struct guest_memory *memory)
{
    uint64_t gibs = round_up(memory->ram_size, GIB) / GIB;
    uint64_t *pdpt = table(memory, TABLE_PDPT);
    uint64_t *window_pd = table(memory, TABLE_WINDOW_PD);

    table(memory, TABLE_PML4)[0] = table_entry(tables_gpa(memory, TABLE_PDPT));
    for (uint64_t i = 0; i < gibs; i++)
        pdpt[i] = table_entry(tables_gpa(memory, TABLE_PD + i));
    pdpt[HUSK_WINDOW / GIB] = table_entry(tables_gpa(memory, TABLE_WINDOW_PD));
    for (uint64_t i = 0; i < HUSK_WINDOW_SIZE / REGION; i++)
        window_pd[i] = table_entry(tables_gpa(memory, TABLE_WINDOW_PT + i));

    window_page(memory, HUSK_RING0_TEXT, HUSK_RING0_TEXT, 0);
    window_page(memory, HUSK_RING0_TABLES, HUSK_RING0_TABLES, PTE_NX);
    window_page(memory, HUSK_RING0_STACK, HUSK_RING0_STACK, PTE_WRITE | PTE_NX);
    window_page(memory, HUSK_RING0_VIEW, HUSK_RING0_STACK, PTE_USER | PTE_NX);
    window_page(memory, HUSK_CLOCK_PAGE, HUSK_CLOCK_PAGE, PTE_USER | PTE_NX);
    window_page(memory, HUSK_BOOT_PAGE, HUSK_BOOT_PAGE, PTE_USER | PTE_NX);
    window_page(memory, HUSK_DESC_PAGE, HUSK_DESC_PAGE, PTE_USER | PTE_WRITE | PTE_NX);
}

static int register_range(struct guest_memory *memory, uint64_t start, uint64_t end)
{
    struct memory_range *ranges = memory->registered;
    size_t at = 0;
    int ret;

    while (at < memory->registered_count && ranges[at].end < start)
        at++;
    bool joins_left = at < memory->registered_count && ranges[at].end == start;
    bool joins_right =
        at + joins_left < memory->registered_count && ranges[at + joins_left].start == end;
    if (!joins_left && !joins_right && memory->registered_count == MEMORY_RANGES_MAX)
        return -ENOMEM;
    ret = memory->register_pages(memory->register_context, start, end, memory->host + start);
    if (ret < 0)
        return ret;
    if (joins_left && joins_right) {
        ranges[at].end = ranges[at + 1].end;
        memory->registered_count--;
        memmove(&ranges[at + 1], &ranges[at + 2],
                (memory->registered_count - at - 1) * sizeof(*ranges));
    } else if (joins_left) {
        ranges[at].end = end;
    } else if (joins_right) {
        ranges[at].start = start;
    } else {
        memmove(&ranges[at + 1], &ranges[at], (memory->registered_count - at) * sizeof(*ranges));
        ranges[at] = (struct memory_range){start, end};
        memory->registered_count++;
    }
    return 0;
}

/*
 * Registering memory with KVM costs time in proportion to its size, so RAM is registered where it
 * is used, in pieces that grow.
 */
static int ensure_registered(struct guest_memory *memory, uint64_t start, uint64_t end)
{
    while (start < end) {
        uint64_t gap_start = 0, gap_end = memory->size;
        bool covered = false;

        for (size_t i = 0; i < memory->registered_count; i++) {
            const struct memory_range *range = &memory->registered[i];

            if (range->end <= start) {
                gap_start = range->end;
                continue;
            }
            covered = range->start <= start;
            gap_end = covered ? range->end : range->start;
            break;
        }
        if (!covered) {
            uint64_t piece = memory->next_registration;
            uint64_t want_end = min_u64(gap_end, round_up(min_u64(end, gap_end), piece));
            int ret =
                register_range(memory, max_u64(gap_start, round_down(start, piece)), want_end);

            if (ret < 0)
                return ret;
            memory->next_registration = piece * 2;
            gap_end = want_end;
        }
        start = gap_end;
    }
    return 0;
}

void memory_keep_small(const struct guest_memory *memory, guest_addr_t start, uint64_t end)
{
    /* Fails where the kernel has no huge pages, which is as good. */
    madvise(memory->host + start, min_u64(end, memory->size) - start, MADV_NOHUGEPAGE);
}

int memory_create(struct guest_memory *memory, uint64_t ram_size,
                  memory_register_fn *register_pages, void *context, struct husk_error *err)
{
    uint64_t gibs = round_up(ram_size, GIB) / GIB;
    uint64_t table_pages = TABLE_PD + gibs + ram_size / REGION;
    int ret;

    *memory = (struct guest_memory){
        .ram_size = ram_size,
        .size = ram_size + HUSK_WINDOW_SIZE + table_pages * HUSK_PAGE_SIZE,
        .next_registration = MIN_REGISTRATION,
        .register_pages = register_pages,
        .register_context = context,
    };
    memory->host = mmap(NULL, memory->size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory->host == MAP_FAILED) {
        memory->host = NULL;
        return error_set(err, STATUS_HUSK,
                         "cannot reserve %llu MiB for the guest: %s; choose a smaller --memory",
                         (unsigned long long)(ram_size >> 20), strerror(errno));
    }
    memory_keep_small(memory, ram_size - min_u64(SMALL_PAGES, ram_size / 2), memory->size);
    memory->window_ptes = table(memory, TABLE_WINDOW_PT);
    memory->pdes = table(memory, TABLE_PD);
    memory->ptes = table(memory, TABLE_PD + gibs);
    build_tables(memory);
    ret =
        register_range(memory, ram_size - min_u64(FIRST_REGISTRATION, ram_size / 2), memory->size);
    if (ret < 0) {
        memory_destroy(memory);
        return error_set(err, STATUS_HUSK, "KVM refused the guest's memory: %s", strerror(-ret));
    }
    return 0;
}

void memory_destroy(struct guest_memory *memory)
{
    if (memory->host)
        munmap(memory->host, memory->size);
    memory->host = NULL;
}

static uint64_t rights(int prot)
{
    if (prot == HUSK_PROT_NONE)
        return PTE_HELD;
    return PTE_HELD | PTE_PRESENT | PTE_USER | PTE_USED | (prot & HUSK_PROT_WRITE ? PTE_WRITE : 0) |
           (prot & HUSK_PROT_EXEC ? 0 : PTE_NX);
}

static bool in_ram(const struct guest_memory *memory, guest_addr_t addr, uint64_t len)
{
    return addr >= HUSK_NULL_GUARD && addr < memory->ram_size && len <= memory->ram_size - addr;
}

static bool in_runtime(guest_addr_t addr, uint64_t len)
{
    guest_addr_t end = HUSK_WINDOW + HUSK_WINDOW_SIZE;

    return addr >= HUSK_RT_BASE && addr < end && len <= end - addr;
}

/* The page table entries of a range: one run of the flat array for RAM, or for the window. */
struct entries {
    uint64_t *pte;
    uint64_t gpa;
    uint64_t count;
    bool ram;
};

static int find_entries(const struct guest_memory *memory, guest_addr_t addr, uint64_t len,
                        struct entries *found)
{
    if (addr % HUSK_PAGE_SIZE || len % HUSK_PAGE_SIZE || len == 0)
        return -EINVAL;
    if (in_ram(memory, addr, len))
        *found = (struct entries){&memory->ptes[addr / HUSK_PAGE_SIZE], addr, 0, true};
    else if (in_runtime(addr, len))
        *found = (struct entries){&memory->window_ptes[(addr - HUSK_WINDOW) / HUSK_PAGE_SIZE],
                                  memory_window_gpa(memory, addr), 0, false};
    else
        return -EINVAL;
    found->count = len / HUSK_PAGE_SIZE;
    return 0;
}

/*
 * Page directory entries are set once and never changed again: under shadow paging KVM does not see
 * the monitor's writes to the tables, and only entries of the last level may go stale safely (they
 * are re-read after flush()).
 */
static void link_page_tables(struct guest_memory *memory, guest_addr_t addr, uint64_t len)
{
    uint64_t gibs = round_up(memory->ram_size, GIB) / GIB;

    for (uint64_t region = addr / REGION; region <= (addr + len - 1) / REGION; region++)
        if (!memory->pdes[region]) {
            /* A write, so that the page's first touch is not a read that faults again. */
            *(volatile uint64_t *)&memory->ptes[region * TABLE_ENTRIES] = 0;
            memory->pdes[region] = table_entry(tables_gpa(memory, TABLE_PD + gibs + region));
        }
}

/* What set_entries found in the entries before. */
struct before {
    bool present, held, file;
};

/*
 * Set all entries to BITS and their addresses. Other rights (KEEP) leave what is known of the host
 * page.
 */
static struct before set_entries(struct guest_memory *memory, const struct entries *entries,
                                 uint64_t bits, uint64_t keep)
{
    uint64_t all = 0, held = 0;

    for (uint64_t i = 0; i < entries->count; i++) {
        uint64_t old = entries->pte[i];

        all |= old;
        held += old / PTE_HELD & 1;
        entries->pte[i] = bits ? bits | (old & keep) | (entries->gpa + i * HUSK_PAGE_SIZE) : 0;
    }
    if (entries->ram) {
        memory->held += ((bits ? entries->count : 0) - held) * HUSK_PAGE_SIZE;
        memory->held_peak = max_u64(memory->held_peak, memory->held);
    }
    return (struct before){all & PTE_PRESENT, held > 0, all & PTE_FILE};
}

/*
 * Make KVM forget what it derived from the old entries. It caches no absent translation, so only
 * rights that were taken away need this. Changing the host mapping's protection and back drops
 * every translation that leads to these pages, on shadow paging as on EPT and NPT (mmu_notifier),
 * and touches neither contents nor the vCPU. Pages that the host may only read are a file's own,
 * which dropping does not change either.
 */
static int flush(struct guest_memory *memory, const struct entries *entries)
{
    for (uint64_t i = 0, run; i < entries->count; i += run) {
        uint64_t kind = entries->pte[i] & PTE_FILE_READ;
        void *host = memory->host + entries->gpa + i * HUSK_PAGE_SIZE;

        for (run = 1; i + run < entries->count; run++)
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

    if (file)
        failed = mmap(host, len, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED;
    else
        failed = madvise(host, len, MADV_DONTNEED) < 0;
    memory->broken |= failed;
    return failed ? -errno : 0;
}

static bool both_write_and_exec(int prot)
{
    return prot & HUSK_PROT_WRITE && prot & HUSK_PROT_EXEC;
}

int memory_map(struct guest_memory *memory, guest_addr_t addr, uint64_t len, int prot)
{
    struct entries entries;
    struct before before;
    int ret = find_entries(memory, addr, len, &entries);

    if (ret < 0)
        return ret;
    if (both_write_and_exec(prot))
        return -EACCES;
    if (entries.ram) {
        ret = ensure_registered(memory, addr, addr + len);
        if (ret < 0)
            return ret;
        link_page_tables(memory, addr, len);
    }
    before = set_entries(memory, &entries, rights(prot), 0);
    return before.held ? release(memory, &entries, before.file) : 0;
}

int memory_unmap(struct guest_memory *memory, guest_addr_t addr, uint64_t len)
{
    struct entries entries;
    struct before before;
    int ret = find_entries(memory, addr, len, &entries);

    if (ret < 0)
        return ret;
    before = set_entries(memory, &entries, 0, 0);
    return before.held ? release(memory, &entries, before.file) : 0;
}

int memory_protect(struct guest_memory *memory, guest_addr_t addr, uint64_t len, int prot)
{
    struct entries entries;
    struct before before;
    int ret = find_entries(memory, addr, len, &entries);

    if (ret < 0)
        return ret;
    if (both_write_and_exec(prot))
        return -EACCES;
    for (uint64_t i = 0; i < entries.count; i++) {
        if (!(entries.pte[i] & PTE_HELD))
            return -ENOMEM;
        if (entries.pte[i] & PTE_FILE_READ && prot & HUSK_PROT_WRITE)
            return -EACCES;
    }
    before = set_entries(memory, &entries, rights(prot), PTE_SOFTWARE);
    return before.present ? flush(memory, &entries) : 0;
}

int memory_discard(struct guest_memory *memory, guest_addr_t addr, uint64_t len)
{
    struct entries entries;
    int ret = find_entries(memory, addr, len, &entries);

    return ret < 0 ? ret : release(memory, &entries, false);
}

int memory_place_file(struct guest_memory *memory, guest_addr_t addr, uint64_t len, int fd,
                      uint64_t offset, enum memory_file kind)
{
    int prot = kind == MEMORY_FILE_SHARED_READ ? PROT_READ : PROT_READ | PROT_WRITE;
    int flags = kind == MEMORY_FILE_PRIVATE ? MAP_PRIVATE | MAP_NORESERVE : MAP_SHARED;
    struct entries entries;
    int ret = find_entries(memory, addr, len, &entries);

    if (ret < 0)
        return ret;
    if (mmap(memory->host + entries.gpa, len, prot, flags | MAP_FIXED, fd, (off_t)offset) ==
        MAP_FAILED) {
        ret = -errno;
        /* What was there may be unmapped by now, and a hole would be filled by whatever the monitor
         * maps next. */
        release(memory, &entries, true);
        return ret;
    }
    for (uint64_t i = 0; i < entries.count; i++)
        entries.pte[i] |= PTE_FILE | (kind == MEMORY_FILE_SHARED_READ ? PTE_FILE_READ : 0);
    return 0;
}

int memory_sync(struct guest_memory *memory, guest_addr_t addr, uint64_t len, int flags)
{
    struct entries entries;
    int ret = find_entries(memory, addr, len, &entries);

    if (ret < 0)
        return ret;
    return msync(memory->host + entries.gpa, len, flags) < 0 ? -errno : 0;
}

void *memory_pointer_prefix(const struct guest_memory *memory, guest_addr_t addr, uint64_t *len,
                            int access)
{
    uint64_t needed = PTE_PRESENT | PTE_USER | (access & HUSK_PROT_WRITE ? PTE_WRITE : 0);
    uint64_t refused = access & HUSK_PROT_EXEC ? PTE_NX : 0;
    uint64_t want = max_u64(*len, 1), have = 0;
    const uint64_t *pte;
    uint64_t gpa, limit;

    if (in_ram(memory, addr, 1)) {
        pte = &memory->ptes[addr / HUSK_PAGE_SIZE];
        gpa = addr;
        limit = memory->ram_size - addr;
    } else if (in_runtime(addr, 1)) {
        pte = &memory->window_ptes[(addr - HUSK_WINDOW) / HUSK_PAGE_SIZE];
        gpa = memory_window_gpa(memory, addr);
        limit = HUSK_WINDOW + HUSK_WINDOW_SIZE - addr;
    } else {
        return NULL;
    }
    want = min_u64(want, limit);
    for (; have < want && (*pte & (needed | refused)) == needed; pte++)
        have += HUSK_PAGE_SIZE - (addr + have) % HUSK_PAGE_SIZE;
    if (have == 0)
        return NULL;
    *len = min_u64(min_u64(have, want), *len);
    return memory->host + gpa;
}

void *memory_pointer(const struct guest_memory *memory, guest_addr_t addr, uint64_t len, int access)
{
    uint64_t have = len;
    void *host = memory_pointer_prefix(memory, addr, &have, access);

    return have == len ? host : NULL;
}

/*
 * A page of a file that is shorter by now raises SIGBUS, one that the host may only read SIGSEGV:
 * the copy then fails as for memory that is not there. The signal comes in the thread that copies;
 * the server may do so while the vCPU's thread writes a report.
 */
static _Thread_local sigjmp_buf bus_error;
static _Thread_local volatile sig_atomic_t copying;

void memory_on_bus_error(int signal)
{
    static const char text[] =
        "husk: memory behind the program is gone: a file that it has mapped was truncated\n";

    (void)signal;
    if (copying)
        siglongjmp(bus_error, 1);
    if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
        _exit(STATUS_HUSK);
    _exit(STATUS_HUSK);
}

static int copy(void *dst, const void *src, size_t len)
{
    int ret = 0;

    if (sigsetjmp(bus_error, 0) == 0) {
        copying = 1;
        memcpy(dst, src, len);
    } else {
        ret = -EFAULT;
    }
    copying = 0;
    return ret;
}

int memory_read(const struct guest_memory *memory, void *dst, guest_addr_t addr, size_t len)
{
    const void *src = memory_pointer(memory, addr, len, HUSK_PROT_READ);

    return src ? copy(dst, src, len) : -EFAULT;
}

int memory_poke(const struct guest_memory *memory, guest_addr_t addr, uint8_t byte)
{
    void *dst = memory_pointer(memory, addr, 1, HUSK_PROT_EXEC);

    return dst ? copy(dst, &byte, 1) : -EFAULT;
}

int memory_write(const struct guest_memory *memory, guest_addr_t addr, const void *src, size_t len)
{
    void *dst = memory_pointer(memory, addr, len, HUSK_PROT_WRITE);

    return dst ? copy(dst, src, len) : -EFAULT;
}
