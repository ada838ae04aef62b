/* SPDX-License-Identifier: ISC
 *
 * --trace: what a line looks like, and that nothing a guest puts into a call can break it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "memory.h"
#include "trace.h"

#define RAM  ((uint64_t)8 << 20)
#define PAGE HUSK_PAGE_SIZE
#define DATA 0x100000 /* two readable pages, then one that is not */
#define END  (DATA + 2 * PAGE)

static struct guest_memory memory;
static char line[TRACE_LINE_MAX];

static int register_nothing(void *context, uint64_t start, uint64_t end, void *host)
{
    (void)context, (void)start, (void)end, (void)host;
    return 0;
}

static int create_memory(void **state)
{
    struct husk_error error;

    (void)state;
    if (memory_create(&memory, RAM, register_nothing, NULL, &error))
        return -1;
    return memory_map(&memory, DATA, 2 * PAGE, HUSK_PROT_READ | HUSK_PROT_WRITE);
}

static int destroy_memory(void **state)
{
    (void)state;
    memory_destroy(&memory);
    return 0;
}

static void put(guest_addr_t addr, const void *bytes, size_t length)
{
    assert_int_equal(memory_write(&memory, addr, bytes, length), 0);
}

/* Format a call and check what holds for every line. */
static const char *format(const struct husk_trace *record)
{
    size_t length;

    memset(line, 'X', sizeof(line));
    length = trace_format(&memory, record, line);
    assert_in_range(length, 1, TRACE_LINE_MAX - 1);
    assert_int_equal(strlen(line), length);
    assert_int_equal(line[length - 1], '\n');
    assert_ptr_equal(strchr(line, '\n'), &line[length - 1]);
    for (size_t i = 0; i < length - 1; i++)
        assert_in_range(line[i], ' ', '~');
    return line;
}

#define CALL(call, ret, count, ...)                                                                \
    (&(struct husk_trace){                                                                         \
        .number = (call), .result = (ret), .exits = (count), .arg = {__VA_ARGS__}})

/* The call NUMBER with the arguments that follow, RESULT and EXITS is this line. */
#define assert_line(text, number, result, exits, ...)                                              \
    assert_string_equal(format(CALL(number, result, exits, __VA_ARGS__)), text)

#define assert_delivery(text, ...)                                                                 \
    assert_string_equal(format(&(struct husk_trace){.signal = 1, .arg = {__VA_ARGS__}}), text)

static void test_a_write_shows_its_bytes_and_its_exit(void **state)
{
    (void)state;
    put(DATA, "hello\n", 6);
    assert_line("write(1, \"hello\\n\", 6) = 6 <1 exit>\n", SYS_write, 6, 1, 1, DATA, 6);
}

static void test_exits_are_counted_in_words(void **state)
{
    (void)state;
    assert_line("getpid() = 1\n", SYS_getpid, 1, 0, 9, 9, 9);
    assert_line("getpid() = 1 <1 exit>\n", SYS_getpid, 1, 1, 0);
    assert_line("getpid() = 1 <2 exits>\n", SYS_getpid, 1, 2, 0);
    assert_line("getpid() = 1 <18446744073709551615 exits>\n", SYS_getpid, 1, UINT64_MAX, 0);
}

static void test_a_call_that_a_signal_ended_is_shown_as_strace_does(void **state)
{
    (void)state;
    assert_line("pause() = ? ERESTARTSYS (To be restarted if SA_RESTART is set)\n", SYS_pause, -512,
                0, 0);
    assert_line("pause() = ? ERESTARTNOINTR (To be restarted)\n", SYS_pause, -513, 0, 0);
    assert_line("pause() = -1 errno 514\n", SYS_pause, -514, 0, 0);
}

static void test_threads_are_shown_if_there_are_several(void **state)
{
    const struct husk_trace record = {.number = SYS_getpid, .result = 2, .thread = 5};

    (void)state;
    assert_string_equal(format(&record), "[pid 5] getpid() = 2\n");
}

