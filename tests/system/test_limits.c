/* SPDX-License-Identifier: ISC
 *
 * Limits of a run: each ends it, or fails a call, where it says, and nothing else is in the way.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory.h"
#include "harness.h"

enum { TIME_LIMIT = 124, FAILED = 125, OUTPUT_LIMIT = 128 + SIGXFSZ };

static const char *consume(void)
{
    return built("guest/musl/consume");
}

static const char *writable(void)
{
    return text("%s:/d:rw", directory);
}

static off_t size_of(const char *name)
{
    struct stat status;

    return stat(in_directory(name), &status) < 0 ? -1 : status.st_size;
}

static void test_cpu_time_ends_what_computes(void **state)
{
    const struct result *result = HUSK_RUN("--cpu-time", "200ms", consume(), "spin");

    (void)state;
    assert_status(result, TIME_LIMIT);
    assert_complains(result, "consume: CPU time limit reached (--cpu-time)\n");
}

static void test_cpu_time_does_not_pass_while_sleeping(void **state)
{
    (void)state;
    assert_status(HUSK_RUN("--cpu-time", is_slow_machine() ? "100s" : "500ms", consume(), "sleep"),
                  0);
}

static void test_cpu_time_and_timeout_each_say_their_name(void **state)
{
    const struct result *result =
        HUSK_RUN("--cpu-time", "1h", "--timeout", "200ms", consume(), "spin");

    (void)state;
    assert_status(result, TIME_LIMIT);
    assert_complains(result, "time limit reached (--timeout)\n");
}

static void test_output_ends_at_its_limit(void **state)
{
    const struct result *result = HUSK_RUN("--max-output", "2500B", consume(), "print", "1000000");

    (void)state;
    assert_status(result, OUTPUT_LIMIT);
    assert_int_equal(result->out.size, 2500);
    assert_complains(result, "consume: output limit reached (--max-output)\n");
}

static void test_output_of_exactly_the_limit_is_allowed(void **state)
{
    const struct result *result = HUSK_RUN("--max-output", "2500", consume(), "print", "2500");

    (void)state;
    assert_status(result, 0);
    assert_int_equal(result->out.size, 2500);
    assert_is_quiet(result);
}

static void test_one_byte_more_is_not(void **state)
{
    const struct result *result = HUSK_RUN("--max-output", "2500", consume(), "print", "2501");

    (void)state;
    assert_status(result, OUTPUT_LIMIT);
    assert_int_equal(result->out.size, 2500);
}

static void test_endless_output_ends(void **state)
{
    const struct result *result =
        HUSK_RUN("--max-output", "1M", "--timeout", "5m", built("hostile/endless-output"));

    (void)state;
    assert_status(result, OUTPUT_LIMIT);
    assert_complains(result, "output limit reached (--max-output)\n");
    assert_true(result->out.size + result->err.size < (1 << 20) + 200);
}

static void test_writing_to_files_is_output(void **state)
{
    const struct result *result =
        HUSK_RUN("--max-output", "4K", "-v", writable(), consume(), "write", "/d/out", "100000");

    (void)state;
    assert_status(result, OUTPUT_LIMIT);
    assert_int_equal(size_of("out"), 4096);
    result = HUSK_RUN("--max-output", "4K", "-v", writable(), consume(), "allocate", "/d/allocated",
                      "4097");
    assert_status(result, EFBIG);
    assert_int_equal(size_of("allocated"), 0);
    assert_status(HUSK_RUN("--max-output", "4K", "-v", writable(), consume(), "allocate",
                           "/d/allocated", "4096"),
                  0);
}

static void test_files_that_are_open_are_counted(void **state)
{
    const char *mounted = text("%s:/d", directory);
    const struct result *result;

    (void)state;
    file_write(in_directory("file"), "x", 1);
    result = HUSK_RUN("--max-files", "5", "-v", mounted, consume(), "open", "/d/file", "5");
    assert_status(result, 0);
    assert_prints(result, "5 opened\n");
    result = HUSK_RUN("--max-files", "5", "-v", mounted, consume(), "open", "/d/file", "6");
    assert_status(result, 4);
    assert_prints(result, "5: No file descriptors available\n");
    result = HUSK_RUN("--max-files", "0", "-v", mounted, consume(), "open", "/d/file", "1");
    assert_prints(result, "0: No file descriptors available\n");
}

static bool enter_with_few_descriptors(void)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max >= 2048 &&
           setrlimit(RLIMIT_NOFILE, &(struct rlimit){64, limit.rlim_max}) == 0;
}

static void test_a_low_soft_limit_of_the_shell_is_raised(void **state)
{
    const struct result *result;

    (void)state;
    need_kvm();
    result = run(&(struct command){.argv = LIST(husk(), "run", "-v", text("%s:/d", directory),
                                                consume(), "open", "/d/file", "1000"),
                                   .enter = enter_with_few_descriptors});
    assert_prints(result, "1000 opened\n");
    assert_status(result, 0);
}

static void test_closed_files_are_not_counted(void **state)
{
    const char *busybox = "/bin/busybox", *tree = text("%s:/d", directory);

    (void)state;
    assert_status(HUSK_RUN("--max-files", "3", "-v", tree, busybox, "cat", "/d/file", "/d/file",
                           "/d/file", "/d/file", "/d/file", "/d/file"),
                  0);
}

/* A number that --stats=FILE wrote after "NAME": . */
static unsigned long long stat_of(const char *name)
{
    struct bytes stats = file_read(in_directory("stats"));
    const char *at = strstr(stats.data, text("\"%s\": ", name));
    unsigned long long value = at ? strtoull(at + strlen(name) + 4, NULL, 10) : 0;

    free(stats.data);
    assert_true(value > 0);
    return value;
}

