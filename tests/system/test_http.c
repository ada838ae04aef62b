/* SPDX-License-Identifier: ISC
 *
 * HTTP end to end: apps/httpd against curl and wrk, apps/fetch against nginx, and a server that
 * others wrote, all on 127.0.0.1.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "sockets.h"

#define CURL  "/usr/bin/curl"
#define WRK   "/usr/bin/wrk"
#define NGINX "/usr/sbin/nginx"

static void need_program(const char *path)
{
    if (access(path, X_OK) == 0)
        return;
    print_message("skipped: there is no %s; `make setup` installs it\n", path);
    skip();
}

static const char *site;
static uint16_t port;
static struct process *server;

static void make_site(void)
{
    site = directory_make();
    assert_int_equal(chmod(site, 0755), 0);
    assert_int_equal(mkdir(text("%s/empty", site), 0755), 0);
    assert_int_equal(mkdir(text("%s/dir", site), 0755), 0);
    file_write(text("%s/index.html", site), "<h1>Welcome</h1>\n", 17);
    file_write(text("%s/digits.txt", site), "0123456789", 10);
    file_write(text("%s/dir/a & <b> %%.txt", site), "odd name\n", 9);
    assert_int_equal(symlink("/etc/passwd", text("%s/outside", site)), 0);
}

static void start_httpd(void)
{
    need_kvm();
    make_site();
    port = port_free();
    server = process_start(
        &(struct command){.argv = LIST(husk(), "run", "-p", text("%u:80", port), "-v",
                                       text("%s:/srv", site), built("apps/httpd"), "/srv")});
    close(host_connect(port));
}

static void stop_httpd(void)
{
    process_signal(server, SIGTERM);
    assert_status(process_end(server), 143);
    directory_remove(site);
}

static const char *url(const char *path)
{
    return text("http://127.0.0.1:%u%s", port, path);
}

/* What curl prints; ARGUMENTS end with the URL. */
#define GET(...) RUN(CURL, "-s", "-S", "--max-time", "50", "--path-as-is", __VA_ARGS__)

static void assert_answer(const struct result *result, const char *status, const char *body)
{
    assert_status(result, 0);
    assert_prints(result, text("%s|%s", body, status));
}

/* Body, '|', status. */
#define GET_STATUS(...) GET("-w", "|%{http_code}", __VA_ARGS__)

static void test_pages(void **state)
{
    (void)state;
    need_program(CURL);
    start_httpd();
    assert_answer(GET_STATUS(url("/")), "200", "<h1>Welcome</h1>\n");
    assert_answer(GET_STATUS(url("/digits.txt?query#part")), "200", "0123456789");
    assert_answer(GET_STATUS(url("/%64igits.txt")), "200", "0123456789");
    assert_answer(GET_STATUS(url("/dir/a%20%26%20%3Cb%3E%20%25.txt")), "200", "odd name\n");
    assert_shows(GET(url("/dir/")), "<a href=\"./a%20%26%20%3Cb%3E%20%25.txt\">a &#38; &#60;b&#62; "
                                    "%.txt</a>");
    assert_prints(GET("-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", url("/dir")),
                  text("301 %s", url("/dir/")));
    stop_httpd();
}

static void test_heads_and_ranges(void **state)
{
    (void)state;
    need_program(CURL);
    start_httpd();
    const struct result *head = GET("-I", url("/digits.txt"));
    assert_shows(head, "HTTP/1.1 200 OK\r\n");
    assert_shows(head, "Content-Length: 10\r\n");
    assert_shows(head, "Content-Type: text/plain; charset=utf-8\r\n");
    assert_answer(GET_STATUS("-r", "2-4", url("/digits.txt")), "206", "234");
    assert_answer(GET_STATUS("-r", "7-", url("/digits.txt")), "206", "789");
    assert_answer(GET_STATUS("-r", "-2", url("/digits.txt")), "206", "89");
    assert_answer(GET_STATUS("-r", "5-100", url("/digits.txt")), "206", "56789");
    assert_answer(GET_STATUS("-r", "0-1,4-5", url("/digits.txt")), "200", "0123456789");
    assert_shows(GET_STATUS("-i", "-r", "10-", url("/digits.txt")),
                 "Content-Range: bytes */10\r\n");
    const struct result *tag = GET("-o", "/dev/null", "-w", "%header{etag}", url("/digits.txt"));
    assert_answer(GET_STATUS("-H", text("If-None-Match: %s", tag->out.data), url("/digits.txt")),
                  "304", "");
    stop_httpd();
}

