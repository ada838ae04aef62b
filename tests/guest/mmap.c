/* SPDX-License-Identifier: ISC */
/* Anonymous private mappings: where they go, what they hold, what unmapping leaves, the errors. */
#include "check.h"
#include "memory.h"

#include <stdint.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

enum { ANONYMOUS = MAP_PRIVATE | MAP_ANONYMOUS, READ_WRITE = PROT_READ | PROT_WRITE, MANY = 300 };

static void check_placement(void)
{
    char *area = map_pages(8, PROT_NONE);

    check(area != MAP_FAILED && (uintptr_t)area % PAGE == 0, "a mapping starts at a page");
    check(mmap(area + PAGE, PAGE, READ_WRITE, ANONYMOUS | MAP_FIXED, -1, 0) == area + PAGE,
          "MAP_FIXED replaces a page");
    check(!is_readable(area) && is_writable(area + PAGE) && !is_readable(area + 2 * PAGE),
          "and only that page");
    check_error((long)mmap(area + PAGE, PAGE, READ_WRITE, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0),
                EEXIST, "MAP_FIXED_NOREPLACE on a mapped page");
    munmap(area, 8 * PAGE);
    check(mmap(area, PAGE, READ_WRITE, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == area,
          "MAP_FIXED_NOREPLACE takes free pages");
    munmap(area, PAGE);
    check(mmap(area, PAGE, READ_WRITE, ANONYMOUS, -1, 0) == area, "a hint to free pages is taken");
    char *other = mmap(area, PAGE, READ_WRITE, ANONYMOUS, -1, 0);
    check(other != MAP_FAILED && other != area, "a hint to mapped pages is not");
    munmap(area, PAGE);
    munmap(other, PAGE);
}

static void check_protection(void)
{
    char *page = map_pages(1, PROT_NONE);

    check(!is_readable(page), "PROT_NONE cannot be read");
    check(mprotect(page, PAGE, READ_WRITE) == 0 && holds_only(page, 0, PAGE),
          "PROT_NONE made writable is zero");
    memset(page, 7, PAGE);
    check(mprotect(page, PAGE, PROT_READ) == 0 && !is_writable(page), "PROT_READ is not writable");
    check(holds_only(page, 7, PAGE), "contents stay");
    munmap(page, PAGE);
    check(!is_readable(page), "after munmap it cannot be read");
}

static void check_unmapping(void)
{
    char *area = map_pages(5, READ_WRITE);

    memset(area, 9, 5 * PAGE);
    check(munmap(area + PAGE, 2 * PAGE) == 0, "munmap of two pages in the middle");
    check(!is_readable(area + PAGE) && !is_readable(area + 2 * PAGE), "they are gone");
    check(holds_only(area, 9, PAGE) && holds_only(area + 3 * PAGE, 9, 2 * PAGE),
          "their neighbours are whole");
    check(munmap(area + PAGE, PAGE) == 0, "munmap of nothing succeeds");
    mmap(area + PAGE, 2 * PAGE, READ_WRITE, ANONYMOUS | MAP_FIXED, -1, 0);
    check(holds_only(area + PAGE, 0, 2 * PAGE), "mapped again they are zero");
    check(munmap(area, 1) == 0 && !is_readable(area) && is_readable(area + PAGE),
          "a length of 1 means one page");
    munmap(area, 5 * PAGE);
}

/* Every second page of a run, released and taken again: the bookkeeping of many small pieces. */
static void check_pieces(void)
{
    char *area = map_pages(MANY, READ_WRITE);
    bool kept = true, gone = true, zero = true;

    for (int i = 0; i < MANY; i++)
        memset(area + i * PAGE, i % 255 + 1, PAGE);
    for (int i = 1; i < MANY; i += 2)
        munmap(area + (i * 7 + 1) / 2 * 2 % MANY * PAGE + PAGE, PAGE);
    for (int i = 0; i < MANY; i += 2) {
        kept &= holds_only(area + i * PAGE, (unsigned char)(i % 255 + 1), PAGE);
        gone &= !is_readable(area + (i + 1) * PAGE);
    }
    check(kept, "%d pages are kept", MANY / 2);
    check(gone, "%d pages between them are gone", MANY / 2);
    for (int i = 1; i < MANY; i += 2) {
        char *page = mmap(area + i * PAGE, PAGE, READ_WRITE, ANONYMOUS | MAP_FIXED, -1, 0);
        zero &= page == area + i * PAGE && holds_only(page, 0, PAGE);
    }
    check(zero, "they come back as zero");
    munmap(area, MANY * PAGE);
    check(!is_readable(area) && !is_readable(area + (MANY - 1) * PAGE), "one munmap takes all");
}

static void check_flags(void)
{
    static const struct {
        const char *name;
        int flag;
    } flags[] = {
        {"MAP_NORESERVE", MAP_NORESERVE}, {"MAP_STACK", MAP_STACK}, {"MAP_POPULATE", MAP_POPULATE}};

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        char *area = mmap(NULL, 16 * PAGE, READ_WRITE, ANONYMOUS | flags[i].flag, -1, 0);
        check(area != MAP_FAILED && holds_only(area, 0, 16 * PAGE), "%s works", flags[i].name);
        munmap(area, 16 * PAGE);
    }
}

static void check_errors(void)
{
    char *page = map_pages(1, READ_WRITE);
    volatile size_t beyond_all = (size_t)1 << 47;

    check_error((long)mmap(NULL, 0, READ_WRITE, ANONYMOUS, -1, 0), EINVAL, "length 0");
    check_error((long)mmap(NULL, beyond_all, READ_WRITE, ANONYMOUS, -1, 0), ENOMEM, "128 TiB");
    check_error(syscall(SYS_mmap, NULL, SIZE_MAX, READ_WRITE, ANONYMOUS, -1, 0), ENOMEM,
                "a length that overflows");
    check_error((long)mmap(page + 1, PAGE, READ_WRITE, ANONYMOUS | MAP_FIXED, -1, 0), EINVAL,
                "MAP_FIXED at an odd address");
    check_error((long)mmap(NULL, PAGE, READ_WRITE, MAP_ANONYMOUS, -1, 0), EINVAL,
                "neither private nor shared");
    check_error((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0), EBADF, "a file, but none");
    check_error(syscall(SYS_mmap, NULL, PAGE, PROT_READ, ANONYMOUS, -1, 1), EINVAL, "odd offset");
    check_error(munmap(page + 1, PAGE), EINVAL, "munmap at an odd address");
    check_error(munmap(page, 0), EINVAL, "munmap of length 0");
    check_error(munmap(page, beyond_all), EINVAL, "munmap beyond the address space");
    check(is_writable(page), "errors leave the page mapped");
    munmap(page, PAGE);
}

int main(void)
{
    check_placement();
    check_protection();
    check_unmapping();
    check_pieces();
    check_flags();
    check_errors();
    return exit_status();
}
