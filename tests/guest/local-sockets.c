/* SPDX-License-Identifier: ISC */
/* AF_UNIX: pairs, names, listening, datagrams, packets, descriptors that are sent, poll. */
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char buffer[100000];

static int events(int fd)
{
    struct pollfd poller = {.fd = fd,
                            .events = POLLIN | POLLOUT | POLLRDHUP | POLLRDNORM | POLLWRNORM};

    poll(&poller, 1, 0);
    return poller.revents;
}

static int option(int fd, int name)
{
    int value = -1;
    socklen_t size = sizeof value;

    return getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

static void streams(void)
{
    struct stat status;
    int pair[2], queued = 0;

    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0, "a pair");
    check(fcntl(pair[0], F_GETFD) == FD_CLOEXEC && fcntl(pair[0], F_GETFL) == O_RDWR, "flags");
    check(fstat(pair[0], &status) == 0 && S_ISSOCK(status.st_mode), "a socket");
    check(option(pair[0], SO_TYPE) == SOCK_STREAM && option(pair[0], SO_DOMAIN) == AF_UNIX &&
              option(pair[0], SO_ERROR) == 0 && option(pair[0], SO_ACCEPTCONN) == 0,
          "options");
    printf("events: %#x\n", events(pair[0]));
    check(write(pair[0], "one", 3) == 3 && send(pair[0], "two", 3, 0) == 3, "two writes");
    printf("events: %#x\n", events(pair[1]));
    check(ioctl(pair[1], FIONREAD, &queued) == 0 && queued == 6, "6 bytes wait");
    check(recv(pair[1], buffer, 4, MSG_PEEK) == 4 && memcmp(buffer, "onet", 4) == 0, "a look");
    check(read(pair[1], buffer, 100) == 6 && memcmp(buffer, "onetwo", 6) == 0, "a stream");
    check_error(recv(pair[1], buffer, 1, MSG_DONTWAIT), EAGAIN, "MSG_DONTWAIT");
    check_error(lseek(pair[0], 0, SEEK_SET), ESPIPE, "lseek");
    check(write(pair[1], "back", 4) == 4 && read(pair[0], buffer, 100) == 4, "the other way");
    check(shutdown(pair[0], SHUT_WR) == 0, "the end of one way");
    printf("events: %#x %#x\n", events(pair[0]), events(pair[1]));
    check(read(pair[1], buffer, 10) == 0, "it is read");
    check_error(send(pair[0], "x", 1, MSG_NOSIGNAL), EPIPE, "no more that way");
    check(write(pair[1], "x", 1) == 1 && read(pair[0], buffer, 10) == 1, "the other is open");
    close(pair[1]);
    printf("events: %#x\n", events(pair[0]));
    check(read(pair[0], buffer, 10) == 0, "the end");
    check_error(send(pair[0], "x", 1, MSG_NOSIGNAL), EPIPE, "nobody is there");
    close(pair[0]);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    check(write(pair[0], "unread", 6) == 6, "what will not be read");
    close(pair[1]);
    check_error(read(pair[0], buffer, 10), ECONNRESET, "a reset");
    check(read(pair[0], buffer, 10) == 0, "then the end");
    close(pair[0]);
}

