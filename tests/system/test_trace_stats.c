/* SPDX-License-Identifier: ISC
 *
 * What --trace and --stats tell, and that they change nothing else.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directory.h"
#include "harness.h"
#include "json.h"

static const char *const toolchains[] = {"husk", "musl", "glibc", "pie", "lld"};
static const char output[] = "tab\there\none two\n";

static const char *mount(void)
{
    return text("%s:/data", directory);
}

static void assert_line(const struct bytes *trace, const char *line)
{
    const char *found = strstr(trace->data, line);

    if (!found || (found > trace->data && found[-1] != '\n') || found[strlen(line)] != '\n')
        FAIL((&(struct result){.err = *trace}), "no line \"%s\"", line);
}

static void assert_traced(const struct bytes *trace)
{
    assert_line(trace, "openat(AT_FDCWD, \"/data/text\", O_RDONLY|O_CLOEXEC) = 3 <1 exit>");
    assert_line(trace, "read(3, \"plain text\\n\", 64) = 11 <1 exit>");
    assert_line(trace, "lseek(3, 2, SEEK_SET) = 2");
    assert_line(trace, "close(3) = 0");
    assert_line(trace, "openat(AT_FDCWD, \"/data/missing\", O_RDONLY|O_DIRECTORY) = -1 ENOENT "
                       "(No such file or directory) <1 exit>");
    assert_line(trace, "openat(AT_FDCWD, 0x8, O_RDONLY) = -1 EFAULT (Bad address)");
    assert_line(trace, "write(1, \"tab\\there\\n\", 9) = 9 <1 exit>");
    assert_line(trace, "writev(1, [{iov_base=\"one\", iov_len=3}, {iov_base=\" two\\n\", "
                       "iov_len=5}], 2) = 8 <1 exit>");
    assert_line(trace, "close(77) = -1 EBADF (Bad file descriptor)");
    assert_line(trace, "inotify_init1(0x0) = -1 ENOSYS (Function not implemented)");
    assert_line(trace, "syscall_9999(0x1, 0x2, 0x3, 0x4, 0x5, 0x6) = -1 ENOSYS "
                       "(Function not implemented)");
    assert_line(trace, "exit_group(3) = ? <1 exit>");
    assert_non_null(strstr(trace->data, "\ngetppid() = "));
}

static void test_trace_shows_each_call_with_arguments_result_and_exits(void **state)
{
    const struct result *result =
        HUSK_RUN("--trace", "-v", mount(), built("guest/%s/calls", (const char *)*state), "/data");

    assert_status(result, 3);
    assert_prints(result, output);
    assert_traced(&result->err);
}

static void test_trace_to_a_file_leaves_standard_error_alone(void **state)
{
    const struct result *result;
    struct bytes trace;

    (void)state;
    file_write(in_directory("trace"), "from an earlier run\n", 20);
    result = HUSK_RUN(text("--trace=%s", in_directory("trace")), "-v", mount(),
                      built("guest/husk/calls"), "/data");
    assert_status(result, 3);
    assert_prints(result, output);
    assert_is_quiet(result);
    trace = file_read(in_directory("trace"));
    assert_traced(&trace);
    assert_null(strstr(trace.data, "earlier"));
    free(trace.data);
}

static void test_trace_and_the_programs_own_messages_share_standard_error(void **state)
{
    const struct result *result = HUSK_RUN("--trace", "/bin/busybox", "cat", "/missing");

    (void)state;
    assert_status(result, 1);
    assert_prints(result, "");
    assert_complains(result, "\", O_RDONLY) = -1 ENOENT");
    assert_complains(result, "cat: can't open '/missing': No such file or directory\n");
}

static void test_trace_of_a_fault_ends_with_its_report(void **state)
{
    const struct result *result = HUSK_RUN("--trace", built("guest/musl/crash"), "null-read");

    (void)state;
    assert_status(result, 139);
    assert_complains(result, "null pointer: read of address 0x0");
    assert_complains(result, "arch_prctl(ARCH_SET_FS, 0x");
}

static void test_trace_that_cannot_be_written_changes_nothing(void **state)
{
    const struct result *result =
        HUSK_RUN("--trace=/dev/full", "-v", mount(), built("guest/husk/calls"), "/data");

    (void)state;
    assert_status(result, 3);
    assert_prints(result, output);
}

static void test_trace_of_a_guest_ended_by_a_signal_has_whole_lines(void **state)
{
    const char *trace = in_directory("trace");
    struct process *process;
    struct bytes lines;

    (void)state;
    need_kvm();
    process = process_start(&(struct command){
        .argv = LIST(husk(), "run", text("--trace=%s", trace), built("guest/husk/wait"), "call")});
    process_await(process, "ready\n");
    process_signal(process, SIGTERM);
    assert_status(process_end(process), 128 + SIGTERM);
    lines = file_read(trace);
    assert_true(lines.size > 0);
    assert_int_equal(lines.data[lines.size - 1], '\n');
    free(lines.data);
}

/* Its output is checked to be JSON. */
static const char *stats_of(const struct result *result)
{
    if (!json_is_valid(result->err.data))
        FAIL(result, "not JSON");
    return result->err.data;
}

