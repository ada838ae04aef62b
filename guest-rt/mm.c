/* SPDX-License-Identifier: ISC
 *
 * Memory calls: brk, mmap and their like. The monitor holds the page tables; this side decides what
 * lies where, and asks only when rights come or go.
 */
#include <linux/fcntl.h>
#include <linux/mman.h>

#include "io.h"
#include "pages.h"
#include "vma.h"

#define STACK_GUARD (1 << 20) /* never mapped below the main stack, as Linux's stack_guard_gap */
#define WX          (PROT_WRITE | PROT_EXEC)

static uint64_t heap_start, heap_end; /* brk's area; heap_end is not page-aligned */
static uint64_t mmap_top; /* mappings go below, also below an image that lies in the middle */

/* PROT_ and HUSK_PROT_ have the same values. */
_Static_assert(PROT_READ == HUSK_PROT_READ && PROT_WRITE == HUSK_PROT_WRITE &&
                   PROT_EXEC == HUSK_PROT_EXEC,
               "prot needs no translation");

void mm_init(void)
{
    heap_start = heap_end = BOOT->image_end;
    mmap_top = BOOT->stack_low - STACK_GUARD;
    vma_insert(&(struct vma){
        .start = BOOT->image_start, .end = BOOT->image_end, .prot = PROT_READ | PROT_WRITE});
    vma_insert(&(struct vma){
        .start = BOOT->stack_low, .end = BOOT->stack_top, .prot = PROT_READ | PROT_WRITE});
}

/* Map a free range. */
static int64_t map_range(uint64_t start, uint64_t len, int prot)
{
    const struct vma vma = {
        .start = start, .end = start + len, .prot = prot, .fresh = prot == PROT_NONE};
    int64_t ret = vma_insert(&vma);

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
    found = vma_find_free(HUSK_NULL_GUARD, mmap_top, len);
    return found ? (int64_t)found : -ENOMEM;
}

/* Fill a mapping with a file that the host does not know. Up to its end: the rest is zeros. */
static int64_t read_file(uint64_t start, uint64_t len, struct file *file, uint64_t offset)
{
    for (uint64_t done = 0; done < len;) {
        int64_t got = FILE_CALL(HUSK_OP_READ, file, start + done, len - done, offset + done);

        if (got <= 0)
            return got;
        done += got;
    }
    return 0;
}

/*
 * Such a file's pages cannot be shown twice, because virtual is guest-physical: a private mapping
 * gets a copy, a shared one is refused. /dev/zero is as good as no file.
 */
static int64_t map_local(uint64_t start, uint64_t len, int prot, struct file *file, uint64_t offset,
                         bool shared)
{
    bool zero = file->system == FS_SYNTHETIC && file->synthetic.entry->kind == SYNTHETIC_ZERO;
    int64_t ret;

    if (zero)
        return map_range(start, len, prot);
    if (shared || file->system != FS_TMPFS)
        return -ENODEV;
    ret = map_range(start, len, PROT_READ | PROT_WRITE);
    if (ret < 0)
        return ret;
    ret = read_file(start, len, file, offset);
    if (ret == 0 && prot != (PROT_READ | PROT_WRITE)) {
        ret = HYPERCALL(HUSK_OP_PROTECT, start, len, prot);
        record_prot(start, len, prot);
    }
    if (ret < 0)
        unmap_range(start, len);
    return ret;
}

/* Show a file in a free range. Takes a reference to it. */
static int64_t map_file(uint64_t start, uint64_t len, int prot, struct file *file, uint64_t offset,
                        bool shared)
{
    const struct vma vma = {.start = start,
                            .end = start + len,
                            .prot = prot,
                            .shared = shared,
                            .file = file,
                            .offset = offset};
    int64_t ret;

    if (file->system != FS_HOST)
        return map_local(start, len, prot, file, offset, shared);
    ret = vma_insert(&vma);
    if (ret < 0)
        return ret;
    file_hold(file);
    ret = HYPERCALL(HUSK_OP_MAPFILE, start, len, file->handle, offset, prot, shared);
    if (ret < 0)
        vma_remove(start, start + len);
    return ret;
}

/* May FD be mapped like this? The description, or NULL and the reason. */
static struct file *file_to_map(uint64_t fd, int prot, bool shared, int64_t *error)
{
    struct file *file = file_get((uint32_t)fd);
    uint32_t mode = file ? file->flags & O_ACCMODE : 0;

    *error = -EBADF;
    if (!file || file->flags & O_PATH)
        return NULL;
    *error = -EACCES;
    if (mode == O_WRONLY || (shared && prot & PROT_WRITE && mode != O_RDWR))
        return NULL;
    *error = -ENODEV;
    return file_seekable(file) ? file : NULL;
}

int64_t sys_mmap(const struct call *call)
{
    uint64_t len = page_up(call->arg[1]), flags = call->arg[3], offset = call->arg[5];
    int prot = call->arg[2] & (PROT_READ | PROT_WRITE | PROT_EXEC);
    bool shared = (flags & MAP_TYPE) != MAP_PRIVATE;
    struct file *file = NULL;
    int64_t start, ret;

    if (!(flags & MAP_ANONYMOUS)) {
        file = file_to_map(call->arg[4], prot, shared, &ret);
        if (!file)
            return ret;
    }
    if (call->arg[1] == 0 || offset % HUSK_PAGE_SIZE || !(flags & MAP_TYPE))
        return -EINVAL;
    if (len < call->arg[1] || len > BOOT->ram_size || flags & MAP_HUGETLB)
        return -ENOMEM;
    if ((prot & WX) == WX)
        return -EACCES;
    start = place(call->arg[0], len, flags);
    if (start < 0)
        return start;
    ret = unmap_range(start, len);
    if (ret == 0)
        ret = file ? map_file(start, len, prot, file, offset, shared) : map_range(start, len, prot);
    return ret < 0 ? ret : start;
}

