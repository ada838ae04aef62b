/* SPDX-License-Identifier: ISC
 *
 * Socket options: their defaults, what is set and read back, what is refused.
 */
#include "net.h"

static int tcp, udp;

static int value_of(int fd, int level, int name)
{
    int value = -1;
    socklen_t length = sizeof(value);

    return getsockopt(fd, level, name, &value, &length) < 0 ? -errno : value;
}

static void set_and_read(int fd, int level, int name, const char *what)
{
    int on = 1, off = 0;

    printf("%s: first %d", what, value_of(fd, level, name));
    printf(", set %d", setsockopt(fd, level, name, &on, sizeof(on)));
    printf(", then %d", value_of(fd, level, name) != 0);
    printf(", unset %d", setsockopt(fd, level, name, &off, sizeof(off)));
    printf(", then %d\n", value_of(fd, level, name));
}

static void values(void)
{
    int six = socket(AF_INET6, SOCK_STREAM, 0);

    set_and_read(tcp, SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR");
    set_and_read(tcp, SOL_SOCKET, SO_KEEPALIVE, "SO_KEEPALIVE");
    set_and_read(tcp, IPPROTO_TCP, TCP_NODELAY, "TCP_NODELAY");
    set_and_read(tcp, IPPROTO_TCP, TCP_CORK, "TCP_CORK");
    set_and_read(tcp, SOL_SOCKET, SO_REUSEPORT, "SO_REUSEPORT");
    set_and_read(udp, SOL_SOCKET, SO_BROADCAST, "SO_BROADCAST");
    if (six >= 0)
        set_and_read(six, IPPROTO_IPV6, IPV6_V6ONLY, "IPV6_V6ONLY");
    close(six);
    printf("SO_TYPE: %d %d\n", value_of(tcp, SOL_SOCKET, SO_TYPE),
           value_of(udp, SOL_SOCKET, SO_TYPE));
    printf("SO_ERROR: %d\n", value_of(tcp, SOL_SOCKET, SO_ERROR));
    printf("SO_DOMAIN: %d, SO_PROTOCOL: %d %d\n", value_of(tcp, SOL_SOCKET, SO_DOMAIN),
           value_of(tcp, SOL_SOCKET, SO_PROTOCOL), value_of(udp, SOL_SOCKET, SO_PROTOCOL));
    printf("SO_ACCEPTCONN: %d\n", value_of(tcp, SOL_SOCKET, SO_ACCEPTCONN));
}

static void numbers(void)
{
    static const struct {
        int level, name;
        const char *text;
    } options[] = {
        {IPPROTO_TCP, TCP_KEEPIDLE, "TCP_KEEPIDLE"},
        {IPPROTO_TCP, TCP_KEEPINTVL, "TCP_KEEPINTVL"},
        {IPPROTO_TCP, TCP_KEEPCNT, "TCP_KEEPCNT"},
        {IPPROTO_TCP, TCP_USER_TIMEOUT, "TCP_USER_TIMEOUT"},
        {IPPROTO_IP, IP_TOS, "IP_TOS"},
    };

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        int value = 16;

        check(setsockopt(tcp, options[i].level, options[i].name, &value, sizeof(value)) == 0 &&
                  value_of(tcp, options[i].level, options[i].name) == 16,
              "%s", options[i].text);
    }
    check(value_of(tcp, IPPROTO_TCP, TCP_MAXSEG) > 0, "TCP_MAXSEG");
}

static void buffers(void)
{
    int size = 20000, small = 1, huge = 1 << 30;

    check(setsockopt(tcp, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) == 0 &&
              value_of(tcp, SOL_SOCKET, SO_RCVBUF) == 2 * size,
          "SO_RCVBUF is doubled");
    check(setsockopt(udp, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) == 0 &&
              value_of(udp, SOL_SOCKET, SO_SNDBUF) == 2 * size,
          "SO_SNDBUF too");
    check(setsockopt(udp, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)) == 0 &&
              value_of(udp, SOL_SOCKET, SO_SNDBUF) > 1000,
          "it has a least size");
    check(setsockopt(udp, SOL_SOCKET, SO_SNDBUF, &huge, sizeof(huge)) == 0 &&
              value_of(udp, SOL_SOCKET, SO_SNDBUF) < huge,
          "and a largest");
}

