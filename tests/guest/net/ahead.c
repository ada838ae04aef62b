/* SPDX-License-Identifier: ISC
 *
 * Data that came with an event, before the program reads them: a program must not be able to tell.
 */
#include "net.h"

#include <sys/epoll.h>
#include <sys/select.h>

enum { LONG_ENOUGH = 10000 };

static int epoll;
static int to, from; /* what is sent to TO is read from FROM, which is watched */

static void watch_in(int instance, int fd, uint32_t events, int operation)
{
    struct epoll_event event = {.events = events, .data.u64 = 0xfedcba9800000000 | (unsigned)fd};

    need(epoll_ctl(instance, operation, fd, &event), "epoll_ctl");
}

static void watch(uint32_t events, int operation)
{
    watch_in(epoll, from, events, operation);
}

static void begin(uint32_t events)
{
    int ends[2];

    tcp_pair(ends);
    to = ends[0];
    from = ends[1];
    need(fcntl(from, F_SETFL, O_NONBLOCK), "fcntl");
    epoll = need(epoll_create1(0), "epoll_create1");
    if (events)
        watch(events, EPOLL_CTL_ADD);
}

static void end(void)
{
    close(epoll);
    close(from);
    close(to);
}

/* The events of the one that came, 0 if none did, -1 if it is another. */
static int events_in(int instance, int fd, int timeout)
{
    struct epoll_event events[4];
    int count = epoll_wait(instance, events, 4, timeout);

    if (count <= 0)
        return count;
    return count == 1 && events[0].data.u64 == (0xfedcba9800000000 | (unsigned)fd)
               ? (int)events[0].events
               : -1;
}

static int event(int timeout)
{
    return events_in(epoll, from, timeout);
}

static void say(const char *text)
{
    need((int)send(to, text, strlen(text), 0), "send");
}

/* Send it and see it announced: now a copy may be there. */
static void announce(const char *text)
{
    say(text);
    check(event(LONG_ENOUGH) == EPOLLIN, "'%.10s' is announced", text);
}

/* What one receive of up to SIZE bytes gets is TEXT. */
static bool hears(const char *text, size_t size)
{
    char data[4096] = "";
    ssize_t got = recv(from, data, size, 0);

    return got == (ssize_t)strlen(text) && memcmp(data, text, strlen(text)) == 0;
}

static int queued(void)
{
    int bytes = -1;

    ioctl(from, FIONREAD, &bytes);
    return bytes;
}

static int polled(short events)
{
    struct pollfd pollfd = {.fd = from, .events = events};

    return poll(&pollfd, 1, 0) == 1 ? pollfd.revents : 0;
}

static bool selected(void)
{
    struct timeval none = {0};
    fd_set set;

    FD_ZERO(&set);
    FD_SET(from, &set);
    return select(from + 1, &set, NULL, NULL, &none) == 1;
}

static void levels(void)
{
    begin(EPOLLIN);
    announce("abcd");
    check(event(0) == EPOLLIN, "and again");
    check(polled(POLLIN) == POLLIN && selected(), "poll and select say so, too");
    check(queued() == 4, "four bytes");
    check(hears("ab", 2), "two are read");
    check(event(0) == EPOLLIN, "still readable");
    check(polled(POLLIN) == POLLIN && selected() && queued() == 2, "by every account");
    check(hears("cd", 100), "the other two");
    check(event(0) == 0 && polled(POLLIN) == 0 && !selected() && queued() == 0, "no more");
    check_error(recv(from, &(char){0}, 1, 0), EAGAIN, "nothing to read");
    end();
}

static void edges(void)
{
    begin(EPOLLIN | EPOLLET);
    announce("abcd");
    check(event(0) == 0, "only once");
    check(hears("a", 1), "one is read");
    check(event(0) == 0, "that is no edge");
    say("ef");
    check(event(LONG_ENOUGH) == EPOLLIN, "more is one");
    check(hears("bcdef", 100), "all of it");
    check(event(0) == 0, "and no edge of the past");
    announce("gh");
    watch(EPOLLIN | EPOLLET, EPOLL_CTL_MOD);
    check(event(LONG_ENOUGH) == EPOLLIN, "asked again while it is unread: told again");
    check(hears("gh", 100), "it is read");
    watch(EPOLLIN | EPOLLET, EPOLL_CTL_MOD);
    check(event(0) == 0, "asked again afterwards: not told");
    end();
}

