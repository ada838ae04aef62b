/* SPDX-License-Identifier: ISC
 *
 * The layout of guest-physical memory, its registration with KVM, and the upper levels of the page
 * tables. From 0: near RAM, the window, the tables of both, the tables of far RAM, far RAM.
 */
#include "memory_tables.h"

#include <errno.h>
#include <linux/mman.h> /* MADV_POPULATE_WRITE, which musl 1.2.3 lacks */
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#define GIB (1ULL << 30)

/* Guest-physical pages of the tables, counted from the end of the window. Page directories and page
 * tables of near RAM follow TABLE_PD, then those of far RAM. */
enum { TABLE_PML4, TABLE_PDPT, TABLE_WINDOW_PD, TABLE_WINDOW_PT, TABLE_PD = TABLE_WINDOW_PT + 2 };

/* Top of near RAM registered from the start, for the main stack; later registrations double in
 * size, so that their number stays far below MEMORY_RANGES_MAX. */
#define FIRST_REGISTRATION (8ULL << 20)
#define MIN_REGISTRATION   (4ULL << 20)

/* Top of near RAM, for the main stack and the first small mappings, that is no place for huge
 * pages. Nor is what follows it. */
#define SMALL_PAGES (16ULL << 20)

#define APIC_REGISTERS 0xfee00000    /* of an APIC inside the kernel: SDM 3A 11.4.1 */
#define FAR_LEAST      (64ULL << 20) /* less is not worth tables of its own */

static uint64_t gibs_of(uint64_t size)
{
    return round_up(size, GIB) / GIB;
}

static uint64_t tables_gpa(const struct guest_memory *memory, uint64_t page)
{
    return memory->ram_size + HUSK_WINDOW_SIZE + page * HUSK_PAGE_SIZE;
}

static uint64_t *table(const struct guest_memory *memory, uint64_t page)
{
    return (uint64_t *)(memory->host + tables_gpa(memory, page));
}