static void messages(int type, const char *name)
{
    int pair[2];
    struct iovec parts[2] = {{"a mes", 5}, {"sage", 4}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

    check(socketpair(AF_UNIX, type, 0, pair) == 0, "%s: a pair", name);
    check(sendmsg(pair[0], &message, 0) == 9 && write(pair[0], "another", 7) == 7, "two");
    check(recv(pair[1], buffer, 100, 0) == 9 && memcmp(buffer, "a message", 9) == 0, "the first");
    parts[0] = (struct iovec){buffer, 3};
    parts[1] = (struct iovec){buffer + 50, 2};
    check(recvmsg(pair[1], &message, 0) == 5 && message.msg_flags == MSG_TRUNC &&
              memcmp(buffer + 50, "th", 2) == 0,
          "the second is cut");
    check_error(recv(pair[1], buffer, 1, MSG_DONTWAIT), EAGAIN, "and gone");
    check(send(pair[0], "whole", 5, 0) == 5 && recv(pair[1], buffer, 2, MSG_TRUNC) == 5,
          "MSG_TRUNC tells the whole length");
    check_error(send(pair[0], buffer, 10 << 20, 0), EMSGSIZE, "too long");
    close(pair[1]);
    printf("events: %#x\n", events(pair[0]));
    if (type == SOCK_SEQPACKET) {
        check(recv(pair[0], buffer, 10, 0) == 0, "the end");
        check_error(send(pair[0], "x", 1, MSG_NOSIGNAL), EPIPE, "nobody is there");
    } else {
        check_error(send(pair[0], "x", 1, 0), ECONNREFUSED, "nobody is there");
        check_error(send(pair[0], "x", 1, 0), ENOTCONN, "nor later");
    }
    close(pair[0]);
}

static socklen_t address_of(struct sockaddr_un *address, const char *path)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path, path + (*path == '@'), strlen(path));
    if (*path == '@') {
        memmove(address->sun_path + 1, path + 1, strlen(path + 1));
        address->sun_path[0] = 0;
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    }
    return sizeof *address;
}

static int socket_at(int type, const char *path)
{
    struct sockaddr_un address;
    socklen_t size = address_of(&address, path);
    int fd = socket(AF_UNIX, type, 0);

    if (bind(fd, (struct sockaddr *)&address, size) == 0)
        return fd;
    close(fd);
    return -1;
}

static int connect_to(int fd, const char *path)
{
    struct sockaddr_un address;
    socklen_t size = address_of(&address, path);

    return connect(fd, (struct sockaddr *)&address, size);
}

struct client {
    pthread_t thread;
    const char *path;
    int number;
};

static void *client(void *data)
{
    struct client *self = data;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    char byte = (char)('a' + self->number % 26);

    for (int i = 0; i < 5; i++) {
        if (i == 0 && connect_to(fd, self->path) < 0)
            break;
        if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1)
            break;
    }
    close(fd);
    return NULL;
}

/* More than the listener keeps waiting; their stacks fit in a small machine. */
enum { CLIENTS = 8 };

/* A server for clients in threads, by epoll. */
static void serve(int listener, const char *path)
{
    struct client clients[CLIENTS];
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    int instance = epoll_create1(0), open = 0, seen = 0, bytes = 0;

    epoll_ctl(instance, EPOLL_CTL_ADD, listener, &event);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){.path = path, .number = i};
        if (pthread_create(&clients[i].thread, NULL, client, &clients[i]) != 0)
            check(false, "a thread");
    }
    while (seen < CLIENTS || open > 0) {
        int fd;

        if (epoll_wait(instance, &event, 1, -1) != 1)
            break;
        fd = event.data.fd;
        if (fd == listener) {
            event =
                (struct epoll_event){.events = EPOLLIN, .data.fd = accept(listener, NULL, NULL)};
            epoll_ctl(instance, EPOLL_CTL_ADD, event.data.fd, &event);
            open++;
            seen++;
        } else if (read(fd, buffer, 1) == 1) {
            bytes += write(fd, buffer, 1) == 1;
        } else {
            close(fd);
            open--;
        }
    }
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(clients[i].thread, NULL);
    check(seen == CLIENTS && bytes == 5 * CLIENTS, "8 clients, 40 bytes");
    close(instance);
}