static void one_shots(void)
{
    begin(EPOLLIN | EPOLLONESHOT);
    announce("abc");
    check(event(0) == 0, "one shot");
    check(hears("a", 1), "one is read");
    watch(EPOLLIN | EPOLLONESHOT, EPOLL_CTL_MOD);
    check(event(LONG_ENOUGH) == EPOLLIN, "armed while two are left");
    check(hears("bc", 100), "they are read");
    watch(EPOLLIN | EPOLLONESHOT, EPOLL_CTL_MOD);
    check(event(0) == 0, "armed with none left");
    say("d");
    check(event(LONG_ENOUGH) == EPOLLIN, "and another shot");
    end();
}

static void what_comes_later(void)
{
    begin(EPOLLIN);
    announce("abc");
    say("def");
    check(hears("abcdef", 100), "a read gets what came since as well");
    announce("abc");
    say("def");
    check(hears("ab", 2) && hears("cdef", 100), "also the second read");
    announce("abc");
    check(hears("ab", 2), "two are read");
    say("def");
    check(event(LONG_ENOUGH) == EPOLLIN && hears("cdef", 100), "announced twice, read once");
    end();
}

static void flags(void)
{
    char data[16] = "";

    begin(EPOLLIN);
    announce("abcdef");
    check(recv(from, data, 16, MSG_PEEK) == 6 && recv(from, data, 3, MSG_PEEK) == 3 &&
              memcmp(data, "abc", 3) == 0,
          "MSG_PEEK takes nothing");
    check(hears("a", 1), "so it is there");
    check(recv(from, data, 16, MSG_PEEK) == 5 && data[0] == 'b', "MSG_PEEK behind it");
    check(recv(from, data, 2, MSG_TRUNC) == 2, "MSG_TRUNC drops");
    check(recv(from, data, 16, MSG_DONTWAIT | MSG_NOSIGNAL) == 3 && memcmp(data, "def", 3) == 0,
          "the rest");
    announce("abc");
    fcntl(from, F_SETFL, 0);
    say("def");
    check(recv(from, data, 6, MSG_WAITALL) == 6 && memcmp(data, "abcdef", 6) == 0, "MSG_WAITALL");
    check_error(recv(from, data, 16, MSG_DONTWAIT), EAGAIN, "MSG_DONTWAIT");
    end();
}

static void calls(void)
{
    char a[2], b[8] = "", name[64];
    struct iovec iov[2] = {{a, 2}, {b, 8}};
    static struct iovec many[1025];
    struct sockaddr_in address;
    socklen_t length = sizeof(address);
    struct msghdr message = {
        .msg_name = name, .msg_namelen = 64, .msg_iov = iov, .msg_iovlen = 2, .msg_flags = -1};

    begin(EPOLLIN);
    announce("abcdef");
    check(readv(from, iov, 2) == 6 && memcmp(a, "ab", 2) == 0 && memcmp(b, "cdef", 4) == 0,
          "readv");
    announce("ghi");
    check(recvmsg(from, &message, 0) == 3 && memcmp(a, "gh", 2) == 0 && b[0] == 'i' &&
              message.msg_flags == 0 && message.msg_namelen == 0,
          "recvmsg");
    announce("jk");
    check(recvfrom(from, a, 2, 0, (struct sockaddr *)&address, &length) == 2 && a[1] == 'k' &&
              length == 0,
          "recvfrom");
    announce("lm");
    check(read(from, a, 0) == 0 && queued() == 2, "a read of nothing");
    check_error(read(from, nowhere, 2), EFAULT, "a read to nowhere");
    check(queued() == 2 && read(from, a, 2) == 2 && a[0] == 'l', "took nothing");
    announce("no");
    check_error(readv(from, nowhere, 2), EFAULT, "a vector that is nowhere");
    check_error(readv(from, many, 1025), EINVAL, "a vector that is too long");
    check(hears("no", 100), "took nothing");
    end();
}