/* The page, counted like TABLE_, behind the tables of near RAM. */
static uint64_t table_far(const struct guest_memory *memory)
{
    return TABLE_PD + gibs_of(memory->ram_size) + memory->ram_size / REGION;
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

bool memory_in_ram(const struct guest_memory *memory, guest_addr_t addr, uint64_t len)
{
    if (addr >= memory->far_start)
        return addr < memory->far_end && len <= memory->far_end - addr;
    return addr >= HUSK_NULL_GUARD && addr < memory->ram_size && len <= memory->ram_size - addr;
}

bool memory_in_runtime(guest_addr_t addr, uint64_t len)
{
    guest_addr_t end = HUSK_WINDOW + HUSK_WINDOW_SIZE;

    return addr >= HUSK_RT_BASE && addr < end && len <= end - addr;
}

uint64_t *memory_pte(const struct guest_memory *memory, guest_addr_t addr)
{
    if (addr >= HUSK_WINDOW)
        return &memory->window_ptes[(addr - HUSK_WINDOW) / HUSK_PAGE_SIZE];
    if (addr >= memory->far_start)
        return &memory->far_ptes[(addr - memory->far_start) / HUSK_PAGE_SIZE];
    return &memory->ptes[addr / HUSK_PAGE_SIZE];
}

/* The page directory entry of an address of RAM. */
static uint64_t *memory_pde(const struct guest_memory *memory, guest_addr_t addr)
{
    uint64_t near = gibs_of(memory->ram_size) * GIB;

    return addr < near ? &memory->pdes[addr / REGION] : &memory->far_pdes[(addr - near) / REGION];
}

bool memory_is_linked(const struct guest_memory *memory, guest_addr_t addr)
{
    return (addr < memory->far_start || memory->far_open) && *memory_pde(memory, addr);
}

/* Pages that will be written to, all at once: a fault for each costs several times as much. Before
 * Linux 5.14 they come that way. */
static void populate(void *pages, uint64_t count)
{
    madvise(pages, count * HUSK_PAGE_SIZE, MADV_POPULATE_WRITE);
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
    uint64_t *pdpt = table(memory, TABLE_PDPT);
    uint64_t *window_pd = table(memory, TABLE_WINDOW_PD);

    populate(table(memory, TABLE_PML4), TABLE_PD + 1);
    populate(memory_host(memory, HUSK_WINDOW), (HUSK_DESC_PAGE - HUSK_WINDOW) / HUSK_PAGE_SIZE + 1);
    table(memory, TABLE_PML4)[0] = table_entry(tables_gpa(memory, TABLE_PDPT));
    for (uint64_t i = 0; i < gibs_of(memory->ram_size); i++)
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

static bool is_kept_small(const struct guest_memory *memory, guest_addr_t addr)
{
    for (size_t i = 0; i < sizeof(memory->small) / sizeof(memory->small[0]); i++)
        if (memory->small[i].start < addr + REGION && addr < memory->small[i].end)
            return true;
    return false;
}

/*
 * There may be a huge page in the region at ADDR of near RAM. If nothing counts there it goes:
 * giving back single pages has left the rest. Else it counts in full, also where only a file's
 * pages count: they may lie in the place of others of a huge page.
 */
static int settle(struct guest_memory *memory, guest_addr_t addr)
{
    const uint64_t *pte = memory_pte(memory, addr);
    uint64_t counted = 0;

    for (uint64_t i = 0; i < TABLE_ENTRIES; i++)
        counted += (pte[i] & (PTE_COUNTED | PTE_SHARED)) == PTE_COUNTED;
    if (counted > 0)
        memory->slack += REGION - counted * HUSK_PAGE_SIZE;
    else if (madvise(memory->host + addr, REGION, MADV_DONTNEED) < 0)
        return -errno;
    return 0;
}

/*
 * The host gives a huge page to a region of which the guest may have one page. Within near RAM that
 * cannot be more than there may be at all, but with what is held elsewhere it could: so there are
 * none from now on.
 */
int memory_give_up_huge_pages(struct guest_memory *memory)
{
    int ret = 0;

    if (memory->small_pages)
        return 0;
    if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) < 0)
        return -errno;
    memory->slack = 0;
    for (uint64_t addr = 0; addr < memory->ram_size && ret == 0; addr += REGION)
        if (*memory_pde(memory, addr) && !is_kept_small(memory, addr))
            ret = settle(memory, addr);
    memory->small_pages = ret == 0;
    return ret;
}

/* Most programs never get here, and should not pay for it. */
static int open_far(struct guest_memory *memory)
{
    uint64_t near_gibs = gibs_of(memory->ram_size), page = table_far(memory);
    uint64_t *pdpt = table(memory, TABLE_PDPT);
    int ret = register_range(memory, tables_gpa(memory, page), memory->far_start);

    if (ret < 0)
        return ret;
    for (uint64_t i = near_gibs; i < gibs_of(memory->far_end); i++)
        pdpt[i] = table_entry(tables_gpa(memory, page + i - near_gibs));
    memory->far_open = true;
    return 0;
}

/*
 * Page directory entries are set once and never changed again: under shadow paging KVM does not see
 * the monitor's writes to the tables, and only entries of the last level may go stale safely (they
 * are re-read after flush()).
 */
static void link_page_tables(struct guest_memory *memory, guest_addr_t addr, uint64_t len)
{
    guest_addr_t start = round_down(addr, REGION), end = round_up(addr + len, REGION);

    while (start < end && *memory_pde(memory, start))
        start += REGION;
    if (start < end)
        populate(memory_pte(memory, start), (end - start) / REGION);
    for (guest_addr_t at = start; at < end; at += REGION) {
        uint64_t *pde = memory_pde(memory, at);

        if (!*pde)
            *pde = table_entry((uint64_t)((uint8_t *)memory_pte(memory, at) - memory->host));
    }
}

