/* SPDX-License-Identifier: ISC
 *
 * Standard input, output and error of the program are husk's own: closed ones, full disks, closed
 * pipes, shared offsets, terminals and large transfers are as natively.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "directory.h"
#include "harness.h"

#define BUSYBOX "/bin/busybox"

/* The same busybox command, natively and in a VM, with descriptors as COMMAND has them. */
static void assert_same(struct command command, const char *const *arguments)
{
    const char *native[16] = {BUSYBOX}, *guest[16] = {husk(), "run", BUSYBOX};
    const struct result *expected, *result;

    need_kvm();
    for (size_t i = 0; arguments[i]; i++)
        native[i + 1] = guest[i + 3] = arguments[i];
    command.argv = native;
    expected = run(&command);
    command.argv = guest;
    result = run(&command);
    assert_status(result, expected->status);
    assert_int_equal(result->out.size, expected->out.size);
    assert_memory_equal(result->out.data, expected->out.data, expected->out.size);
    assert_string_equal(result->err.data, expected->err.data);
}

static void test_closed_descriptors_are_closed_for_the_program(void **state)
{
    (void)state;
    assert_same((struct command){.fd = {FD_CLOSED}}, LIST("cat"));
    assert_same((struct command){.fd = {FD_CLOSED}}, LIST("cat", "-", "/missing"));
    assert_same((struct command){.fd = {0, FD_CLOSED}}, LIST("echo", "lost"));
    assert_same((struct command){.fd = {0, 0, FD_CLOSED}}, LIST("cat", "/missing"));
    assert_same((struct command){.fd = {0, FD_CLOSED, FD_CLOSED}}, LIST("cat", "/missing"));
    assert_same((struct command){.fd = {FD_CLOSED, FD_CLOSED, FD_CLOSED}}, LIST("false"));
    assert_same((struct command){.fd = {FD_CLOSED, FD_CLOSED, FD_CLOSED}}, LIST("true"));
}

/* What husk says must not end up in a file that happened to get number 2. */
static void test_reports_are_lost_when_standard_error_is_closed(void **state)
{
    const char *trace = in_directory("trace");
    struct bytes written;

    (void)state;
    need_kvm();
    assert_status(run(&(struct command){.argv = LIST(husk(), "run", text("--trace=%s", trace),
                                                     built("guest/husk/crash"), "null-read"),
                                        .fd = {0, 0, FD_CLOSED}}),
                  139);
    written = file_read(trace);
    assert_null(strstr(written.data, "husk: "));
    free(written.data);
}

static void test_full_disk_is_an_error_of_the_program(void **state)
{
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

    (void)state;
    assert_same((struct command){.input = "some text\n", .input_size = 10, .fd = {0, full}},
                LIST("cat"));
    assert_same((struct command){.fd = {0, full}}, LIST("seq", "100000"));
    assert_same((struct command){.fd = {0, full}}, LIST("echo", "text"));
    close(full);
}

/* A pipe that nobody reads. */
static int open_closed_pipe(void)
{
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    close(ends[0]);
    return ends[1];
}

static void test_closed_pipe_ends_the_program_with_141(void **state)
{
    int closed = open_closed_pipe();

    (void)state;
    need_kvm();
    assert_same((struct command){.fd = {0, closed}}, LIST("yes"));
    assert_same((struct command){.fd = {0, closed}}, LIST("seq", "1000000"));
    assert_status(
        run(&(struct command){.argv = LIST(husk(), "run", BUSYBOX, "yes"), .fd = {0, closed}}),
        128 + SIGPIPE);
    close(closed);
}

static void test_reader_that_leaves_early_ends_the_program_with_141(void **state)
{
    char first[4096];
    struct process *process;
    int ends[2];

    (void)state;
    need_kvm();
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    process = process_start(
        &(struct command){.argv = LIST(husk(), "run", BUSYBOX, "yes"), .fd = {0, ends[1]}});
    close(ends[1]);
    assert_true(read(ends[0], first, sizeof(first)) > 0);
    assert_memory_equal(first, "y\ny\n", 4);
    close(ends[0]);
    assert_status(process_end(process), 128 + SIGPIPE);
}

/* (husk run busybox head -c 3; cat) < file */
static void test_offset_of_a_file_on_standard_input_is_shared(void **state)
{
    char rest[32] = "";
    int fd;

    (void)state;
    need_kvm();
    file_write(in_directory("input"), "abcdefghij", 10);
    fd = open(in_directory("input"), O_RDONLY | O_CLOEXEC);
    assert_prints(run(&(struct command){
                      .argv = LIST(husk(), "run", BUSYBOX, "dd", "bs=3", "count=1", "status=none"),
                      .fd = {fd}}),
                  "abc");
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 3);
    assert_prints(run(&(struct command){
                      .argv = LIST(husk(), "run", BUSYBOX, "dd", "bs=2", "count=2", "status=none"),
                      .fd = {fd}}),
                  "defg");
    assert_int_equal(read(fd, rest, sizeof(rest)), 3);
    assert_string_equal(rest, "hij");
    close(fd);
}

