/* SPDX-License-Identifier: ISC
 *
 * Vectors of any count, whose lengths wrap when they are added, which overlap, and whose elements
 * lie in one another. Argument: a directory with a file of 10 bytes.
 */
#include "hostile.h"

static struct husk_iovec vector[HUSK_IOV_MAX + 1];
static char buffer[64];

static void fill(uint64_t base, uint64_t len)
{
    for (size_t i = 0; i < COUNT(vector); i++)
        vector[i] = (struct husk_iovec){base, len};
}

int main(int argc, char **argv)
{
    const uint64_t counts[] = {HUSK_IOV_MAX + 1, 1ULL << 16, 1ULL << 32, 1ULL << 60, UINT64_MAX};
    const uint64_t lengths[] = {1ULL << 63, UINT64_MAX, UINT64_MAX / HUSK_IOV_MAX + 1};
    char path[256];
    uint64_t file;

    snprintf(path, sizeof(path), "%s/file", argc == 2 ? argv[1] : "/");
    file = (uint64_t)open_handle(path, O_RDONLY);
    fill((uint64_t)buffer, 1);
    for (size_t i = 0; i < COUNT(counts); i++)
        expect_result(-EINVAL, HUSK_OP_READV, file, vector, counts[i], 0);
    expect_result(0, HUSK_OP_READV, file, vector, 0, 0);
    expect_result(10, HUSK_OP_READV, file, vector, HUSK_IOV_MAX, 0);
    expect(buffer[0] == '9', "the last of overlapping elements counts");
    for (size_t i = 0; i < COUNT(lengths); i++) {
        fill((uint64_t)buffer, lengths[i]);
        expect_result(-EINVAL, HUSK_OP_READV, file, vector, HUSK_IOV_MAX, 0);
    }
    /* The file's bytes go over the vector itself: it has been read by then. */
    fill((uint64_t)vector, sizeof(vector));
    expect_result(10, HUSK_OP_READV, file, vector, 8, 0);
    /* Elements end where memory does. */
    fill((uint64_t)buffer, sizeof(buffer));
    vector[1].base = BOOT->ram_size;
    expect_result(10, HUSK_OP_READV, file, vector, 2, 0);
    vector[0].base = BOOT->ram_size - 1;
    vector[0].len = UINT32_MAX;
    expect(RING(HUSK_OP_READV, file, vector, 1, 0) <= 1, "more than there is room for");
    expect_result(-EFAULT, HUSK_OP_READV, file, &vector[1], 1, 0);
    return held();
}