/* When STEP of boot_us was reached, or -1. */
static double step_time(const char *stats, const char *step)
{
    const char *steps = json_member(stats, "boot_us"), *entry;

    for (size_t i = 0; (entry = json_element(steps, i)); i++)
        if (strncmp(json_member(entry, "step") + 1, step, strlen(step)) == 0)
            return json_number(json_member(entry, "at"));
    return -1;
}

static double hypercall_count(const char *stats, const char *name)
{
    return json_number(json_member(json_member(json_member(stats, "hypercalls"), name), "count"));
}

static void test_stats_tell_exits_hypercalls_memory_and_boot_steps(void **state)
{
    static const char *const steps[] = {"open",        "create_vm", "set_user_memory_region",
                                        "create_vcpu", "set_msrs",  "first_instruction",
                                        "start",       "main",      "exit"};
    const struct result *result = HUSK_RUN("--stats", "-m", "64M", "-v", mount(),
                                           built("guest/%s/calls", (const char *)*state), "/data");
    const char *stats, *memory;
    double last = 0;

    assert_status(result, 3);
    assert_prints(result, output);
    stats = stats_of(result);
    assert_int_equal(json_number(json_member(stats, "status")), 3);
    assert_true(json_number(json_member(json_member(stats, "exits"), "io")) >= 5);
    assert_int_equal(hypercall_count(stats, "exit"), 1);
    assert_int_equal(hypercall_count(stats, "write"), 1);
    assert_int_equal(hypercall_count(stats, "writev"), 1);
    assert_true(hypercall_count(stats, "open") >= 2);
    assert_int_equal(json_number(json_member(stats, "deferred")), 1); /* a close */
    memory = json_member(stats, "memory");
    assert_int_equal(json_number(json_member(memory, "limit")), 64 << 20);
    assert_in_range(json_number(json_member(memory, "peak_mapped")), 1 << 20, 64 << 20);
    assert_true(json_number(json_member(memory, "peak_resident")) > 0);
    assert_true(json_number(json_member(stats, "began_us")) > 0);
    for (size_t i = 0; i < COUNT(steps); i++) {
        double at = step_time(stats, steps[i]);

        if (at < last)
            FAIL(result, "step %s is missing or came too early", steps[i]);
        last = at;
    }
}

static void test_stats_count_as_many_hypercalls_as_doorbells(void **state)
{
    const struct result *result =
        HUSK_RUN("--stats", "-v", mount(), built("guest/musl/calls"), "/data");
    const char *stats = stats_of(result), *entry;
    double sum = 0;

    (void)state;
    for (size_t i = 0; (entry = json_element(json_member(stats, "hypercalls"), i)); i++)
        sum += json_number(json_member(entry, "count"));
    assert_int_equal(json_number(json_member(json_member(stats, "exits"), "io")), sum);
}

static void test_stats_of_a_stripped_image_lack_only_main(void **state)
{
    const struct result *result = HUSK_RUN("--stats", built("guest/stripped"), "exit:4");
    const char *stats = stats_of(result);

    (void)state;
    assert_status(result, 4);
    assert_true(step_time(stats, "first_instruction") > 0);
    assert_true(step_time(stats, "start") > 0);
    assert_true(step_time(stats, "exit") > 0);
    assert_true(step_time(stats, "main") < 0);
}

static void test_stats_to_a_file_leave_standard_error_alone(void **state)
{
    const struct result *result;
    struct bytes stats;

    (void)state;
    file_write(in_directory("stats"), "from an earlier run, and longer than what replaces it", 53);
    result = HUSK_RUN(text("--stats=%s", in_directory("stats")), "/bin/busybox", "echo", "said");
    assert_status(result, 0);
    assert_prints(result, "said\n");
    assert_is_quiet(result);
    stats = file_read(in_directory("stats"));
    assert_true(json_is_valid(stats.data));
    free(stats.data);
}

