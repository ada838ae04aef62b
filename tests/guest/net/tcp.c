/* SPDX-License-Identifier: ISC
 *
 * TCP: names, data both ways, the end of a stream, blocking and not.
 */
#include "net.h"

#define MIB (1 << 20)

static void names(void)
{
    struct sockaddr_in at, own, peer, accepted;
    socklen_t length = sizeof(own);
    int server = listening(&at), client, end;

    check(ntohs(at.sin_port) != 0, "bind to port 0 gives a port");
    check(at.sin_family == AF_INET && at.sin_addr.s_addr == htonl(INADDR_LOOPBACK),
          "getsockname tells address and family");
    client = connected(&at);
    getsockname(client, (struct sockaddr *)&own, &length);
    check(length == sizeof(own) && own.sin_port != 0, "a connected socket has a port");
    length = sizeof(peer);
    getpeername(client, (struct sockaddr *)&peer, &length);
    check(memcmp(&peer, &at, sizeof(at)) == 0, "getpeername is where it connected");
    length = 100;
    memset(&accepted, 0xff, sizeof(accepted));
    end = need(accept4(server, (struct sockaddr *)&accepted, &length, SOCK_NONBLOCK | SOCK_CLOEXEC),
               "accept4");
    check(length == sizeof(accepted) && memcmp(&accepted, &own, sizeof(own)) == 0,
          "accept tells who connected");
    check(fcntl(end, F_GETFL) == (O_RDWR | O_NONBLOCK), "SOCK_NONBLOCK");
    check(fcntl(end, F_GETFD) == FD_CLOEXEC, "SOCK_CLOEXEC");
    length = sizeof(own);
    getsockname(end, (struct sockaddr *)&own, &length);
    check(own.sin_port == at.sin_port, "an accepted socket has the server's port");
    length = 4;
    memset(&own, 0, sizeof(own));
    check(getsockname(end, (struct sockaddr *)&own, &length) == 0 && length == sizeof(own) &&
              own.sin_port == at.sin_port && own.sin_addr.s_addr == 0,
          "a short buffer gets the start of the name and its length");
    fcntl(server, F_SETFL, O_NONBLOCK);
    check_error(accept(server, NULL, NULL), EAGAIN, "accept of nobody");
    close(end);
    close(client);
    close(server);
}

static void small_data(void)
{
    int ends[2], queued = -1;
    char text[32] = "";

    tcp_pair(ends);
    check(send(ends[0], "hello", 5, 0) == 5, "send");
    check(recv(ends[1], text, sizeof(text), MSG_PEEK) == 5 && !memcmp(text, "hello", 5), "peek");
    check(ioctl(ends[1], FIONREAD, &queued) == 0 && queued == 5, "FIONREAD");
    check(read(ends[1], text, 2) == 2 && !memcmp(text, "he", 2), "read of a part");
    check(recv(ends[1], text, sizeof(text), 0) == 3 && !memcmp(text, "llo", 3), "recv of the rest");
    check_error(recv(ends[1], text, 1, MSG_DONTWAIT), EAGAIN, "recv of nothing, MSG_DONTWAIT");
    check(write(ends[1], "abc", 3) == 3 && send(ends[1], "def", 3, MSG_MORE) == 3 &&
              send(ends[1], "ghi", 3, MSG_NOSIGNAL) == 3,
          "three writes");
    check(recv(ends[0], text, 9, MSG_WAITALL) == 9 && !memcmp(text, "abcdefghi", 9), "MSG_WAITALL");
    check(read(ends[0], text, 0) == 0, "read of no bytes");
    check(write(ends[0], text, 0) == 0, "write of no bytes");
    queued = 1;
    ioctl(ends[0], FIONBIO, &queued);
    check_error(read(ends[0], text, 1), EAGAIN, "read after FIONBIO");
    check(fcntl(ends[0], F_GETFL) == (O_RDWR | O_NONBLOCK), "FIONBIO is O_NONBLOCK");
    fcntl(ends[0], F_SETFL, 0);
    check_error(lseek(ends[0], 0, SEEK_CUR), ESPIPE, "lseek");
    check_error(pread(ends[0], text, 1, 0), ESPIPE, "pread");
    close(ends[0]);
    close(ends[1]);
}

