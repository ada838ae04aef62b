/* SPDX-License-Identifier: ISC */
/* Gives every operation that takes an address one that it must not touch. Argument: a directory. */
#include "hostile.h"

static const uint64_t lengths[] = {
    1,          8,          0x1000,    0x1001,     0x7fffffff,         0x80000000, 0xffffffff,
    1ULL << 32, 1ULL << 62, INT64_MAX, 1ULL << 63, UINT64_MAX - 0xfff, UINT64_MAX,
};

static uint64_t file, directory;
static const char *root;

static void bad_source(uint64_t at)
{
    expect_result(-EFAULT, HUSK_OP_FAULT, at);
    expect_result(-EFAULT, HUSK_OP_TRACE, at);
}

static void bad_target(uint64_t at)
{
    expect_result(-EFAULT, HUSK_OP_CLOCK, at);
    expect_result(-EFAULT, HUSK_OP_STAT, directory, ".", 1, 0, STATX_ALL, at);
    expect_result(-EFAULT, HUSK_OP_STAT, file, "", 0, AT_EMPTY_PATH, STATX_ALL, at);
    expect_result(-EFAULT, HUSK_OP_READLINK, directory, "link", 4, at, 16);
    expect_result(-EFAULT, HUSK_OP_PATH, directory, at, 4096);
    expect_result(-EFAULT, HUSK_OP_VOLUME, 0, at, 4096);
}

static void bad_path(uint64_t at)
{
    char target[16];

    expect_result(-EFAULT, HUSK_OP_OPEN, directory, at, 4, O_RDONLY);
    expect_result(-EFAULT, HUSK_OP_STAT, directory, at, 4, 0, STATX_ALL, target);
    expect_result(-EFAULT, HUSK_OP_ACCESS, directory, at, 4, 0);
    expect_result(-EFAULT, HUSK_OP_READLINK, directory, at, 4, target, sizeof(target));
}

static void bad_buffer(uint64_t at, uint64_t length)
{
    expect_result(-EFAULT, HUSK_OP_RANDOM, at, length);
    expect_result(-EFAULT, HUSK_OP_READ, file, at, length, 0);
    expect_result(-EFAULT, HUSK_OP_READ, file, at, length, HUSK_STREAM);
    expect_result(-EFAULT, HUSK_OP_WRITE, 1, at, length, HUSK_STREAM);
    expect_result(-EFAULT, HUSK_OP_GETDENTS, directory, at, length);
}

static void bad_vector(uint64_t at, uint64_t length)
{
    const struct husk_iovec vector[2] = {{at, length}, {at, length}};
    int64_t wanted = length > INT64_MAX || length * 2 > INT64_MAX ? -EINVAL : -EFAULT;

    expect_result(wanted, HUSK_OP_READV, file, vector, 2, 0);
    expect_result(wanted, HUSK_OP_WRITEV, 1, vector, 2, HUSK_STREAM);
    if (length > 0 && length <= HUSK_IOV_MAX) {
        expect_result(-EFAULT, HUSK_OP_READV, file, at, length, 0);
        expect_result(-EFAULT, HUSK_OP_WRITEV, 1, at, length, HUSK_STREAM);
    }
}

/* What may be read but not written. */
static void read_only(uint64_t at)
{
    bad_target(at);
    expect_result(-EFAULT, HUSK_OP_RANDOM, at, 16);
    expect_result(-EFAULT, HUSK_OP_READ, file, at, 16, 0);
    expect_result(-EFAULT, HUSK_OP_GETDENTS, directory, at, 4096);
}

/* At the end of the last page of the stack, half of it inside and half beyond the memory. */
static void across_the_end(void)
{
    uint64_t top = BOOT->stack_top;
    char path[16] = "link";

    expect_result(-EFAULT, HUSK_OP_FAULT, top - sizeof(struct husk_fault) + 1);
    expect_result(-EFAULT, HUSK_OP_CLOCK, top - sizeof(struct husk_clock) + 1);
    expect_result(-EFAULT, HUSK_OP_STAT, directory, path, 4, AT_SYMLINK_NOFOLLOW, STATX_ALL,
                  top - STATX_SIZE + 1);
    expect_result(-EFAULT, HUSK_OP_OPEN, directory, top - 3, 4, O_RDONLY);
    expect_result(-EFAULT, HUSK_OP_GETDENTS, directory, top - 512, 513);
    expect_result(1, HUSK_OP_RANDOM, top - 1, 1);
    expect_result(1, HUSK_OP_RANDOM, top - 1, 2);
    expect_result(1, HUSK_OP_RANDOM, top - 1, UINT64_MAX);
    expect_result(1, HUSK_OP_READ, file, top - 1, UINT64_MAX, 0);
}

int main(int argc, char **argv)
{
    static const char constant[] = "not to be written";
    uint64_t wild[64];
    size_t count = wild_addresses(wild);
    char path[4096];

    root = argc == 2 ? argv[1] : "/";
    snprintf(path, sizeof(path), "%s/file", root);
    directory = open_handle(root, O_RDONLY | O_DIRECTORY);
    file = open_handle(path, O_RDONLY);
    expect((int64_t)directory >= 0 && (int64_t)file >= 0, "cannot open %s", path);

    for (size_t i = 0; i < count; i++) {
        bad_source(wild[i]);
        bad_target(wild[i]);
        bad_path(wild[i]);
        for (size_t j = 0; j < COUNT(lengths); j++) {
            bad_buffer(wild[i], lengths[j]);
            bad_vector(wild[i], lengths[j]);
        }
    }
    read_only((uint64_t)constant);
    read_only((uint64_t)main);
    across_the_end();
    return held();
}
