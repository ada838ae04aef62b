/* SPDX-License-Identifier: ISC
 *
 * UDP: datagrams, who sent them, several at once.
 */
#include "net.h"

static struct sockaddr_in at_a, at_b;
static int a, b;

static long to_b(const char *text, size_t size)
{
    return sendto(a, text, size, 0, (struct sockaddr *)&at_b, sizeof(at_b));
}

static void single(void)
{
    struct sockaddr_in from;
    socklen_t length = sizeof(from);
    char text[64];
    int queued = -1;

    check(to_b("hello", 5) == 5, "sendto");
    check(recvfrom(b, text, sizeof(text), 0, (struct sockaddr *)&from, &length) == 5 &&
              !memcmp(text, "hello", 5),
          "recvfrom");
    check(length == sizeof(from) && memcmp(&from, &at_a, sizeof(from)) == 0, "it tells the sender");
    check(sendto(b, "answer", 6, 0, (struct sockaddr *)&from, length) == 6, "an answer");
    check(read(a, text, sizeof(text)) == 6, "read");
    check(to_b("", 0) == 0, "an empty datagram");
    check(recv(b, text, sizeof(text), 0) == 0, "arrives");
    to_b("first", 5);
    to_b("second", 6);
    check(ioctl(b, FIONREAD, &queued) == 0 && queued == 5, "FIONREAD tells of the first");
    check(recv(b, text, 2, 0) == 2, "a short buffer cuts it");
    check(recv(b, text, sizeof(text), MSG_PEEK) == 6, "the next one is whole");
    check(recv(b, text, 2, MSG_TRUNC) == 6, "MSG_TRUNC tells the length");
    check_error(recv(b, text, sizeof(text), MSG_DONTWAIT), EAGAIN, "then there is none");
}

static void limits(void)
{
    static char data[70000];

    check_error(to_b(data, sizeof(data)), EMSGSIZE, "more than a datagram holds");
    check(to_b(data, 65507) == 65507, "the largest");
    check(recv(b, data, sizeof(data), 0) == 65507, "arrives");
    check_error(write(a, "x", 1), EDESTADDRREQ, "write without an address");
}

static void messages(void)
{
    struct iovec parts[] = {{"ab", 2}, {"cde", 3}};
    struct sockaddr_in from;
    char first[4] = "", second[3] = "";
    struct iovec in[] = {{first, 3}, {second, 1}};
    struct msghdr out = {
        .msg_name = &at_b, .msg_namelen = sizeof(at_b), .msg_iov = parts, .msg_iovlen = 2};
    struct msghdr message = {
        .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = in, .msg_iovlen = 2};

    check(sendmsg(a, &out, 0) == 5, "sendmsg");
    check(recvmsg(b, &message, 0) == 4 && !strcmp(first, "abc") && !strcmp(second, "d"), "recvmsg");
    check(message.msg_flags == MSG_TRUNC, "MSG_TRUNC is told");
    check(message.msg_namelen == sizeof(from) && !memcmp(&from, &at_a, sizeof(from)),
          "and the sender");
}

static void many(void)
{
    enum { COUNT = 40 };
    static char data[COUNT][8];
    struct iovec iov[COUNT];
    struct mmsghdr messages[COUNT + 1] = {0};
    struct sockaddr_in from[COUNT];
    bool right = true;

    for (int i = 0; i < COUNT; i++) {
        snprintf(data[i], sizeof(data[i]), "%d", i);
        iov[i] = (struct iovec){data[i], strlen(data[i])};
        messages[i].msg_hdr = (struct msghdr){
            .msg_name = &at_b, .msg_namelen = sizeof(at_b), .msg_iov = &iov[i], .msg_iovlen = 1};
    }
    check(sendmmsg(a, messages, COUNT, 0) == COUNT, "sendmmsg of 40");
    for (int i = 0; i < COUNT; i++)
        right = right && messages[i].msg_len == strlen(data[i]);
    check(right, "each tells its length");
    memset(data, 0, sizeof(data));
    for (int i = 0; i < COUNT; i++) {
        iov[i] = (struct iovec){data[i], sizeof(data[i]) - 1};
        messages[i].msg_hdr.msg_name = &from[i];
        messages[i].msg_hdr.msg_namelen = sizeof(from[i]);
    }
    check(recvmmsg(b, messages, COUNT + 1, MSG_WAITFORONE, NULL) == COUNT,
          "recvmmsg, MSG_WAITFORONE");
    right = true;
    for (int i = 0; i < COUNT; i++)
        right = right && atoi(data[i]) == i && messages[i].msg_len == strlen(data[i]) &&
                memcmp(&from[i], &at_a, sizeof(at_a)) == 0;
    check(right, "all are there, in order, with their sender");
    check_error(recvmmsg(b, messages, 2, MSG_DONTWAIT, NULL), EAGAIN, "then there is none");
}

static void connected_sockets(void)
{
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    struct sockaddr_in peer;
    socklen_t length = sizeof(peer);
    struct sockaddr_in at_c;
    int c = bound(SOCK_DGRAM, &at_c);
    char text[16];

    check_error(getpeername(a, (struct sockaddr *)&peer, &length), ENOTCONN,
                "getpeername before connect");
    check(connect(a, (struct sockaddr *)&at_b, sizeof(at_b)) == 0, "connect");
    length = sizeof(peer);
    check(getpeername(a, (struct sockaddr *)&peer, &length) == 0 &&
              memcmp(&peer, &at_b, sizeof(peer)) == 0,
          "getpeername");
    check(write(a, "by write", 8) == 8 && recv(b, text, sizeof(text), 0) == 8, "write");
    sendto(c, "stranger", 8, 0, (struct sockaddr *)&at_a, sizeof(at_a));
    sendto(b, "friend", 6, 0, (struct sockaddr *)&at_a, sizeof(at_a));
    check(recv(a, text, sizeof(text), 0) == 6, "only the peer is heard");
    check(connect(a, &nobody, sizeof(nobody)) == 0, "connect to nobody");
    check_error(write(a, "x", 1), EDESTADDRREQ, "then write");
    close(c);
}

static void timeout(void)
{
    struct timeval half = {.tv_usec = 50000};
    long long before = now_ns();
    char byte;

    setsockopt(b, SOL_SOCKET, SO_RCVTIMEO, &half, sizeof(half));
    check_error(recv(b, &byte, 1, 0), EAGAIN, "recv until the timeout");
    check(now_ns() - before >= 49000000, "it waited");
}

int main(void)
{
    a = bound(SOCK_DGRAM, &at_a);
    b = bound(SOCK_DGRAM, &at_b);
    check(at_a.sin_port != at_b.sin_port && at_a.sin_port != 0, "two ports");
    single();
    limits();
    messages();
    many();
    connected_sockets();
    timeout();
    close(a);
    close(b);
    return exit_status();
}
