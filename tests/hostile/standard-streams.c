/* SPDX-License-Identifier: ISC
 *
 * What may be done to standard input, output and error, which others share: nothing but reading and
 * writing.
 */
#include "hostile.h"

static char buffer[256];

int main(void)
{
    for (uint64_t stream = 0; stream < 3; stream++) {
        expect_result(-EROFS, HUSK_OP_CHMOD, stream, "", 0, 0777, AT_EMPTY_PATH);
        expect_result(-EROFS, HUSK_OP_CHOWN, stream, "", 0, 0, AT_EMPTY_PATH);
        expect_result(-EROFS, HUSK_OP_UTIMES, stream, "", 0, 0, AT_EMPTY_PATH);
        expect_result(-EBADF, HUSK_OP_APPEND, stream, 1);
        expect_result(-ENOTDIR, HUSK_OP_OPEN, stream, ".", 1, O_RDONLY);
        expect_result(-ENOTDIR, HUSK_OP_GETDENTS, stream, buffer, sizeof(buffer));
        expect_result(-ENODEV, HUSK_OP_MAPFILE, 64ULL << 20, HUSK_PAGE_SIZE, stream, 0, 1, 1);
        for (uint64_t request = 0; request < 0x10000; request += 1 + (request < 0x5400) * 0x3f)
            expect_result(-ENOTTY, HUSK_OP_TTY, stream, request, buffer);
    }
    expect(RING(HUSK_OP_TRUNCATE, 1, "", 0, 0, AT_EMPTY_PATH) < 0, "a pipe was truncated");
    expect(RING(HUSK_OP_ALLOCATE, 1, 0, 0, 1ULL << 40) < 0, "a pipe was allocated");
    expect_result(-ESPIPE, HUSK_OP_WRITE, 1, buffer, 1, 0);
    return held();
}