static void test_deliveries_of_signals_are_shown_as_strace_does(void **state)
{
    struct husk_trace in_thread = {
        .signal = 1, .arg = {SIGUSR1, (uint64_t)-6, 2, 1000}, .thread = 3};

    (void)state;
    assert_delivery("--- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER, si_pid=2, si_uid=1000} ---\n",
                    SIGUSR1, SI_USER, 2, 1000);
    assert_delivery("--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x10} ---\n",
                    SIGSEGV, SEGV_MAPERR, 0, 0, 0x10);
    assert_delivery("--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL} ---\n",
                    SIGSEGV, SEGV_MAPERR);
    assert_delivery("--- SIGALRM {si_signo=SIGALRM, si_code=SI_KERNEL} ---\n", SIGALRM, SI_KERNEL,
                    7, 7, 7);
    assert_delivery("--- 77 {si_signo=77, si_code=-77} ---\n", 77, (uint64_t)-77);
    assert_string_equal(
        format(&in_thread),
        "[pid 3] --- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_TKILL, si_pid=2, si_uid=1000} ---\n");
}

static void test_a_read_shows_what_it_got(void **state)
{
    (void)state;
    put(DATA, "abcdef", 6);
    assert_line("read(0, \"abc\", 4096) = 3\n", SYS_read, 3, 0, 0, DATA, 4096);
    assert_line("read(0, \"\", 4096) = 0\n", SYS_read, 0, 0, 0, DATA, 4096);
}

static void test_a_failed_read_shows_its_address(void **state)
{
    (void)state;
    assert_line("read(0, 0x100000, 10) = -1 EAGAIN (Resource temporarily unavailable)\n", SYS_read,
                -EAGAIN, 0, 0, DATA, 10);
}

static void test_errors_have_name_and_words(void **state)
{
    (void)state;
    put(DATA, "/nope", 6);
    assert_line("openat(AT_FDCWD, \"/nope\", O_RDONLY|O_CLOEXEC)"
                " = -1 ENOENT (No such file or directory) <1 exit>\n",
                SYS_openat, -ENOENT, 1, (uint32_t)AT_FDCWD, DATA, O_CLOEXEC);
    assert_line("getpid() = -1 ENOTRECOVERABLE (State not recoverable)\n", SYS_getpid,
                -ENOTRECOVERABLE, 0, 0);
}

static void test_results_outside_the_error_range_are_numbers(void **state)
{
    (void)state;
    assert_line("getpid() = -1 errno 4095\n", SYS_getpid, -4095, 0, 0);
    assert_line("getpid() = -4096\n", SYS_getpid, -4096, 0, 0);
    assert_line("getpid() = -9223372036854775808\n", SYS_getpid, INT64_MIN, 0, 0);
    assert_line("getpid() = 9223372036854775807\n", SYS_getpid, INT64_MAX, 0, 0);
}

