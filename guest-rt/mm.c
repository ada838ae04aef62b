/* SPDX-License-Identifier: ISC
 *
 * Memory calls: brk, mmap and their like. The monitor holds the page tables; this side decides what
 * lies where, and asks only when rights come or go.
 */
#include <linux/mman.h>

#include "vma.h"

#define STACK_GUARD (1 << 20) /* never mapped below the main stack, as Linux's stack_guard_gap */
#define WX          (PROT_WRITE | PROT_EXEC)

static uint64_t heap_start, heap_end; /* brk's area; heap_end is not page-aligned */
static uint64_t mmap_top;

/* PROT_ and HUSK_PROT_ have the same values. */
_Static_assert(PROT_READ == HUSK_PROT_READ && PROT_WRITE == HUSK_PROT_WRITE &&
                   PROT_EXEC == HUSK_PROT_EXEC,
               "prot needs no translation");

void mm_init(void)
{
    heap_start = heap_end = BOOT->image_end;
    mmap_top = BOOT->stack_low - STACK_GUARD;
    vma_insert(BOOT->image_start, BOOT->image_end, PROT_READ | PROT_WRITE, false);
    vma_insert(BOOT->stack_low, BOOT->stack_top, PROT_READ | PROT_WRITE, false);
}

/* Map a free range. */
static int64_t map_range(uint64_t start, uint64_t len, int prot)
{
    int64_t ret = vma_insert(start, start + len, prot, prot == PROT_NONE);

    if (ret < 0 || prot == PROT_NONE)
        return ret;
    ret = HYPERCALL(HUSK_OP_MAP, start, len, prot);
    if (ret < 0)
        vma_remove(start, start + len);
    return ret;
}

static int64_t unmap_range(uint64_t start, uint64_t len)
{
    if (vma_free(start, start + len))
        return 0;
    if (vma_remove(start, start + len) < 0)
        return -ENOMEM;
    return HYPERCALL(HUSK_OP_UNMAP, start, len);
}

/* Record other rights of a range that is mapped. */
static void record_prot(uint64_t start, uint64_t len, int prot)
{
    if (vma_split(start) < 0 || vma_split(start + len) < 0)
        return;
    for (uint64_t at = start; at < start + len;) {
        struct vma *vma = vma_after(at);

        vma->prot = prot;
        at = vma->end;
    }
}

static bool in_ram(uint64_t start, uint64_t len)
{
    return start >= HUSK_NULL_GUARD && start < BOOT->ram_size && len <= BOOT->ram_size - start;
}

int64_t sys_brk(const struct call *call)
{
    uint64_t want = call->arg[0];
    uint64_t old_page = page_up(heap_end), new_page = page_up(want);

    if (want < heap_start || want > mmap_top)
        return heap_end;
    if (new_page > old_page &&
        (!vma_free(old_page, new_page) ||
         map_range(old_page, new_page - old_page, PROT_READ | PROT_WRITE) < 0))
        return heap_end;
    if (new_page < old_page && unmap_range(new_page, old_page - new_page) < 0)
        return heap_end;
    heap_end = want;
    return heap_end;
}

/* Where a new mapping goes: its start, or -errno. */
static int64_t place(uint64_t hint, uint64_t len, uint64_t flags)
{
    uint64_t found;

    if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
        if (hint % HUSK_PAGE_SIZE)
            return -EINVAL;
        if (hint < HUSK_NULL_GUARD)
            return -EPERM;
        if (!in_ram(hint, len))
            return -ENOMEM;
        if (flags & MAP_FIXED_NOREPLACE && !vma_free(hint, hint + len))
            return -EEXIST;
        return hint;
    }
    hint = page_down(hint);
    if (in_ram(hint, len) && hint + len <= mmap_top && vma_free(hint, hint + len))
        return hint;
    found = vma_find_free(heap_start, mmap_top, len);
    return found ? (int64_t)found : -ENOMEM;
}

static int64_t fill_from_file(uint64_t fd, uint64_t start, uint64_t len, uint64_t offset, int prot)
{
    int64_t ret = file_read_all(fd, start, len, offset);

    if (ret == 0 && !(prot & PROT_WRITE))
        ret = HYPERCALL(HUSK_OP_PROTECT, start, len, prot);
    if (ret < 0)
        unmap_range(start, len);
    else
        record_prot(start, len, prot);
    return ret;
}

int64_t sys_mmap(const struct call *call)
{
    uint64_t len = page_up(call->arg[1]), flags = call->arg[3], offset = call->arg[5];
    int prot = call->arg[2] & (PROT_READ | PROT_WRITE | PROT_EXEC);
    bool file = !(flags & MAP_ANONYMOUS);
    int64_t start, ret;

    if (call->arg[1] == 0 || offset % HUSK_PAGE_SIZE || !(flags & MAP_TYPE))
        return -EINVAL;
    if (len < call->arg[1] || len > BOOT->ram_size || flags & MAP_HUGETLB)
        return -ENOMEM;
    if ((prot & WX) == WX)
        return -EACCES;
    if (file && (flags & MAP_TYPE) != MAP_PRIVATE)
        return -ENODEV;
    start = place(call->arg[0], len, flags);
    if (start < 0)
        return start;
    ret = unmap_range(start, len);
    if (ret == 0)
        ret = map_range(start, len, file ? PROT_READ | PROT_WRITE : prot);
    if (ret == 0 && file)
        ret = fill_from_file(call->arg[4], start, len, offset, prot);
    return ret < 0 ? ret : start;
}