static void names(const char *path)
{
    struct sockaddr_un address;
    socklen_t size = sizeof address;
    int listener = socket_at(SOCK_STREAM, path), other = socket(AF_UNIX, SOCK_STREAM, 0), accepted;

    check(listener >= 0, "bound to %s", *path == '@' ? "an abstract name" : "a path");
    check_error(socket_at(SOCK_STREAM, path), EADDRINUSE, "in use");
    check_error(connect_to(other, path), ECONNREFUSED, "not listening");
    check(listen(listener, 5) == 0 && option(listener, SO_ACCEPTCONN) == 1, "listening");
    printf("events: %#x %#x\n", events(listener), events(other));
    check(connect_to(other, path) == 0, "connected");
    printf("events: %#x %#x\n", events(listener), events(other));
    check_error(connect_to(other, path), EISCONN, "connected already");
    check(write(other, "early", 5) == 5, "written before it is accepted");
    accepted = accept4(listener, (struct sockaddr *)&address, &size, SOCK_NONBLOCK);
    check(accepted >= 0 && size == 2, "accepted; the client has no name");
    check(read(accepted, buffer, 10) == 5, "it is there");
    size = sizeof address;
    check(getpeername(other, (struct sockaddr *)&address, &size) == 0 &&
              address.sun_path[*path == '@'] == path[*path == '@'],
          "the server has");
    printf("length of it: %d\n", (int)size - (int)strlen(path));
    close(accepted);
    close(other);
    other = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    check_error(connect_to(other, path), *path == '@' ? ECONNREFUSED : EPROTOTYPE, "another type");
    close(other);
    fcntl(listener, F_SETFL, O_NONBLOCK);
    check_error(accept(listener, NULL, NULL), EAGAIN, "nobody else");
    serve(listener, path);
    close(listener);
}

static void datagrams(const char *one, const char *two)
{
    struct sockaddr_un address;
    socklen_t size = address_of(&address, two);
    int first = socket_at(SOCK_DGRAM, one), second = socket_at(SOCK_DGRAM, two);

    check(sendto(first, "hello", 5, 0, (struct sockaddr *)&address, size) == 5, "sent by name");
    size = sizeof address;
    check(recvfrom(second, buffer, 100, 0, (struct sockaddr *)&address, &size) == 5, "received");
    check(sendto(second, "hi", 2, 0, (struct sockaddr *)&address, size) == 2, "answered");
    check(connect_to(first, two) == 0 && recv(first, buffer, 100, 0) == 2, "which comes");
    check(send(first, "again", 5, 0) == 5 && recv(second, buffer, 100, 0) == 5, "connected");
    close(second);
    check_error(send(first, "x", 1, 0), ECONNREFUSED, "nobody is there");
    close(first);
}

