/* SPDX-License-Identifier: ISC
 *
 * Operations whose arguments, results or data lie in the descriptors' own page, in the descriptor
 * that asks for them, or on husk's other pages. Argument: a directory with a file.
 */
#include "hostile.h"

int main(int argc, char **argv)
{
    const uint64_t own = (uint64_t)descriptor(MINE);
    const uint64_t pages[] = {own,
                              own + 8,
                              HUSK_DESC_PAGE,
                              HUSK_BOOT_PAGE,
                              HUSK_CLOCK_PAGE,
                              HUSK_RING0_VIEW,
                              HUSK_RING0_STACK,
                              HUSK_RING0_TEXT};
    char path[256];
    uint64_t file;

    snprintf(path, sizeof(path), "%s/file", argc == 2 ? argv[1] : "/");
    file = (uint64_t)open_handle(path, O_RDONLY);
    for (size_t i = 0; i < COUNT(pages); i++) {
        expect_result(-EFAULT, HUSK_OP_READ, file, pages[i], 10, 0);
        expect_result(-EFAULT, HUSK_OP_WRITE, 1, pages[i], 10, HUSK_STREAM);
        expect_result(-EFAULT, HUSK_OP_READV, file, pages[i], 1, 0);
        expect_result(-EFAULT, HUSK_OP_RANDOM, pages[i], 64);
        expect_result(-EFAULT, HUSK_OP_CLOCK, pages[i]);
        expect_result(-EFAULT, HUSK_OP_FAULT, pages[i]);
        expect_result(-EFAULT, HUSK_OP_RENAME, pages[i], pages[i], 0);
        expect_result(-EFAULT, HUSK_OP_OPEN, HUSK_DIR_ROOT, pages[i], 8, 0);
        expect_result(-EFAULT, HUSK_OP_STAT, file, "", 0, AT_EMPTY_PATH, STATX_ALL, pages[i]);
        expect_result(-EFAULT, HUSK_OP_GETDENTS, open_handle("/", O_DIRECTORY), pages[i], 4096);
        expect_result(-EINVAL, HUSK_OP_MAP, pages[i] & ~4095ULL, 4096, HUSK_PROT_READ);
        expect_result(-EINVAL, HUSK_OP_UNMAP, pages[i] & ~4095ULL, 4096);
        expect_result(-EINVAL, HUSK_OP_DISCARD, pages[i] & ~4095ULL, 4096);
        expect_result(-EINVAL, HUSK_OP_PROTECT, pages[i] & ~4095ULL, 4096, HUSK_PROT_EXEC);
    }
    return held();
}
