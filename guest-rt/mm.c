/* SPDX-License-Identifier: ISC
 *
 * Memory calls: brk, mmap and their like. The monitor holds the page tables; this side decides what
 * lies where, and asks only when rights come or go.
 */
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/mman.h>

#include "io.h"
#include "lazy.h"
#include "mm.h"
#include "pages.h"

#define STACK_GUARD (1 << 20) /* never mapped below the main stack, as Linux's stack_guard_gap */
#define WX          (PROT_WRITE | PROT_EXEC)

static uint64_t heap_start, heap_end; /* brk's area; heap_end is not page-aligned */
static uint64_t app_low;  /* the lowest address of near RAM that a mapping of the application had */
static uint64_t mmap_top; /* mappings go below, also below an image that lies in the middle, or to
                             far RAM */

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

int64_t mm_map(uint64_t start, uint64_t len, int prot)
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

/* What the monitor knows of START..END, which lie in one part of RAM: in one call, as a call costs
 * more than doing it to what lies between as well. */
static int64_t unmap_part(uint64_t start, uint64_t end)
{
    uint64_t from = 0, to = 0;

    for (const struct vma *vma = vma_after(start); vma && vma->start < end;
         vma = vma_after(vma->end)) {
        if (vma->fresh)
            continue;
        if (!to)
            from = vma->start > start ? vma->start : start;
        to = vma->end < end ? vma->end : end;
    }
    return to ? HYPERCALL(HUSK_OP_UNMAP, from, to - from) : 0;
}

static int64_t unmap_known(uint64_t start, uint64_t end)
{
    uint64_t far = BOOT->far_start;
    int64_t ret = unmap_part(start, end < far ? end : far);

    return ret < 0 ? ret : unmap_part(start > far ? start : far, end);
}

int64_t mm_unmap(uint64_t start, uint64_t len)
{
    int64_t ret;

    if (vma_free(start, start + len))
        return 0;
    if (vma_split(start) < 0 || vma_split(start + len) < 0)
        return -ENOMEM;
    ret = unmap_known(start, start + len);
    vma_remove(start, start + len);
    return ret;
}

void mm_record_prot(uint64_t start, uint64_t len, int prot)
{
    if (vma_split(start) < 0 || vma_split(start + len) < 0)
        return;
    for (uint64_t at = start; at < start + len;) {
        struct vma *vma = vma_after(at);

        vma->prot = prot;
        at = vma->end;
    }
    vma_join(start, start + len);
}

bool mm_in_ram(uint64_t start, uint64_t len)
{
    if (start >= BOOT->far_start)
        return start < BOOT->far_end && len <= BOOT->far_end - start;
    return start >= HUSK_NULL_GUARD && start < BOOT->ram_size && len <= BOOT->ram_size - start;
}

bool mm_is_free(uint64_t start, uint64_t len)
{
    return mm_in_ram(start, len) && (start >= BOOT->far_start || start + len <= mmap_top) &&
           vma_free(start, start + len);
}

/* The start of LEN free bytes, or 0. Near RAM is registered with KVM sooner and has huge pages;
 * what is only reserved should not take it from the heap. */
static uint64_t find_room(uint64_t len, bool reserved)
{
    bool far_first = reserved && len >= BOOT->ram_size / 8;
    uint64_t found = 0;

    if (far_first)
        found = vma_find_free(BOOT->far_start, BOOT->far_end, len);
    if (!found)
        found = vma_find_free(HUSK_NULL_GUARD, mmap_top, len);
    if (!found && !far_first)
        found = vma_find_free(BOOT->far_start, BOOT->far_end, len);
    return found;
}

uint64_t mm_find_room(uint64_t len, bool reserved)
{
    uint64_t found = find_room(len, reserved);

    if (found && found < BOOT->far_start && (!app_low || found < app_low))
        app_low = found;
    return found;
}

/* Not where the application has been if it can be helped, since that may go back there with
 * MAP_FIXED. */
