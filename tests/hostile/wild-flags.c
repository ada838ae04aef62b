/* SPDX-License-Identifier: ISC
 *
 * Flags and modes that no operation knows, again and again, between operations that do something:
 * what is refused must not touch what is open. Argument: a directory with a file.
 */
#include "hostile.h"

static char path[256], buffer[4096];

static void refused(uint64_t flags)
{
    const struct husk_path at = {HUSK_DIR_ROOT, (guest_addr_t)path, strlen(path)};

    expect(RING(HUSK_OP_UNLINK, HUSK_DIR_ROOT, path, at.len, flags) < 0, "unlink");
    expect(RING(HUSK_OP_RENAME, &at, &at, flags) < 0, "rename");
    expect(RING(HUSK_OP_LINK, &at, &at, flags) < 0, "link");
    expect(RING(HUSK_OP_CHMOD, HUSK_DIR_ROOT, path, at.len, 0777, flags) < 0, "chmod");
    expect(RING(HUSK_OP_ACCESS, HUSK_DIR_ROOT, path, at.len, flags | 8, flags) < 0, "access");
    RING(HUSK_OP_RESOLVE, HUSK_DIR_ROOT, path, at.len, flags, buffer, sizeof(buffer));
    RING(HUSK_OP_STAT, HUSK_DIR_ROOT, path, at.len, flags, flags, buffer);
    RING(HUSK_OP_STATFS, HUSK_DIR_ROOT, path, at.len, buffer, flags & ~(uint64_t)AT_EMPTY_PATH);
}

int main(int argc, char **argv)
{
    uint64_t files[32];

    snprintf(path, sizeof(path), "%s/file", argc == 2 ? argv[1] : "/");
    for (size_t i = 0; i < COUNT(files); i++)
        files[i] = (uint64_t)open_handle(path, O_RDONLY);
    for (unsigned round = 0; round < 4; round++)
        for (unsigned bit = 0; bit < 64; bit++) {
            refused(1ULL << bit);
            refused(~(1ULL << bit));
            expect_result(1, HUSK_OP_READ, files[bit % COUNT(files)], buffer, 1, 0);
        }
    for (size_t i = 0; i < COUNT(files); i++) {
        expect_result(10, HUSK_OP_READ, files[i], buffer, 100, 0);
        expect_result(0, HUSK_OP_CLOSE, files[i]);
    }
    return held();
}