static void test_the_mode_shows_only_when_a_file_may_be_created(void **state)
{
    (void)state;
    put(DATA, "f", 2);
    assert_line("open(\"f\", O_RDWR) = 3\n", SYS_open, 3, 0, DATA, O_RDWR, 0777);
    assert_line("open(\"f\", O_WRONLY|O_CREAT|O_TRUNC, 0644) = 3\n", SYS_open, 3, 0, DATA,
                O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_line("openat(5, \"f\", O_RDWR|O_TMPFILE, 0600) = 3\n", SYS_openat, 3, 0, 5, DATA,
                O_RDWR | O_TMPFILE, 0600);
    assert_line("mkdir(\"f\", 0) = 0\n", SYS_mkdir, 0, 0, DATA, 0);
}

static void test_mappings_show_rights_flags_and_a_hexadecimal_result(void **state)
{
    (void)state;
    assert_line("mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0x0)"
                " = 0x700000\n",
                SYS_mmap, 0x700000, 0, 0, 8192, 3, MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0);
    assert_line("mmap(NULL, 0, PROT_NONE, MAP_SHARED, 3, 0x1000) = -1 EINVAL (Invalid argument)\n",
                SYS_mmap, -EINVAL, 0, 0, 0, 0, MAP_SHARED, 3, 0x1000);
    assert_line("brk(NULL) = 0x500000\n", SYS_brk, 0x500000, 0, 0);
    assert_line("mremap(0x1000, 4096, 8192, MREMAP_MAYMOVE, NULL) = 0x2000\n", SYS_mremap, 0x2000,
                0, 0x1000, 4096, 8192, 1, 0);
}

static void test_unknown_bits_stay_visible(void **state)
{
    (void)state;
    assert_line("mprotect(0x1000, 4096, PROT_READ|0x40) = 0\n", SYS_mprotect, 0, 0, 0x1000, 4096,
                0x41);
    assert_line("lseek(3, -1, 0x2a) = -1 EINVAL (Invalid argument)\n", SYS_lseek, -EINVAL, 0, 3,
                (uint64_t)-1, 42);
    assert_line("getrandom(NULL, 0, 0) = 0\n", SYS_getrandom, 0, 0, 0);
}

static void test_exits_have_no_result(void **state)
{
    (void)state;
    assert_line("exit_group(3) = ? <1 exit>\n", SYS_exit_group, 0, 1, 3);
    assert_line("exit(0) = ?\n", SYS_exit, 0, 0, 0);
}

static void test_unknown_numbers_show_six_registers(void **state)
{
    (void)state;
    assert_line("syscall_463(0x1, 0x2, 0x3, 0x4, 0x5, 0xffffffffffffffff)"
                " = -1 ENOSYS (Function not implemented)\n",
                463, -ENOSYS, 0, 1, 2, 3, 4, 5, UINT64_MAX);
    assert_line("syscall_400(0x0, 0x0, 0x0, 0x0, 0x0, 0x0) = 0\n", 400, 0, 0, 0);
    assert_line("syscall_18446744073709551615(0x0, 0x0, 0x0, 0x0, 0x0, 0x0) = 0\n", UINT64_MAX, 0,
                0, 0);
}

static void test_signals_clocks_and_times_have_names(void **state)
{
    int64_t time[2] = {1, 500};

    (void)state;
    put(DATA, time, sizeof(time));
    assert_line("clock_gettime(CLOCK_MONOTONIC, {tv_sec=1, tv_nsec=500}) = 0\n", SYS_clock_gettime,
                0, 0, 1, DATA);
    assert_line("clock_gettime(0x63, 0x100000) = -1 EINVAL (Invalid argument)\n", SYS_clock_gettime,
                -EINVAL, 0, 99, DATA);
    assert_line("nanosleep({tv_sec=1, tv_nsec=500}, NULL) = 0\n", SYS_nanosleep, 0, 0, DATA, 0);
    assert_line("nanosleep(NULL, NULL) = -1 EFAULT (Bad address)\n", SYS_nanosleep, -EFAULT, 0, 0,
                0);
    assert_line("kill(-1, SIGTERM) = 0\n", SYS_kill, 0, 0, (uint64_t)-1, SIGTERM);
    assert_line("kill(1, 64) = 0\n", SYS_kill, 0, 0, 1, 64);
    assert_line("kill(1, -5) = 0\n", SYS_kill, 0, 0, 1, (uint64_t)-5);
}

static void test_the_argument_of_fcntl_depends_on_its_command(void **state)
{
    (void)state;
    assert_line("fcntl(1, F_GETFL) = 2\n", SYS_fcntl, 2, 0, 1, F_GETFL, 99);
    assert_line("fcntl(1, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n", SYS_fcntl, 0, 0, 1, F_SETFL,
                O_RDWR | O_NONBLOCK);
    assert_line("fcntl(1, F_DUPFD_CLOEXEC, 10) = 10\n", SYS_fcntl, 10, 0, 1, F_DUPFD_CLOEXEC, 10);
    assert_line("fcntl(1, F_GETLK, 0x100000) = 0\n", SYS_fcntl, 0, 0, 1, F_GETLK, DATA);
    assert_line("fcntl(1, 0xffffffff, 0x1) = -1 EINVAL (Invalid argument)\n", SYS_fcntl, -EINVAL, 0,
                1, (uint64_t)-1, 1);
}

static void test_ints_ignore_the_upper_half_of_a_register(void **state)
{
    (void)state;
    assert_line("close(3) = 0\n", SYS_close, 0, 0, 0xffffffff00000003);
    assert_line("mkdirat(AT_FDCWD, NULL, 0) = -1 EFAULT (Bad address)\n", SYS_mkdirat, -EFAULT, 0,
                (uint64_t)AT_FDCWD & 0xffffffff, 0, 0);
}

static void test_strings_are_escaped_as_in_c(void **state)
{
    static const char bytes[] = "\"\\\a\b\t\n\v\f\r\1\1"
                                "1\1779\200\377z";

    (void)state;
    put(DATA, bytes, sizeof(bytes));
    assert_line("chdir(\"\\\"\\\\\\a\\b\\t\\n\\v\\f\\r\\1\\0011\\1779\\200\\377z\") = 0\n",
                SYS_chdir, 0, 0, DATA);
}

static void test_zero_bytes_of_a_buffer_are_shown(void **state)
{
    (void)state;
    put(DATA,
        "a\0b\0"
        "1\0",
        6);
    assert_line("write(1, \"a\\0b\\0001\\0\", 6) = 6\n", SYS_write, 6, 0, 1, DATA, 6);
}

static void test_buffers_are_cut_after_32_bytes(void **state)
{
    (void)state;
    put(DATA, "0123456789abcdef0123456789abcdefXY", 34);
    assert_line("write(1, \"0123456789abcdef0123456789abcdef\", 32) = 32\n", SYS_write, 32, 0, 1,
                DATA, 32);
    assert_line("write(1, \"0123456789abcdef0123456789abcdef\"..., 33) = 33\n", SYS_write, 33, 0, 1,
                DATA, 33);
}

static void test_paths_are_cut_after_200_bytes(void **state)
{
    char path[300], expected[400];

    (void)state;
    memset(path, 'p', sizeof(path));
    path[200] = '\0';
    put(DATA, path, sizeof(path));
    snprintf(expected, sizeof(expected), "chdir(\"%s\") = 0\n", path);
    assert_line(expected, SYS_chdir, 0, 0, DATA);
    put(DATA + 200, "p", 2);
    snprintf(expected, sizeof(expected), "chdir(\"%s\"...) = 0\n", path);
    assert_line(expected, SYS_chdir, 0, 0, DATA);
}

static void test_a_string_may_end_with_its_page(void **state)
{
    (void)state;
    put(END - 4, "abc", 4);
    assert_line("chdir(\"abc\") = 0\n", SYS_chdir, 0, 0, END - 4);
    put(DATA + PAGE - 2, "abc", 4);
    assert_line("chdir(\"abc\") = 0\n", SYS_chdir, 0, 0, DATA + PAGE - 2);
}

static void test_a_string_that_runs_into_an_unreadable_page_is_cut_there(void **state)
{
    (void)state;
    put(END - 3, "abc", 3);
    assert_line("chdir(\"abc\"...) = -1 EFAULT (Bad address)\n", SYS_chdir, -EFAULT, 0, END - 3);
    assert_line("write(1, \"abc\"..., 10) = -1 EFAULT (Bad address)\n", SYS_write, -EFAULT, 0, 1,
                END - 3, 10);
    assert_line("write(1, \"abc\"..., 18446744073709551615) = -1 EFAULT (Bad address)\n", SYS_write,
                -EFAULT, 0, 1, END - 3, UINT64_MAX);
}

static void test_unreadable_pointers_print_as_addresses(void **state)
{
    static const uint64_t pointers[] = {
        1,
        PAGE,
        END,
        RAM - 1,
        RAM,
        HUSK_RING0_TABLES,
        HUSK_WINDOW + HUSK_WINDOW_SIZE,
        0x7fffffffffff,
        0x800000000000,
        UINT64_MAX - PAGE,
        UINT64_MAX,
    };
    char expected[100];

    (void)state;
    for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
        uint64_t pointer = pointers[i];
        snprintf(expected, sizeof(expected), "chdir(0x%llx) = 0\n", (unsigned long long)pointer);
        assert_line(expected, SYS_chdir, 0, 0, pointer);
        snprintf(expected, sizeof(expected), "write(1, 0x%llx, 9) = 9\n",
                 (unsigned long long)pointer);
        assert_line(expected, SYS_write, 9, 0, 1, pointer, 9);
        snprintf(expected, sizeof(expected), "writev(1, 0x%llx, 2) = 0\n",
                 (unsigned long long)pointer);
        assert_line(expected, SYS_writev, 0, 0, 1, pointer, 2);
        snprintf(expected, sizeof(expected), "nanosleep(0x%llx, NULL) = 0\n",
                 (unsigned long long)pointer);
        assert_line(expected, SYS_nanosleep, 0, 0, pointer);
    }
}