static void descriptors(int type, const char *name)
{
    union {
        char bytes[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr head;
    } control = {0};
    struct iovec part = {"x", 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    int pair[2], ends[2], got[2] = {-1, -1};

    socketpair(AF_UNIX, type, 0, pair);
    if (pipe(ends) < 0)
        return;
    control.head = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(2 * sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.head), ends, sizeof ends);
    check(sendmsg(pair[0], &message, 0) == 1, "%s: two descriptors are sent", name);
    close(ends[0]);
    close(ends[1]);
    check(send(pair[0], "y", 1, 0) == 1, "and a byte behind them");
    memset(&control, 0, sizeof control);
    part = (struct iovec){buffer, 10};
    check(recvmsg(pair[1], &message, MSG_CMSG_CLOEXEC) == 1, "one byte comes with them");
    check(message.msg_controllen == sizeof control && control.head.cmsg_type == SCM_RIGHTS &&
              (message.msg_flags & ~MSG_CMSG_CLOEXEC) == 0,
          "two descriptors");
    memcpy(got, CMSG_DATA(&control.head), sizeof got);
    check(fcntl(got[0], F_GETFD) == FD_CLOEXEC, "MSG_CMSG_CLOEXEC");
    check(write(got[1], "through", 7) == 7 && read(got[0], buffer, 10) == 7, "the pipe");
    message.msg_controllen = sizeof control;
    check(recvmsg(pair[1], &message, 0) == 1 && message.msg_controllen == 0, "the byte");

    memcpy(CMSG_DATA(&control.head), got, sizeof got);
    control.head.cmsg_len = CMSG_LEN(2 * sizeof(int));
    message.msg_controllen = sizeof control;
    check(sendmsg(pair[0], &message, 0) == 10, "sent again");
    message.msg_controllen = CMSG_LEN(sizeof(int));
    check(recvmsg(pair[1], &message, 0) == 10 && message.msg_flags & MSG_CTRUNC, "room for one");
    check(sendmsg(pair[0], &message, 0) == 10 && read(pair[1], buffer, 100) == 10,
          "read takes none of them");
    close(pair[0]);
    close(pair[1]);
    close(got[0]);
    close(got[1]);
}

static void errors(void)
{
    struct sockaddr_un address = {.sun_family = AF_INET};
    int pair[2], fd = socket(AF_UNIX, SOCK_STREAM, 0);

    check_error(socket(AF_UNIX, 4, 0), ESOCKTNOSUPPORT, "an unknown type");
    check_error(socket(AF_UNIX, SOCK_STREAM, 7), EPROTONOSUPPORT, "an unknown protocol");
    check_error(socketpair(AF_INET, SOCK_STREAM, 0, pair), EOPNOTSUPP, "a pair of AF_INET");
    check_error(socketpair(AF_UNIX, SOCK_STREAM, 0, nowhere), EFAULT, "a pair to nowhere");
    check_error(bind(fd, (struct sockaddr *)&address, sizeof address), EINVAL, "another family");
    check_error(listen(fd, 1), EINVAL, "listen without a name");
    check_error(accept(fd, NULL, NULL), EINVAL, "accept without listening");
    check_error(connect_to(fd, "@no such name"), ECONNREFUSED, "an unknown abstract name");
    check_error(connect_to(fd, "/tmp/no such name"), ENOENT, "an unknown path");
    check_error(send(fd, "x", 1, MSG_NOSIGNAL), ENOTCONN, "send without a connection");
    check_error(read(fd, buffer, 1), EINVAL, "read without a connection");
    check_error(shutdown(fd, 9), EINVAL, "a shutdown that is none");
    check_error(setsockopt(fd, SOL_SOCKET, 9999, pair, sizeof pair), ENOPROTOOPT, "an option");
    check_error(bind(0, (struct sockaddr *)&address, 2), ENOTSOCK, "no socket");
    close(fd);
}

enum { STREAM = 2000000 };

static void *send_stream(void *fd)
{
    static char piece[50000];

    for (long sent = 0; sent < STREAM; sent += (long)sizeof piece) {
        for (long i = 0; i < (long)sizeof piece; i++)
            piece[i] = (char)((sent + i) * 7 >> 3);
        if (send(*(int *)fd, piece, sizeof piece, 0) != (long)sizeof piece)
            break;
    }
    shutdown(*(int *)fd, SHUT_WR);
    return NULL;
}

static void a_thread_sends(void)
{
    pthread_t thread;
    long total = 0, got, wrong = 0;
    int pair[2];

    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    pthread_create(&thread, NULL, send_stream, &pair[0]);
    while ((got = recv(pair[1], buffer, (size_t)(1 + total % 77777), MSG_WAITALL)) > 0) {
        for (long i = 0; i < got; i++)
            wrong += buffer[i] != (char)((total + i) * 7 >> 3);
        total += got;
    }
    pthread_join(thread, NULL);
    check(total == STREAM && wrong == 0, "2 MB through a pair");
    close(pair[0]);
    close(pair[1]);
}

int main(void)
{
    char directory[] = "/tmp/sockets-XXXXXX", path[64], other[64];
    struct stat status;

    if (!mkdtemp(directory))
        return 1;
    snprintf(path, sizeof path, "%s/one", directory);
    snprintf(other, sizeof other, "%s/two", directory);
    signal(SIGPIPE, SIG_IGN);
    streams();
    messages(SOCK_SEQPACKET, "packets");
    messages(SOCK_DGRAM, "datagrams");
    names("@husk test of local sockets");
    names(path);
    check(stat(path, &status) == 0 && S_ISSOCK(status.st_mode), "the path is a socket");
    check_error(open(path, O_RDWR), ENXIO, "which cannot be opened");
    check(unlink(path) == 0, "but removed");
    datagrams("@husk test one", "@husk test two");
    datagrams(path, other);
    unlink(path);
    unlink(other);
    check(rmdir(directory) == 0, "nothing is left");
    descriptors(SOCK_STREAM, "a stream");
    descriptors(SOCK_SEQPACKET, "packets");
    errors();
    a_thread_sends();
    return exit_status();
}
