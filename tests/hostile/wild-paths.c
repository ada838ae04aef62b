/* SPDX-License-Identifier: ISC
 *
 * Paths that are empty, endless, deep, looping, with zeroes in them, made of slashes or of any
 * bytes; every operation that takes one. Argument: a directory with the link "link-loop".
 */
#include "hostile.h"

static char path[3 * HUSK_PATH_MAX], buffer[HUSK_PATH_MAX];

static void expect_all(const char *what, uint64_t len, int64_t wanted, int64_t other)
{
    const int64_t results[] = {
        RING(HUSK_OP_OPEN, HUSK_DIR_ROOT, path, len, O_RDONLY),
        RING(HUSK_OP_STAT, HUSK_DIR_ROOT, path, len, 0, STATX_ALL, buffer),
        RING(HUSK_OP_ACCESS, HUSK_DIR_ROOT, path, len, 0),
        RING(HUSK_OP_READLINK, HUSK_DIR_ROOT, path, len, buffer, sizeof(buffer)),
        RING(HUSK_OP_CHMOD, HUSK_DIR_ROOT, path, len, 0777, 0),
        RING(HUSK_OP_TRUNCATE, HUSK_DIR_ROOT, path, len, 0, 0),
        RING(HUSK_OP_STATFS, HUSK_DIR_ROOT, path, len, buffer),
        RING(HUSK_OP_MKDIR, HUSK_DIR_ROOT, path, len, 0777),
        RING(HUSK_OP_UNLINK, HUSK_DIR_ROOT, path, len, 0),
        RING(HUSK_OP_RESOLVE, HUSK_DIR_ROOT, path, len, HUSK_END_FOLLOW, buffer, sizeof(buffer)),
    };

    for (size_t i = 0; i < COUNT(results); i++)
        expect(results[i] == wanted || results[i] == other, "%s, operation %zu gave %lld", what, i,
               (long long)results[i]);
}

/* START, then PART over and over, up to LEN bytes. */
static void repeat(const char *start, const char *part, size_t len)
{
    size_t at = (size_t)snprintf(path, sizeof(path), "%s", start), period = strlen(part);

    for (size_t i = 0; at < len; i++)
        path[at++] = part[i % period];
    path[at] = '\0';
}

int main(int argc, char **argv)
{
    const char *directory = argc == 2 ? argv[1] : "/";
    const uint64_t too_long[] = {HUSK_PATH_MAX, 2 * HUSK_PATH_MAX, 1ULL << 31, 1ULL << 63,
                                 UINT64_MAX};

    expect_all("an empty path", 0, -ENOENT, -ENOENT);
    repeat("/", "a", HUSK_PATH_MAX - 1);
    expect_all("a name of 4094 bytes", HUSK_PATH_MAX - 1, -ENAMETOOLONG, -EROFS);
    for (size_t i = 0; i < COUNT(too_long); i++)
        expect_all("a path that is too long", too_long[i], -ENAMETOOLONG, -ENAMETOOLONG);
    repeat(directory, "/nothing", 4000);
    expect_all("a deep path to nothing", 4000, -ENOENT, -ENOENT);
    repeat(directory, "/link-loop", strlen(directory) + 20);
    expect_all("a loop", strlen(path), -ELOOP, -ELOOP);
    memcpy(path, "/mnt\0file", 9);
    expect_all("a zero in it", 9, -EINVAL, -EINVAL);
    repeat(directory, "/sub/..", 3500);
    expect(RING(HUSK_OP_STAT, HUSK_DIR_ROOT, path, strlen(path), 0, STATX_ALL, buffer) >= -ENOTDIR,
           "up and down");
    for (unsigned byte = 1; byte < 256; byte++) {
        snprintf(path, sizeof(path), "%s/%c%c%c", directory, byte, byte, byte);
        if (byte != '/' && byte != '.')
            expect_result(-ENOENT, HUSK_OP_OPEN, HUSK_DIR_ROOT, path, strlen(path), O_RDONLY);
    }
    return held();
}
