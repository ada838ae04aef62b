/* SPDX-License-Identifier: ISC */
/* brk by the system call itself: musl's sbrk does not move the break. */
#include "check.h"
#include "memory.h"

#include <stdint.h>

enum { MANY_PAGES = 4096 };

static uintptr_t set_break(uintptr_t address)
{
    return (uintptr_t)syscall(SYS_brk, address);
}

static void check_growth(uintptr_t start)
{
    unsigned char *page = (unsigned char *)start;

    check(set_break(start + PAGE) == start + PAGE, "brk grew by %d", PAGE);
    check(set_break(0) == start + PAGE, "brk(0) tells the new break");
    check(holds_only(page, 0, PAGE), "new memory is zero");
    memset(page, 0xaa, PAGE);
    check(set_break(start + PAGE + 1) == start + PAGE + 1, "brk grew by 1");
    page[PAGE] = 0xbb;
    check(page[PAGE - 1] == 0xaa && page[PAGE] == 0xbb, "old and new page are usable");
    check(is_readable(page + PAGE), "the page of the break is mapped");
    check(!is_readable(page + 2 * PAGE), "the page after it is not");
}

static void check_shrinking(uintptr_t start)
{
    unsigned char *page = (unsigned char *)start;

    set_break(start + 3 * PAGE);
    memset(page, 0xcc, 3 * PAGE);
    check(set_break(start + PAGE) == start + PAGE, "brk shrank to one page");
    check(is_readable(page) && page[PAGE - 1] == 0xcc, "that page is kept");
    check(!is_readable(page + PAGE), "the next page is gone");
    check(set_break(start + 3 * PAGE) == start + 3 * PAGE, "brk grew again");
    check(page[0] == 0xcc && holds_only(page + PAGE, 0, 2 * PAGE), "regrown memory is zero");
}

static void check_refusals(uintptr_t start)
{
    uintptr_t before = set_break(0);

    check(set_break(1) == before, "a break below the heap is refused");
    check(set_break(UINTPTR_MAX) == before, "a break at the end of memory is refused");
    check(set_break((uintptr_t)1 << 46) == before, "a break 64 TiB up is refused");
    check(set_break(0) == before && before >= start, "refusals leave the break alone");
}

static void check_much(uintptr_t start)
{
    unsigned char *heap = (unsigned char *)start;
    unsigned sum = 0;

    set_break(start);
    check(set_break(start + MANY_PAGES * PAGE) == start + MANY_PAGES * PAGE, "brk grew by 16 MiB");
    for (size_t i = 0; i < MANY_PAGES; i++)
        heap[i * PAGE + i % PAGE] = (unsigned char)i;
    for (size_t i = 0; i < MANY_PAGES; i++)
        sum += heap[i * PAGE + i % PAGE];
    printf("sum over its pages: %u\n", sum);
    check(heap[PAGE] == 0 && heap[2 * PAGE - 1] == 0, "the rest of its pages is zero");
}

int main(void)
{
    static char output[BUFSIZ];

    setvbuf(stdout, output, _IOFBF, sizeof output); /* or libc might allocate a buffer meanwhile */
    uintptr_t original = set_break(0);
    uintptr_t start = (original + PAGE - 1) / PAGE * PAGE;
    check(set_break(start) == start, "the break moves to a page boundary");
    check_growth(start);
    check_shrinking(start);
    check_refusals(start);
    check_much(start);
    check(set_break(original) == original, "the break moves back to where it was");
    return exit_status();
}
