/* SPDX-License-Identifier: ISC
 *
 * mremap(2). As a page has one address, moving is copying.
 */
#include <linux/mman.h>

#include "lazy.h"
#include "mm.h"
#include "signal.h"

#define READ_WRITE (PROT_READ | PROT_WRITE)
#define PIECE      (1 << 20)

/* Map a free range as a continuation of VMA: START shows what AT shows, or would if VMA were
 * longer. */
static int64_t map_like(const struct vma *vma, uint64_t at, uint64_t start, uint64_t len, int prot)
{
    if (!vma->file)
        return mm_map(start, len, prot);
    return mm_map_file(start, len, prot, vma->file, vma->offset + (at - vma->start), vma->shared);
}

/*
 * Move bytes for which there is no room twice: each piece of the old mapping goes when its copy is
 * there. After the first piece there is room for the next.
 */
static int64_t move_pieces(uint64_t old, uint64_t new, uint64_t len, uint64_t new_len)
{
    const struct vma vma = {.start = new, .end = new + new_len, .prot = READ_WRITE};
    uint64_t more = new_len - len, piece;
    int64_t ret = vma_insert(&vma);

    if (ret < 0)
        return ret;
    if (more > 0)
        ret = HYPERCALL(HUSK_OP_MAP, new + len, more, READ_WRITE);
    for (uint64_t done = 0; ret == 0 && done < len; done += piece) {
        piece = len - done < PIECE ? len - done : PIECE;
        ret = HYPERCALL(HUSK_OP_MAP, new + done, piece, READ_WRITE);
        if (ret < 0 && done > 0)
            rt_exit(0, SIGKILL); /* the host is out of memory */
        if (ret < 0)
            break;
        memcpy((void *)(new + done), (const void *)(old + done), piece);
        HYPERCALL(HUSK_OP_UNMAP, old + done, piece);
    }
    if (ret < 0)
        mm_unmap(new, new_len);
    return ret;
}

/* Copy to new pages what can be read. */
static int64_t move_copy(const struct vma *vma, uint64_t old, uint64_t new, uint64_t len,
                         uint64_t new_len)
{
    int64_t ret = map_like(vma, old, new, new_len, READ_WRITE);

    if (ret == -ENOMEM && !vma->file)
        return move_pieces(old, new, len, new_len);
    if (ret == 0 && user_copy((void *)new, (const void *)old, len) < 0) {
        mm_unmap(new, new_len);
        return -EFAULT;
    }
    return ret;
}

static int64_t move_contents(const struct vma *vma, uint64_t old, uint64_t new, uint64_t len,
                             uint64_t new_len)
{
    bool readable = vma->prot & PROT_READ;
    int64_t ret = readable ? 0 : HYPERCALL(HUSK_OP_PROTECT, old, len, PROT_READ);

    if (ret < 0)
        return ret;
    ret = move_copy(vma, old, new, len, new_len);
    if (ret < 0 && !readable)
        HYPERCALL(HUSK_OP_PROTECT, old, len, vma->prot);
    if (ret < 0 || vma->prot == READ_WRITE)
        return ret;
    ret = HYPERCALL(HUSK_OP_PROTECT, new, new_len, vma->prot);
    mm_record_prot(new, new_len, vma->prot);
    return ret;
}

static int64_t move_mapping(const struct vma *vma, uint64_t old, uint64_t old_len, uint64_t new,
                            uint64_t new_len)
{
    uint64_t common = old_len < new_len ? old_len : new_len;
    int64_t ret = vma->fresh || vma->shared ? map_like(vma, old, new, new_len, vma->prot)
                                            : move_contents(vma, old, new, common, new_len);

    if (ret < 0)
        return ret;
    mm_unmap(old, old_len);
    return (int64_t) new;
}

/* Does one mapping of the application's go from VMA to END? A file's may be several here. */
static bool is_one(const struct vma *vma, uint64_t end)
{
    while (vma->end < end) {
        const struct vma *next = vma_after(vma->end);

        if (!vma->file || !next || next->start != vma->end || next->file != vma->file ||
            next->shared != vma->shared || next->prot != vma->prot ||
            next->offset != vma->offset + (vma->end - vma->start))
            return false;
        vma = next;
    }
    return true;
}

int64_t sys_mremap(const struct call *call)
{
    uint64_t old = call->arg[0], old_len = page_up(call->arg[1]);
    uint64_t len = page_up(call->arg[2]), flags = call->arg[3], to = call->arg[4];
    const struct vma *found;
    struct vma vma;
    int64_t ret;

    if (old % HUSK_PAGE_SIZE || len == 0 || old_len == 0 ||
        flags & ~(uint64_t)(MREMAP_MAYMOVE | MREMAP_FIXED) ||
        (flags & MREMAP_FIXED && !(flags & MREMAP_MAYMOVE)))
        return -EINVAL;
    if (len > LINUX_END || old_len > LINUX_END)
        return -ENOMEM;
    found = vma_after(old);
    if (!found || found->start > old)
        return -EFAULT;
    if (len <= old_len && !(flags & MREMAP_FIXED)) {
        ret = len < old_len ? mm_unmap(old + len, old_len - len) : 0;
        return ret < 0 ? ret : (int64_t)old;
    }
    lazy_reach_range(old, old_len);
    found = vma_after(old);
    if (!is_one(found, old + old_len))
        return -EFAULT;
    vma = *found;
    if (flags & MREMAP_FIXED) {
        if (to % HUSK_PAGE_SIZE || !mm_in_ram(to, len) || (to < old + old_len && old < to + len))
            return -EINVAL;
        ret = mm_unmap(to, len);
        return ret < 0 ? ret : move_mapping(&vma, old, old_len, to, len);
    }
    if (mm_in_ram(old, len) && mm_is_free(old + old_len, len - old_len)) {
        ret = map_like(&vma, old + old_len, old + old_len, len - old_len, vma.prot);
        return ret < 0 ? ret : (int64_t)old;
    }
    if (!(flags & MREMAP_MAYMOVE))
        return -ENOMEM;
    to = mm_find_room(len, vma.fresh);
    return to ? move_mapping(&vma, old, old_len, to, len) : -ENOMEM;
}
