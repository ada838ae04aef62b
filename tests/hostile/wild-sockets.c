/* SPDX-License-Identifier: ISC
 *
 * Sockets of every family and type in a run that was granted no network, and every operation of
 * sockets on what is none. Argument: a directory.
 */
#include "hostile.h"

static char buffer[4096];

static void no_socket_is_made(void)
{
    static const uint64_t values[] = {0, 1, 2, 3, 4, 10, 16, 17, 40, 0x7fffffff, UINT64_MAX};

    for (size_t family = 0; family < COUNT(values); family++)
        for (size_t type = 0; type < COUNT(values); type++) {
            int64_t result = RING(HUSK_OP_SOCKET, values[family], values[type], values[type]);

            expect(result == -EACCES || result == -EAFNOSUPPORT, "socket %llu, %llu gave %lld",
                   (unsigned long long)values[family], (unsigned long long)values[type],
                   (long long)result);
        }
}

static void expect_no_socket(uint64_t handle, int64_t wanted)
{
    expect_result(wanted, HUSK_OP_BIND, handle, buffer, 16);
    expect_result(wanted, HUSK_OP_LISTEN, handle, 1);
    expect_result(wanted, HUSK_OP_ACCEPT, handle, buffer, 16);
    expect_result(wanted, HUSK_OP_CONNECT, handle, buffer, 16);
    expect_result(wanted, HUSK_OP_SHUTDOWN, handle, 2);
    expect_result(wanted, HUSK_OP_NAME, handle, 0, buffer, 16);
    expect_result(wanted, HUSK_OP_SEND, handle, buffer, 1, 0);
    expect_result(wanted, HUSK_OP_RECEIVE, handle, buffer, 1, 0);
    expect_result(wanted, HUSK_OP_GETOPT, handle, 1, 3, buffer, 4);
    expect_result(wanted, HUSK_OP_SETOPT, handle, 1, 2, buffer, 4);
    expect_result(wanted, HUSK_OP_QUEUED, handle);
    expect_result(wanted, HUSK_OP_SKIP, handle, 1);
}

int main(int argc, char **argv)
{
    uint64_t directory = (uint64_t)open_handle(argc == 2 ? argv[1] : "/", O_RDONLY | O_DIRECTORY);

    no_socket_is_made();
    for (uint64_t stream = 0; stream < 3; stream++)
        expect_no_socket(stream, -ENOTSOCK);
    expect_no_socket(directory, -ENOTSOCK);
    expect_no_socket(1000, -EBADF);
    expect_no_socket(UINT64_MAX, -EBADF);
    return held();
}
