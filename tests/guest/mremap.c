/* SPDX-License-Identifier: ISC */
/* mremap: growing in place, growing by moving, shrinking, to a given address, the errors. */
#include "check.h"
#include "memory.h"

#include <stdint.h>

enum { READ_WRITE = PROT_READ | PROT_WRITE };

static void check_growing(void)
{
    char *area = map_pages(8, READ_WRITE);

    munmap(area + 4 * PAGE, 4 * PAGE);
    memset(area, 1, 4 * PAGE);
    check(mremap(area, 4 * PAGE, 8 * PAGE, 0) == area, "grows in place where pages are free");
    check(holds_only(area, 1, 4 * PAGE), "keeps its contents");
    check(holds_only(area + 4 * PAGE, 0, 4 * PAGE), "new pages are zero");

    memset(area, 2, 8 * PAGE);
    check_error((long)mremap(area, 4 * PAGE, 6 * PAGE, 0), ENOMEM, "growing into mapped pages");
    char *moved = mremap(area, 4 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
    check(moved != MAP_FAILED && moved != area, "grows by moving");
    check(holds_only(moved, 2, 4 * PAGE) && holds_only(moved + 4 * PAGE, 0, 60 * PAGE),
          "moved contents are kept, the rest is zero");
    check(!is_readable(area) && !is_readable(area + 3 * PAGE), "the old place is free");
    check(holds_only(area + 4 * PAGE, 2, 4 * PAGE), "its neighbours are whole");
    munmap(area + 4 * PAGE, 4 * PAGE);
    munmap(moved, 64 * PAGE);
}

static void check_shrinking(void)
{
    char *area = map_pages(6, READ_WRITE);

    memset(area, 3, 6 * PAGE);
    check(mremap(area, 6 * PAGE, 2 * PAGE, 0) == area, "shrinks in place");
    check(holds_only(area, 3, 2 * PAGE), "keeps the start");
    check(!is_readable(area + 2 * PAGE) && !is_readable(area + 5 * PAGE), "frees the end");
    check(mremap(area, 2 * PAGE, 2 * PAGE, 0) == area, "the same size is the same place");
    check(mremap(area, PAGE + 1, PAGE + 1, MREMAP_MAYMOVE) == area, "sizes are rounded up");
    munmap(area, 2 * PAGE);
}

static void check_fixed(void)
{
    char *from = map_pages(2, READ_WRITE);
    char *to = map_pages(6, PROT_NONE);

    memset(from, 4, 2 * PAGE);
    check(mremap(from, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + PAGE) == to + PAGE,
          "moves to the address given");
    check(holds_only(to + PAGE, 4, 2 * PAGE) && holds_only(to + 3 * PAGE, 0, 2 * PAGE),
          "contents come along");
    check(!is_readable(from), "the old place is free");
    check(!is_readable(to) && !is_readable(to + 5 * PAGE), "what surrounds the new place stays");
    munmap(to, 6 * PAGE);
}

static void check_rights(void)
{
    char *area = map_pages(2, READ_WRITE);

    memset(area, 5, 2 * PAGE);
    mprotect(area, 2 * PAGE, PROT_READ);
    area = mremap(area, 2 * PAGE, 32 * PAGE, MREMAP_MAYMOVE);
    check(holds_only(area, 5, 2 * PAGE), "read-only memory moves");
    check(!is_writable(area) && !is_writable(area + 31 * PAGE), "and stays read-only");
    munmap(area, 32 * PAGE);
}

static void check_errors(void)
{
    char *area = map_pages(4, READ_WRITE);
    char *hole = area + 3 * PAGE;
    volatile size_t beyond_all = (size_t)1 << 47;

    munmap(hole, PAGE);
    check_error((long)mremap(area, PAGE, 0, MREMAP_MAYMOVE), EINVAL, "new size 0");
    check_error((long)mremap(area + 1, PAGE, PAGE, MREMAP_MAYMOVE), EINVAL, "odd address");
    check_error((long)mremap(area, PAGE, PAGE, 64), EINVAL, "unknown flag");
    check_error((long)mremap(area, PAGE, PAGE, MREMAP_FIXED, hole), EINVAL, "fixed, not movable");
    check_error((long)mremap(area, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, hole + 1), EINVAL,
                "fixed at an odd address");
    check_error((long)mremap(area, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, area + PAGE),
                EINVAL, "fixed onto itself");
    check_error((long)mremap(hole, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT, "what is not mapped");
    check(mremap(area, PAGE, beyond_all, MREMAP_MAYMOVE) == MAP_FAILED, "128 TiB are refused");
    check(is_writable(area), "errors leave the memory mapped");
    munmap(area, 3 * PAGE);
}

/* What realloc does with a growing block. */
static void check_doubling(void)
{
    size_t pages = 1;
    uint32_t *words = map_pages(pages, READ_WRITE);
    bool kept = true;

    for (; pages < 4096; pages *= 2) {
        size_t count = pages * PAGE / sizeof *words;
        for (size_t i = count / 2; i < count; i++)
            words[i] = (uint32_t)i;
        words = mremap(words, pages * PAGE, 2 * pages * PAGE, MREMAP_MAYMOVE);
        for (size_t i = PAGE / sizeof *words / 2; i < count; i += 61)
            kept &= words[i] == i;
    }
    check(kept, "doubled to 16 MiB without a loss");
    munmap(words, pages * PAGE);
}

int main(void)
{
    check_growing();
    check_shrinking();
    check_fixed();
    check_rights();
    check_errors();
    check_doubling();
    return exit_status();
}
