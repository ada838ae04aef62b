/* SPDX-License-Identifier: ISC
 *
 * Locks with commands, types, places and lengths that mean nothing, on what cannot be locked.
 * Argument: a directory with a file.
 */
#include "hostile.h"

#include <sys/file.h>

static bool is_fcntl_lock(uint64_t command)
{
    return (command >= F_GETLK && command <= F_SETLKW) ||
           (command >= F_OFD_GETLK && command <= F_OFD_SETLKW);
}

int main(int argc, char **argv)
{
    const int64_t places[] = {0, 1, -1, INT64_MAX, INT64_MIN, 1LL << 31};
    const int kinds[] = {F_RDLCK, F_UNLCK, 3, 77, -1};
    char path[256];
    uint64_t file;

    snprintf(path, sizeof(path), "%s/file", argc == 2 ? argv[1] : "/");
    file = (uint64_t)open_handle(path, O_RDONLY);
    for (uint64_t command = 0; command < 64; command++)
        if (!is_fcntl_lock(command))
            expect_result(-EINVAL, HUSK_OP_LOCK, file, command, 0);
    /* Others would set flags or send signals; the high half is not looked at twice. */
    expect_result(-EINVAL, HUSK_OP_LOCK, file, F_SETFL, 0);
    expect_result(-EINVAL, HUSK_OP_LOCK, file, F_SETOWN, 0);
    expect_result(-EINVAL, HUSK_OP_LOCK, file, F_DUPFD, 0);
    expect_result(-EFAULT, HUSK_OP_LOCK, file, F_GETLK, 8);
    for (size_t kind = 0; kind < COUNT(kinds); kind++)
        for (size_t start = 0; start < COUNT(places); start++)
            for (size_t len = 0; len < COUNT(places); len++)
                for (int whence = -1; whence < 4; whence++) {
                    struct flock lock = {.l_type = (short)kinds[kind],
                                         .l_whence = (short)whence,
                                         .l_start = places[start],
                                         .l_len = places[len]};
                    int64_t result = RING(HUSK_OP_LOCK, file, F_SETLK, &lock);

                    expect(result == 0 || result == -EINVAL || result == -EOVERFLOW ||
                               result == -EBADF,
                           "a lock gave %lld", (long long)result);
                }
    for (uint64_t operation = 0; operation < 64; operation++)
        if (!(operation & LOCK_SH))
            RING(HUSK_OP_FLOCK, file, operation | LOCK_NB);
    expect_result(-EBADF, HUSK_OP_FLOCK, 500, LOCK_EX);
    return held();
}