static void descriptors(void)
{
    char byte;
    int copy, other;

    begin(EPOLLIN);
    announce("abc");
    copy = need(dup(from), "dup");
    check(read(copy, &byte, 1) == 1 && byte == 'a', "a duplicate reads on");
    close(copy);
    check(hears("bc", 100), "and the original");

    other = need(epoll_create1(0), "epoll_create1");
    watch_in(other, from, EPOLLIN, EPOLL_CTL_ADD);
    say("de");
    check(events_in(other, from, LONG_ENOUGH) == EPOLLIN && event(LONG_ENOUGH) == EPOLLIN,
          "two instances");
    check(hears("d", 1) && events_in(other, from, 0) == EPOLLIN && event(0) == EPOLLIN,
          "both say that one is left");
    check(hears("e", 1) && events_in(other, from, 0) == 0 && event(0) == 0, "and that none is");
    watch_in(other, from, 0, EPOLL_CTL_DEL);
    announce("f");
    watch(0, EPOLL_CTL_DEL);
    check(hears("f", 100), "not watched any longer");

    watch(EPOLLIN, EPOLL_CTL_ADD);
    watch_in(other, epoll, EPOLLIN, EPOLL_CTL_ADD);
    say("g");
    check(events_in(other, epoll, LONG_ENOUGH) == EPOLLIN, "an instance in another");
    check(event(0) == EPOLLIN && hears("g", 100) && events_in(other, epoll, 0) == 0, "and back");
    close(other);
    end();
}

/* Another connection in the same place. */
static void a_new_one(void)
{
    int old;

    begin(EPOLLIN);
    announce("of the old one");
    old = from;
    end();
    begin(EPOLLIN);
    check(from == old || to == old || epoll == old, "a descriptor is used again");
    check(event(0) == 0 && queued() == 0, "without the old data");
    announce("new");
    check(hears("new", 100), "but with its own");
    end();
}

static void ends(void)
{
    char byte;

    begin(EPOLLIN | EPOLLRDHUP);
    say("abc");
    shutdown(to, SHUT_WR);
    while (event(LONG_ENOUGH) != (EPOLLIN | EPOLLRDHUP))
        ;
    check(hears("ab", 2), "data before the end");
    check(event(0) == (EPOLLIN | EPOLLRDHUP), "and the end is known");
    check(hears("c", 2), "the last");
    check(event(0) == (EPOLLIN | EPOLLRDHUP), "readable at the end");
    check(read(from, &byte, 1) == 0 && read(from, &byte, 1) == 0, "the end, twice");
    check(send(from, "x", 1, 0) == 1, "the other direction is open");
    end();

    begin(EPOLLIN);
    announce("abc");
    shutdown(to, SHUT_WR);
    check(hears("abc", 100), "the end comes behind the data");
    check(event(LONG_ENOUGH) == EPOLLIN && read(from, &byte, 1) == 0, "the end");
    end();

    begin(EPOLLIN);
    announce("abc");
    check(hears("a", 1), "one is read");
    check(shutdown(from, SHUT_RD) == 0, "shut for reading");
    check(hears("bc", 100) && read(from, &byte, 1) == 0, "what was there, and the end");
    end();
}