uint64_t mm_find_own_room(uint64_t len)
{
    uint64_t found = vma_find_free(HUSK_NULL_GUARD, app_low ? app_low : mmap_top, len);

    return found ? found : find_room(len, false);
}

int64_t sys_brk(const struct call *call)
{
    uint64_t want = call->arg[0];
    uint64_t old_page = page_up(heap_end), new_page = page_up(want);

    if (want < heap_start || want > mmap_top)
        return heap_end;
    if (new_page > old_page && (!vma_free(old_page, new_page) ||
                                mm_map(old_page, new_page - old_page, PROT_READ | PROT_WRITE) < 0))
        return heap_end;
    if (new_page < old_page && mm_unmap(new_page, old_page - new_page) < 0)
        return heap_end;
    heap_end = want;
    return heap_end;
}

/* Where a new mapping goes: its start, or -errno. */
static int64_t place(uint64_t hint, uint64_t len, uint64_t flags, bool reserved)
{
    uint64_t found;

    if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
        if (hint % HUSK_PAGE_SIZE)
            return -EINVAL;
        if (hint < HUSK_NULL_GUARD)
            return -EPERM;
        if (!mm_in_ram(hint, len))
            return -ENOMEM;
        if (flags & MAP_FIXED_NOREPLACE && !vma_free(hint, hint + len))
            return -EEXIST;
        return hint;
    }
    hint = page_down(hint);
    if (mm_is_free(hint, len))
        return hint;
    found = mm_find_room(len, reserved);
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

/* A private mapping of such a file is a copy, which later changes of the file do not reach: that
 * may be so (mmap(2)). /dev/zero is as good as no file. */
static int64_t map_local(uint64_t start, uint64_t len, int prot, struct file *file, uint64_t offset)
{
    bool zero = file->system == FS_SYNTHETIC && file->synthetic.entry->kind == SYNTHETIC_ZERO;
    int64_t ret;

    if (zero)
        return mm_map(start, len, prot);
    if (file->system != FS_TMPFS)
        return -ENODEV;
    ret = mm_map(start, len, PROT_READ | PROT_WRITE);
    if (ret < 0)
        return ret;
    ret = read_file(start, len, file, offset);
    if (ret == 0 && prot != (PROT_READ | PROT_WRITE)) {
        ret = HYPERCALL(HUSK_OP_PROTECT, start, len, prot);
        mm_record_prot(start, len, prot);
    }
    if (ret < 0)
        mm_unmap(start, len);
    return ret;
}

int64_t mm_map_file(uint64_t start, uint64_t len, int prot, struct file *file, uint64_t offset,
                    bool shared)
{
    const struct vma vma = {.start = start,
                            .end = start + len,
                            .prot = prot,
                            .shared = shared,
                            .file = file,
                            .offset = offset};
    int64_t ret, number;

    if (file->system != FS_HOST && !(shared && file->system == FS_TMPFS))
        return map_local(start, len, prot, file, offset);
    ret = vma_insert(&vma);
    if (ret < 0)
        return ret;
    file_hold(file);
    if (shared)
        hypercall_tell(TELLING_MEMORY);
    /* Now that the range is taken: this needs room, too. */
    number = file->system == FS_TMPFS ? tmpfs_share(file->node) : file->handle;
    ret =
        number < 0 ? number : HYPERCALL(HUSK_OP_MAPFILE, start, len, number, offset, prot, shared);
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

static bool is_stack(uint64_t flags, int prot, bool shared)
{
    return flags & MAP_STACK && !shared && (prot == PROT_NONE || prot == (PROT_READ | PROT_WRITE));
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
    if (len < call->arg[1] || flags & MAP_HUGETLB)
        return -ENOMEM;
    if ((prot & WX) == WX)
        return -EACCES;
    start = place(call->arg[0], len, flags, prot == PROT_NONE && !file);
    if (start < 0)
        return start;
    ret = mm_unmap(start, len);
    if (ret == 0)
        ret = file                            ? mm_map_file(start, len, prot, file, offset, shared)
              : is_stack(flags, prot, shared) ? lazy_map(start, len, prot)
                                              : mm_map(start, len, prot);
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
    if (start > LINUX_END || len > LINUX_END - start)
        return -EINVAL;
    return mm_unmap(start, len);
}

static int64_t protect_piece(struct vma *vma, int prot)
{
    uint64_t len = vma->end - vma->start;
    int64_t ret = 0;

    if (vma->shared && vma->file && prot & PROT_WRITE && (vma->file->flags & O_ACCMODE) != O_RDWR)
        return -EACCES;
    if (vma->fresh && vma->lazy && prot == (PROT_READ | PROT_WRITE))
        return lazy_permit(vma);
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
    int64_t ret = 0;

    if (start % HUSK_PAGE_SIZE || prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC))
        return -EINVAL;
    if (len == 0)
        return call->arg[1] ? -ENOMEM : 0;
    if ((prot & WX) == WX)
        return -EACCES;
    if (end < start || !vma_covers(start, end) || vma_split(start) < 0 || vma_split(end) < 0)
        return -ENOMEM;
    for (uint64_t at = start; at < end && ret == 0;) {
        struct vma *vma = vma_after(at);

        at = vma->end;
        ret = protect_piece(vma, prot);
    }
    vma_join(start, end);
    return ret;
}

