/* SPDX-License-Identifier: ISC
 *
 * The network: programs do in a VM what they do natively, and reach nothing that no flag names.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"
#include "sockets.h"

#define NET built("guest/husk/network")

static const char *const toolchains[][2] = {
    {"husk", "musl"}, {"musl", "musl"}, {"glibc", "glibc"}, {"lld", "lld"}, {"pie", "pie"},
};

static const char *const programs[] = {"tcp", "udp",      "options", "errors", "threads",
                                       "six", "sendfile", "ready",   "ahead",  "untouched"};

struct test {
    const char *program;
    const char *const *toolchain;
};

/* Ports for all that a program binds to port 0. */
static void test_program_runs_as_natively(void **state)
{
    const struct test *test = *state;
    const char *native = built("guest/%s/net/%s", test->toolchain[1], test->program);
    const char *image = built("guest/%s/net/%s", test->toolchain[0], test->program);
    const struct result *natively = RUN(native);
    const struct result *guest =
        HUSK_RUN("-p", "0:0", "-p", "0:0", "-p", "0:0", "-p", "0:0/udp", "-p", "0:0/udp", "-p",
                 "0:0/udp", "-p", "[::1]:0:0", "-p", "[::1]:0:0/udp", "-p", "[::1]:0:0/udp", "-v",
                 text("%s:/image", image), image, "/image");

    assert_status(natively, 0);
    assert_status(guest, 0);
    assert_prints(guest, natively->out.data);
}

static void test_without_flags_there_are_no_sockets(void **state)
{
    (void)state;
    const struct result *result = HUSK_RUN(NET, "sockets");

    assert_status(result, 2);
    assert_prints(result, "tcp: Permission denied\nudp: Permission denied\n");
}

/* Who answers "pong" once; the other end of what the guest reaches. */
static void answer(int server)
{
    struct pollfd pollfd = {.fd = server, .events = POLLIN};
    char text[8] = "";
    int fd;

    assert_int_equal(poll(&pollfd, 1, 30000), 1);
    fd = accept(server, NULL, NULL);
    assert_int_equal(read(fd, text, sizeof(text)), 4);
    assert_string_equal(text, "ping");
    assert_int_equal(write(fd, "pong", 4), 4);
    close(fd);
}

static void test_connect_reaches_what_is_named(void **state)
{
    uint16_t port;
    int server = host_socket(SOCK_STREAM, &port);
    const char *rules[] = {text("127.0.0.1:%u", port), text("127.0.0.0/8:%u", port),
                           text("localhost:%u", port), "127.0.0.1:*", "0.0.0.0/0:*"};

    (void)state;
    need_kvm();
    for (size_t i = 0; i < COUNT(rules); i++) {
        struct process *process = process_start(
            &(struct command){.argv = LIST(husk(), "run", "--connect", rules[i], NET, "connect",
                                           "127.0.0.1", text("%u", port))});

        answer(server);
        const struct result *result = process_end(process);
        assert_status(result, 0);
        assert_prints(result, "connect: done\nanswer: pong\n");
    }
    close(server);
}

static void test_connect_elsewhere_is_refused_and_traced(void **state)
{
    uint16_t port, other;
    int server = host_socket(SOCK_STREAM, &port), second = host_socket(SOCK_STREAM, &other);
    const char *rules[] = {text("127.0.0.1:%u", other),
                           text("127.0.0.2:%u", port),
                           "*:*",
                           text("[::1]:%u", port),
                           "10.0.0.0/8:*",
                           "[::]/0:*"};
    struct pollfd pollfd = {.fd = server, .events = POLLIN};

    (void)state;
    for (size_t i = 0; i < COUNT(rules); i++) {
        const struct result *result = HUSK_RUN("--trace", "--connect", rules[i], NET, "connect",
                                               "127.0.0.1", text("%u", port));

        assert_status(result, 1);
        assert_shows(result, "connect: Permission denied\n");
        assert_complains(result, text("husk: connect to 127.0.0.1:%u/tcp refused (EACCES): no "
                                      "--connect allows it\n",
                                      port));
    }
    assert_int_equal(poll(&pollfd, 1, 0), 0);
    close(server);
    close(second);
}

static void test_names_are_resolved_without_dns(void **state)
{
    uint16_t port;
    int server = host_socket(SOCK_STREAM, &port);

    (void)state;
    for (size_t i = 0; i < COUNT(toolchains); i++) {
        const char *image = built("guest/%s/network", toolchains[i][0]);
        const struct result *result = HUSK_RUN("--connect", text("some.localhost:%u", port), image,
                                               "name", "some.localhost", text("%u", port));

        assert_status(result, 0);
        assert_prints(result, "connect: done\n");
    }
    const struct result *other =
        HUSK_RUN("--connect", "localhost:80", NET, "name", "example.org", "80");
    assert_status(other, 1);
    assert_shows(other, "getaddrinfo: ");
    close(server);
}

static void test_a_name_in_disguise_ends_the_start(void **state)
{
    (void)state;
    const struct result *result = HUSK_RUN("--connect", "0x7f000001:80", NET, "sockets");

    assert_status(result, 125);
    assert_complains(result, "--connect 0x7f000001: the name stands for 127.0.0.1, a loopback");
}

