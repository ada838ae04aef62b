/* SPDX-License-Identifier: ISC
 *
 * Calls on sockets with data and names in what nobody has touched of a stack: each takes one
 * datagram, connection or error, and loses none.
 */
#include "net.h"

#include "../stacks.h"

enum { SIZE = 2 * MIB, ROOM = 100 };

static struct sockaddr_in at_a, at_b;
static int a, b;
static char elsewhere[ROOM];

/* The middle of a new stack. */
static void *untouched(void)
{
    return new_stack(SIZE) + SIZE / 2;
}

/* An address amid such a stack where what is known begins: half of FIELD lies before. */
static void *at_border(size_t field)
{
    return new_stack(SIZE) + SIZE - PIECE - field / 2;
}

static void to_b(const char *text)
{
    need((int)sendto(a, text, strlen(text), 0, (struct sockaddr *)&at_b, sizeof(at_b)), "sendto");
}

static bool is_a(const struct sockaddr_in *from, socklen_t length)
{
    return length == sizeof(at_a) && memcmp(from, &at_a, sizeof(at_a)) == 0;
}

static bool is_text(const void *data, const char *text)
{
    return memcmp(data, text, strlen(text)) == 0;
}

static void datagrams(void)
{
    struct sockaddr_in *from = untouched();
    socklen_t length = sizeof(*from), *room = untouched();
    char *text = untouched();

    to_b("hello");
    check(recvfrom(b, elsewhere, ROOM, 0, (struct sockaddr *)from, &length) == 5 &&
              is_text(elsewhere, "hello") && is_a(from, length),
          "recvfrom tells the sender");
    to_b("second");
    check(recv(b, text, ROOM, 0) == 6 && is_text(text, "second"), "recv");
    to_b("third");
    text = at_border(5);
    check(read(b, text, ROOM) == 5 && is_text(text, "third"), "read across a border");
    to_b("fourth");
    from = at_border(sizeof(*from)), length = sizeof(*from), text = untouched();
    check(recvfrom(b, text, ROOM, 0, (struct sockaddr *)from, &length) == 6 &&
              is_text(text, "fourth") && is_a(from, length),
          "recvfrom, both");
    to_b("fifth");
    check(recvfrom(b, elsewhere, ROOM, 0, untouched(), room) == 5 && *room == sizeof(*from),
          "recvfrom without room for the sender");
    check(sendto(a, untouched(), 7, 0, (struct sockaddr *)&at_b, sizeof(at_b)) == 7 &&
              recv(b, elsewhere, ROOM, 0) == 7 && elsewhere[0] == 0,
          "sendto of zeros");
}

static void messages(void)
{
    struct iovec one = {untouched(), 5}, two[2] = {{elsewhere, 2}, {untouched(), ROOM}};
    struct msghdr message = {
        .msg_name = &at_b, .msg_namelen = sizeof(at_b), .msg_iov = &one, .msg_iovlen = 1};

    check(sendmsg(a, &message, 0) == 5, "sendmsg of zeros");
    one = (struct iovec){untouched(), ROOM};
    message = (struct msghdr){.msg_iov = &one, .msg_iovlen = 1};
    check(recvmsg(b, &message, 0) == 5 && message.msg_flags == 0, "recvmsg");
    to_b("hello");
    message = (struct msghdr){.msg_iov = two, .msg_iovlen = 2};
    check(recvmsg(b, &message, 0) == 5 && is_text(elsewhere, "he") &&
              is_text(two[1].iov_base, "llo"),
          "recvmsg with other memory before");
    check(message.msg_flags == 0, "nothing is cut");
    to_b("second");
    one = (struct iovec){elsewhere, ROOM};
    message = (struct msghdr){
        .msg_name = untouched(), .msg_namelen = ROOM, .msg_iov = &one, .msg_iovlen = 1};
    check(recvmsg(b, &message, 0) == 6 && is_text(elsewhere, "second") &&
              is_a(message.msg_name, message.msg_namelen),
          "recvmsg tells the sender");
}