static int64_t discard(uint64_t start, uint64_t end)
{
    int64_t ret = 0;

    while (start < end && ret == 0) {
        const struct vma *vma = vma_after(start);
        uint64_t next;

        if (!vma || vma->start >= end)
            break;
        start = vma->start > start ? vma->start : start;
        next = vma->end < end ? vma->end : end;
        if (!vma->fresh && !lazy_forget(vma, start, next))
            ret = HYPERCALL(HUSK_OP_DISCARD, start, next - start);
        start = next;
    }
    return ret;
}

/* MADV_REMOVE: a hole in the file. */
static int64_t remove_pages(uint64_t start, uint64_t end)
{
    int64_t ret = 0;

    while (start < end && ret == 0) {
        const struct vma *vma = vma_after(start);
        uint64_t next;

        if (!vma || vma->start > start)
            return -ENOMEM;
        if (!vma->shared || !vma->file || (vma->file->flags & O_ACCMODE) != O_RDWR)
            return -EINVAL;
        next = vma->end < end ? vma->end : end;
        ret = FILE_CALL(HUSK_OP_ALLOCATE, vma->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                        vma->offset + (start - vma->start), next - start);
        start = next;
    }
    return ret;
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
        ret = discard(start, end);
    if (call->arg[2] == MADV_REMOVE)
        return remove_pages(start, end);
    return vma_covers(start, end) ? ret : -ENOMEM;
}

/* Memory for guest-rt itself comes from the same place as the application's. */
void *rt_pages_alloc(size_t bytes)
{
    uint64_t len = page_up(bytes), start = mm_find_own_room(len);

    return start && mm_map(start, len, PROT_READ | PROT_WRITE) == 0 ? (void *)start : NULL;
}

/* The page below it stays free: a reservation costs no exit. */
void *rt_stack_alloc(size_t bytes)
{
    uint64_t len = page_up(bytes), guard = mm_find_own_room(HUSK_PAGE_SIZE + len);

    if (!guard || mm_map(guard, HUSK_PAGE_SIZE, PROT_NONE) < 0)
        return NULL;
    if (mm_map(guard + HUSK_PAGE_SIZE, len, PROT_READ | PROT_WRITE) < 0) {
        vma_remove(guard, guard + HUSK_PAGE_SIZE);
        return NULL;
    }
    return (void *)(guard + HUSK_PAGE_SIZE);
}

void rt_stack_free(void *stack, size_t bytes)
{
    mm_unmap((uint64_t)stack - HUSK_PAGE_SIZE, HUSK_PAGE_SIZE + page_up(bytes));
}

void rt_pages_free(void *pages, size_t bytes)
{
    mm_unmap((uint64_t)pages, page_up(bytes));
}
