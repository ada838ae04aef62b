/* SPDX-License-Identifier: ISC */
/* Good addresses with lengths that are zero, negative or huge. Argument: a directory. */
#include "hostile.h"

static char page[2 << 20]; /* room for all that one operation may transfer */

static const uint64_t huge[] = {
    0x80000000, 0xffffffff, 1ULL << 32, 1ULL << 62, 1ULL << 63, UINT64_MAX - 1, UINT64_MAX,
};

static void transfers(uint64_t file)
{
    expect_result(0, HUSK_OP_READ, file, page, 0, 0);
    expect_result(0, HUSK_OP_READ, file, -1, 0, 0);
    expect_result(0, HUSK_OP_WRITE, 1, -1, 0, HUSK_STREAM);
    expect_result(0, HUSK_OP_RANDOM, -1, 0);
    expect_result(0, HUSK_OP_READV, file, -1, 0, 0);
    expect_result(0, HUSK_OP_WRITEV, 1, -1, 0, HUSK_STREAM);
    for (size_t i = 0; i < COUNT(huge); i++) {
        const struct husk_iovec vector[2] = {{(guest_addr_t)page, 1},
                                             {(guest_addr_t)page, huge[i]}};
        int64_t wanted = huge[i] >= INT64_MAX ? -EINVAL : 10;
        int64_t got;

        /* A file of ten bytes. */
        expect_result(10, HUSK_OP_READ, file, page, huge[i], 0);
        expect_result(wanted, HUSK_OP_READV, file, vector, 2, 0);
        got = RING(HUSK_OP_RANDOM, page, huge[i]);
        expect(got > 0 && got <= 1 << 20, "%llu random bytes gave %lld",
               (unsigned long long)huge[i], (long long)got);
        expect_result(-EINVAL, HUSK_OP_READV, file, page, huge[i], 0);
        expect_result(-EINVAL, HUSK_OP_WRITEV, 1, page, huge[i], HUSK_STREAM);
    }
    expect_result(-EINVAL, HUSK_OP_READV, file, page, HUSK_IOV_MAX + 1, 0);
    expect_result(-EINVAL, HUSK_OP_READ, file, page, 1, -2);
    expect_result(-EINVAL, HUSK_OP_READ, file, page, 1, INT64_MIN);
    expect_result(-EINVAL, HUSK_OP_READ, file, page, 1, INT64_MAX);
    expect_result(0, HUSK_OP_READ, file, page, 1, 1ULL << 40);
}

static void paths(uint64_t directory)
{
    static char longest[HUSK_PATH_MAX + 16];

    memset(longest, '/', sizeof(longest));
    for (size_t i = 0; i < COUNT(huge); i++) {
        expect_result(-ENAMETOOLONG, HUSK_OP_OPEN, directory, "file", huge[i], 0);
        expect_result(-ENAMETOOLONG, HUSK_OP_STAT, directory, "file", huge[i], 0, STATX_ALL, page);
        expect_result(-ENAMETOOLONG, HUSK_OP_ACCESS, directory, "file", huge[i], 0);
        expect_result(-ENAMETOOLONG, HUSK_OP_READLINK, directory, "link", huge[i], page, 16);
    }
    expect_result(-ENAMETOOLONG, HUSK_OP_ACCESS, HUSK_DIR_ROOT, longest, HUSK_PATH_MAX, 0);
    expect_result(0, HUSK_OP_ACCESS, HUSK_DIR_ROOT, longest, HUSK_PATH_MAX - 1, 0);
    expect_result(-ENOENT, HUSK_OP_OPEN, directory, "file", 0, 0);
    expect_result(-EINVAL, HUSK_OP_OPEN, directory, "fi\0le", 5, 0);
    expect_result(-EINVAL, HUSK_OP_OPEN, directory, "file", 5, 0); /* with its zero */
}

static void results(uint64_t directory)
{
    expect_result(-ERANGE, HUSK_OP_PATH, directory, page, 0);
    expect_result(-ERANGE, HUSK_OP_PATH, directory, page, 1);
    expect_result(-EINVAL, HUSK_OP_GETDENTS, directory, page, 1);
    expect_result(1, HUSK_OP_READLINK, directory, "link", 4, page, 1);
    for (size_t i = 0; i < COUNT(huge); i++) {
        int64_t got = RING(HUSK_OP_GETDENTS, directory, page, huge[i]);

        expect(got == -EFAULT || (got >= 0 && got <= (int64_t)sizeof(page)),
               "getdents of %llu gave %lld", (unsigned long long)huge[i], (long long)got);
        expect_result(6, HUSK_OP_READLINK, directory, "link", 4, page, huge[i]);
    }
}

int main(int argc, char **argv)
{
    const char *root = argc == 2 ? argv[1] : "/";
    uint64_t directory = open_handle(root, O_RDONLY | O_DIRECTORY);
    char path[4096];

    snprintf(path, sizeof(path), "%s/file", root);
    transfers(open_handle(path, O_RDONLY));
    paths(directory);
    results(directory);
    return held();
}
