/* SPDX-License-Identifier: ISC
 *
 * Receiving ahead into what is none of the guest's, from what is no TCP socket, and dropping what
 * is not there. Argument: a directory with a file. Needs a port of its own (-p 0:0).
 */
#include "hostile.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define FILLED(result) ((uint64_t)(result) >> 32)

static struct husk_ahead ahead[HUSK_AHEAD_MAX];
static struct epoll_event events[16];
static char room[HUSK_AHEAD_ROOM];
static uint64_t listener, to, from, epoll; /* what is sent to TO comes to FROM */

static void connect_to_myself(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int64_t accepted;

    listener = (uint64_t)RING(HUSK_OP_SOCKET, AF_INET, SOCK_STREAM, 0);
    to = (uint64_t)RING(HUSK_OP_SOCKET, AF_INET, SOCK_STREAM, 0);
    expect_result(0, HUSK_OP_BIND, listener, &at, sizeof(at));
    expect_result(0, HUSK_OP_LISTEN, listener, 1);
    expect_result(sizeof(at), HUSK_OP_NAME, listener, 0, &at, sizeof(at));
    RING(HUSK_OP_CONNECT, to, &at, sizeof(at));
    do
        accepted = RING(HUSK_OP_ACCEPT, listener, 0, 0);
    while (accepted == -EAGAIN);
    expect(accepted >= 0, "accept gave %lld", (long long)accepted);
    from = (uint32_t)accepted;
    epoll = (uint64_t)RING(HUSK_OP_EPOLL);
}

static void watch(uint64_t handle, uint64_t operation, uint64_t data)
{
    expect_result(0, HUSK_OP_WATCH, epoll, operation, handle, EPOLLIN, data);
}

static void offer(uint64_t base, uint32_t bytes)
{
    for (size_t i = 0; i < COUNT(ahead); i++)
        ahead[i] = (struct husk_ahead){.base = base, .room = bytes};
}

static int64_t ask(const void *to_fill, uint64_t count)
{
    return RING(HUSK_OP_EVENTS, epoll, events, 16, 0, to_fill, count);
}

static void nothing_is_filled(const char *why)
{
    int64_t came = ask(ahead, 4);

    expect(came == 1, "%s: %llx came", why, (unsigned long long)came);
    expect_result(5, HUSK_OP_QUEUED, from);
}

static void bad_arrays(void)
{
    struct husk_wait wait = {.handle = (uint32_t)from, .events = EPOLLIN};
    uint64_t wild[64];
    size_t count = wild_addresses(wild);

    expect(ask(ahead, HUSK_AHEAD_MAX + 1) == -EINVAL, "too many");
    expect(ask(ahead, UINT64_MAX) == -EINVAL, "by far");
    expect_result(-EINVAL, HUSK_OP_WAIT, &wait, 1, 0, ahead, HUSK_AHEAD_MAX + 1);
    for (size_t i = 0; i < count; i++) {
        expect(ask((void *)wild[i], 1) == 1, "an array at %llx", (unsigned long long)wild[i]);
        expect_result(1, HUSK_OP_WAIT, &wait, 1, 0, wild[i], 1);
        offer(wild[i], HUSK_AHEAD_ROOM);
        nothing_is_filled("a wild address");
    }
    offer((uint64_t)bad_arrays, 16);
    nothing_is_filled("code");
    offer((uint64_t)room, 0);
    nothing_is_filled("no room");
    offer((uint64_t)room, HUSK_AHEAD_ROOM + 1);
    nothing_is_filled("too much room");
    offer((uint64_t)room, UINT32_MAX);
    nothing_is_filled("by far");
}

static void other_handles(uint64_t file)
{
    const uint64_t udp = (uint64_t)RING(HUSK_OP_SOCKET, AF_INET, SOCK_DGRAM, 0);
    const uint64_t others[] = {0,        1,   2,    file,           epoll,
                               listener, udp, 1000, from ^ 1 << 16, UINT32_MAX};

    offer((uint64_t)room, HUSK_AHEAD_ROOM);
    for (size_t i = 0; i < COUNT(others); i++) {
        watch(from, EPOLL_CTL_MOD, others[i]);
        nothing_is_filled("another handle");
    }
    expect_result(-EINVAL, HUSK_OP_SKIP, udp, 1);
    expect_result(-ENOTSOCK, HUSK_OP_SKIP, file, 1);
    expect_result(-ENOTSOCK, HUSK_OP_SKIP, 1, 1);
    expect_result(-EBADF, HUSK_OP_SKIP, 1000, 1);
}

static void as_intended(void)
{
    int64_t came;

    watch(from, EPOLL_CTL_MOD, from | 7ULL << 32);
    offer((uint64_t)room, HUSK_AHEAD_ROOM);
    came = ask(ahead, HUSK_AHEAD_MAX);
    expect((uint32_t)came == 1 && FILLED(came) == 1, "%llx came", (unsigned long long)came);
    expect(ahead[0].handle == from && ahead[0].length == 5 && memcmp(room, "hello", 5) == 0,
           "what was sent");
    expect(events[0].data.u64 == (from | 7ULL << 32), "the event's data");
    nothing_is_filled("unread");
    expect_result(-EINVAL, HUSK_OP_SKIP, from, HUSK_AHEAD_ROOM + 1);
    expect_result(-EINVAL, HUSK_OP_SKIP, from, UINT64_MAX);
    expect_result(5, HUSK_OP_QUEUED, from);
    expect_result(0, HUSK_OP_SKIP, from, 2);
    expect_result(3, HUSK_OP_QUEUED, from);
    /* Into itself, and into the events. */
    offer((uint64_t)ahead, sizeof(ahead));
    came = ask(ahead, 4);
    expect((uint32_t)came == 1, "%llx came", (unsigned long long)came);
    expect_result(0, HUSK_OP_SKIP, from, HUSK_AHEAD_ROOM);
    expect_result(0, HUSK_OP_QUEUED, from);
    expect_result(0, HUSK_OP_SKIP, from, HUSK_AHEAD_ROOM);
    expect_result(-EAGAIN, HUSK_OP_READ, from, room, 1, HUSK_STREAM);
    expect_result(0, HUSK_OP_SKIP, listener, 1);
}

static void send_hello(void)
{
    expect_result(5, HUSK_OP_WRITE, to, "hello", 5, HUSK_STREAM);
    while (RING(HUSK_OP_QUEUED, from) != 5)
        ;
}

int main(int argc, char **argv)
{
    char path[4096];
    uint64_t file;

    snprintf(path, sizeof(path), "%s/file", argc == 2 ? argv[1] : "/");
    file = (uint64_t)open_handle(path, O_RDONLY);
    connect_to_myself();
    send_hello();
    watch(from, EPOLL_CTL_ADD, from);
    bad_arrays();
    other_handles(file);
    as_intended();
    return held();
}
