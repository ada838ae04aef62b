/* SPDX-License-Identifier: ISC */
#include "vma.h"

#define VMA_MAX  65530 /* as Linux's default vm.max_map_count */
#define WRITABLE HUSK_PROT_WRITE

static struct vma table[VMA_MAX];
static size_t count;

static size_t index_after(uint64_t addr)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (table[middle].end > addr)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

struct vma *vma_after(uint64_t addr)
{
    size_t at = index_after(addr);

    return at < count ? &table[at] : NULL;
}

bool vma_free(uint64_t start, uint64_t end)
{
    const struct vma *vma = vma_after(start);

    return !vma || vma->start >= end;
}

bool vma_covers(uint64_t start, uint64_t end)
{
    for (size_t at = index_after(start); at < count && table[at].start <= start; at++) {
        start = table[at].end;
        if (start >= end)
            return true;
    }
    return false;
}

static void open_slot(size_t at)
{
    memmove(&table[at + 1], &table[at], (count - at) * sizeof(table[0]));
    count++;
}

static void close_slots(size_t at, size_t slots)
{
    memmove(&table[at], &table[at + slots], (count - at - slots) * sizeof(table[0]));
    count -= slots;
}

static bool alike(const struct vma *a, const struct vma *b)
{
    /* What the monitor knows is memory like any other. */
    return a->prot == b->prot && a->fresh == b->fresh && (a->lazy == b->lazy || !a->fresh) &&
           !a->file && !b->file;
}

int vma_insert(const struct vma *vma)
{
    size_t at = index_after(vma->start);
    bool joins_left = at > 0 && table[at - 1].end == vma->start && alike(&table[at - 1], vma);
    bool joins_right = at < count && table[at].start == vma->end && alike(&table[at], vma);

    if (joins_left && joins_right) {
        table[at - 1].end = table[at].end;
        close_slots(at, 1);
    } else if (joins_left) {
        table[at - 1].end = vma->end;
    } else if (joins_right) {
        table[at].start = vma->start;
    } else {
        if (count == VMA_MAX)
            return -ENOMEM;
        open_slot(at);
        table[at] = *vma;
    }
    return 0;
}

int vma_split(uint64_t addr)
{
    size_t at = index_after(addr);

    if (at == count || table[at].start >= addr)
        return 0;
    if (count == VMA_MAX)
        return -ENOMEM;
    open_slot(at);
    table[at].end = addr;
    table[at + 1].start = addr;
    table[at + 1].offset += addr - table[at].start;
    if (table[at].file)
        file_hold(table[at].file);
    return 0;
}

void vma_join(uint64_t start, uint64_t end)
{
    size_t at = start > 0 ? index_after(start - 1) : 0;

    while (at + 1 < count && table[at].end <= end) {
        if (table[at].end == table[at + 1].start && alike(&table[at], &table[at + 1])) {
            table[at].end = table[at + 1].end;
            close_slots(at + 1, 1);
        } else {
            at++;
        }
    }
}

/* Take out mappings without a file from AT on, up to END, and the next. Its file, or NULL: there is
 * none below END. */
static struct file *take_out(size_t at, uint64_t end)
{
    size_t last = at;
    struct file *file;

    while (last < count && table[last].start < end && !table[last].file)
        last++;
    file = last < count && table[last].start < end ? table[last].file : NULL;
    close_slots(at, last - at + (file != NULL));
    return file;
}

/* A file that is released may have had mappings of guest-rt's own: the table changes. */
int vma_remove(uint64_t start, uint64_t end)
{
    struct file *file;

    if (vma_split(start) < 0 || vma_split(end) < 0)
        return -ENOMEM;
    while ((file = take_out(index_after(start), end)))
        file_release(file);
    return 0;
}

uint64_t vma_find_free(uint64_t low, uint64_t high, uint64_t len)
{
    for (size_t at = index_after(high); low < high && high - low >= len; at--) {
        uint64_t gap_end = at < count && table[at].start < high ? table[at].start : high;
        uint64_t gap_start = at > 0 ? table[at - 1].end : low;

        if (gap_start < low)
            gap_start = low;
        if (gap_end > gap_start && gap_end - gap_start >= len)
            return gap_end - len;
        if (at == 0)
            break;
        high = gap_start;
    }
    return 0;
}

uint64_t vma_total(void)
{
    uint64_t total = 0;

    for (size_t at = 0; at < count; at++)
        total += table[at].end - table[at].start;
    return total;
}

uint64_t vma_held(void)
{
    uint64_t total = 0;

    for (size_t at = 0; at < count; at++)
        if (!table[at].fresh &&
            (!table[at].file || (!table[at].shared && table[at].prot & WRITABLE)))
            total += table[at].end - table[at].start;
    return total;
}