static void set_abortive(int fd)
{
    const struct linger linger = {.l_onoff = 1};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static void resets(void)
{
    char byte;

    begin(EPOLLIN);
    announce("abc");
    set_abortive(to);
    close(to);
    check(hears("ab", 2), "what came before the reset");
    check(event(LONG_ENOUGH) == (EPOLLIN | EPOLLERR | EPOLLHUP), "the reset is told");
    check(hears("c", 2), "the last");
    check_error(read(from, &byte, 1), ECONNRESET, "the reset");
    check(read(from, &byte, 1) == 0, "once");
    to = epoll;
    end();

    begin(EPOLLIN);
    set_abortive(to);
    close(to);
    check(event(LONG_ENOUGH) == (EPOLLIN | EPOLLERR | EPOLLHUP), "a reset and no data");
    check(event(0) == (EPOLLIN | EPOLLERR | EPOLLHUP), "told twice");
    check_error(read(from, &byte, 1), ECONNRESET, "and read once");
    check(read(from, &byte, 1) == 0, "then the end");
    to = epoll;
    end();
}

/* What the other end sees when this one closes. */
static int seen_after_close(bool all)
{
    char data[8];
    int seen;

    begin(EPOLLIN);
    announce("abc");
    check(hears(all ? "abc" : "ab", all ? 8 : 2), "%s is read", all ? "all" : "some");
    close(from);
    seen = (int)recv(to, data, sizeof(data), 0);
    seen = seen < 0 ? errno : seen;
    from = epoll;
    end();
    return seen;
}

static void closes(void)
{
    char byte;

    check(seen_after_close(true) == 0, "a close after all was read is an end");
    check(seen_after_close(false) == ECONNRESET, "before, a reset");
    begin(EPOLLIN);
    announce("abc");
    close(from);
    check_error(recv(to, &byte, 1, 0), ECONNRESET, "a close without any read is one, too");
    from = epoll;
    end();
}

static void urgent(void)
{
    char byte = 0;

    begin(EPOLLIN | EPOLLPRI);
    say("ab");
    need((int)send(to, "!", 1, MSG_OOB), "send");
    say("cd");
    while (event(LONG_ENOUGH) != (EPOLLIN | EPOLLPRI))
        ;
    check(hears("ab", 100), "up to the urgent byte");
    check(recv(from, &byte, 1, MSG_OOB) == 1 && byte == '!', "the urgent byte");
    check(hears("cd", 100), "behind it");
    check(event(0) == 0 && queued() == 0, "no more");
    end();
}

static char pattern(size_t at)
{
    return (char)(at * 31 + at / 251);
}

/* As much as fits without being read, and all of it comes. */
static void unread(void)
{
    static char data[65536];
    const int small = 16384;
    size_t sent = 0, got = 0;
    bool same = true;
    ssize_t moved;

    begin(EPOLLIN);
    setsockopt(to, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    setsockopt(from, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    fcntl(to, F_SETFL, O_NONBLOCK);
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = pattern(sent + i);
    while ((moved = send(to, data, sizeof(data), 0)) > 0) {
        sent += (size_t)moved;
        same &= event(LONG_ENOUGH) == EPOLLIN;
        for (size_t i = 0; i < sizeof(data); i++)
            data[i] = pattern(sent + i);
    }
    check(moved < 0 && errno == EAGAIN, "the other end has to wait");
    check(same && event(0) == EPOLLIN, "readable all the time");
    for (size_t piece = 1; got < sent; piece = piece % 5000 + 37) {
        if (event(LONG_ENOUGH) != EPOLLIN)
            break;
        moved = recv(from, data, piece, 0);
        for (ssize_t i = 0; i < moved; i++)
            same &= data[i] == pattern(got + (size_t)i);
        got += moved > 0 ? (size_t)moved : 0;
    }
    check(got == sent && same, "all bytes arrived");
    end();
}

enum { PAIRS = 100 };

/* More than can be received from with one event, read in another order. */
static void many(void)
{
    static int senders[PAIRS], receivers[PAIRS];
    struct epoll_event events[PAIRS];
    bool right = true;
    int count = 0;

    epoll = need(epoll_create1(0), "epoll_create1");
    for (int i = 0; i < PAIRS; i++) {
        int ends[2];
        struct epoll_event wanted = {.events = EPOLLIN, .data.u64 = ~(uint64_t)i};

        tcp_pair(ends);
        senders[i] = ends[0];
        receivers[i] = ends[1];
        need(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[1], &wanted), "epoll_ctl");
    }
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < PAIRS; i++) {
            int text[2] = {i, round};

            need((int)send(senders[i], text, sizeof(text), 0), "send");
        }
        for (int tries = 0; count < PAIRS && tries < 1000; tries++)
            count = epoll_wait(epoll, events, PAIRS, 10);
        right &= count == PAIRS;
        while (count-- > 0) {
            int text[16], which = (int)~events[count].data.u64;

            if (which % 3 == round % 3) /* half of it now, the rest later */
                right &= recv(receivers[which], text, 4, 0) == 4 && text[0] == which &&
                         recv(receivers[which], text + 1, 4, 0) == 4;
            else
                right &= recv(receivers[which], text, sizeof(text), 0) == 8;
            right &= text[0] == which && text[1] == round;
        }
        right &= epoll_wait(epoll, events, PAIRS, 0) == 0;
    }
    check(right, "each of %d connections has its own data", PAIRS);
    for (int i = 0; i < PAIRS; i++) {
        close(senders[i]);
        close(receivers[i]);
    }
    close(epoll);
}