static void test_offset_of_a_file_on_standard_output_is_shared(void **state)
{
    struct bytes written;
    int fd;

    (void)state;
    need_kvm();
    fd = open(in_directory("output"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_int_equal(write(fd, "first\n", 6), 6);
    assert_status(run(&(struct command){.argv = LIST(husk(), "run", BUSYBOX, "echo", "second"),
                                        .fd = {0, fd}}),
                  0);
    assert_int_equal(write(fd, "third\n", 6), 6);
    close(fd);
    written = file_read(in_directory("output"));
    assert_string_equal(written.data, "first\nsecond\nthird\n");
    free(written.data);
}

static void test_output_is_appended_where_the_file_was_opened_so(void **state)
{
    struct bytes written;
    int fd;

    (void)state;
    need_kvm();
    file_write(in_directory("log"), "old\n", 4);
    fd = open(in_directory("log"), O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_status(
        run(&(struct command){.argv = LIST(husk(), "run", BUSYBOX, "echo", "new"), .fd = {0, fd}}),
        0);
    close(fd);
    written = file_read(in_directory("log"));
    assert_string_equal(written.data, "old\nnew\n");
    free(written.data);
}

static void test_standard_output_and_error_may_be_one_file(void **state)
{
    struct bytes written;
    int fd;

    (void)state;
    need_kvm();
    fd = open(in_directory("both"), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    assert_status(run(&(struct command){.argv = LIST(husk(), "run", BUSYBOX, "sh", "-c",
                                                     "echo out; echo error >&2; echo out"),
                                        .fd = {0, fd, fd}}),
                  0);
    close(fd);
    written = file_read(in_directory("both"));
    assert_string_equal(written.data, "out\nerror\nout\n");
    free(written.data);
}

static void test_descriptor_opened_for_reading_only_cannot_be_written(void **state)
{
    int fd;

    (void)state;
    file_write(in_directory("input"), "abc", 3);
    fd = open(in_directory("input"), O_RDONLY | O_CLOEXEC);
    assert_same((struct command){.fd = {0, fd}}, LIST("echo", "text"));
    close(fd);
    fd = open(in_directory("input"), O_WRONLY | O_CLOEXEC);
    assert_same((struct command){.fd = {fd}}, LIST("cat"));
    close(fd);
}

static void test_directory_as_standard_input_cannot_be_read(void **state)
{
    int fd = open(directory, O_RDONLY | O_CLOEXEC);

    (void)state;
    assert_same((struct command){.fd = {fd}}, LIST("cat"));
    close(fd);
}

static struct bytes make_bytes(size_t size)
{
    struct bytes bytes = {malloc(size), size};
    uint32_t state = 7;

    assert_non_null(bytes.data);
    for (size_t i = 0; i < size; i++) {
        state = state * 1664525 + 1013904223;
        bytes.data[i] = (char)(state >> 24);
    }
    return bytes;
}

static void test_binary_data_passes_through_pipes_unchanged(void **state)
{
    struct bytes bytes = make_bytes(is_slow_machine() ? 1 << 20 : 20 << 20);
    const struct result *result;

    (void)state;
    need_kvm();
    result = run(&(struct command){.argv = LIST(husk(), "run", BUSYBOX, "cat"),
                                   .input = bytes.data,
                                   .input_size = bytes.size});
    assert_status(result, 0);
    assert_int_equal(result->out.size, bytes.size);
    assert_memory_equal(result->out.data, bytes.data, bytes.size);
    free(bytes.data);
}

static void test_large_input_through_a_pipe_is_read_whole(void **state)
{
    struct bytes bytes = make_bytes(is_slow_machine() ? 4 << 20 : 256 << 20);

    (void)state;
    assert_same((struct command){.input = bytes.data, .input_size = bytes.size}, LIST("sha256sum"));
    free(bytes.data);
}

static void test_writer_and_reader_take_turns(void **state)
{
    struct process *process;
    char answer[16];
    int in[2], out[2];

    (void)state;
    need_kvm();
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    process = process_start(
        &(struct command){.argv = LIST(husk(), "run", BUSYBOX, "cat"), .fd = {in[0], out[1]}});
    close(in[0]);
    close(out[1]);
    for (int i = 0; i < 10; i++) {
        const char *line = text("line %d\n", i);

        assert_int_equal(write(in[1], line, strlen(line)), strlen(line));
        assert_int_equal(read(out[0], answer, sizeof(answer)), strlen(line));
        assert_memory_equal(answer, line, strlen(line));
    }
    close(in[1]);
    assert_status(process_end(process), 0);
    close(out[0]);
}

static void test_socket_serves_as_standard_input_and_output(void **state)
{
    struct process *process;
    char answer[16];
    int ends[2];

    (void)state;
    need_kvm();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    process = process_start(
        &(struct command){.argv = LIST(husk(), "run", BUSYBOX, "cat"), .fd = {ends[1], ends[1]}});
    close(ends[1]);
    assert_int_equal(write(ends[0], "hello", 5), 5);
    assert_int_equal(read(ends[0], answer, sizeof(answer)), 5);
    assert_memory_equal(answer, "hello", 5);
    shutdown(ends[0], SHUT_WR);
    assert_status(process_end(process), 0);
    close(ends[0]);
}

static void test_input_that_would_block_is_an_error_of_the_program(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    assert_same((struct command){.fd = {ends[0]}}, LIST("cat"));
    close(ends[0]);
    close(ends[1]);
}

/* A terminal of 132 x 50; returns the side of the program. */
static int open_terminal(int *master)
{
    const struct winsize size = {.ws_row = 50, .ws_col = 132};
    int slave;

    *master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(*master >= 0);
    assert_int_equal(grantpt(*master), 0);
    assert_int_equal(unlockpt(*master), 0);
    slave = open(ptsname(*master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(slave >= 0);
    assert_int_equal(ioctl(*master, TIOCSWINSZ, &size), 0);
    return slave;
}

static void test_terminal_is_one_for_the_program(void **state)
{
    int master, slave = open_terminal(&master);

    (void)state;
    assert_same((struct command){.fd = {slave}}, LIST("test", "-t", "0"));
    assert_same((struct command){.fd = {slave}}, LIST("test", "-t", "1"));
    assert_same((struct command){.fd = {slave}}, LIST("stty", "-a"));
    assert_same((struct command){.fd = {slave}}, LIST("stty", "size"));
    assert_same((struct command){.fd = {0}}, LIST("stty", "-a"));
    assert_same((struct command){.fd = {0, slave}}, LIST("ls", "-C", "/"));
    close(slave);
    close(master);
}

static void test_terminal_modes_can_be_set(void **state)
{
    int master, slave = open_terminal(&master);
    struct termios modes;

    (void)state;
    need_kvm();
    assert_status(run(&(struct command){.argv = LIST(husk(), "run", BUSYBOX, "stty", "-echo",
                                                     "-icanon", "intr", "^X"),
                                        .fd = {slave}}),
                  0);
    assert_int_equal(tcgetattr(slave, &modes), 0);
    assert_int_equal(modes.c_lflag & (ECHO | ICANON), 0);
    assert_int_equal(modes.c_cc[VINTR], 'X' & 037);
    close(slave);
    close(master);
}

static void test_line_typed_at_a_terminal_is_read(void **state)
{
    int master, slave = open_terminal(&master);
    const struct result *result;

    (void)state;
    need_kvm();
    assert_int_equal(write(master, "typed\nnot read\n", 15), 15);
    result = run(
        &(struct command){.argv = LIST(husk(), "run", BUSYBOX, "head", "-n", "1"), .fd = {slave}});
    assert_status(result, 0);
    assert_prints(result, "typed\n");
    close(slave);
    close(master);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closed_descriptors_are_closed_for_the_program),
        cmocka_unit_test(test_reports_are_lost_when_standard_error_is_closed),
        cmocka_unit_test(test_full_disk_is_an_error_of_the_program),
        cmocka_unit_test(test_closed_pipe_ends_the_program_with_141),
        cmocka_unit_test(test_reader_that_leaves_early_ends_the_program_with_141),
        cmocka_unit_test(test_offset_of_a_file_on_standard_input_is_shared),
        cmocka_unit_test(test_offset_of_a_file_on_standard_output_is_shared),
        cmocka_unit_test(test_output_is_appended_where_the_file_was_opened_so),
        cmocka_unit_test(test_standard_output_and_error_may_be_one_file),
        cmocka_unit_test(test_descriptor_opened_for_reading_only_cannot_be_written),
        cmocka_unit_test(test_directory_as_standard_input_cannot_be_read),
        cmocka_unit_test(test_binary_data_passes_through_pipes_unchanged),
        cmocka_unit_test(test_large_input_through_a_pipe_is_read_whole),
        cmocka_unit_test(test_writer_and_reader_take_turns),
        cmocka_unit_test(test_socket_serves_as_standard_input_and_output),
        cmocka_unit_test(test_input_that_would_block_is_an_error_of_the_program),
        cmocka_unit_test(test_terminal_is_one_for_the_program),
        cmocka_unit_test(test_terminal_modes_can_be_set),
        cmocka_unit_test(test_line_typed_at_a_terminal_is_read),
    };

    return cmocka_run_group_tests_name("stdio", tests, make_directory, remove_directory);
}