#define MIB (1ULL << 20)

static void assert_stays_within_memory(const char *memory, unsigned long long size,
                                       const char *guest)
{
    const struct result *result = HUSK_RUN("-m", memory, text("--stats=%s", in_directory("stats")),
                                           built("hostile/%s", guest));

    assert_prints(result, "held\n");
    assert_status(result, 0);
    /* Tables of all addresses, window, and what the monitor itself needs. */
    assert_true(stat_of("peak_resident") < size + 8 * MIB + 8 * MIB);
    assert_true(stat_of("peak_mapped") <= size);
}

static void test_memory_is_a_hard_limit_whatever_is_mapped(void **state)
{
    (void)state;
    assert_stays_within_memory("64M", 64 * MIB, "memory-games");
    assert_stays_within_memory("32M", 32 * MIB, "memory-games");
}

static void test_memory_is_a_hard_limit_wherever_it_is_mapped(void **state)
{
    (void)state;
    assert_stays_within_memory("32M", 32 * MIB, "address-games");
}

static void test_allocation_beyond_the_memory_is_an_error_that_passes(void **state)
{
    static const char *const ways[] = {"husk", "musl", "glibc"};

    (void)state;
    for (size_t i = 0; i < COUNT(ways); i++) {
        const struct result *result =
            HUSK_RUN("-m", "32M", built("guest/%s/consume", ways[i]), "memory", "32");

        assert_prints(result, "refused, given back and given again\n");
        assert_status(result, 0);
        result = HUSK_RUN("-m", "64M", built("guest/%s/consume", ways[i]), "grow", "40");
        assert_prints(result, "grown\n");
        assert_status(result, 0);
    }
}

static void test_a_stack_is_memory_as_far_as_it_is_touched(void **state)
{
    const char *consume = built("guest/glibc/consume");
    const struct result *result = HUSK_RUN("-m", "32M", consume, "stack", "16");

    (void)state;
    assert_prints(result, "at the end\n");
    assert_status(result, 0);
    result =
        HUSK_RUN("-m", "32M", text("--stats=%s", in_directory("stats")), consume, "stack", "64");
    assert_prints(result, "");
    assert_complains(result, "SIGSEGV");
    assert_status(result, 128 + SIGSEGV);
    assert_true(stat_of("peak_mapped") <= 32 * MIB);
}

static void test_shared_memory_is_a_part_of_the_memory(void **state)
{
    static const char *const ways[] = {"husk", "musl", "glibc"};

    (void)state;
    for (size_t i = 0; i < COUNT(ways); i++) {
        const char *consume = built("guest/%s/consume", ways[i]);
        const struct result *result = HUSK_RUN(
            "-m", "32M", text("--stats=%s", in_directory("stats")), consume, "shared", "16");

        assert_prints(result, "shared, and given back\n");
        assert_status(result, 0);
        assert_true(stat_of("peak_mapped") <= 32 * MIB);
        result = HUSK_RUN("-m", "32M", consume, "shared", "32");
        assert_prints(result, "ENOMEM\n");
        assert_status(result, 11);
    }
}

static void test_a_tmpfs_is_a_part_of_the_memory(void **state)
{
    (void)state;
    assert_stays_within_memory("64M", 64 * MIB, "tmpfs-fill");
}

static void test_the_monitor_cannot_have_more_address_space(void **state)
{
    const struct command command = {
        .argv = LIST(husk(), "run", "-m", "64M", built("guest/musl/wait"), "read"), .silent = true};
    struct process *process;
    char limits[4096];
    int fd;
    ssize_t got;

    (void)state;
    need_kvm();
    process = process_start(&command);
    process_await(process, "ready");
    fd = open(text("/proc/%d/limits", process_id(process)), O_RDONLY | O_CLOEXEC);
    got = read(fd, limits, sizeof(limits) - 1);
    close(fd);
    process_signal(process, SIGTERM);
    process_end(process);
    assert_true(got > 0);
    limits[got] = '\0';
    /* What lies below the APIC's registers, 2 MiB to align it, and 160 MiB: the same as soft and as
     * hard limit. */
    assert_non_null(strstr(limits, "Max address space         4445962240           4445962240 "));
}