static void test_errors(void **state)
{
    static const char *const requests[][2] = {
        {"/none", "404"},
        {"/digits.txt/", "404"},
        {"/digits.txt/x", "404"},
        {"/../etc/passwd", "403"},
        {"/%2e%2e/etc/passwd", "403"},
        {"/dir/..%2f..%2f..", "403"},
        {"/outside", "403"},
        {"/%zz", "400"},
        {"/a%00b", "400"},
    };

    (void)state;
    need_program(CURL);
    start_httpd();
    for (size_t i = 0; i < COUNT(requests); i++)
        assert_prints(GET("-o", "/dev/null", "-w", "%{http_code}", url(requests[i][0])),
                      requests[i][1]);
    assert_prints(GET("-o", "/dev/null", "-w", "%{http_code}", "-d", "body", url("/")), "405");
    assert_prints(GET("-o", "/dev/null", "-w", "%{http_code}", "-H", "Host:", url("/")), "400");
    assert_prints(GET("-o", "/dev/null", "-w", "%{http_code}", "-H",
                      text("X: %s", text("%08000d", 0)), "-H", text("Y: %s", text("%0500d", 0)),
                      url("/")),
                  "431");
    stop_httpd();
}

static void test_one_connection_for_many_requests(void **state)
{
    (void)state;
    need_program(CURL);
    start_httpd();
    assert_prints(GET("-o", "/dev/null", "-o", "/dev/null", "-o", "/dev/null", "-w",
                      "%{num_connects}", url("/"), url("/none"), url("/digits.txt")),
                  "100");
    stop_httpd();
}

/* Sparse, with something else in each 16 MiB. */
static void make_large(const char *path, off_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0644);

    assert_int_equal(ftruncate(fd, size), 0);
    for (off_t at = 0; at < size; at += 16 << 20) {
        char mark[64];

        assert_true(pwrite(fd, mark, (size_t)snprintf(mark, sizeof(mark), "at %lld", (long long)at),
                           at + at / 7 % 4096) > 0);
    }
    close(fd);
}

static void test_a_large_file_arrives_whole(void **state)
{
    const off_t size = (off_t)(is_slow_machine() ? 16 : 1024) << 20;

    (void)state;
    need_program(CURL);
    start_httpd();
    make_large(text("%s/large", site), size);
    const struct result *sums =
        RUN("/bin/sh", "-c",
            text("curl -s %s | sha256sum && sha256sum <%s/large", url("/large"), site));
    assert_status(sums, 0);
    assert_int_equal(sums->out.size, 2 * 68);
    assert_memory_equal(sums->out.data, sums->out.data + 68, 68);
    stop_httpd();
}

static void test_wrk_meets_no_error(void **state)
{
    (void)state;
    need_program(WRK);
    start_httpd();
    const struct result *result =
        RUN(WRK, "-t1", "-c64", is_slow_machine() ? "-d2s" : "-d10s", url("/"));
    assert_status(result, 0);
    assert_shows(result, "requests in ");
    assert_null(strstr(result->out.data, "Socket errors"));
    assert_null(strstr(result->out.data, "Non-2xx"));
    stop_httpd();
}

#define TASKSET      "/usr/bin/taskset"
#define CONNECTIONS  64
#define COUNT_ROUNDS 20

static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

static void await_answer(int fd)
{
    char data[4096];
    size_t used = 0;

    do {
        ssize_t got = recv(fd, data + used, sizeof(data) - 1 - used, 0);

        assert_true(got > 0);
        used += (size_t)got;
        data[used] = '\0';
    } while (!strstr(data, "Welcome</h1>\n"));
}

/* husk itself listens for a moment before its guest does (net_start.c), and resets who comes then.
 */
static void await_guest(void)
{
    bool answered = false;
    char byte;

    while (!answered) {
        int fd = host_connect(port);

        answered =
            send(fd, request, strlen(request), MSG_NOSIGNAL) > 0 && recv(fd, &byte, 1, 0) == 1;
        close(fd);
    }
}

/* Exits of a server that answers so many rounds of requests, on one processor, where each hypercall
 * is one. Where there are many it stands still until all requests are there. */
static unsigned exits_for(size_t connections, unsigned rounds)
{
    const char *directory = directory_make(), *stats = text("%s/stats", directory), *exits;
    int fds[CONNECTIONS];
    struct bytes json;
    unsigned count;

    make_site();
    port = port_free();
    server = process_start(
        &(struct command){.argv = LIST(TASKSET, "-c", "0", husk(), "run", text("--stats=%s", stats),
                                       "-p", text("%u:80", port), "-v", text("%s:/srv", site),
                                       built("apps/httpd"), "/srv")});
    await_guest();
    for (size_t i = 0; i < connections; i++) {
        fds[i] = host_connect(port);
        assert_int_equal(write(fds[i], request, strlen(request)), strlen(request));
        await_answer(fds[i]);
    }
    for (unsigned round = 0; round < rounds; round++) {
        if (connections > 1)
            process_signal(server, SIGSTOP);
        for (size_t i = 0; i < connections; i++)
            assert_int_equal(write(fds[i], request, strlen(request)), strlen(request));
        if (connections > 1)
            process_signal(server, SIGCONT);
        for (size_t i = 0; i < connections; i++)
            await_answer(fds[i]);
    }
    stop_httpd();
    for (size_t i = 0; i < connections; i++)
        close(fds[i]);
    json = file_read(stats);
    exits = strstr(json.data, "\"exits\": {\"io\": ");
    assert_non_null(exits);
    count = (unsigned)atoi(exits + strlen("\"exits\": {\"io\": "));
    free(json.data);
    directory_remove(directory);
    return count;
}

