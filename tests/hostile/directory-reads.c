/* SPDX-License-Identifier: ISC
 *
 * Reads directories, the host's and those that exist only in the name space, from any position into
 * buffers of any size. Argument: a directory.
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

int main(int argc, char **argv)
{
    read_all_ways(argc == 2 ? argv[1] : "/");
    read_all_ways("/");
    return held();
}