static void test_udp_reaches_what_is_named(void **state)
{
    uint16_t port;
    int server = host_socket(SOCK_DGRAM, &port);
    struct pollfd pollfd = {.fd = server, .events = POLLIN};
    struct sockaddr_in from;
    socklen_t length = sizeof(from);
    char text_in[8];

    (void)state;
    need_kvm();
    struct process *process = process_start(
        &(struct command){.argv = LIST(husk(), "run", "--connect", text("127.0.0.1:%u", port), NET,
                                       "sendto", "127.0.0.1", text("%u", port))});
    assert_int_equal(poll(&pollfd, 1, 30000), 1);
    assert_int_equal(
        recvfrom(server, text_in, sizeof(text_in), 0, (struct sockaddr *)&from, &length), 4);
    assert_int_equal(sendto(server, "pong", 4, 0, (struct sockaddr *)&from, length), 4);
    assert_prints(process_end(process), "sendto: done\nanswer: pong\n");

    const struct result *result = HUSK_RUN("--trace", "--connect", text("127.0.0.1:%u", port ^ 1),
                                           NET, "sendto", "127.0.0.1", text("%u", port));
    assert_shows(result, "sendto: Permission denied\n");
    assert_complains(result, text("husk: send to 127.0.0.1:%u/udp refused (EACCES)", port));
    assert_int_equal(poll(&pollfd, 1, 0), 0);
    close(server);
}

static struct process *start_server(const char *publish, const char *step, const char *port,
                                    const char *count)
{
    need_kvm();
    return process_start(
        &(struct command){.argv = LIST(husk(), "run", "-p", publish, NET, step, port, count)});
}

static void echo_once(int fd, const char *text_out)
{
    char text_in[64] = "";

    assert_int_equal(write(fd, text_out, strlen(text_out)), strlen(text_out));
    assert_int_equal(recv(fd, text_in, strlen(text_out), MSG_WAITALL), strlen(text_out));
    assert_string_equal(text_in, text_out);
}

static void test_a_published_port_serves(void **state)
{
    uint16_t port = port_free();
    struct process *process = start_server(text("%u:7", port), "echo", "7", "1");
    int fd;

    (void)state;
    process_await(process, "listen: done\n");
    fd = host_connect(port);
    echo_once(fd, "hello");
    close(fd);
    const struct result *result = process_end(process);
    assert_status(result, 0);
    assert_is_quiet(result);
}

static void test_a_free_port_is_printed(void **state)
{
    struct process *process = start_server("0:7", "echo", "7", "0");
    const struct result *result = process_end(process);
    unsigned port;

    (void)state;
    assert_status(result, 0);
    assert_int_equal(sscanf(result->err.data, "husk: listening on 127.0.0.1:%u -> 7/tcp", &port),
                     1);
    assert_in_range(port, 1, 65535);
}

static void test_an_unpublished_port_is_refused_and_traced(void **state)
{
    (void)state;
    const struct result *result = HUSK_RUN("--trace", "-p", "0:80", NET, "echo", "81", "1");

    assert_status(result, 1);
    assert_shows(result, "bind: Permission denied\n");
    assert_complains(result, "husk: bind to 0.0.0.0:81/tcp refused (EACCES): no -p publishes this "
                             "port\n");
}

static void test_two_vms_never_share_a_port(void **state)
{
    uint16_t port = port_free();
    struct process *process = start_server(text("%u:7", port), "echo", "7", "1");
    int fd;

    (void)state;
    process_await(process, "listen: done\n");
    const struct result *result = HUSK_RUN("-p", text("%u:7", port), NET, "echo", "7", "1");
    assert_status(result, 125);
    assert_complains(result, text("127.0.0.1:%u/tcp of the host: Address in use; choose another "
                                  "port, or 0 for any that is free\n",
                                  port));
    fd = host_connect(port);
    echo_once(fd, "still there");
    close(fd);
    assert_status(process_end(process), 0);
    /* The connection lingers, the port can be taken again at once. */
    process = start_server(text("%u:7", port), "echo", "7", "0");
    assert_status(process_end(process), 0);
}

static void test_a_published_udp_port_answers(void **state)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    uint16_t own, port = port_free();
    int fd = host_socket(SOCK_DGRAM, &own);
    struct pollfd pollfd = {.fd = fd, .events = POLLIN};
    char text_in[8];

    (void)state;
    need_kvm();
    struct process *process = process_start(&(struct command){
        .argv = LIST(husk(), "run", "-p", text("%u:53/udp", port), NET, "echo-udp", "53")});
    process_await(process, "bind: done\n");
    to.sin_port = htons(port);
    assert_int_equal(sendto(fd, "ask", 3, 0, (struct sockaddr *)&to, sizeof(to)), 3);
    assert_int_equal(poll(&pollfd, 1, 30000), 1);
    assert_int_equal(recv(fd, text_in, sizeof(text_in), 0), 3);
    assert_status(process_end(process), 0);
    close(fd);
}

