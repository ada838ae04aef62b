/* SPDX-License-Identifier: ISC */
#include "stacks.h"

#include <linux/mman.h>

#define READ_WRITE (PROT_READ | PROT_WRITE)
#define PIECE      (256 << 10)

bool stacks_there;

static uint64_t last_piece(uint64_t start, uint64_t end)
{
    return end - start > PIECE ? end - PIECE : start;
}

/* START..END is the end of a fresh mapping. */
static int64_t tell(uint64_t start, uint64_t end)
{
    int64_t ret = vma_split(start);

    if (ret == 0)
        ret = HYPERCALL(HUSK_OP_MAP, start, end - start, READ_WRITE);
    if (ret == 0)
        vma_after(start)->fresh = false;
    return ret;
}

int64_t stack_map(uint64_t start, uint64_t len, int prot)
{
    const struct vma vma = {
        .start = start, .end = start + len, .prot = prot, .fresh = true, .stack = true};
    int64_t ret = vma_insert(&vma);

    stacks_there = true;
    for (struct thread *thread = thread_after(NULL); thread; thread = thread_after(thread))
        thread->known.end = 0; /* these may be addresses that it knew */
    if (ret < 0 || prot == PROT_NONE)
        return ret;
    ret = tell(last_piece(start, start + len), start + len);
    if (ret < 0)
        vma_remove(start, start + len);
    return ret;
}

int64_t stack_permit(struct vma *vma)
{
    uint64_t start = vma->start, end = vma->end;
    int64_t ret;

    if (vma->prot == READ_WRITE)
        return 0;
    vma->prot = READ_WRITE;
    ret = tell(last_piece(start, end), end);
    if (ret < 0)
        mm_record_prot(start, end - start, PROT_NONE);
    return ret;
}

/* Let the monitor know all that lies above ADDR in a stack's part that it does not know, and as
 * much below as makes multiples of PIECE. False if there is no such part, or no memory. */
static bool reach(uint64_t addr, uint64_t piece)
{
    const struct vma *vma = stacks_there ? vma_after(addr) : NULL;
    uint64_t start = addr - addr % piece, end;

    if (!vma || addr < vma->start || !vma->stack || !vma->fresh || vma->prot != READ_WRITE)
        return false;
    if (start < vma->start)
        start = vma->start;
    end = vma->end;
    if (tell(start, end) < 0)
        return false;
    vma_join(start, end);
    return true;
}

bool stack_reach(uint64_t addr)
{
    return reach(addr, PIECE);
}

bool stack_reach_arguments(const struct call *call)
{
    bool reached = false;

    for (size_t i = 0; i < ARRAY_SIZE(call->arg); i++)
        reached |= reach(call->arg[i], HUSK_PAGE_SIZE);
    return reached;
}

void stack_look(uint64_t addr)
{
    const struct vma *vma;

    stack_reach(addr);
    vma = vma_after(addr);
    if (vma && addr >= vma->start && !vma->fresh)
        current->known = (struct range){vma->start, vma->end};
}
