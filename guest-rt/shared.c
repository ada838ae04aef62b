/* SPDX-License-Identifier: ISC */
#include "shared.h"

#include <linux/mman.h>

#include "mm.h"

/* The first LEN bytes, at a place where nothing is: its address, or -errno. */
static int64_t show(uint64_t number, uint64_t len)
{
    const uint64_t start = mm_find_own_room(len);
    const struct vma vma = {.start = start, .end = start + len, .prot = PROT_READ | PROT_WRITE};
    int64_t ret = start ? vma_insert(&vma) : -ENOMEM;

    if (ret < 0)
        return ret;
    ret = HYPERCALL(HUSK_OP_MAPFILE, start, len, number, 0, vma.prot, 1);
    if (ret < 0)
        vma_remove(start, start + len);
    return ret < 0 ? ret : (int64_t)start;
}

int shared_pages_grow(struct shared_pages *pages, uint64_t bytes)
{
    uint64_t len = page_up(bytes);
    int64_t number = pages->number, start;

    if (!pages->bytes || len > pages->held)
        number = HYPERCALL(HUSK_OP_MEMORY, pages->bytes ? pages->number : HUSK_MEMORY_NEW, len);
    if (number >= 0 && pages->bytes && len > pages->held)
        pages->held = len;
    start = number < 0 ? number : show(number, len);

    if (start < 0) {
        if (number >= 0 && !pages->bytes)
            HYPERCALL(HUSK_OP_MEMORY, number, 0);
        return start;
    }
    if (pages->bytes)
        mm_unmap((uint64_t)pages->base, pages->bytes);
    *pages = (struct shared_pages){.base = (char *)start,
                                   .bytes = len,
                                   .held = pages->bytes ? pages->held : len,
                                   .number = number};
    return 0;
}

void shared_pages_free(struct shared_pages *pages)
{
    mm_unmap((uint64_t)pages->base, pages->bytes);
    HYPERCALL(HUSK_OP_MEMORY, pages->number, 0);
    pages->bytes = 0;
}