static void test_vectors_show_their_first_elements(void **state)
{
    struct husk_iovec iov[4] = {{DATA, 3}, {DATA + 3, 2}, {0, 0}, {DATA, 1}};

    (void)state;
    put(DATA, "abcde", 5);
    put(DATA + PAGE, iov, sizeof(iov));
    assert_line("writev(1, [{iov_base=\"abc\", iov_len=3}, {iov_base=\"de\", iov_len=2}], 2) = 5\n",
                SYS_writev, 5, 0, 1, DATA + PAGE, 2);
    assert_line("writev(1, [{iov_base=\"abc\", iov_len=3}, {iov_base=\"de\", iov_len=2},"
                " {iov_base=NULL, iov_len=0}, ...], 4) = 6\n",
                SYS_writev, 6, 0, 1, DATA + PAGE, 4);
    assert_line("writev(1, [], 0) = 0\n", SYS_writev, 0, 0, 1, DATA + PAGE, 0);
}

static void test_a_vector_that_was_read_into_shows_only_what_arrived(void **state)
{
    struct husk_iovec iov[2] = {{DATA, 3}, {DATA + 3, 2}};

    (void)state;
    put(DATA, "abcde", 5);
    put(DATA + PAGE, iov, sizeof(iov));
    assert_line("readv(0, [{iov_base=\"abc\", iov_len=3}, {iov_base=\"d\", iov_len=2}], 2) = 4\n",
                SYS_readv, 4, 0, 0, DATA + PAGE, 2);
    assert_line("readv(0, [{iov_base=\"a\", iov_len=3}, {iov_base=\"\", iov_len=2}], 2) = 1\n",
                SYS_readv, 1, 0, 0, DATA + PAGE, 2);
    assert_line("readv(0, 0x101000, 2) = -1 EIO (Input/output error)\n", SYS_readv, -EIO, 0, 0,
                DATA + PAGE, 2);
}

