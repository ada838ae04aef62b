/* SPDX-License-Identifier: ISC */
#include "lazy.h"

#include <linux/mman.h>

#define READ_WRITE   (PROT_READ | PROT_WRITE)
#define PIECE        (256 << 10)
#define SIZE_EVENT   12  /* struct epoll_event */
#define SIZE_TIMES   32  /* struct timespec[2] */
#define SIZE_STATFS  120 /* struct statfs */
#define SIZE_TERMIOS 36  /* and what else ioctl_tty(2) copies, which is less */

bool lazy_there;

/* START..END of a fresh mapping, which may go on at both sides: a neighbour may be alike. */
static int64_t tell(uint64_t start, uint64_t end)
{
    int64_t ret = vma_split(start);

    if (ret == 0)
        ret = vma_split(end);
    if (ret == 0)
        ret = HYPERCALL(HUSK_OP_MAP, start, end - start, READ_WRITE);
    if (ret == 0)
        vma_after(start)->fresh = false;
    vma_join(start, end);
    return ret;
}

static int64_t tell_last_piece(uint64_t start, uint64_t end)
{
    return tell(end - start > PIECE ? end - PIECE : start, end);
}

int64_t lazy_map(uint64_t start, uint64_t len, int prot)
{
    const struct vma vma = {
        .start = start, .end = start + len, .prot = prot, .fresh = true, .lazy = true};
    int64_t ret = vma_insert(&vma);

    lazy_there = true;
    if (ret < 0 || prot == PROT_NONE)
        return ret;
    ret = tell_last_piece(start, start + len);
    if (ret < 0)
        vma_remove(start, start + len);
    return ret;
}

static bool overlaps(uint64_t start, uint64_t end, uint64_t low, uint64_t high)
{
    return start < high && low < end;
}

/* The image and the main stack are more than their table entry says. Little is not worth that it
 * has to be mapped again; so is the last piece of a stack. */
static bool may_forget(const struct vma *vma, uint64_t start, uint64_t end)
{
    return !vma->fresh && !vma->file && !vma->shared && vma->prot == READ_WRITE &&
           end - start > PIECE && !overlaps(start, end, BOOT->image_start, BOOT->image_end) &&
           !overlaps(start, end, BOOT->stack_low, BOOT->stack_top);
}

bool lazy_forget(const struct vma *vma, uint64_t start, uint64_t end)
{
    struct vma *part;

    if (!may_forget(vma, start, end) || vma_split(start) < 0 || vma_split(end) < 0)
        return false;
    lazy_there = true;
    HYPERCALL(HUSK_OP_UNMAP, start, end - start);
    part = vma_after(start);
    part->fresh = part->lazy = true;
    vma_join(start, end);
    return true;
}

int64_t lazy_permit(struct vma *vma)
{
    uint64_t start = vma->start, end = vma->end;
    int64_t ret;

    if (vma->prot == READ_WRITE)
        return 0;
    vma->prot = READ_WRITE;
    ret = tell_last_piece(start, end);
    if (ret < 0)
        mm_record_prot(start, end - start, PROT_NONE);
    return ret;
}

/* Let the monitor know the pages of START..END that lie in the same mapping as ADDR, if that is one
 * that it does not know. False if it is not, or there is no memory. */
static bool reach(uint64_t addr, uint64_t start, uint64_t end)
{
    const struct vma *vma = lazy_there ? vma_after(addr) : NULL;

    if (!vma || addr < vma->start || !vma->lazy || !vma->fresh || vma->prot != READ_WRITE)
        return false;
    start = start > vma->start ? page_down(start) : vma->start;
    end = end < vma->end ? page_up(end) : vma->end;
    return tell(start, end) == 0;
}

bool lazy_reach(uint64_t addr)
{
    uint64_t piece = addr - addr % PIECE;

    return reach(addr, piece, piece + PIECE) || reach(addr, addr, addr + 1);
}

void lazy_reach_range(uint64_t addr, uint64_t len)
{
    uint64_t end = addr + len < addr ? UINT64_MAX : addr + len;

    while (lazy_there && addr < end) {
        const struct vma *vma = vma_after(addr);
        uint64_t next;

        if (!vma || vma->start > addr)
            return;
        next = vma->end;
        if (vma->fresh && !reach(addr, addr, end)) {
            if (!lazy_reach(addr))
                return;
            next = vma_after(addr)->end; /* as far as there is memory */
        }
        addr = next;
    }
}

static void reach_vector(uint64_t addr, uint64_t count)
{
    struct husk_iovec piece;

    for (uint64_t i = 0; i < count && i < HUSK_IOV_MAX; i++) {
        if (user_read(&piece, addr + i * sizeof(piece)) < 0)
            return;
        lazy_reach_range(piece.base, piece.len);
    }
}

static void reach_messages(const struct husk_message *messages, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        reach_vector(messages[i].iov, messages[i].iov_count);
        lazy_reach_range(messages[i].name, messages[i].name_size);
    }
}

void lazy_reach_arguments(enum husk_op op, const uint64_t arg[6])
{
    switch (op) {
    case HUSK_OP_READ:
    case HUSK_OP_WRITE:
    case HUSK_OP_GETDENTS:
    case HUSK_OP_BIND:
    case HUSK_OP_CONNECT:
    case HUSK_OP_ACCEPT:
        lazy_reach_range(arg[1], arg[2]);
        break;
    case HUSK_OP_READV:
    case HUSK_OP_WRITEV:
        reach_vector(arg[1], arg[2]);
        break;
    case HUSK_OP_SEND:
    case HUSK_OP_RECEIVE:
        reach_messages((const struct husk_message *)arg[1], arg[2]);
        break;
    case HUSK_OP_RANDOM:
        lazy_reach_range(arg[0], arg[1]);
        break;
    case HUSK_OP_NAME:
        lazy_reach_range(arg[2], arg[3]);
        break;
    case HUSK_OP_GETOPT:
    case HUSK_OP_SETOPT:
    case HUSK_OP_READLINK:
    case HUSK_OP_SYMLINK:
        lazy_reach_range(arg[3], arg[4]);
        break;
    case HUSK_OP_EVENTS:
        lazy_reach_range(arg[1], arg[2] * SIZE_EVENT);
        break;
    case HUSK_OP_STATFS:
        lazy_reach_range(arg[3], SIZE_STATFS);
        break;
    case HUSK_OP_UTIMES:
        lazy_reach_range(arg[3], SIZE_TIMES);
        break;
    case HUSK_OP_TTY:
        lazy_reach_range(arg[2], SIZE_TERMIOS);
        break;
    default: /* none that is the application's, or guest-rt reads or writes all of it first */
        break;
    }
}
