/* SPDX-License-Identifier: ISC
 *
 * Maps files where they cannot be: at the window, over the end of memory, unaligned, with offsets
 * that wrap, writable from a read-only mount, executable and writable, of what is no file.
 * Argument: a directory with a file.
 */
#include "hostile.h"

enum { SHARED = 1, READ = HUSK_PROT_READ, WRITE = HUSK_PROT_WRITE, EXEC = HUSK_PROT_EXEC };

int main(int argc, char **argv)
{
    const uint64_t page = HUSK_PAGE_SIZE, at = 64ULL << 20, ram = BOOT->ram_size;
    const uint64_t places[] = {0,
                               at + 1,
                               ram,
                               ram - page + 1,
                               BOOT->far_start - page,
                               BOOT->far_end,
                               HUSK_WINDOW,
                               HUSK_RING0_TABLES,
                               HUSK_DESC_PAGE,
                               HUSK_BOOT_PAGE,
                               UINT64_MAX - page + 1};
    const uint64_t lengths[] = {0, 1, page - 1, ram, 1ULL << 63, UINT64_MAX - page + 1};
    const char *directory = argc == 2 ? argv[1] : "/";
    char path[256];
    uint64_t file, other;

    snprintf(path, sizeof(path), "%s/file", directory);
    file = (uint64_t)open_handle(path, O_RDONLY);
    other = (uint64_t)open_handle(directory, O_RDONLY | O_DIRECTORY);
    for (size_t i = 0; i < COUNT(places); i++)
        expect_result(-EINVAL, HUSK_OP_MAPFILE, places[i], page, file, 0, READ, 0);
    for (size_t i = 0; i < COUNT(lengths); i++)
        expect_result(-EINVAL, HUSK_OP_MAPFILE, at, lengths[i], file, 0, READ, 0);
    expect_result(-EINVAL, HUSK_OP_MAPFILE, at, page, file, 1, READ, 0);
    expect_result(-EINVAL, HUSK_OP_MAPFILE, at, page, file, 1ULL << 63, READ, 0);
    expect_result(-EINVAL, HUSK_OP_MAPFILE, at, page, file, UINT64_MAX - page + 1, READ, 0);
    expect_result(-EACCES, HUSK_OP_MAPFILE, at, page, file, 0, READ | WRITE, SHARED);
    expect_result(-EACCES, HUSK_OP_MAPFILE, at, page, file, 0, READ | WRITE | EXEC, 0);
    expect_result(-EACCES, HUSK_OP_MAPFILE, at, page, file, 0, WRITE | EXEC, SHARED);
    expect_result(-ENODEV, HUSK_OP_MAPFILE, at, page, other, 0, READ, 0);
    expect_result(-EBADF, HUSK_OP_MAPFILE, at, page, 999, 0, READ, 0);
    /* A read-only mapping stays one, whatever is asked for later. */
    expect_result(0, HUSK_OP_MAPFILE, at, page, file, 0, READ, SHARED);
    expect_result(-EACCES, HUSK_OP_PROTECT, at, page, READ | WRITE);
    expect_result(-EFAULT, HUSK_OP_READ, file, at, 1, 0);
    expect(memcmp((const char *)at, "0123456789", 10) == 0, "the mapping shows the file");
    for (uint64_t flags = 0; flags < 16; flags++)
        RING(HUSK_OP_MSYNC, at, page, flags);
    expect_result(0, HUSK_OP_UNMAP, at, page);
    return held();
}