static void test_hostile_vectors_stay_bounded(void **state)
{
    struct husk_iovec iov[2] = {{UINT64_MAX - 3, INT64_MAX}, {DATA, INT64_MAX}};

    (void)state;
    put(DATA, "abcdefghijklmnopqrstuvwxyz0123456789", 36);
    put(END - sizeof(iov), iov, sizeof(iov));
    assert_line("writev(1, [{iov_base=0xfffffffffffffffc, iov_len=9223372036854775807},"
                " {iov_base=\"abcdefghijklmnopqrstuvwxyz012345\"...,"
                " iov_len=9223372036854775807}, ...], -1) = -1 EINVAL (Invalid argument)\n",
                SYS_writev, -EINVAL, 0, 1, END - sizeof(iov), UINT64_MAX);
    assert_line("writev(1, 0x101ff8, 1) = 0\n", SYS_writev, 0, 0, 1, END - 8, 1);
}

static void test_a_line_too_long_is_cut_but_keeps_its_result(void **state)
{
    char path[201];

    (void)state;
    path[200] = '\0';
    for (size_t i = 0; i < sizeof(path) - 1; i++)
        path[i] = i % 2 ? '1' : '\1';
    put(DATA, path, sizeof(path));
    format(CALL(SYS_rename, -EXDEV, 7, DATA, DATA));
    assert_non_null(strstr(line, "...) = -1 EXDEV (Invalid cross-device link) <7 exits>\n"));
    format(CALL(SYS_mount, -ENOTRECOVERABLE, UINT64_MAX, DATA, DATA, DATA));
    assert_non_null(strstr(line, "...) = -1 ENOTRECOVERABLE (State not recoverable)"
                                 " <18446744073709551615 exits>\n"));
}

