/* SPDX-License-Identifier: ISC
 *
 * Reads directories, the host's and those that exist only in the name space, from any position into
 * buffers of any size. What lies between the entries is nothing of the monitor's. Argument: a
 * directory that it may fill.
 */
#include "hostile.h"

static char buffer[1 << 17];

static void read_all_ways(const char *path)
{
    static const uint64_t lengths[] = {0, 1, 8, 23, 24, 31, 4096, sizeof(buffer)};
    static const uint64_t positions[] = {0, 1, 7, 1ULL << 31, 1ULL << 32, INT64_MAX, UINT64_MAX};
    uint64_t directory = (uint64_t)open_handle(path, O_RDONLY | O_DIRECTORY);

    for (size_t i = 0; i < COUNT(positions); i++)
        for (size_t j = 0; j < COUNT(lengths); j++) {
            int64_t result;

            RING(HUSK_OP_SEEK, directory, positions[i], SEEK_SET);
            memset(buffer, '!', sizeof(buffer));
            result = RING(HUSK_OP_GETDENTS, directory, buffer, lengths[j]);
            expect(result <= (int64_t)lengths[j], "%s: %lld bytes into %llu", path,
                   (long long)result, (unsigned long long)lengths[j]);
            expect(buffer[lengths[j] < sizeof(buffer) ? lengths[j] : 0] == '!' ||
                       lengths[j] == sizeof(buffer),
                   "%s: a byte too many", path);
        }
    for (uint64_t whence = 5; whence < 100; whence++)
        expect(RING(HUSK_OP_SEEK, directory, 1ULL << 62, whence) < 0, "whence %llu",
               (unsigned long long)whence);
    expect_result(-EFAULT, HUSK_OP_GETDENTS, directory, 8, 4096);
    expect_result(-EFAULT, HUSK_OP_GETDENTS, directory, BOOT->ram_size - 8, 4096);
    expect_result(-ERANGE, HUSK_OP_PATH, directory, buffer, 0);
    expect_result(0, HUSK_OP_CLOSE, directory);
}

enum { FILES = 2100, NAME = 5, HEAD = 19 }; /* together more than one read takes */

static const char *file_name(const char *directory, unsigned i)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/%0*u", directory, NAME, i);
    return path;
}

/* A long vector leaves the monitor's own pointers on its stack. */
static void fill_stack(uint64_t file)
{
    static struct husk_iovec vector[HUSK_IOV_MAX];

    for (size_t i = 0; i < HUSK_IOV_MAX; i++)
        vector[i] = (struct husk_iovec){(guest_addr_t)buffer, 1};
    RING(HUSK_OP_READV, file, vector, HUSK_IOV_MAX, 0);
}

static void look_into_gaps(const char *path)
{
    uint64_t directory = (uint64_t)open_handle(path, O_RDONLY | O_DIRECTORY);
    uint64_t file = (uint64_t)open_handle(file_name(path, 0), O_RDONLY);
    int64_t result;

    memset(buffer, '!', sizeof(buffer));
    fill_stack(file);
    memset(buffer, '!', sizeof(buffer));
    result = RING(HUSK_OP_GETDENTS, directory, buffer, sizeof(buffer));
    expect(result > 0, "the directory gave %lld", (long long)result);
    for (int64_t at = 0, length; at < result; at += length) {
        const char *entry = buffer + at;

        length = (uint8_t)entry[16] | (uint8_t)entry[17] << 8;
        for (int64_t i = HEAD + (int64_t)strlen(entry + HEAD) + 1; i < length; i++)
            expect(entry[i] == '!' || entry[i] == 0, "byte %lld of %s is 0x%02x", (long long)i,
                   entry + HEAD, (uint8_t)entry[i]);
    }
    RING(HUSK_OP_CLOSE, file);
    RING(HUSK_OP_CLOSE, directory);
}

static void read_full(const char *directory)
{
    for (unsigned i = 0; i < FILES; i++) {
        const char *path = file_name(directory, i);
        int64_t file =
            RING(HUSK_OP_OPEN, HUSK_DIR_ROOT, path, strlen(path), O_CREAT | O_WRONLY, 0600);

        expect(file >= 0, "%s: %lld", path, (long long)file);
        RING(HUSK_OP_CLOSE, HUSK_OPEN_HANDLE(file));
    }
    look_into_gaps(directory);
    for (unsigned i = 0; i < FILES; i++) {
        const char *path = file_name(directory, i);

        RING(HUSK_OP_UNLINK, HUSK_DIR_ROOT, path, strlen(path), 0);
    }
}

int main(int argc, char **argv)
{
    read_all_ways(argc == 2 ? argv[1] : "/");
    read_all_ways("/");
    if (argc == 2)
        read_full(argv[1]);
    return held();
}
