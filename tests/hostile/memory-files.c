/* SPDX-License-Identifier: ISC
 *
 * Files of memory: numbers and sizes that are none, more than the memory, as many as there can be,
 * operations that are for handles, pages of one that has ended.
 */
#include "hostile.h"

enum { READ = HUSK_PROT_READ, WRITE = HUSK_PROT_WRITE, EXEC = HUSK_PROT_EXEC, SHARED = 1 };

static const uint64_t page = HUSK_PAGE_SIZE, at = 64ULL << 20;

static uint64_t new_file(uint64_t size)
{
    return (uint64_t)RING(HUSK_OP_MEMORY, HUSK_MEMORY_NEW, size);
}

static void forge_numbers_and_sizes(void)
{
    const uint64_t none[] = {0,
                             1,
                             2,
                             3,
                             HUSK_MEMORY_FILE,
                             HUSK_MEMORY_FILE + 1,
                             HUSK_MEMORY_FILE + HUSK_MEMORY_FILES_MAX,
                             HUSK_MEMORY_FILE - 1,
                             HUSK_MEMORY_FILE | 1ULL << 32,
                             HUSK_MEMORY_NEW - 1};
    const uint64_t sizes[] = {
        0, 1, page - 1, page + 1, 1ULL << 63, UINT64_MAX, UINT64_MAX - page + 1};
    uint64_t file;

    for (size_t i = 0; i < COUNT(none); i++) {
        expect_result(-EBADF, HUSK_OP_MEMORY, none[i], page);
        expect_result(-EBADF, HUSK_OP_MEMORY, none[i], 0);
    }
    expect_result(-EBADF, HUSK_OP_MAPFILE, at, page, HUSK_MEMORY_FILE, 0, READ, SHARED);
    for (size_t i = 0; i < COUNT(sizes); i++)
        expect_result(-EINVAL, HUSK_OP_MEMORY, HUSK_MEMORY_NEW, sizes[i]);
    file = new_file(2 * page);
    expect_result(-EINVAL, HUSK_OP_MEMORY, file, page);
    for (size_t i = 1; i < COUNT(sizes); i++)
        expect_result(-EINVAL, HUSK_OP_MEMORY, file, sizes[i]);
    expect_result((int64_t)file, HUSK_OP_MEMORY, file, 2 * page);
    expect_result(0, HUSK_OP_MEMORY, file, 0);
    expect_result(-EBADF, HUSK_OP_MEMORY, file, page);
}

/* Whatever would let it grow without being counted. */
static void use_as_handle(void)
{
    uint64_t file = new_file(page);
    char byte = 'x';

    expect_result(-EBADF, HUSK_OP_READ, file, &byte, 1, 0);
    expect_result(-EBADF, HUSK_OP_WRITE, file, &byte, 1, 1 << 20);
    expect_result(-EBADF, HUSK_OP_SEEK, file, 0, SEEK_END);
    expect_result(-EBADF, HUSK_OP_ALLOCATE, file, 0, 0, 1 << 20);
    expect_result(-EBADF, HUSK_OP_TRUNCATE, file, 0, 0, 1 << 20, AT_EMPTY_PATH);
    expect_result(-EBADF, HUSK_OP_APPEND, file, 1);
    expect_result(-EBADF, HUSK_OP_CLOSE, file);
    expect_result(-EBADF, HUSK_OP_SYNC, file);
    expect_result(0, HUSK_OP_MEMORY, file, 0);
}

/* What they hold counts, mapped or not. */
static void hold_too_much(void)
{
    const uint64_t half = BOOT->ram_size / 2;
    uint64_t file = new_file(half), others = 0;

    expect_result(-ENOMEM, HUSK_OP_MEMORY, HUSK_MEMORY_NEW, half);
    expect_result(-ENOMEM, HUSK_OP_MEMORY, file, BOOT->ram_size);
    expect_result(-ENOMEM, HUSK_OP_MAP, BOOT->far_start, half, READ | WRITE);
    expect_result(0, HUSK_OP_MAPFILE, at, page, file, half - page, READ | WRITE, SHARED);
    memset((void *)at, 1, page);
    expect_result(0, HUSK_OP_UNMAP, at, page);
    expect_result(-ENOMEM, HUSK_OP_MAP, BOOT->far_start, half, READ | WRITE);
    expect_result(0, HUSK_OP_MEMORY, file, 0);
    expect_result(0, HUSK_OP_MAP, BOOT->far_start, half, READ | WRITE);
    expect_result(-ENOMEM, HUSK_OP_MEMORY, HUSK_MEMORY_NEW, half);
    expect_result(0, HUSK_OP_UNMAP, BOOT->far_start, half);
    while ((int64_t)new_file(page) >= 0)
        others++;
    expect(others == HUSK_MEMORY_FILES_MAX, "%llu files", (unsigned long long)others);
    expect_result(-ENFILE, HUSK_OP_MEMORY, HUSK_MEMORY_NEW, page);
    for (uint64_t i = 0; i < others; i++)
        expect_result(0, HUSK_OP_MEMORY, HUSK_MEMORY_FILE + i, 0);
}

/* Its pages are gone, so that they need not count: nobody but the guest is to notice. */
static void map_what_has_ended(void)
{
    uint64_t file = new_file(2 * page);
    char byte;

    expect_result(-EACCES, HUSK_OP_MAPFILE, at, page, file, 0, READ | WRITE | EXEC, SHARED);
    expect_result(-EINVAL, HUSK_OP_MAPFILE, at, page, file, 1, READ, SHARED);
    expect_result(-EINVAL, HUSK_OP_MAPFILE, at, page, file, UINT64_MAX - page + 1, READ, SHARED);
    expect_result(0, HUSK_OP_MAPFILE, at, 4 * page, file, 0, READ | WRITE, SHARED);
    memset((void *)at, 1, 2 * page);
    expect_result(-EFAULT, HUSK_OP_CLOCK, at + 3 * page); /* behind its end */
    expect_result(0, HUSK_OP_CLOCK, at + page);
    expect_result(0, HUSK_OP_MEMORY, file, 0);
    expect_result(-EFAULT, HUSK_OP_CLOCK, at + page);
    expect(RING(HUSK_OP_RANDOM, at, 2 * page) < 0, "random bytes came to pages that are gone");
    expect_result(-EBADF, HUSK_OP_MAPFILE, at + 4 * page, page, file, 0, READ, SHARED);
    expect_result(0, HUSK_OP_UNMAP, at, 4 * page);
    /* A new one of the same number is not the old one. */
    expect_result((int64_t)file, HUSK_OP_MEMORY, HUSK_MEMORY_NEW, page);
    expect_result(0, HUSK_OP_MAPFILE, at, page, file, 0, READ, SHARED);
    memcpy(&byte, (const void *)at, 1);
    expect(byte == 0, "it holds what the last one held");
    expect_result(0, HUSK_OP_MEMORY, file, 0);
    expect_result(0, HUSK_OP_UNMAP, at, page);
}

int main(void)
{
    forge_numbers_and_sizes();
    use_as_handle();
    hold_too_much();
    map_what_has_ended();
    return held();
}