static void vectors(void)
{
    struct iovec out[] = {{"one", 3}, {NULL, 0}, {" two", 4}, {" three", 6}};
    char first[5] = "", second[16] = "";
    struct iovec in[] = {{first, 4}, {second, sizeof(second)}};
    struct msghdr message = {.msg_iov = out, .msg_iovlen = 4, .msg_flags = 77};
    int ends[2];

    tcp_pair(ends);
    check(writev(ends[0], out, 4) == 13, "writev");
    check(readv(ends[1], in, 2) == 13 && !strcmp(first, "one ") && !strcmp(second, "two three"),
          "readv");
    check(sendmsg(ends[0], &message, 0) == 13, "sendmsg");
    memset(second, 0, sizeof(second));
    message = (struct msghdr){
        .msg_name = second, .msg_namelen = 7, .msg_iov = in, .msg_iovlen = 2, .msg_flags = 77};
    check(recvmsg(ends[1], &message, 0) == 13 && message.msg_flags == 0 &&
              message.msg_controllen == 0,
          "recvmsg");
    check(message.msg_namelen == 0, "a stream tells no sender");
    close(ends[0]);
    close(ends[1]);
}

/* More than buffers hold: the sender waits, and all of it arrives. */
struct bulk {
    int fd;
    size_t size;
    long written[2]; /* by writev and write */
};

static void *send_bulk(void *context)
{
    struct bulk *bulk = context;
    unsigned char *data = malloc(bulk->size);

    for (size_t i = 0; i < bulk->size; i++)
        data[i] = (unsigned char)(i * 7 + (i >> 8));
    struct iovec iov[3] = {{data, 1000}, {data + 1000, bulk->size / 2}, {NULL, 0}};

    iov[2] = (struct iovec){data + 1000 + bulk->size / 2, bulk->size / 2 - 1000};
    bulk->written[0] = writev(bulk->fd, iov, 3);
    bulk->written[1] = write(bulk->fd, data, bulk->size);
    shutdown(bulk->fd, SHUT_WR);
    free(data);
    return NULL;
}

static void large_data(void)
{
    struct bulk bulk = {.size = 8 * MIB};
    unsigned char *data = malloc(2 * bulk.size);
    pthread_t thread;
    size_t bad = 0;
    int ends[2];

    tcp_pair(ends);
    bulk.fd = ends[0];
    need(-pthread_create(&thread, NULL, send_bulk, &bulk), "pthread_create");
    check(recv(ends[1], data, 2 * bulk.size, MSG_WAITALL) == (ssize_t)(2 * bulk.size),
          "MSG_WAITALL of 16 MiB");
    check(read(ends[1], data + 1, 1) == 0, "then the end");
    pthread_join(thread, NULL);
    check(bulk.written[0] == (ssize_t)bulk.size, "writev waited until all was sent");
    check(bulk.written[1] == (ssize_t)bulk.size, "so did write");
    for (size_t i = 2; i < bulk.size; i++)
        bad += data[i] != (unsigned char)(i * 7 + (i >> 8)) || data[bulk.size + i] != data[i];
    check(bad == 0, "all bytes are right");
    free(data);
    close(ends[0]);
    close(ends[1]);
}

static void fill_without_waiting(void)
{
    static char data[MIB];
    long total = 0, got = 0, n;
    int ends[2];

    tcp_pair(ends);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    while ((n = write(ends[0], data, sizeof(data))) > 0)
        total += n;
    check_error(n, EAGAIN, "write into a full connection");
    check(total > 0, "some was taken");
    close(ends[0]);
    while ((n = read(ends[1], data, sizeof(data))) > 0)
        got += n;
    check(n == 0 && got == total, "and arrives after close");
    close(ends[1]);
}

static volatile sig_atomic_t pipe_signals;

static void on_pipe(int signal)
{
    (void)signal;
    pipe_signals++;
}

/* Write until the other end's refusal has come back. */
static long write_until_error(int fd, int flags)
{
    long n;

    do
        n = send(fd, "x", 1, flags);
    while (n == 1);
    return n;
}