static void structures(void)
{
    struct linger linger = {1, 5};
    struct timeval time = {1, 500000}, read_back = {0};
    socklen_t length = sizeof(linger);

    check(setsockopt(tcp, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) == 0, "SO_LINGER");
    linger = (struct linger){0};
    check(getsockopt(tcp, SOL_SOCKET, SO_LINGER, &linger, &length) == 0 && linger.l_onoff == 1 &&
              linger.l_linger == 5 && length == sizeof(linger),
          "is read back");
    check(setsockopt(tcp, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)) == 0, "SO_RCVTIMEO");
    length = sizeof(read_back);
    check(getsockopt(tcp, SOL_SOCKET, SO_RCVTIMEO, &read_back, &length) == 0 &&
              read_back.tv_sec == 1 && read_back.tv_usec == 500000,
          "is read back");
    length = sizeof(read_back);
    check(getsockopt(tcp, SOL_SOCKET, SO_SNDTIMEO, &read_back, &length) == 0 &&
              read_back.tv_sec == 0 && read_back.tv_usec == 0,
          "SO_SNDTIMEO is its own");
    time.tv_usec = 1000000;
    check_error(setsockopt(tcp, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time)), EDOM,
                "a second of microseconds");
    check_error(setsockopt(tcp, SOL_SOCKET, SO_SNDTIMEO, &time, 4), EINVAL, "a short timeval");
}

static void errors(void)
{
    int value = 1;
    socklen_t length = sizeof(value), negative = (socklen_t)-1;

    check_error(setsockopt(tcp, SOL_SOCKET, SO_KEEPALIVE, &value, 3), EINVAL, "a short value");
    check_error(setsockopt(tcp, SOL_SOCKET, SO_KEEPALIVE, &value, negative), EINVAL,
                "a negative length");
    check_error(setsockopt(tcp, SOL_SOCKET, SO_KEEPALIVE, NULL, 4), EFAULT, "no value");
    check_error(getsockopt(tcp, SOL_SOCKET, SO_KEEPALIVE, &value, NULL), EFAULT, "no length");
    check_error(getsockopt(tcp, SOL_SOCKET, SO_KEEPALIVE, NULL, &length), EFAULT, "no room");
    check_error(getsockopt(tcp, SOL_SOCKET, SO_KEEPALIVE, &value, &negative), EINVAL,
                "a negative room");
    check_error(setsockopt(tcp, SOL_SOCKET, SO_TYPE, &value, 4), ENOPROTOOPT, "setting SO_TYPE");
    check_error(setsockopt(tcp, SOL_SOCKET, 4711, &value, 4), ENOPROTOOPT, "an unknown option");
    check_error(setsockopt(udp, IPPROTO_TCP, TCP_NODELAY, &value, 4), ENOPROTOOPT,
                "an option of TCP on UDP");
    check_error(setsockopt(0, SOL_SOCKET, SO_KEEPALIVE, &value, 4), ENOTSOCK, "on a file");
    check_error(setsockopt(99, SOL_SOCKET, SO_KEEPALIVE, &value, 4), EBADF, "on nothing");
    length = 1;
    value = 0;
    check(getsockopt(tcp, SOL_SOCKET, SO_TYPE, &value, &length) == 0 && length == 1 &&
              value == SOCK_STREAM,
          "a short room gets the start");
}

int main(void)
{
    tcp = need(socket(AF_INET, SOCK_STREAM, 0), "socket");
    udp = need(socket(AF_INET, SOCK_DGRAM, 0), "socket");
    values();
    numbers();
    buffers();
    structures();
    errors();
    return exit_status();
}