int memory_prepare(struct guest_memory *memory, guest_addr_t addr, uint64_t len)
{
    int ret = 0;

    if (addr >= memory->far_start && !memory->far_open) {
        ret = memory_give_up_huge_pages(memory);
        if (ret == 0)
            ret = open_far(memory);
    }
    if (ret == 0)
        ret = ensure_registered(memory, addr, addr + len);
    if (ret == 0)
        link_page_tables(memory, addr, len);
    return ret;
}

/* Where far RAM lies. Without, all of it is empty. */
static void lay_out(struct guest_memory *memory, bool with_far)
{
    uint64_t ram = memory->ram_size, near = tables_gpa(memory, table_far(memory));
    uint64_t end = ram <= MEMORY_BELOW_APIC ? APIC_REGISTERS : min_u64(2 * ram, HUSK_RAM_MAX);
    uint64_t pages = gibs_of(end) - gibs_of(ram) + (end - ram) / REGION;
    uint64_t start = round_up(near + pages * HUSK_PAGE_SIZE, REGION);

    memory->far_start = memory->far_end = memory->size = near;
    if (!with_far || start + FAR_LEAST > end)
        return;
    memory->far_start = start;
    memory->far_end = memory->size = end;
}

/* Aligned for huge pages, so that one of the host's is one region of the guest's. */
static int reserve(struct guest_memory *memory)
{
    void *mapping;

    memory->mapping_size = memory->size + REGION;
    mapping = mmap(NULL, memory->mapping_size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED)
        return -errno;
    memory->mapping = mapping;
    memory->host = (uint8_t *)round_up((uint64_t)mapping, REGION);
    return 0;
}

void memory_keep_small(struct guest_memory *memory, guest_addr_t start, uint64_t end)
{
    struct memory_range *range = &memory->small[memory->small[0].end > 0];

    *range = (struct memory_range){start, min_u64(end, memory->size)};
    /* Fails where the kernel has no huge pages, which is as good. */
    madvise(memory->host + start, range->end - start, MADV_NOHUGEPAGE);
}

int memory_create(struct guest_memory *memory, uint64_t ram_size,
                  memory_register_fn *register_pages, void *context, struct husk_error *err)
{
    uint64_t far;
    int ret;

    *memory = (struct guest_memory){
        .ram_size = ram_size,
        .next_registration = MIN_REGISTRATION,
        .register_pages = register_pages,
        .register_context = context,
    };
    lay_out(memory, true);
    ret = reserve(memory);
    if (ret < 0) { /* a host that does not overcommit, or a limit of the caller's */
        lay_out(memory, false);
        ret = reserve(memory);
    }
    if (ret < 0)
        return error_set(err, STATUS_HUSK,
                         "cannot reserve %llu MiB for the guest: %s; choose a smaller --memory",
                         (unsigned long long)(ram_size >> 20), strerror(-ret));
    memory_keep_small(memory, ram_size - min_u64(SMALL_PAGES, ram_size / 2), memory->size);
    far = table_far(memory);
    memory->window_ptes = table(memory, TABLE_WINDOW_PT);
    memory->pdes = table(memory, TABLE_PD);
    memory->ptes = table(memory, TABLE_PD + gibs_of(ram_size));
    memory->far_pdes = table(memory, far);
    memory->far_ptes = table(memory, far + gibs_of(memory->far_end) - gibs_of(ram_size));
    build_tables(memory);
    ret = register_range(memory, ram_size - min_u64(FIRST_REGISTRATION, ram_size / 2),
                         tables_gpa(memory, far));
    if (ret < 0) {
        memory_destroy(memory);
        return error_set(err, STATUS_HUSK, "KVM refused the guest's memory: %s", strerror(-ret));
    }
    return 0;
}

void memory_destroy(struct guest_memory *memory)
{
    if (memory->mapping)
        munmap(memory->mapping, memory->mapping_size);
    memory->mapping = memory->host = NULL;
}