static uint64_t random_word(void)
{
    static uint64_t seed = 88172645463325252; /* xorshift64 */

    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void test_any_registers_give_one_clean_line(void **state)
{
    static const uint64_t interesting[] = {
        0,
        1,
        DATA,
        DATA + PAGE - 1,
        END - 1,
        END - 9,
        END,
        RAM - 16,
        HUSK_RT_BASE,
        UINT64_MAX,
        (uint64_t)1 << 31,
        1 << 6,
        0100,
        0xfffffffffffff000,
    };

    (void)state;
    for (uint64_t addr = DATA; addr < END; addr += 8)
        put(addr, (uint64_t[]){random_word()}, 8);
    for (size_t i = 0; i < 200000; i++) {
        struct husk_trace record = {.number = i % 470};
        uint64_t *words = (uint64_t *)&record;
        for (size_t word = 1; word < sizeof(record) / sizeof(*words); word++) {
            uint64_t random = random_word();
            words[word] = random % 4 ? interesting[random / 4 % 14] : random;
        }
        format(&record);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_write_shows_its_bytes_and_its_exit),
        cmocka_unit_test(test_exits_are_counted_in_words),
        cmocka_unit_test(test_a_call_that_a_signal_ended_is_shown_as_strace_does),
        cmocka_unit_test(test_threads_are_shown_if_there_are_several),
        cmocka_unit_test(test_deliveries_of_signals_are_shown_as_strace_does),
        cmocka_unit_test(test_a_read_shows_what_it_got),
        cmocka_unit_test(test_a_failed_read_shows_its_address),
        cmocka_unit_test(test_errors_have_name_and_words),
        cmocka_unit_test(test_results_outside_the_error_range_are_numbers),
        cmocka_unit_test(test_the_mode_shows_only_when_a_file_may_be_created),
        cmocka_unit_test(test_mappings_show_rights_flags_and_a_hexadecimal_result),
        cmocka_unit_test(test_unknown_bits_stay_visible),
        cmocka_unit_test(test_exits_have_no_result),
        cmocka_unit_test(test_unknown_numbers_show_six_registers),
        cmocka_unit_test(test_signals_clocks_and_times_have_names),
        cmocka_unit_test(test_the_argument_of_fcntl_depends_on_its_command),
        cmocka_unit_test(test_ints_ignore_the_upper_half_of_a_register),
        cmocka_unit_test(test_strings_are_escaped_as_in_c),
        cmocka_unit_test(test_zero_bytes_of_a_buffer_are_shown),
        cmocka_unit_test(test_buffers_are_cut_after_32_bytes),
        cmocka_unit_test(test_paths_are_cut_after_200_bytes),
        cmocka_unit_test(test_a_string_may_end_with_its_page),
        cmocka_unit_test(test_a_string_that_runs_into_an_unreadable_page_is_cut_there),
        cmocka_unit_test(test_unreadable_pointers_print_as_addresses),
        cmocka_unit_test(test_vectors_show_their_first_elements),
        cmocka_unit_test(test_a_vector_that_was_read_into_shows_only_what_arrived),
        cmocka_unit_test(test_hostile_vectors_stay_bounded),
        cmocka_unit_test(test_a_line_too_long_is_cut_but_keeps_its_result),
        cmocka_unit_test(test_any_registers_give_one_clean_line),
    };

    return cmocka_run_group_tests(tests, create_memory, destroy_memory);
}