int64_t sys_munmap(const struct call *call)
{
    uint64_t start = call->arg[0], len = page_up(call->arg[1]);

    if (start % HUSK_PAGE_SIZE || len == 0 || len < call->arg[1])
        return -EINVAL;
    if (start > BOOT->ram_size || len > BOOT->ram_size - start)
        return -EINVAL;
    if (start < HUSK_NULL_GUARD) {
        if (len <= HUSK_NULL_GUARD - start)
            return 0;
        len -= HUSK_NULL_GUARD - start;
        start = HUSK_NULL_GUARD;
    }
    return unmap_range(start, len);
}

static int64_t protect_piece(struct vma *vma, int prot)
{
    uint64_t len = vma->end - vma->start;
    int64_t ret = 0;

    if (!vma->fresh)
        ret = HYPERCALL(HUSK_OP_PROTECT, vma->start, len, prot);
    else if (prot != PROT_NONE)
        ret = HYPERCALL(HUSK_OP_MAP, vma->start, len, prot);
    if (ret == 0) {
        vma->fresh = vma->fresh && prot == PROT_NONE;
        vma->prot = prot;
    }
    return ret;
}

int64_t sys_mprotect(const struct call *call)
{
    uint64_t start = call->arg[0], len = page_up(call->arg[1]), end = start + len;
    int prot = call->arg[2];
    struct vma *vma;

    if (start % HUSK_PAGE_SIZE || prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC))
        return -EINVAL;
    if (len == 0)
        return call->arg[1] ? -ENOMEM : 0;
    if ((prot & WX) == WX)
        return -EACCES;
    if (end < start || !vma_covers(start, end) || vma_split(start) < 0 || vma_split(end) < 0)
        return -ENOMEM;
    for (vma = vma_after(start); start < end; vma++) {
        int64_t ret = protect_piece(vma, prot);

        if (ret < 0)
            return ret;
        start = vma->end;
    }
    return 0;
}

int64_t sys_madvise(const struct call *call)
{
    uint64_t start = call->arg[0], len = page_up(call->arg[1]), end = start + len;
    int64_t ret = 0;

    if (start % HUSK_PAGE_SIZE || end < start || call->arg[2] > MADV_COLLAPSE)
        return -EINVAL;
    if (len == 0)
        return 0;
    if (call->arg[2] == MADV_DONTNEED || call->arg[2] == MADV_FREE)
        ret = HYPERCALL(HUSK_OP_DISCARD, start, len);
    return vma_covers(start, end) ? ret : -ENOMEM;
}

static int64_t move_mapping(uint64_t old, uint64_t old_len, uint64_t new, uint64_t new_len,
                            int prot)
{
    uint64_t common = old_len < new_len ? old_len : new_len;
    bool keeps_data = prot != PROT_NONE;
    int64_t ret = map_range(new, new_len, keeps_data ? PROT_READ | PROT_WRITE : PROT_NONE);

    if (ret < 0)
        return ret;
    if (keeps_data && user_copy((void *)new, (const void *)old, common) < 0) {
        unmap_range(new, new_len);
        return -EFAULT;
    }
    if (keeps_data && prot != (PROT_READ | PROT_WRITE)) {
        ret = HYPERCALL(HUSK_OP_PROTECT, new, new_len, prot);
        record_prot(new, new_len, prot);
    }
    unmap_range(old, old_len);
    return ret < 0 ? ret : (int64_t) new;
}

int64_t sys_mremap(const struct call *call)
{
    uint64_t old = call->arg[0], old_len = page_up(call->arg[1]);
    uint64_t len = page_up(call->arg[2]), flags = call->arg[3], to = call->arg[4];
    const struct vma *vma;
    int64_t ret;
    int prot;

    if (old % HUSK_PAGE_SIZE || len == 0 || old_len == 0 ||
        flags & ~(uint64_t)(MREMAP_MAYMOVE | MREMAP_FIXED) ||
        (flags & MREMAP_FIXED && !(flags & MREMAP_MAYMOVE)))
        return -EINVAL;
    if (len > BOOT->ram_size || old_len > BOOT->ram_size)
        return -ENOMEM;
    vma = vma_after(old);
    if (!vma || vma->start > old || vma->end - old < old_len)
        return -EFAULT;
    prot = vma->prot;
    if (flags & MREMAP_FIXED) {
        if (to % HUSK_PAGE_SIZE || !in_ram(to, len) || (to < old + old_len && old < to + len))
            return -EINVAL;
        ret = unmap_range(to, len);
        return ret < 0 ? ret : move_mapping(old, old_len, to, len, prot);
    }
    if (len <= old_len) {
        ret = len < old_len ? unmap_range(old + len, old_len - len) : 0;
        return ret < 0 ? ret : (int64_t)old;
    }
    if (in_ram(old, len) && old + len <= mmap_top && vma_free(old + old_len, old + len)) {
        ret = map_range(old + old_len, len - old_len, prot);
        return ret < 0 ? ret : (int64_t)old;
    }
    if (!(flags & MREMAP_MAYMOVE))
        return -ENOMEM;
    to = vma_find_free(heap_start, mmap_top, len);
    return to ? move_mapping(old, old_len, to, len, prot) : -ENOMEM;
}
