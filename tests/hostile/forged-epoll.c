/* SPDX-License-Identifier: ISC */
/* The operations of epoll with what they must refuse. Argument: a directory. */
#include "hostile.h"

#include <sys/epoll.h>

static struct epoll_event events[16];

static int64_t watch(uint64_t epoll, uint64_t operation, uint64_t handle, uint64_t flags)
{
    return RING(HUSK_OP_WATCH, epoll, operation, handle, flags, 42);
}

static void of_another_kind(uint64_t epoll, uint64_t file, uint64_t directory)
{
    expect_result(-EBADF, HUSK_OP_WATCH, file, EPOLL_CTL_ADD, epoll, EPOLLIN, 0);
    expect_result(-EBADF, HUSK_OP_EVENTS, file, events, 16, 0);
    expect_result(-EBADF, HUSK_OP_EVENTS, 77, events, 16, 0);
    expect(watch(77, EPOLL_CTL_ADD, epoll, EPOLLIN) == -EBADF, "no instance");
    expect(watch(epoll, EPOLL_CTL_ADD, 77, EPOLLIN) == -EBADF, "no handle");
    expect(watch(epoll, EPOLL_CTL_ADD, HUSK_DIR_ROOT, EPOLLIN) == -EBADF, "the root");
    expect(watch(epoll, EPOLL_CTL_ADD, file, EPOLLIN) == -EPERM, "a regular file");
    expect(watch(epoll, EPOLL_CTL_ADD, directory, EPOLLIN) == -EPERM, "a directory");
    expect(watch(epoll, EPOLL_CTL_ADD, epoll, EPOLLIN) == -EINVAL, "itself");
    expect_result(-EINVAL, HUSK_OP_READ, epoll, events, 16, HUSK_STREAM);
    expect_result(-EINVAL, HUSK_OP_WRITE, epoll, events, 16, HUSK_STREAM);
    expect_result(-ENOTDIR, HUSK_OP_OPEN, epoll, "x", 1, 0);
    expect_result(-ENOTTY, HUSK_OP_TTY, epoll, 0x5401, events);
    expect_result(-ENODEV, HUSK_OP_MAPFILE, 1 << 30, 4096, epoll, 0, HUSK_PROT_READ, 0);
}

static void wild_arguments(uint64_t epoll)
{
    uint64_t wild[64];
    size_t count = wild_addresses(wild);

    expect(watch(epoll, EPOLL_CTL_DEL, 1, 0) == -ENOENT, "not watched");
    for (unsigned operation = 4; operation < 64; operation++)
        expect(watch(epoll, 1ULL << operation, 0, EPOLLIN) == -EINVAL, "an operation");
    for (unsigned bit = 11; bit < 64; bit++)
        if (!(HUSK_EPOLL_EVENTS >> bit & 1))
            expect(watch(epoll, EPOLL_CTL_ADD, 0, 1ULL << bit) == -EINVAL, "event %u", bit);
    expect_result(-EINVAL, HUSK_OP_EVENTS, epoll, events, 0, 0);
    for (size_t i = 0; i < count; i++)
        expect_result(-EFAULT, HUSK_OP_EVENTS, epoll, wild[i], 1, 0);
    expect_result(0, HUSK_OP_EVENTS, epoll, events, UINT64_MAX, 0);
    expect_result(0, HUSK_OP_EVENTS, epoll, events, UINT64_MAX / 12 + 2, 0);
}

/* Instances without end, each watching the others: the kernel and the monitor have their limits. */
static void many(void)
{
    static uint64_t all[2 * HUSK_EPOLLS_MAX];
    size_t count = 0;
    int64_t handle;

    while ((handle = RING(HUSK_OP_EPOLL)) >= 0 && count < COUNT(all))
        all[count++] = (uint64_t)handle;
    expect(handle == -EMFILE, "the last of %zu gave %lld", count, (long long)handle);
    expect(count < HUSK_EPOLLS_MAX, "%zu instances", count);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < 20; j++)
            watch(all[i], EPOLL_CTL_ADD, all[(i + j * j) % count], EPOLLIN | EPOLLET);
    for (size_t i = 0; i < count; i++) {
        RING(HUSK_OP_EVENTS, all[i], events, 16, 0);
        expect_result(0, HUSK_OP_CLOSE, all[i]);
        expect_result(-EBADF, HUSK_OP_EVENTS, all[i], events, 16, 0);
    }
}

/* What was closed does not come, and what the monitor keeps open neither. */
static void closed(uint64_t epoll)
{
    expect(watch(epoll, EPOLL_CTL_ADD, 1, EPOLLOUT) == 0, "standard output");
    expect_result(1, HUSK_OP_EVENTS, epoll, events, 16, 0);
    expect(events[0].data.u64 == 42, "its data");
    expect(watch(epoll, EPOLL_CTL_ADD, 2, EPOLLOUT) == 0, "standard error");
    expect_result(2, HUSK_OP_EVENTS, epoll, events, 16, UINT64_MAX);
    expect_result(0, HUSK_OP_CLOSE, 2);
    expect_result(1, HUSK_OP_EVENTS, epoll, events, 16, 0);
    expect(watch(epoll, EPOLL_CTL_DEL, 2, 0) == -EBADF, "a closed one");
}

int main(int argc, char **argv)
{
    const char *directory_path = argc == 2 ? argv[1] : "/";
    uint64_t directory = (uint64_t)open_handle(directory_path, O_RDONLY | O_DIRECTORY), file;
    int64_t epoll = RING(HUSK_OP_EPOLL);
    char path[4096];

    snprintf(path, sizeof(path), "%s/file", directory_path);
    file = (uint64_t)open_handle(path, O_RDONLY);
    expect(epoll >= 0 && (int64_t)file >= 0 && (int64_t)directory >= 0, "handles");
    of_another_kind((uint64_t)epoll, file, directory);
    wild_arguments((uint64_t)epoll);
    many();
    closed((uint64_t)epoll);
    return held();
}