static void test_nice_is_added(void **state)
{
    struct process *process;
    char stat_line[1024] = "";
    const char *field;
    int fd;

    (void)state;
    need_kvm();
    process = process_start(&(struct command){
        .argv = LIST(husk(), "run", "--nice", "7", built("guest/musl/wait"), "read"),
        .silent = true});
    process_await(process, "ready");
    fd = open(text("/proc/%d/stat", process_id(process)), O_RDONLY | O_CLOEXEC);
    assert_true(read(fd, stat_line, sizeof(stat_line) - 1) > 0);
    close(fd);
    process_signal(process, SIGTERM);
    process_end(process);
    field = strrchr(stat_line, ')') + 1; /* proc(5): field 3 follows; nice is 19 */
    for (int i = 3; i <= 19; i++)
        field = strchr(field, ' ') + 1;
    assert_int_equal(atoi(field), nice(0) + 7);
}

/* Where cgroup v2 is mounted, or NULL. */
static const char *cgroups(void)
{
    static const char *const places[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};

    for (size_t i = 0; i < COUNT(places); i++)
        if (access(text("%s/cgroup.controllers", places[i]), F_OK) == 0)
            return places[i];
    return NULL;
}

static void test_run_is_in_its_cgroup(void **state)
{
    const char *where = cgroups(), *group;
    struct process *process;
    char content[256] = "";
    int fd, pid;

    (void)state;
    need_kvm();
    group = text("%s/husk-test-%d", where ? where : "", getpid());
    if (!where || mkdir(group, 0755) < 0)
        skip();
    process = process_start(&(struct command){
        .argv = LIST(husk(), "run", "--cgroup", group, built("guest/musl/wait"), "read"),
        .silent = true});
    process_await(process, "ready");
    pid = process_id(process);
    fd = open(text("%s/cgroup.procs", group), O_RDONLY | O_CLOEXEC);
    assert_true(read(fd, content, sizeof(content) - 1) > 0);
    close(fd);
    process_signal(process, SIGTERM);
    assert_status(process_end(process), 128 + SIGTERM);
    assert_int_equal(atoi(content), pid);
    assert_int_equal(rmdir(group), 0);
}

static void test_cgroup_that_is_none_is_refused(void **state)
{
    const struct result *result = HUSK_RUN("--cgroup", "no-such-group", built("apps/hello"));

    (void)state;
    assert_status(result, FAILED);
    assert_complains(result, "--cgroup no-such-group: No such file or directory; make it");
    result = HUSK_RUN("--cgroup", directory, built("apps/hello"));
    assert_status(result, FAILED);
    assert_complains(result, "not a directory of a cgroup v2 file system");
    file_write(in_directory("cgroup.procs"), "", 0);
    result = HUSK_RUN("--cgroup", directory, built("apps/hello"));
    assert_status(result, FAILED);
    assert_complains(result, "not a directory of a cgroup v2 file system");
    assert_int_equal(size_of("cgroup.procs"), 0);
}

static int fill_directory(void **state)
{
    make_directory(state);
    file_write(in_directory("file"), "x", 1);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cpu_time_ends_what_computes),
        cmocka_unit_test(test_cpu_time_does_not_pass_while_sleeping),
        cmocka_unit_test(test_cpu_time_and_timeout_each_say_their_name),
        cmocka_unit_test(test_output_ends_at_its_limit),
        cmocka_unit_test(test_output_of_exactly_the_limit_is_allowed),
        cmocka_unit_test(test_one_byte_more_is_not),
        cmocka_unit_test(test_endless_output_ends),
        cmocka_unit_test(test_writing_to_files_is_output),
        cmocka_unit_test(test_files_that_are_open_are_counted),
        cmocka_unit_test(test_a_low_soft_limit_of_the_shell_is_raised),
        cmocka_unit_test(test_closed_files_are_not_counted),
        cmocka_unit_test(test_memory_is_a_hard_limit_whatever_is_mapped),
        cmocka_unit_test(test_memory_is_a_hard_limit_wherever_it_is_mapped),
        cmocka_unit_test(test_allocation_beyond_the_memory_is_an_error_that_passes),
        cmocka_unit_test(test_a_stack_is_memory_as_far_as_it_is_touched),
        cmocka_unit_test(test_shared_memory_is_a_part_of_the_memory),
        cmocka_unit_test(test_a_tmpfs_is_a_part_of_the_memory),
        cmocka_unit_test(test_the_monitor_cannot_have_more_address_space),
        cmocka_unit_test(test_nice_is_added),
        cmocka_unit_test(test_run_is_in_its_cgroup),
        cmocka_unit_test(test_cgroup_that_is_none_is_refused),
    };

    return cmocka_run_group_tests_name("limits", tests, fill_directory, remove_directory);
}
