/* SPDX-License-Identifier: ISC */
/* Address space that is only reserved: more than there is memory, made use of in pieces. */
#include "check.h"
#include "memory.h"

#include <stdint.h>
#include <stdlib.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

enum { ANONYMOUS = MAP_PRIVATE | MAP_ANONYMOUS, READ_WRITE = PROT_READ | PROT_WRITE };

static const size_t MIB = 1 << 20, GIB = 1 << 30;

static char *reserve(size_t size)
{
    return mmap(NULL, size, PROT_NONE, ANONYMOUS | MAP_NORESERVE, -1, 0);
}

static bool is_used(const char *start, const char *end)
{
    return is_readable(start) && is_readable(end - PAGE);
}

static void check_using(char *area, size_t size)
{
    char *middle = area + size / 2, *last = area + size - MIB;

    check(area != MAP_FAILED, "%zu GiB are reserved", size / GIB);
    check(!is_readable(area) && !is_readable(middle) && !is_readable(last), "they cannot be read");
    check(mprotect(area, MIB, READ_WRITE) == 0 && mprotect(middle, MIB, READ_WRITE) == 0 &&
              mprotect(last, MIB, READ_WRITE) == 0,
          "pieces are given rights");
    check(holds_only(area, 0, MIB) && holds_only(middle, 0, MIB) && holds_only(last, 0, MIB),
          "they are zero");
    memset(area, 1, MIB);
    memset(middle, 2, MIB);
    memset(last, 3, MIB);
    check(holds_only(area, 1, MIB) && holds_only(middle, 2, MIB) && holds_only(last, 3, MIB),
          "and hold what is written");
    check(!is_readable(area + MIB) && !is_readable(middle - PAGE) && !is_readable(middle + MIB) &&
              !is_readable(last - PAGE),
          "what lies between is still only reserved");
}