static void test_stats_are_json_for_an_image_of_any_name(void **state)
{
    const char *image = in_directory("a \"name\" with \\ and \n and \001\177\303\244\377");
    const struct result *result;

    (void)state;
    assert_int_equal(symlink(built("guest/stripped"), image), 0);
    result = HUSK_RUN("--stats", image, "exit:0");
    assert_status(result, 0);
    stats_of(result);
}

static void test_stats_are_told_however_the_run_ends(void **state)
{
    const char *file = in_directory("stats"), *option = text("--stats=%s", file);
    const struct {
        const char *const *argv;
        int status;
    } runs[] = {
        {LIST(husk(), "run", option, built("guest/husk/crash"), "null-read"), 139},
        {LIST(husk(), "run", option, built("guest/husk/crash"), "abort"), 134},
        {LIST(husk(), "run", option, "--timeout=200ms", built("guest/husk/wait"), "spin"), 124},
    };

    (void)state;
    need_kvm();
    for (size_t i = 0; i < COUNT(runs); i++) {
        struct bytes stats;

        assert_status(run(&(struct command){.argv = runs[i].argv}), runs[i].status);
        stats = file_read(file);
        assert_true(json_is_valid(stats.data));
        assert_int_equal(json_number(json_member(stats.data, "status")), runs[i].status);
        free(stats.data);
    }
}

static void test_json_reader_is_strict(void **state)
{
    static const char *const good[] = {"{}", " [1, -2.5e+3, \"a\\u00e4\\n\", {\"b\": null}]\n",
                                       "0"};
    static const char *const bad[] = {"",         "{",      "{\"a\"}", "{\"a\": 1,}", "[1 2]",
                                      "01",       "1.",     "nul",     "\"a",         "\"\\x\"",
                                      "{} {}",    "{a: 1}", "[1,]",    "+1",          "\"\n\"",
                                      "{\"a\":}", "[nan]",  "-",       "1e",          "'a'"};

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        assert_true(json_is_valid(good[i]));
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(json_is_valid(bad[i]));
    assert_int_equal(json_number(json_member("{\"a\": [1], \"b\" : 2}", "b")), 2);
    assert_null(json_member("{\"a\": {\"b\": 1}}", "b"));
    assert_int_equal(json_number(json_element("[[1, 2], {\"a\": 3}, 4]", 2)), 4);
}

static int fill_directory(void **state)
{
    make_directory(state);
    file_write(in_directory("text"), "plain text\n", 11);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trace_to_a_file_leaves_standard_error_alone),
        cmocka_unit_test(test_trace_and_the_programs_own_messages_share_standard_error),
        cmocka_unit_test(test_trace_of_a_fault_ends_with_its_report),
        cmocka_unit_test(test_trace_that_cannot_be_written_changes_nothing),
        cmocka_unit_test(test_trace_of_a_guest_ended_by_a_signal_has_whole_lines),
        cmocka_unit_test(test_stats_count_as_many_hypercalls_as_doorbells),
        cmocka_unit_test(test_stats_of_a_stripped_image_lack_only_main),
        cmocka_unit_test(test_stats_to_a_file_leave_standard_error_alone),
        cmocka_unit_test(test_stats_are_json_for_an_image_of_any_name),
        cmocka_unit_test(test_stats_are_told_however_the_run_ends),
        cmocka_unit_test(test_json_reader_is_strict),
    };
    struct test_list list = {0};

    for (size_t i = 0; i < COUNT(toolchains); i++)
        test_list_add(&list,
                      text("trace shows each call with arguments, result and exits, built as %s",
                           toolchains[i]),
                      test_trace_shows_each_call_with_arguments_result_and_exits, toolchains[i]);
    for (size_t i = 0; i < COUNT(toolchains); i++)
        test_list_add(
            &list,
            text("stats tell exits, hypercalls, memory and boot steps, built as %s", toolchains[i]),
            test_stats_tell_exits_hypercalls_memory_and_boot_steps, toolchains[i]);
    for (size_t i = 0; i < COUNT(tests); i++)
        test_list_add(&list, tests[i].name, tests[i].test_func, NULL);
    return test_list_run(&list, "trace and stats", fill_directory, remove_directory);
}