/* More than there are descriptors: one leaked by each would end the server. */
static void test_resets_leak_no_descriptors(void **state)
{
    const int resets = is_slow_machine() ? 50 : 2000;
    uint16_t port = port_free();
    struct process *process = start_server(text("%u:7", port), "echo", "7", text("%d", resets + 1));
    int fd;

    (void)state;
    process_await(process, "listen: done\n");
    for (int i = 0; i < resets; i++) {
        fd = host_connect(port);
        if (i % 2)
            assert_int_equal(write(fd, "x", 1), 1);
        host_reset(fd);
    }
    fd = host_connect(port);
    echo_once(fd, "alive");
    close(fd);
    const struct result *result = process_end(process);
    assert_status(result, 0);
    assert_shows(result, text("served %d\n", resets + 1));
}

static void test_a_thousand_connections_at_once(void **state)
{
    const struct rlimit wanted = {4096, 4096};
    uint16_t port = port_free();
    struct process *process = start_server(text("%u:7", port), "hold", "7", "1000");
    int fds[1000];

    (void)state;
    setrlimit(RLIMIT_NOFILE, &wanted);
    process_await(process, "listen: done\n");
    for (size_t i = 0; i < COUNT(fds); i++)
        fds[i] = host_connect(port);
    const struct result *result = process_end(process);
    assert_status(result, 0);
    assert_shows(result, "held 1000\n");
    for (size_t i = 0; i < COUNT(fds); i++)
        close(fds[i]);
}

static void test_sockets_without_end_meet_a_limit(void **state)
{
    (void)state;
    const struct result *result = HUSK_RUN("--connect", "127.0.0.1:80", NET, "exhaust");

    assert_status(result, 0);
    assert_prints(result, "hundreds, EMFILE, the same again\n");
}

/* Also at the end of a run: what is read is read, and the connection is not reset. */
static void test_data_that_were_read_are_not_told_as_lost(void **state)
{
    uint16_t port = port_free();
    char byte;
    int fd;

    (void)state;
    need_kvm();
    struct process *process =
        process_start(&(struct command){.argv = LIST(husk(), "run", "--cpu-time", "2s", "-p",
                                                     text("%u:7", port), NET, "spin", "7")});
    process_await(process, "listen: done\n");
    fd = host_connect(port);
    assert_int_equal(write(fd, "text", 4), 4);
    assert_status(process_end(process), 124);
    assert_int_equal(recv(fd, &byte, 1, 0), 0);
    close(fd);
}

static void test_an_idle_server_sleeps(void **state)
{
    const char *directory = directory_make();
    const char *stats = text("%s/stats", directory);
    uint16_t port = port_free();
    int fd;

    (void)state;
    need_kvm();
    struct process *process =
        process_start(&(struct command){.argv = LIST(husk(), "run", text("--stats=%s", stats), "-p",
                                                     text("%u:7", port), NET, "echo", "7", "1")});
    process_await(process, "listen: done\n");
    usleep(500000);
    fd = host_connect(port);
    usleep(500000);
    echo_once(fd, "awake");
    close(fd);
    assert_status(process_end(process), 0);
    struct bytes json = file_read(stats);
    const char *exits = strstr(json.data, "\"exits\": {\"io\": ");
    assert_non_null(exits);
    assert_in_range(atoi(exits + strlen("\"exits\": {\"io\": ")), 1, 60);
    free(json.data);
    directory_remove(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_flags_there_are_no_sockets),
        cmocka_unit_test(test_connect_reaches_what_is_named),
        cmocka_unit_test(test_connect_elsewhere_is_refused_and_traced),
        cmocka_unit_test(test_names_are_resolved_without_dns),
        cmocka_unit_test(test_a_name_in_disguise_ends_the_start),
        cmocka_unit_test(test_udp_reaches_what_is_named),
        cmocka_unit_test(test_a_published_port_serves),
        cmocka_unit_test(test_a_free_port_is_printed),
        cmocka_unit_test(test_an_unpublished_port_is_refused_and_traced),
        cmocka_unit_test(test_two_vms_never_share_a_port),
        cmocka_unit_test(test_a_published_udp_port_answers),
        cmocka_unit_test(test_resets_leak_no_descriptors),
        cmocka_unit_test(test_a_thousand_connections_at_once),
        cmocka_unit_test(test_sockets_without_end_meet_a_limit),
        cmocka_unit_test(test_data_that_were_read_are_not_told_as_lost),
        cmocka_unit_test(test_an_idle_server_sleeps),
    };
    struct test_list list = {0};

    for (size_t i = 0; i < COUNT(programs); i++)
        for (size_t j = 0; j < COUNT(toolchains); j += is_slow_machine() ? 2 : 1) {
            struct test *test = malloc(sizeof(*test));

            *test = (struct test){programs[i], toolchains[j]};
            test_list_add(&list,
                          text("%s, built as %s, runs as natively", programs[i], toolchains[j][0]),
                          test_program_runs_as_natively, test);
        }
    for (size_t i = 0; i < COUNT(tests); i++)
        test_list_add(&list, tests[i].name, tests[i].test_func, NULL);
    return test_list_run(&list, "network", NULL, NULL);
}
