/* SPDX-License-Identifier: ISC
 *
 * Every operation that changes something, on everything in a read-only mount, by path and by
 * handle. Argument: the mount.
 */
#include "hostile.h"

static char path[256], other[256];

static void by_path(void)
{
    const struct husk_path from = {HUSK_DIR_ROOT, (guest_addr_t)path, strlen(path)};
    const struct husk_path to = {HUSK_DIR_ROOT, (guest_addr_t)other, strlen(other)};
    const uint64_t flags[] = {O_WRONLY, O_RDWR, O_RDONLY | O_TRUNC, O_RDWR | O_CREAT,
                              O_WRONLY | O_TRUNC | O_APPEND};

    for (size_t i = 0; i < COUNT(flags); i++)
        expect_result(-EROFS, HUSK_OP_OPEN, HUSK_DIR_ROOT, path, from.len, flags[i], 0666);
    expect_result(-EROFS, HUSK_OP_OPEN, HUSK_DIR_ROOT, other, to.len, O_RDWR | O_CREAT, 0666);
    expect_result(-EROFS, HUSK_OP_UNLINK, HUSK_DIR_ROOT, path, from.len, 0);
    expect_result(-EROFS, HUSK_OP_MKDIR, HUSK_DIR_ROOT, other, to.len, 0777);
    expect_result(-EROFS, HUSK_OP_SYMLINK, HUSK_DIR_ROOT, other, to.len, path, from.len);
    expect_result(-EROFS, HUSK_OP_RENAME, &from, &to, 0);
    expect_result(-EROFS, HUSK_OP_RENAME, &to, &from, 0);
    expect_result(-EROFS, HUSK_OP_LINK, &from, &to, 0);
    expect_result(-EROFS, HUSK_OP_CHMOD, HUSK_DIR_ROOT, path, from.len, 0777, 0);
    expect_result(-EROFS, HUSK_OP_CHOWN, HUSK_DIR_ROOT, path, from.len, 0, 0);
    expect_result(-EROFS, HUSK_OP_UTIMES, HUSK_DIR_ROOT, path, from.len, 0, 0);
    expect_result(-EROFS, HUSK_OP_TRUNCATE, HUSK_DIR_ROOT, path, from.len, 0, 0);
}

static void by_handle(uint64_t file)
{
    expect_result(-EROFS, HUSK_OP_CHMOD, file, "", 0, 0777, AT_EMPTY_PATH);
    expect_result(-EROFS, HUSK_OP_CHOWN, file, "", 0, 0, AT_EMPTY_PATH);
    expect_result(-EROFS, HUSK_OP_UTIMES, file, "", 0, 0, AT_EMPTY_PATH);
    expect(RING(HUSK_OP_TRUNCATE, file, "", 0, 0, AT_EMPTY_PATH) < 0, "truncated");
    expect(RING(HUSK_OP_ALLOCATE, file, 0, 0, 4096) < 0, "allocated");
    expect_result(-EBADF, HUSK_OP_WRITE, file, path, 1, 0);
    RING(HUSK_OP_APPEND, file, 1);
    expect_result(-EBADF, HUSK_OP_WRITE, file, path, 1, HUSK_STREAM);
    for (uint64_t mode = 0; mode < 128; mode++)
        expect(RING(HUSK_OP_ALLOCATE, file, mode, 0, 4096) < 0, "allocated by mode %llu",
               (unsigned long long)mode);
}

int main(int argc, char **argv)
{
    const char *directory = argc == 2 ? argv[1] : "/";

    snprintf(path, sizeof(path), "%s/file", directory);
    snprintf(other, sizeof(other), "%s/new", directory);
    by_path();
    by_handle((uint64_t)open_handle(path, O_RDONLY));
    by_handle((uint64_t)open_handle(path, O_PATH));
    return held();
}
