/* SPDX-License-Identifier: ISC
 *
 * Moves the position in a directory that exists only in the name space, which the monitor keeps, to
 * where adding to it leaves what a number can hold.
 */
#include "hostile.h"

int main(void)
{
    static const int64_t far[] = {1, 2, INT64_MAX - 1, INT64_MAX};
    static char buffer[4096];
    uint64_t root = (uint64_t)open_handle("/", O_RDONLY | O_DIRECTORY);

    for (size_t i = 0; i < COUNT(far); i++) {
        expect_result(INT64_MAX, HUSK_OP_SEEK, root, INT64_MAX, SEEK_SET);
        expect_result(-EINVAL, HUSK_OP_SEEK, root, far[i], SEEK_CUR);
        expect_result(0, HUSK_OP_GETDENTS, root, buffer, sizeof(buffer));
        expect_result(INT64_MAX, HUSK_OP_SEEK, root, 0, SEEK_CUR);
        expect_result(INT64_MAX - far[i], HUSK_OP_SEEK, root, -far[i], SEEK_CUR);
        expect_result(-EINVAL, HUSK_OP_SEEK, root, INT64_MIN, SEEK_CUR);
        expect_result(-EINVAL, HUSK_OP_SEEK, root, INT64_MIN, SEEK_SET);
    }
    expect_result(0, HUSK_OP_SEEK, root, 0, SEEK_SET);
    expect(RING(HUSK_OP_GETDENTS, root, buffer, sizeof(buffer)) > 0, "the root has no entries");
    return held();
}