int64_t sys_msync(const struct call *call)
{
    uint64_t start = call->arg[0], len = page_up(call->arg[1]), flags = call->arg[2];
    int64_t ret = 0;

    if (start % HUSK_PAGE_SIZE || flags & ~(uint64_t)(MS_ASYNC | MS_SYNC | MS_INVALIDATE) ||
        (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
        return -EINVAL;
    if (len < call->arg[1] || start + len < start)
        return -ENOMEM;
    for (const struct vma *vma = vma_after(start); vma && vma->start < start + len;
         vma = vma_after(vma->end)) {
        uint64_t from = vma->start > start ? vma->start : start;
        uint64_t to = vma->end < start + len ? vma->end : start + len;

        if (vma->shared && ret == 0)
            ret = HYPERCALL(HUSK_OP_MSYNC, from, to - from, flags);
    }
    return len > 0 && !vma_covers(start, start + len) ? -ENOMEM : ret;
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

    if (vma->shared && vma->file && prot & PROT_WRITE && (vma->file->flags & O_ACCMODE) != O_RDWR)
        return -EACCES;
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

/* Map a free range as a continuation of VMA: START shows what AT shows, or would if VMA were
 * longer. */
static int64_t map_like(const struct vma *vma, uint64_t at, uint64_t start, uint64_t len, int prot)
{
    if (!vma->file)
        return map_range(start, len, prot);
    return map_file(start, len, prot, vma->file, vma->offset + (at - vma->start), vma->shared);
}

static int64_t move_mapping(const struct vma *vma, uint64_t old, uint64_t old_len, uint64_t new,
                            uint64_t new_len)
{
    uint64_t common = old_len < new_len ? old_len : new_len;
    bool copies = vma->prot != PROT_NONE && !vma->shared;
    int64_t ret = map_like(vma, old, new, new_len, copies ? PROT_READ | PROT_WRITE : vma->prot);

    if (ret < 0)
        return ret;
    if (copies && user_copy((void *)new, (const void *)old, common) < 0) {
        unmap_range(new, new_len);
        return -EFAULT;
    }
    if (copies && vma->prot != (PROT_READ | PROT_WRITE)) {
        ret = HYPERCALL(HUSK_OP_PROTECT, new, new_len, vma->prot);
        record_prot(new, new_len, vma->prot);
    }
    unmap_range(old, old_len);
    return ret < 0 ? ret : (int64_t) new;
}

int64_t sys_mremap(const struct call *call)
{
    uint64_t old = call->arg[0], old_len = page_up(call->arg[1]);
    uint64_t len = page_up(call->arg[2]), flags = call->arg[3], to = call->arg[4];
    const struct vma *found = vma_after(old);
    struct vma vma;
    int64_t ret;

    if (old % HUSK_PAGE_SIZE || len == 0 || old_len == 0 ||
        flags & ~(uint64_t)(MREMAP_MAYMOVE | MREMAP_FIXED) ||
        (flags & MREMAP_FIXED && !(flags & MREMAP_MAYMOVE)))
        return -EINVAL;
    if (len > BOOT->ram_size || old_len > BOOT->ram_size)
        return -ENOMEM;
    if (!found || found->start > old || found->end - old < old_len)
        return -EFAULT;
    vma = *found;
    if (flags & MREMAP_FIXED) {
        if (to % HUSK_PAGE_SIZE || !in_ram(to, len) || (to < old + old_len && old < to + len))
            return -EINVAL;
        ret = unmap_range(to, len);
        return ret < 0 ? ret : move_mapping(&vma, old, old_len, to, len);
    }
    if (len <= old_len) {
        ret = len < old_len ? unmap_range(old + len, old_len - len) : 0;
        return ret < 0 ? ret : (int64_t)old;
    }
    if (in_ram(old, len) && old + len <= mmap_top && vma_free(old + old_len, old + len)) {
        ret = map_like(&vma, old + old_len, old + old_len, len - old_len, vma.prot);
        return ret < 0 ? ret : (int64_t)old;
    }
    if (!(flags & MREMAP_MAYMOVE))
        return -ENOMEM;
    to = vma_find_free(HUSK_NULL_GUARD, mmap_top, len);
    return to ? move_mapping(&vma, old, old_len, to, len) : -ENOMEM;
}

/* Memory for guest-rt itself comes from the same place as the application's. */
void *rt_pages_alloc(size_t bytes)
{
    uint64_t len = page_up(bytes), start = vma_find_free(HUSK_NULL_GUARD, mmap_top, len);

    return start && map_range(start, len, PROT_READ | PROT_WRITE) == 0 ? (void *)start : NULL;
}

/* The page below it stays free: a reservation costs no exit. */
void *rt_stack_alloc(size_t bytes)
{
    uint64_t len = page_up(bytes),
             guard = vma_find_free(HUSK_NULL_GUARD, mmap_top, HUSK_PAGE_SIZE + len);

    if (!guard || map_range(guard, HUSK_PAGE_SIZE, PROT_NONE) < 0)
        return NULL;
    if (map_range(guard + HUSK_PAGE_SIZE, len, PROT_READ | PROT_WRITE) < 0) {
        vma_remove(guard, guard + HUSK_PAGE_SIZE);
        return NULL;
    }
    return (void *)(guard + HUSK_PAGE_SIZE);
}

void rt_stack_free(void *stack, size_t bytes)
{
    unmap_range((uint64_t)stack - HUSK_PAGE_SIZE, HUSK_PAGE_SIZE + page_up(bytes));
}

void rt_pages_free(void *pages, size_t bytes)
{
    unmap_range((uint64_t)pages, page_up(bytes));
}