static void check_replacing(char *area)
{
    char *at = area + 16 * MIB;

    check(mmap(at, MIB, READ_WRITE, ANONYMOUS | MAP_FIXED, -1, 0) == at && is_used(at, at + MIB),
          "MAP_FIXED makes memory of a piece");
    check(!is_readable(at - PAGE) && !is_readable(at + MIB), "and of that piece only");
    memset(at, 4, MIB);
    check(mprotect(at, MIB, PROT_NONE) == 0 && !is_readable(at), "rights are taken away");
    check(mprotect(at, MIB, PROT_READ) == 0 && holds_only(at, 4, MIB), "and contents stay");
    check(mmap(at, MIB, PROT_NONE, ANONYMOUS | MAP_FIXED, -1, 0) == at && !is_readable(at),
          "MAP_FIXED makes a reservation of memory");
    check(mprotect(at, MIB, READ_WRITE) == 0 && holds_only(at, 0, MIB), "and contents go");
    check_error((long)mmap(at - PAGE, PAGE, READ_WRITE, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0),
                EEXIST, "MAP_FIXED_NOREPLACE on a reservation");
    check(munmap(at - PAGE, 3 * PAGE) == 0 && !is_readable(at + PAGE) && is_readable(at + 2 * PAGE),
          "munmap of reserved and used pages");
    check(mmap(at - PAGE, PAGE, READ_WRITE, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == at - PAGE,
          "MAP_FIXED_NOREPLACE then takes the page");
    check_error(mprotect(at - PAGE, 3 * PAGE, PROT_READ), ENOMEM, "mprotect over a hole");
}

static void check_mixed(char *area)
{
    char *at = area + 32 * MIB;

    mprotect(at + PAGE, PAGE, READ_WRITE);
    memset(at + PAGE, 5, PAGE);
    mprotect(at + 3 * PAGE, PAGE, PROT_READ);
    check(mprotect(at, 5 * PAGE, READ_WRITE) == 0, "mprotect over all kinds of pages");
    check(holds_only(at, 0, PAGE) && holds_only(at + PAGE, 5, PAGE) &&
              holds_only(at + 2 * PAGE, 0, 3 * PAGE),
          "contents are what they were");
    check(is_writable(at) && is_writable(at + 3 * PAGE) && !is_readable(at + 5 * PAGE),
          "and rights what was asked for");
    memset(at, 6, 5 * PAGE);
    check(madvise(at - 2 * PAGE, 9 * PAGE, MADV_DONTNEED) == 0 && holds_only(at, 0, 5 * PAGE),
          "MADV_DONTNEED of reserved and used pages");
    check(madvise(at + MIB, MIB, MADV_DONTNEED) == 0, "MADV_DONTNEED of a reservation");
    check(msync(at - PAGE, 3 * PAGE, MS_SYNC) == 0, "msync of both");
}

static void check_residence(char *area)
{
    unsigned char resident[3] = {9, 9, 9};
    char *at = area + 48 * MIB;

    mprotect(at + PAGE, PAGE, READ_WRITE);
    at[PAGE] = 1;
    check(mincore(at, 3 * PAGE, resident) == 0 && !(resident[0] & 1) && resident[1] & 1 &&
              !(resident[2] & 1),
          "mincore tells one from the other");
}

static void check_moving(char *area, size_t size)
{
    char *at = area + 64 * MIB, *moved;

    mprotect(at, MIB, READ_WRITE);
    memset(at, 7, MIB);
    moved = mremap(at, MIB, 2 * MIB, MREMAP_MAYMOVE);
    check(moved != MAP_FAILED && moved != at && holds_only(moved, 7, MIB) &&
              holds_only(moved + MIB, 0, MIB),
          "used pages of it move and grow");
    check(!is_readable(at), "their place is free");
    munmap(moved, 2 * MIB);
    at = area + 128 * MIB;
    moved = mremap(at, MIB, size / 2, MREMAP_MAYMOVE);
    check(moved != MAP_FAILED && moved != at && !is_readable(moved),
          "a reservation moves and grows");
    check(mprotect(moved + size / 2 - PAGE, PAGE, READ_WRITE) == 0 &&
              holds_only(moved + size / 2 - PAGE, 0, PAGE),
          "its end can be used");
    munmap(moved, size / 2);
    mprotect(area + 160 * MIB, PAGE, READ_WRITE);
    memset(area + 160 * MIB, 8, PAGE);
    mprotect(area + 160 * MIB, PAGE, PROT_NONE);
    moved = mremap(area + 160 * MIB, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, area + 128 * MIB);
    check(moved == area + 128 * MIB && mprotect(moved, PAGE, PROT_READ) == 0 &&
              holds_only(moved, 8, PAGE),
          "contents without rights move");
}

/* What allocators do: an aligned arena out of a larger reservation, then a heap in it. */
static void check_arena(void)
{
    size_t size = 64 * MIB;
    char *area = reserve(2 * size), *end = area + 2 * size;
    char *arena = (char *)(((uintptr_t)area + size - 1) / size * size);
    bool good = true;

    if (arena > area)
        munmap(area, (size_t)(arena - area));
    if (end > arena + size)
        munmap(arena + size, (size_t)(end - arena - (long)size));
    for (size_t used = 0; used < 2 * MIB; used += 16 * PAGE) {
        good &= mprotect(arena + used, 16 * PAGE, READ_WRITE) == 0;
        memset(arena + used, (int)(used / PAGE), 16 * PAGE);
    }
    for (size_t used = 0; used < 2 * MIB; used += 16 * PAGE)
        good &= holds_only(arena + used, (unsigned char)(used / PAGE), 16 * PAGE);
    check(good, "a heap grows in an aligned arena");
    check(mmap(arena + MIB, MIB, PROT_NONE, ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) ==
                  arena + MIB &&
              !is_readable(arena + MIB) && is_readable(arena),
          "and shrinks");
    munmap(arena, size);
}

static void check_many(void)
{
    char *all[256];
    bool good = true;

    for (size_t i = 0; i < 256; i++) {
        all[i] = reserve(8 * MIB);
        good &= all[i] != MAP_FAILED && mprotect(all[i] + 4 * MIB, PAGE, READ_WRITE) == 0;
        if (good)
            all[i][4 * MIB] = (char)i;
    }
    for (size_t i = 0; i < 256; i++)
        good &= all[i][4 * MIB] == (char)i && munmap(all[i], 8 * MIB) == 0;
    check(good, "256 reservations of 8 MiB, one page of each used");
}

int main(void)
{
    char *large = reserve(2 * GIB), *small = reserve(GIB);

    check_using(large, 2 * GIB);
    check_using(small, GIB);
    check_replacing(small);
    check_mixed(small);
    check_residence(small);
    check(munmap(large, 2 * GIB) == 0 && !is_readable(large), "2 GiB are given back");
    check_moving(small, GIB);
    check(munmap(small, GIB) == 0 && !is_readable(small + 16 * MIB), "and the rest");
    check_arena();
    check_many();
    return exit_status();
}
