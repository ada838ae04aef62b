/* SPDX-License-Identifier: ISC */
/* madvise: MADV_DONTNEED empties anonymous memory, other advice changes nothing that can be seen.
 */
#include "check.h"
#include "memory.h"

#include <fcntl.h>

enum { READ_WRITE = PROT_READ | PROT_WRITE };

static void check_emptying(void)
{
    char *area = map_pages(6, READ_WRITE);

    memset(area, 1, 6 * PAGE);
    check(madvise(area + PAGE, 3 * PAGE, MADV_DONTNEED) == 0,
          "MADV_DONTNEED on three of six pages");
    check(holds_only(area + PAGE, 0, 3 * PAGE), "they are zero");
    check(holds_only(area, 1, PAGE) && holds_only(area + 4 * PAGE, 1, 2 * PAGE),
          "the others keep their contents");
    memset(area + PAGE, 2, 3 * PAGE);
    check(holds_only(area + PAGE, 2, 3 * PAGE), "they can be used again");
    check(madvise(area, 1, MADV_DONTNEED) == 0 && holds_only(area, 0, PAGE),
          "a length of 1 means one page");
    munmap(area, 6 * PAGE);
}

static void check_read_only(void)
{
    char *page = map_pages(1, READ_WRITE);

    memset(page, 1, PAGE);
    mprotect(page, PAGE, PROT_READ);
    check(madvise(page, PAGE, MADV_DONTNEED) == 0 && holds_only(page, 0, PAGE),
          "MADV_DONTNEED empties a read-only page");
    check(!is_writable(page), "which stays read-only");
    munmap(page, PAGE);
}

static void check_much(void)
{
    size_t pages = 4096;
    char *area = map_pages(pages, READ_WRITE);
    bool zero = true;

    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < pages; i++)
            area[i * PAGE] = 1;
        madvise(area, pages * PAGE, MADV_DONTNEED);
        for (size_t i = 0; i < pages; i += 64)
            zero &= area[i * PAGE] == 0;
    }
    check(zero, "16 MiB filled and emptied four times");
    munmap(area, pages * PAGE);
}

/* More in all than husk's default memory, never much at a time. */
static void check_giving_back(void)
{
    enum { MANY = 25000 };
    char *areas[4];
    bool zero = true, kept = true;

    for (size_t i = 0; i < 4; i++) {
        areas[i] = map_pages(MANY, READ_WRITE);
        memset(areas[i], 7, MANY * PAGE);
        madvise(areas[i] + PAGE, (MANY - 2) * PAGE, i % 2 ? MADV_FREE : MADV_DONTNEED);
    }
    for (size_t i = 0; i < 4; i += 2)
        zero &= holds_only(areas[i] + PAGE, 0, 100 * PAGE) &&
                holds_only(areas[i] + (MANY - 2) * PAGE, 0, PAGE);
    for (size_t i = 0; i < 4; i++)
        kept &= holds_only(areas[i], 7, PAGE) && holds_only(areas[i] + (MANY - 1) * PAGE, 7, PAGE);
    check(zero, "four times 100 MB given back are zero");
    check(kept, "what lies round them is kept");
    memset(areas[0] + 70 * PAGE, 8, 300 * PAGE);
    check(mprotect(areas[0], MANY * PAGE, PROT_READ) == 0 &&
              holds_only(areas[0] + 70 * PAGE, 8, 300 * PAGE) &&
              holds_only(areas[0] + 370 * PAGE, 0, 100 * PAGE),
          "they can be written in part, and made read-only");
    munmap(areas[0], MANY * PAGE);
    check(mprotect(areas[1], MANY * PAGE, PROT_NONE) == 0 &&
              mprotect(areas[1], MANY * PAGE, READ_WRITE) == 0 && holds_only(areas[1], 7, PAGE),
          "they lose rights and get them again");
    areas[1] = mremap(areas[1], MANY * PAGE, 1000 * PAGE, 0);
    check(areas[1] != MAP_FAILED && holds_only(areas[1], 7, PAGE), "they shrink");
    munmap(areas[1], 1000 * PAGE);
    for (size_t i = 2; i < 4; i++)
        munmap(areas[i], MANY * PAGE);
}

/* The kernel writes its table of mappings where writing changes that table. */
static void check_reading_maps_into_it(void)
{
    size_t size = 1000 * PAGE;
    char *area = map_pages(1000, READ_WRITE), *line;
    int fd = open("/proc/self/maps", O_RDONLY);
    unsigned long last = 0, start, end;
    ssize_t got = 0, piece;
    bool ascending = true;

    memset(area, 1, size);
    madvise(area, size, MADV_DONTNEED);
    while ((piece = read(fd, area + 500 * PAGE + got, 499 * PAGE - got)) > 0)
        got += piece;
    close(fd);
    for (line = strtok(area + 500 * PAGE, "\n"); line; line = strtok(NULL, "\n")) {
        ascending &= sscanf(line, "%lx-%lx", &start, &end) == 2 && start >= last && end > start;
        last = end;
    }
    check(got > 100 && ascending, "/proc/self/maps read into what was given back");
    munmap(area, size);
}

static void check_harmless_advice(void)
{
    static const struct {
        const char *name;
        int advice;
    } advices[] = {
        {"MADV_NORMAL", MADV_NORMAL},
        {"MADV_RANDOM", MADV_RANDOM},
        {"MADV_SEQUENTIAL", MADV_SEQUENTIAL},
        {"MADV_WILLNEED", MADV_WILLNEED},
    };
    char *page = map_pages(1, READ_WRITE);

    memset(page, 3, PAGE);
    for (size_t i = 0; i < sizeof advices / sizeof *advices; i++)
        check(madvise(page, PAGE, advices[i].advice) == 0 && holds_only(page, 3, PAGE),
              "%s changes nothing", advices[i].name);
    check(madvise(page, PAGE, MADV_FREE) == 0, "MADV_FREE is accepted");
    page[0] = 4;
    check(page[0] == 4, "and the page can be written again");
    munmap(page, PAGE);
}

static void check_errors(void)
{
    char *area = map_pages(3, READ_WRITE);

    munmap(area + PAGE, PAGE);
    memset(area + 2 * PAGE, 5, PAGE);
    check_error(madvise(area, PAGE, 9999), EINVAL, "unknown advice");
    check_error(madvise(area + 1, PAGE, MADV_DONTNEED), EINVAL, "odd address");
    check_error(madvise(area + PAGE, PAGE, MADV_DONTNEED), ENOMEM, "not mapped");
    check_error(madvise(area, 3 * PAGE, MADV_DONTNEED), ENOMEM, "partly mapped");
    check(holds_only(area + 2 * PAGE, 0, PAGE), "which empties what is mapped");
    check(madvise(area, 0, MADV_DONTNEED) == 0, "length 0 succeeds");
    munmap(area, 3 * PAGE);
}

int main(void)
{
    check_emptying();
    check_read_only();
    check_much();
    check_giving_back();
    check_reading_maps_into_it();
    check_harmless_advice();
    check_errors();
    return exit_status();
}