static void several(void)
{
    struct iovec vectors[2] = {{untouched(), ROOM}, {untouched(), ROOM}};
    struct mmsghdr many[2];

    for (int i = 0; i < 2; i++)
        many[i] = (struct mmsghdr){.msg_hdr = {.msg_name = i == 0 ? untouched() : NULL,
                                               .msg_namelen = i == 0 ? ROOM : 0,
                                               .msg_iov = &vectors[i],
                                               .msg_iovlen = 1}};
    to_b("first");
    to_b("second");
    check(recvmmsg(b, many, 2, 0, NULL) == 2 && is_text(vectors[0].iov_base, "first") &&
              is_text(vectors[1].iov_base, "second") && many[0].msg_len == 5 &&
              many[1].msg_len == 6,
          "recvmmsg");
    check(is_a(many[0].msg_hdr.msg_name, many[0].msg_hdr.msg_namelen), "tells the sender");
    for (int i = 0; i < 2; i++) {
        vectors[i] = (struct iovec){untouched(), (size_t)(i + 3)};
        many[i].msg_hdr.msg_name = &at_b, many[i].msg_hdr.msg_namelen = sizeof(at_b);
    }
    check(sendmmsg(a, many, 2, 0) == 2 && recv(b, elsewhere, ROOM, 0) == 3 &&
              recv(b, elsewhere, ROOM, 0) == 4,
          "sendmmsg of zeros");
    check_error(recv(b, elsewhere, ROOM, MSG_DONTWAIT), EAGAIN, "that was all");
}

static void connections(void)
{
    struct sockaddr_in at, name, *from = untouched();
    socklen_t length = sizeof(*from);
    int server = listening(&at), client = connected(&at), end;
    char *text = untouched();

    end = accept(server, (struct sockaddr *)from, &length);
    check(end >= 0 && length == sizeof(*from), "accept");
    need(end, "accept");
    need(getsockname(client, (struct sockaddr *)&name, &length), "getsockname");
    check(memcmp(from, &name, sizeof(name)) == 0, "tells the client");
    from = untouched();
    check(getpeername(end, (struct sockaddr *)from, &length) == 0 &&
              memcmp(from, &name, sizeof(name)) == 0,
          "getpeername");
    from = at_border(sizeof(*from));
    check(getsockname(end, (struct sockaddr *)from, &length) == 0 &&
              memcmp(from, &at, sizeof(at)) == 0,
          "getsockname across a border");
    check(write(client, "0123456789", 10) == 10 && recv(end, text, 10, MSG_WAITALL) == 10 &&
              is_text(text, "0123456789"),
          "data");
    check(write(client, untouched(), 3) == 3 && recv(end, elsewhere, 3, MSG_WAITALL) == 3 &&
              elsewhere[0] == 0,
          "zeros");
    close(client);
    close(end);
    close(server);
}

static void an_error(void)
{
    struct sockaddr_in at;
    struct pollfd pollfd = {.events = POLLOUT};
    int server = bound(SOCK_STREAM, &at); /* not listening: nobody answers there */
    int fd = need(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), "socket");
    int *error = untouched();
    socklen_t length = sizeof(*error);

    pollfd.fd = fd;
    if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0 || errno != EINPROGRESS)
        puts("connect was not begun (WRONG)");
    check(poll(&pollfd, 1, -1) == 1, "a connection is refused");
    check(getsockopt(fd, SOL_SOCKET, SO_ERROR, error, &length) == 0 && *error == ECONNREFUSED,
          "SO_ERROR tells it");
    error = untouched();
    check(getsockopt(fd, SOL_SOCKET, SO_ERROR, error, &length) == 0 && *error == 0, "once");
    check(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, untouched(), sizeof(int)) == 0,
          "setsockopt to 0");
    close(fd);
    close(server);
}

int main(void)
{
    const struct timeval patience = {.tv_sec = 10};

    a = bound(SOCK_DGRAM, &at_a);
    b = bound(SOCK_DGRAM, &at_b);
    /* What was lost ends the test, late. */
    setsockopt(b, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    datagrams();
    messages();
    several();
    connections();
    an_error();
    close(a);
    close(b);
    return exit_status();
}