static void *answer(void *unused)
{
    char byte;

    (void)unused;
    while (read(to, &byte, 1) == 1) {
        byte++;
        if (write(to, &byte, 1) != 1)
            break;
    }
    return NULL;
}

static void blocking(void)
{
    const struct timeval soon = {0, 50000}, late = {LONG_ENOUGH / 1000, 0};
    pthread_t thread;
    char byte = 0;
    bool right = true;
    long long began;

    begin(0);
    fcntl(from, F_SETFL, 0);
    pthread_create(&thread, NULL, answer, NULL);
    for (int i = 0; i < 100; i++) {
        char sent = byte;

        right &= write(from, &byte, 1) == 1 && read(from, &byte, 1) == 1 && byte == sent + 1;
    }
    check(right, "question and answer");
    setsockopt(from, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
    began = now_ns();
    check_error(read(from, &byte, 1), EAGAIN, "a read with a timeout");
    check(now_ns() - began >= 50000000, "waited for so long");
    setsockopt(from, SOL_SOCKET, SO_RCVTIMEO, &late, sizeof(late));
    write(from, "x", 1);
    check(read(from, &byte, 1) == 1 && byte == 'y', "and reads afterwards");
    shutdown(from, SHUT_WR);
    pthread_join(thread, NULL);
    end();
}

enum { NUMBERS = 1000 };
static long sums[2];

static void *add_up(void *sum)
{
    struct pollfd pollfd = {.fd = from, .events = POLLIN};
    int number;

    for (int turn = 0; recv(from, &number, sizeof(number), 0) == sizeof(number); turn++) {
        *(long *)sum += number;
        if (turn % 3 == 0)
            poll(&pollfd, 1, 0);
        if (turn % 5 == 0)
            epoll_wait(epoll, &(struct epoll_event){0}, 1, 0);
    }
    return NULL;
}

/* Two threads read what is there; nothing is read twice, and nothing is lost. */
static void threads(void)
{
    pthread_t readers[2];

    begin(EPOLLIN);
    fcntl(from, F_SETFL, 0);
    for (int i = 0; i < 2; i++)
        pthread_create(&readers[i], NULL, add_up, &sums[i]);
    for (int i = 1; i <= NUMBERS; i++)
        if (send(to, &i, sizeof(i), 0) != sizeof(i))
            break;
    shutdown(to, SHUT_WR);
    for (int i = 0; i < 2; i++)
        pthread_join(readers[i], NULL);
    check(sums[0] + sums[1] == (long)NUMBERS * (NUMBERS + 1) / 2, "every number once");
    end();
}

int main(void)
{
    levels();
    edges();
    one_shots();
    what_comes_later();
    flags();
    calls();
    descriptors();
    a_new_one();
    ends();
    resets();
    closes();
    urgent();
    unread();
    many();
    blocking();
    threads();
    return exit_status();
}