/* A send for each request, and a wait for all that are there, which brings them; once a second the
 * server looks at its file. (Standing still interrupts the wait, which is then made again.) */
static void test_a_request_on_a_busy_server_costs_one_exit(void **state)
{
    (void)state;
    need_kvm();
    need_program(TASKSET);
    assert_in_range(exits_for(CONNECTIONS, COUNT_ROUNDS) - exits_for(CONNECTIONS, 0), 1,
                    CONNECTIONS * COUNT_ROUNDS * 3 / 2);
}

static void test_a_request_on_one_connection_costs_two(void **state)
{
    const unsigned rounds = 10 * COUNT_ROUNDS;

    (void)state;
    need_kvm();
    need_program(TASKSET);
    assert_in_range(exits_for(1, rounds) - exits_for(1, 0), 1, rounds * 5 / 2);
}

static void start_nginx(void)
{
    make_site();
    port = port_free();
    const char *configuration =
        text("daemon off; master_process off; pid %s/pid; error_log stderr;\n"
             "events {}\n"
             "http { access_log off; client_body_temp_path %s/t1; proxy_temp_path %s/t2;\n"
             "fastcgi_temp_path %s/t3; uwsgi_temp_path %s/t4; scgi_temp_path %s/t5;\n"
             "server { listen 127.0.0.1:%u; root %s; } }\n",
             site, site, site, site, site, site, port, site);
    file_write(text("%s/conf", site), configuration, strlen(configuration));
    server = process_start(&(struct command){
        .argv = LIST(NGINX, "-e", "stderr", "-p", site, "-c", text("%s/conf", site))});
    close(host_connect(port));
}

static void stop_nginx(void)
{
    process_signal(server, SIGTERM);
    process_end(server);
    directory_remove(site);
}

static void test_fetch_gets_what_is_named(void **state)
{
    const char *out = directory_make();

    (void)state;
    need_kvm();
    need_program(NGINX);
    start_nginx();
    const char *rule = text("localhost:%u", port), *fetch = built("apps/fetch");
    const struct result *result =
        HUSK_RUN("--connect", rule, fetch, text("http://localhost:%u/digits.txt", port));
    assert_status(result, 0);
    assert_prints(result, "0123456789");
    make_large(text("%s/large", site), 40 << 20);
    result = HUSK_RUN("--connect", rule, "-v", text("%s:/out:rw", out), fetch, "-o", "/out/file",
                      url("/large"));
    assert_status(result, 0);
    assert_status(RUN("/usr/bin/cmp", text("%s/file", out), text("%s/large", site)), 0);
    result = HUSK_RUN("--connect", rule, fetch, url("/none"));
    assert_status(result, 1);
    assert_complains(result, "404 Not Found");
    result = HUSK_RUN("--connect", rule, fetch, url("/dir")); /* redirected, then 403 */
    assert_complains(result, text("%s: 403 Forbidden", url("/dir/")));

    result = HUSK_RUN(fetch, url("/digits.txt"));
    assert_status(result, 1);
    assert_complains(result, "Permission denied");
    result = HUSK_RUN("--connect", text("localhost:%u", port ^ 1), fetch, url("/digits.txt"));
    assert_status(result, 1);
    assert_complains(result, "Permission denied");
    stop_nginx();
    directory_remove(out);
}

static void test_fetch_from_httpd_both_in_vms(void **state)
{
    (void)state;
    start_httpd();
    const struct result *result =
        HUSK_RUN("--connect", text("127.0.0.1:%u", port), built("apps/fetch"), url("/dir"));
    assert_status(result, 0);
    assert_shows(result, "a &#38; &#60;b&#62; %.txt");
    stop_httpd();
}

static void test_a_server_of_others_serves(void **state)
{
    (void)state;
    need_kvm();
    need_program(CURL);
    need_program(built("third-party/evhttpd"));
    port = port_free();
    server = process_start(&(struct command){
        .argv = LIST(husk(), "run", "-p", text("%u:80", port), built("third-party/evhttpd"))});
    process_await(server, "by epoll\n");
    assert_prints(GET(url("/world")), "Hello, world\n");
    assert_prints(GET("-d", "some data", url("/")), "some data");
    assert_prints(GET(url("/a"), url("/b")), "Hello, a\nHello, b\n");
    assert_status(GET(url("/stop")), 0);
    const struct result *result = process_end(server);
    assert_status(result, 0);
    assert_shows(result, "stopped\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_heads_and_ranges),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_one_connection_for_many_requests),
        cmocka_unit_test(test_a_large_file_arrives_whole),
        cmocka_unit_test(test_wrk_meets_no_error),
        cmocka_unit_test(test_a_request_on_a_busy_server_costs_one_exit),
        cmocka_unit_test(test_a_request_on_one_connection_costs_two),
        cmocka_unit_test(test_fetch_gets_what_is_named),
        cmocka_unit_test(test_fetch_from_httpd_both_in_vms),
        cmocka_unit_test(test_a_server_of_others_serves),
    };

    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