static void ends_of_streams(void)
{
    char byte;
    int ends[2];

    signal(SIGPIPE, on_pipe);
    tcp_pair(ends);
    write(ends[0], "last", 4);
    check(shutdown(ends[0], SHUT_WR) == 0, "shutdown for writing");
    check_error(send(ends[0], "x", 1, MSG_NOSIGNAL), EPIPE, "then send, MSG_NOSIGNAL");
    check(pipe_signals == 0, "no SIGPIPE");
    check_error(write(ends[0], "x", 1), EPIPE, "then write");
    check(pipe_signals == 1, "SIGPIPE");
    check(recv(ends[1], &byte, 1, 0) == 1, "the other end reads what was sent before");
    check(write(ends[1], "answer", 6) == 6, "and may answer");
    close(ends[1]); /* three bytes unread: a reset */
    check_error(write_until_error(ends[0], MSG_NOSIGNAL), ECONNRESET, "write after a reset");
    check_error(send(ends[0], "x", 1, MSG_NOSIGNAL), EPIPE, "and once more");
    close(ends[0]);

    tcp_pair(ends);
    write(ends[0], "unread", 6);
    usleep(10000);
    close(ends[1]);
    usleep(10000);
    check_error(read(ends[0], &byte, 1), ECONNRESET, "read after a reset");
    check(read(ends[0], &byte, 1) == 0, "then the end");
    close(ends[0]);
    signal(SIGPIPE, SIG_DFL);
}

/* Ask until it is done: 0 or the error. */
static int finish_connect(int fd, const struct sockaddr_in *to)
{
    int ret;

    do {
        usleep(1000);
        ret = connect(fd, (const struct sockaddr *)to, sizeof(*to));
    } while (ret < 0 && (errno == EALREADY || errno == EINPROGRESS));
    return ret < 0 ? errno : 0;
}

static void without_waiting(void)
{
    struct sockaddr_in at;
    int server = listening(&at), client, error = -1;
    socklen_t length = sizeof(error);

    client = need(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), "socket");
    int ret = connect(client, (struct sockaddr *)&at, sizeof(at));
    check(ret == 0 || errno == EINPROGRESS, "connect starts");
    ret = ret == 0 ? 0 : finish_connect(client, &at);
    check(ret == 0 || ret == EISCONN, "and ends");
    check(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0,
          "SO_ERROR is 0");
    check_error(connect(client, (struct sockaddr *)&at, sizeof(at)), EISCONN, "once more");
    close(client);
    close(server);

    /* Bound and not listening: nobody answers there. */
    server = bound(SOCK_STREAM, &at);
    client = need(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), "socket");
    ret = connect(client, (struct sockaddr *)&at, sizeof(at));
    error = ret == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
        usleep(10000);
        getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &length);
    }
    check(error == ECONNREFUSED, "SO_ERROR is ECONNREFUSED");
    close(client);
    client = need(socket(AF_INET, SOCK_STREAM, 0), "socket");
    check_error(connect(client, (struct sockaddr *)&at, sizeof(at)), ECONNREFUSED,
                "a connect that waits");
    close(client);
    close(server);
}

static void timeouts(void)
{
    struct timeval half = {.tv_usec = 50000};
    struct sockaddr_in at;
    long long before;
    char byte;
    int ends[2], server = listening(&at);

    tcp_pair(ends);
    check(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &half, sizeof(half)) == 0, "SO_RCVTIMEO");
    before = now_ns();
    check_error(read(ends[0], &byte, 1), EAGAIN, "read until the timeout");
    check(now_ns() - before >= 49000000, "it waited");
    setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &half, sizeof(half));
    check_error(accept(server, NULL, NULL), EAGAIN, "accept until the timeout");
    setsockopt(ends[0], SOL_SOCKET, SO_SNDTIMEO, &half, sizeof(half));
    static char data[MIB];
    long n, total = 0;
    while ((n = write(ends[0], data, sizeof(data))) > 0)
        total += n;
    check_error(n, EAGAIN, "write until the timeout");
    check(total > 0, "what fitted was sent");
    close(ends[0]);
    close(ends[1]);
    close(server);
}

int main(void)
{
    names();
    small_data();
    vectors();
    large_data();
    fill_without_waiting();
    ends_of_streams();
    without_waiting();
    timeouts();
    return exit_status();
}
