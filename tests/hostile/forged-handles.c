/* SPDX-License-Identifier: ISC */
/* Handles that were never given out, are closed, or name another kind. Argument: a directory. */
#include "hostile.h"

static char buffer[4096];

static void expect_all(uint64_t handle, int64_t wanted)
{
    const struct husk_iovec vector = {(guest_addr_t)buffer, 1};
    const struct husk_path from = {handle, 0, 0}, to = {HUSK_DIR_ROOT, (guest_addr_t) "/x", 2};

    expect_result(wanted, HUSK_OP_READ, handle, buffer, 1, HUSK_STREAM);
    expect_result(wanted, HUSK_OP_WRITE, handle, buffer, 1, HUSK_STREAM);
    expect_result(wanted, HUSK_OP_READV, handle, &vector, 1, HUSK_STREAM);
    expect_result(wanted, HUSK_OP_WRITEV, handle, &vector, 1, HUSK_STREAM);
    expect_result(wanted, HUSK_OP_CLOSE, handle);
    expect_result(wanted, HUSK_OP_SEEK, handle, 0, 0);
    expect_result(wanted, HUSK_OP_GETDENTS, handle, buffer, sizeof(buffer));
    expect_result(wanted, HUSK_OP_TTY, handle, 0x5401, buffer);
    expect_result(wanted, HUSK_OP_STAT, handle, "", 0, AT_EMPTY_PATH, STATX_ALL, buffer);
    if (handle == HUSK_DIR_ROOT)
        return;
    expect_result(wanted, HUSK_OP_OPEN, handle, ".", 1, 0);
    expect_result(wanted, HUSK_OP_STAT, handle, ".", 1, 0, STATX_ALL, buffer);
    expect_result(wanted, HUSK_OP_ACCESS, handle, ".", 1, 0);
    expect_result(wanted, HUSK_OP_READLINK, handle, ".", 1, buffer, sizeof(buffer));
    expect_result(wanted, HUSK_OP_PATH, handle, buffer, sizeof(buffer));
    expect_result(wanted, HUSK_OP_LINK, &from, &to, AT_EMPTY_PATH);
}

static void never_given(void)
{
    for (uint64_t number = 3; number < 1100; number += 1 + number / 8)
        expect_all(number, -EBADF);
    for (unsigned bit = 10; bit < 64; bit++)
        for (uint64_t number = 0; number < 4; number++)
            expect_all(number | 1ULL << bit, -EBADF);
    expect_result(-EBADF, HUSK_OP_READ, HUSK_DIR_ROOT, buffer, 1, HUSK_STREAM);
    expect_result(-EBADF, HUSK_OP_CLOSE, HUSK_DIR_ROOT);
    expect_result(-EBADF, HUSK_OP_GETDENTS, HUSK_DIR_ROOT, buffer, sizeof(buffer));
}

/* A closed handle stays bad, also when its place in the table is used again. */
static void stale(const char *path)
{
    uint64_t seen[100];

    for (size_t i = 0; i < COUNT(seen); i++) {
        seen[i] = open_handle(path, O_RDONLY);
        expect((int64_t)seen[i] >= 0, "open again");
        expect_result(1, HUSK_OP_READ, seen[i], buffer, 1, 0);
        for (size_t j = 0; j < i; j++)
            expect_result(-EBADF, HUSK_OP_READ, seen[j], buffer, 1, 0);
        expect_result(0, HUSK_OP_CLOSE, seen[i]);
        expect_all(seen[i], -EBADF);
    }
}

static void of_another_kind(const char *directory_path, const char *path)
{
    uint64_t directory = open_handle(directory_path, O_RDONLY | O_DIRECTORY);
    uint64_t file = open_handle(path, O_RDONLY);
    const struct husk_iovec vector = {(guest_addr_t)buffer, 1};

    expect_result(-EISDIR, HUSK_OP_READ, directory, buffer, 1, HUSK_STREAM);
    expect_result(-EISDIR, HUSK_OP_READV, directory, &vector, 1, HUSK_STREAM);
    expect_result(-ENOTDIR, HUSK_OP_GETDENTS, file, buffer, sizeof(buffer));
    expect_result(-ENOTDIR, HUSK_OP_OPEN, file, "x", 1, 0);
    expect_result(-ENOTDIR, HUSK_OP_STAT, file, "x", 1, 0, STATX_ALL, buffer);
    expect_result(-ENOTDIR, HUSK_OP_ACCESS, file, "x", 1, 0);
    expect_result(-ENOTDIR, HUSK_OP_READLINK, file, "x", 1, buffer, sizeof(buffer));
    expect_result((int64_t)strlen(path), HUSK_OP_PATH, file, buffer, sizeof(buffer));
    expect_result(-ENOTDIR, HUSK_OP_PATH, 0, buffer, sizeof(buffer));
    expect_result(-ENOTTY, HUSK_OP_TTY, file, 0x5401, buffer);
    expect_result(-EBADF, HUSK_OP_WRITE, file, buffer, 1, HUSK_STREAM);
    for (uint64_t request = 0x5400; request < 0x5480; request++)
        expect_result(-ENOTTY, HUSK_OP_TTY, file, request, buffer);
    expect_result(0, HUSK_OP_CLOSE, file);
    expect_result(0, HUSK_OP_CLOSE, directory);
}

static void exhausted(const char *path)
{
    static uint64_t all[100000];
    size_t count = 0;
    int64_t handle;

    while ((handle = open_handle(path, O_RDONLY)) >= 0 && count < COUNT(all))
        all[count++] = (uint64_t)handle;
    expect(handle == -ENFILE || handle == -EMFILE, "the last of %zu gave %lld", count,
           (long long)handle);
    expect(count > 500, "only %zu", count);
    for (size_t i = 0; i < count; i++) {
        expect_result(1, HUSK_OP_READ, all[i], buffer, 1, 0);
        expect_result(0, HUSK_OP_CLOSE, all[i]);
    }
    for (size_t i = 0; i < count; i++)
        expect_result(-EBADF, HUSK_OP_CLOSE, all[i]);
    handle = open_handle(path, O_RDONLY);
    expect(handle >= 0, "none after all were closed");
    RING(HUSK_OP_CLOSE, handle);
}

int main(int argc, char **argv)
{
    const char *directory = argc == 2 ? argv[1] : "/";
    char path[4096];

    snprintf(path, sizeof(path), "%s/file", directory);
    never_given();
    stale(path);
    of_another_kind(directory, path);
    exhausted(path);
    expect_result(0, HUSK_OP_CLOSE, 0);
    expect_all(0, -EBADF);
    expect_result(0, HUSK_OP_CLOSE, 2);
    expect_all(2, -EBADF);
    return held();
}
