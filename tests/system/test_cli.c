/* SPDX-License-Identifier: ISC
 *
 * The command line: what is accepted, and that what is not gives a message with the cause and the
 * status that the manual names.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory.h"
#include "harness.h"
#include "husk/abi.h"

#define BUSYBOX "/bin/busybox"

enum { FAILED = 125 };

/* Words of a command line that is refused, and what the message names. */
static const struct refusal {
    const char *arguments[8];
    const char *named[3];
} refusals[] = {
    {{"run"}, {"no image given"}},
    {{"run", "--"}, {"no image given"}},
    {{"run", "-m", "64M"}, {"no image given"}},

    {{"run", "-m", "5xyz", BUSYBOX}, {"--memory", "5xyz"}},
    {{"run", "--memory", "5xyz", BUSYBOX}, {"--memory", "5xyz"}},
    {{"run", "--memory=12MM", BUSYBOX}, {"--memory", "12MM"}},
    {{"run", "-m", "0", BUSYBOX}, {"--memory", "0"}},
    {{"run", "-m", "-64M", BUSYBOX}, {"--memory", "-64M"}},
    {{"run", "-m", "+64M", BUSYBOX}, {"--memory", "+64M"}},
    {{"run", "-m", " 64M", BUSYBOX}, {"--memory", " 64M"}},
    {{"run", "-m", "64.5M", BUSYBOX}, {"--memory", "64.5M"}},
    {{"run", "-m", "0x4000000", BUSYBOX}, {"--memory", "0x4000000"}},
    {{"run", "-m", "", BUSYBOX}, {"--memory", "not a size"}},
    {{"run", "--memory=", BUSYBOX}, {"--memory", "not a size"}},
    {{"run", "-m", "4M", BUSYBOX}, {"--memory", "4M", "too small"}},
    {{"run", "-m", "64", BUSYBOX}, {"--memory", "64", "too small"}},
    {{"run", "-m", "511G", BUSYBOX}, {"--memory", "511G", "too large"}},
    {{"run", "-m", "18446744073709551617", BUSYBOX}, {"--memory", "18446744073709551617"}},
    {{"run", "-m", "17179869184G", BUSYBOX}, {"--memory", "17179869184G"}},
    {{"run", "-m"}, {"--memory", "needs a value"}},
    {{"run", "--memory"}, {"--memory", "needs a value"}},

    {{"run", "--timeout", "5xyz", BUSYBOX}, {"--timeout", "5xyz"}},
    {{"run", "--timeout", "0", BUSYBOX}, {"--timeout", "0"}},
    {{"run", "--timeout", "0s", BUSYBOX}, {"--timeout", "0s"}},
    {{"run", "--timeout", "-1s", BUSYBOX}, {"--timeout", "-1s"}},
    {{"run", "--timeout", "1.2.3s", BUSYBOX}, {"--timeout", "1.2.3s"}},
    {{"run", "--timeout", "1 s", BUSYBOX}, {"--timeout", "1 s"}},
    {{"run", "--timeout", "s", BUSYBOX}, {"--timeout", "s: not a duration"}},
    {{"run", "--timeout", "1e9", BUSYBOX}, {"--timeout", "1e9"}},
    {{"run", "--timeout=", BUSYBOX}, {"--timeout", "not a duration"}},
    {{"run", "--timeout", "9999999999h", BUSYBOX}, {"--timeout", "9999999999h"}},
    {{"run", "--timeout"}, {"--timeout", "needs a value"}},

    {{"run", "-v", "nocolon", BUSYBOX}, {"--volume", "nocolon"}},
    {{"run", "-v", ":", BUSYBOX}, {"--volume", ":"}},
    {{"run", "-v", "/tmp:", BUSYBOX}, {"--volume", "/tmp:"}},
    {{"run", "-v", ":/data", BUSYBOX}, {"--volume", ":/data"}},
    {{"run", "-v", "", BUSYBOX}, {"--volume", "HOST:GUEST"}},
    {{"run", "-v", "/tmp:data", BUSYBOX}, {"--volume", "/tmp:data", "absolute"}},
    {{"run", "-v", "/tmp:/data/../etc", BUSYBOX}, {"--volume", "/tmp:/data/../etc", ".."}},
    {{"run", "-v", "/tmp:/data:RO", BUSYBOX}, {"--volume", "/tmp:/data:RO"}},
    {{"run", "-v", "/tmp:/data:", BUSYBOX}, {"--volume", "/tmp:/data:"}},
    {{"run", "-v", "/tmp:/data:ro:ro", BUSYBOX}, {"--volume", "/tmp:/data:ro:ro"}},
    {{"run", "-v", "/no/such/thing:/data", BUSYBOX}, {"/no/such/thing", "no such"}},
    {{"run", "-v", "/tmp:/data", "-v", "/etc:/data", BUSYBOX}, {"/data", "already"}},
    {{"run", "-v", "/tmp:/data", "-v", "/etc:/./data//", BUSYBOX}, {"/data", "already"}},
    {{"run", "-v"}, {"--volume", "needs a value"}},

    {{"run", "-e", "=x", BUSYBOX}, {"--env", "=x"}},
    {{"run", "-e", "", BUSYBOX}, {"--env"}},
    {{"run", "-e"}, {"--env", "needs a value"}},

    {{"run", "-w", "data", BUSYBOX}, {"--workdir", "data", "absolute"}},
    {{"run", "-w", "", BUSYBOX}, {"--workdir"}},
    {{"run", "-w", "/not/there", BUSYBOX}, {"--workdir", "/not/there"}},
    {{"run", "-v", "/etc/passwd:/file", "-w", "/file", BUSYBOX}, {"--workdir", "/file"}},
    {{"run", "-w"}, {"--workdir", "needs a value"}},

    {{"run", "--trace=", BUSYBOX}, {"--trace"}},
    {{"run", "--trace=/no/such/file", BUSYBOX}, {"--trace", "/no/such/file"}},
    {{"run", "--stats=", BUSYBOX}, {"--stats"}},
    {{"run", "--stats=/no/such/file", BUSYBOX, "true"}, {"--stats", "/no/such/file"}},

    {{"run", "-p", "80", BUSYBOX}, {"--publish", "80", "HOST:GUEST"}},
    {{"run", "--publish", "80:99999", BUSYBOX}, {"--publish", "80:99999", "GUEST"}},
    {{"run", "--connect", "host", BUSYBOX}, {"--connect", "host", "HOST:PORT"}},
    {{"run", "--connect", "::1:80", BUSYBOX}, {"--connect", "::1:80", "[2001:db8::1]"}},
    {{"run", "-x", BUSYBOX}, {"-x", "unknown option"}},
    {{"run", "--nope", BUSYBOX}, {"--nope", "unknown option"}},
    {{"run", "--nope=5", BUSYBOX}, {"--nope", "unknown option"}},
    {{"run", "--mem", "64M", BUSYBOX}, {"--mem", "unknown option"}},
    {{"run", "---", BUSYBOX}, {"---", "unknown option"}},
    {{"run", "--help=run"}, {"--help", "no value"}},

    {{"nonsense"}, {"nonsense"}},
    {{"help", "nonsense"}, {"nonsense"}},
    {{"--nonsense"}, {"--nonsense"}},
    {{""}, {"no command"}},
    {{"inspect"}, {"inspect", "image"}},
    {{"inspect", "--nope"}, {"inspect"}},
    {{"inspect", BUSYBOX, BUSYBOX}, {"inspect"}},
    {{"doctor", "me"}, {"doctor"}},
};

static void test_command_line_is_refused(void **state)
{
    const struct refusal *refusal = *state;
    const char *argv[COUNT(refusal->arguments) + 2] = {husk()};
    const struct result *result;

    need_kvm();
    for (size_t i = 0; i < COUNT(refusal->arguments); i++)
        argv[i + 1] = refusal->arguments[i];
    result = run(&(struct command){.argv = argv});
    assert_status(result, FAILED);
    assert_prints(result, "");
    if (strncmp(result->err.data, "husk: ", 6) != 0)
        FAIL(result, "the message does not say who is speaking");
    for (size_t i = 0; i < COUNT(refusal->named) && refusal->named[i]; i++)
        assert_complains(result, refusal->named[i]);
}

static void test_working_directory_that_is_too_long_is_refused(void **state)
{
    char path[3000];
    const struct result *result;

    (void)state;
    memset(path, '/', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    result = HUSK("run", "-w", path, BUSYBOX);
    assert_status(result, FAILED);
    assert_complains(result, "--workdir");
    assert_complains(result, "too long");
}

static void test_no_command_gives_the_overview_as_an_error(void **state)
{
    const struct result *result = RUN(husk());

    (void)state;
    assert_status(result, FAILED);
    assert_prints(result, "");
    assert_complains(result, "usage: husk COMMAND");
}

static void assert_help(const struct result *result, const char *part)
{
    assert_status(result, 0);
    assert_shows(result, part);
    assert_is_quiet(result);
}

static void test_help_goes_to_standard_output_with_status_0(void **state)
{
    (void)state;
    assert_help(HUSK("help"), "usage: husk COMMAND");
    assert_help(HUSK("--help"), "usage: husk COMMAND");
    assert_help(HUSK("-h"), "usage: husk COMMAND");
    assert_help(HUSK("help", "run"), "usage: husk run [options]");
    assert_help(HUSK("run", "--help"), "usage: husk run [options]");
    assert_help(HUSK("run", "-h"), "usage: husk run [options]");
    assert_help(HUSK("run", "-m", "64M", "--help"), "usage: husk run [options]");
    assert_help(HUSK("inspect", "--help"), "usage: husk inspect");
    assert_help(HUSK("help", "inspect"), "usage: husk inspect");
    assert_help(HUSK("doctor", "-h"), "usage: husk doctor");
    assert_help(HUSK("help", "help"), "usage: husk help");
}

static void test_help_names_every_option(void **state)
{
    static const char *const options[] = {
        "-v, --volume",   "--tmpfs GUEST[:SIZE]", "-e, --env",
        "-w, --workdir",  "-m, --memory",         "--timeout DURATION",
        "--trace[=FILE]", "--stats[=FILE]",       "-h, --help",
    };
    const struct result *result = HUSK("help", "run");

    (void)state;
    for (size_t i = 0; i < COUNT(options); i++)
        assert_shows(result, options[i]);
}

static void test_version_is_one_line(void **state)
{
    const struct result *result = HUSK("--version");

    (void)state;
    assert_help(result, "husk ");
    assert_ptr_equal(strchr(result->out.data, '\n'), result->out.data + result->out.size - 1);
}

static void test_help_that_cannot_be_written_is_an_error(void **state)
{
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

    (void)state;
    for (int i = 0; i < 2; i++) {
        const char *const *argv = i ? LIST(husk(), "--version") : LIST(husk(), "help");
        const struct result *result = run(&(struct command){.argv = argv, .fd[1] = full});

        assert_status(result, FAILED);
        assert_complains(result, "No space left");
    }
    close(full);
}

static void test_environment_is_empty_but_for_what_is_given(void **state)
{
    static const char *const outer[] = {"OUTER=from husk", "SECRET=hidden", "EMPTY=", NULL};
    const struct result *result;

    (void)state;
    need_kvm();
    result =
        run(&(struct command){.argv = LIST(husk(), "run", BUSYBOX, "env"), .environment = outer});
    assert_status(result, 0);
    assert_prints(result, "");
    result = run(&(struct command){.argv = LIST(husk(), "run", "-e", "A=1", "-e", "OUTER", "-e",
                                                "NOT_SET", "-e", "EMPTY", "--env", "B=x=y",
                                                "--env=C=", "-eD=two words", BUSYBOX, "env"),
                                   .environment = outer});
    assert_status(result, 0);
    assert_prints(result, "A=1\nOUTER=from husk\nEMPTY=\nB=x=y\nC=\nD=two words\n");
}

static void test_variable_that_is_given_twice_has_its_last_value(void **state)
{
    const struct result *result = HUSK_RUN("-e", "A=1", "-e", "B=2", "-e", "A=3", BUSYBOX, "env");

    (void)state;
    assert_prints(result, "A=3\nB=2\n");
}

static void test_working_directory_is_the_root_or_what_is_given(void **state)
{
    const char *mount = text("%s:/data", directory);

    (void)state;
    assert_prints(HUSK_RUN(BUSYBOX, "pwd"), "/\n");
    assert_prints(HUSK_RUN("-v", mount, "-w", "/data", BUSYBOX, "pwd"), "/data\n");
    assert_prints(HUSK_RUN("-v", mount, "-w", "/data", BUSYBOX, "cat", "text"), "plain text\n");
    assert_prints(HUSK_RUN("-v", mount, "--workdir=/data/sub", BUSYBOX, "cat", "../text"),
                  "plain text\n");
    assert_prints(HUSK_RUN("-v", mount, "-w", "/data//sub/.", BUSYBOX, "pwd"), "/data/sub\n");
    assert_prints(HUSK_RUN("-v", mount, "-w", "/data/sub-link", BUSYBOX, "pwd"), "/data/sub\n");
}

static void test_memory_is_what_is_given(void **state)
{
    const char *allocate = built("guest/husk/allocate");

    (void)state;
    assert_prints(HUSK_RUN("-m", "64M", allocate, "32"), "32 MiB\n");
    assert_prints(HUSK_RUN("-m", "64M", allocate, "64"), "no memory\n");
    assert_prints(HUSK_RUN("-m128MiB", allocate, "100"), "100 MiB\n");
    assert_prints(HUSK_RUN("--memory=131072k", allocate, "100"), "100 MiB\n");
    assert_prints(HUSK_RUN("-m", "134217728", allocate, "100"), "100 MiB\n");
    assert_prints(HUSK_RUN(allocate, "200"), "200 MiB\n");
    assert_prints(HUSK_RUN(allocate, "256"), "no memory\n");
    assert_prints(HUSK_RUN("-m", "8M", allocate, "0"), "0 MiB\n");
    assert_prints(HUSK_RUN("-m", "16M", allocate, "4"), "4 MiB\n");
    assert_prints(HUSK_RUN("-m", "100G", allocate, "1"), "1 MiB\n");
}

static void test_image_that_needs_more_memory_says_how_much(void **state)
{
    const struct result *result = HUSK_RUN("-m", "8M", built("apps/sqlite"));

    (void)state;
    assert_status(result, 126);
    assert_complains(result, "does not fit into 8M with its stack; give --memory 10M or more");
    assert_prints(HUSK_RUN("-m", "10M", built("apps/sqlite"), ":memory:", "select 1"), "1\n");
}

/* Before anything needs KVM. */
static void test_names_that_a_volume_hides_are_told_of(void **state)
{
    static const char told[] = "husk: a volume takes the place of /etc, and with it of the names";
    const char *volume = text("%s:/etc/ssl", in_directory("."));
    const struct result *result =
        HUSK("run", "--connect", "localhost:80", "-v", volume, built("apps/hello"));

    (void)state;
    assert_complains(result, told);
    result = HUSK("run", "--connect", "127.0.0.1:80", "-v", volume, built("apps/hello"));
    assert_null(strstr(result->err.data, told));
    result = HUSK("run", "--connect", "localhost:80", built("apps/hello"));
    assert_null(strstr(result->err.data, told));
}

static void test_dev_shm_is_a_part_of_dev(void **state)
{
    const char *here = in_directory(".");

    (void)state;
    assert_status(HUSK_RUN(BUSYBOX, "test", "-w", "/dev/shm"), 0);
    assert_status(HUSK_RUN("--tmpfs", "/dev/shm:1M", BUSYBOX, "test", "-w", "/dev/shm"), 0);
    assert_status(HUSK_RUN("-v", text("%s:/dev/shm", here), BUSYBOX, "test", "-f", "/dev/shm/text"),
                  0);
    assert_status(HUSK_RUN("-v", text("%s:/dev", here), BUSYBOX, "test", "-e", "/dev/shm"), 1);
    assert_status(HUSK_RUN("--tmpfs", "/dev", BUSYBOX, "test", "-e", "/dev/shm"), 1);
}

static void test_options_end_at_the_image_or_at_two_dashes(void **state)
{
    (void)state;
    assert_prints(HUSK_RUN(BUSYBOX, "echo", "--memory", "5xyz", "-v", "--"),
                  "--memory 5xyz -v --\n");
    assert_prints(HUSK_RUN("--", BUSYBOX, "echo", "a"), "a\n");
    assert_prints(HUSK_RUN("-m", "64M", "--", BUSYBOX, "echo", "--", "a"), "-- a\n");
    assert_complains(HUSK("run", "--", "-m"), "husk: -m: no such image");
    assert_complains(HUSK("run", "-"), "husk: -: no such image");
}

static void test_image_whose_name_starts_with_a_dash_runs_after_two_dashes(void **state)
{
    const struct result *result;

    (void)state;
    need_kvm();
    result = run(&(struct command){.argv = LIST(husk(), "run", "--", "-busybox", "echo", "ran"),
                                   .directory = directory});
    assert_status(result, 0);
    assert_prints(result, "ran\n");
}

static void test_mounts_are_directories_and_files_with_or_without_ro(void **state)
{
    const char *file = in_directory("text");

    (void)state;
    assert_prints(HUSK_RUN("-v", text("%s:/d:ro", directory), BUSYBOX, "cat", "/d/text"),
                  "plain text\n");
    assert_prints(HUSK_RUN("-v", text("%s:/a/b/c", file), BUSYBOX, "cat", "/a/b/c"),
                  "plain text\n");
    assert_prints(HUSK_RUN(text("-v%s:/a/b", file), BUSYBOX, "ls", "/", "/a"),
                  "/:\na\ndev\netc\nproc\ntmp\n\n/a:\nb\n");
    assert_prints(HUSK_RUN(text("--volume=%s:/a", file), "-v", text("%s:/b", file), BUSYBOX, "cat",
                           "/a", "/b"),
                  "plain text\nplain text\n");
}

static void test_nothing_is_visible_without_a_mount(void **state)
{
    (void)state;
    assert_prints(HUSK_RUN(BUSYBOX, "ls", "-A", "/"), "dev\netc\nproc\ntmp\n");
    assert_prints(HUSK_RUN(BUSYBOX, "ls", "-A", "/tmp"), "");
    assert_complains(HUSK_RUN(BUSYBOX, "cat", "/etc/shadow"), "No such file");
    assert_complains(HUSK_RUN(BUSYBOX, "cat", "/proc/1/maps"), "No such file");
    assert_complains(HUSK_RUN(BUSYBOX, "cat", directory), "No such file");
}

static void test_mount_cannot_be_written(void **state)
{
    const char *mount = text("%s:/data", directory);

    (void)state;
    assert_complains(HUSK_RUN("-v", mount, BUSYBOX, "cp", "/data/text", "/data/new"),
                     "Read-only file system");
    assert_complains(HUSK_RUN("-v", mount, BUSYBOX, "tee", "/data/text"), "Read-only file system");
    assert_int_not_equal(HUSK_RUN("-v", mount, BUSYBOX, "rm", "-f", "/data/text")->status, 0);
    assert_int_not_equal(HUSK_RUN("-v", mount, BUSYBOX, "mkdir", "/data/new")->status, 0);
    assert_int_equal(access(in_directory("text"), F_OK), 0);
    assert_int_equal(access(in_directory("new"), F_OK), -1);
}

static void assert_inspected(const char *image, const char *kind, const char *symbols)
{
    const struct result *result = HUSK("inspect", image);

    assert_help(result, text("image     %s\n", image));
    assert_shows(result, kind);
    assert_shows(result, "r-x  program");
    assert_shows(result, "entry     0x");
    assert_shows(result, text("symbols   %s", symbols));
}

static void test_inspect_tells_what_an_image_is(void **state)
{
    (void)state;
    assert_inspected(built("guest/husk/args"), text("husk image, ABI %d", HUSK_ABI_VERSION), "yes");
    assert_inspected(built("guest/husk/args"), "r-x  guest-rt", "yes");
    assert_inspected(built("guest/musl/args"), "unmodified static Linux program", "yes");
    assert_inspected(built("guest/glibc/args"), "unmodified static Linux program", "yes");
    assert_inspected(built("guest/lld/args"), "unmodified static Linux program", "yes");
    assert_inspected(built("guest/pie/args"), "unmodified static-pie Linux program", "yes");
    assert_inspected(built("guest/stripped"), "unmodified static Linux program", "none");
    assert_inspected(BUSYBOX, "unmodified static Linux program", "none");
}

static void test_doctor_is_content_where_programs_run(void **state)
{
    const struct result *result;

    (void)state;
    need_kvm();
    result = HUSK("doctor");
    assert_help(result, "husk can run programs here");
    assert_shows(result, "API version 12");
}

static void test_doctor_and_run_say_what_to_do_without_kvm(void **state)
{
    const struct result *result = run(
        &(struct command){.argv = LIST(husk(), "run", BUSYBOX), .enter = enter_without_devices});

    (void)state;
    assert_status(result, FAILED);
    assert_complains(result, "/dev/kvm");
    assert_complains(result, "kvm_intel");
    result = run(&(struct command){.argv = LIST(husk(), "doctor"), .enter = enter_without_devices});
    assert_status(result, FAILED);
    assert_shows(result, "missing kvm");
    assert_shows(result, "kvm_intel");
    assert_shows(result, "husk cannot run programs here");
}

static void test_run_says_what_to_do_without_permission_for_kvm(void **state)
{
    const struct result *result;
    struct stat status;

    (void)state;
    if (stat("/dev/kvm", &status) < 0 || status.st_mode & S_IROTH) {
        print_message("# skipped: no /dev/kvm that is closed to others\n");
        skip();
    }
    result = run(&(struct command){.argv = LIST(husk(), "run", BUSYBOX), .enter = enter_as_nobody});
    assert_status(result, FAILED);
    assert_complains(result, "/dev/kvm: permission denied");
    assert_complains(result, "kvm $USER");
}

static int fill_directory(void **state)
{
    make_directory(state);
    file_write(in_directory("text"), "plain text\n", 11);
    return mkdir(in_directory("sub"), 0755) < 0 || symlink("sub", in_directory("sub-link")) < 0 ||
           symlink(BUSYBOX, in_directory("-busybox")) < 0;
}

static const char *name_of(const struct refusal *refusal)
{
    const char *name = "refused: husk";

    for (size_t i = 0; i < COUNT(refusal->arguments) && refusal->arguments[i]; i++)
        name = text("%s %s", name, refusal->arguments[i]);
    return name;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_working_directory_that_is_too_long_is_refused),
        cmocka_unit_test(test_no_command_gives_the_overview_as_an_error),
        cmocka_unit_test(test_help_goes_to_standard_output_with_status_0),
        cmocka_unit_test(test_help_names_every_option),
        cmocka_unit_test(test_version_is_one_line),
        cmocka_unit_test(test_help_that_cannot_be_written_is_an_error),
        cmocka_unit_test(test_environment_is_empty_but_for_what_is_given),
        cmocka_unit_test(test_variable_that_is_given_twice_has_its_last_value),
        cmocka_unit_test(test_working_directory_is_the_root_or_what_is_given),
        cmocka_unit_test(test_memory_is_what_is_given),
        cmocka_unit_test(test_image_that_needs_more_memory_says_how_much),
        cmocka_unit_test(test_names_that_a_volume_hides_are_told_of),
        cmocka_unit_test(test_dev_shm_is_a_part_of_dev),
        cmocka_unit_test(test_options_end_at_the_image_or_at_two_dashes),
        cmocka_unit_test(test_image_whose_name_starts_with_a_dash_runs_after_two_dashes),
        cmocka_unit_test(test_mounts_are_directories_and_files_with_or_without_ro),
        cmocka_unit_test(test_nothing_is_visible_without_a_mount),
        cmocka_unit_test(test_mount_cannot_be_written),
        cmocka_unit_test(test_inspect_tells_what_an_image_is),
        cmocka_unit_test(test_doctor_is_content_where_programs_run),
        cmocka_unit_test(test_doctor_and_run_say_what_to_do_without_kvm),
        cmocka_unit_test(test_run_says_what_to_do_without_permission_for_kvm),
    };
    struct test_list list = {0};

    for (size_t i = 0; i < COUNT(refusals); i++)
        test_list_add(&list, name_of(&refusals[i]), test_command_line_is_refused, &refusals[i]);
    for (size_t i = 0; i < COUNT(tests); i++)
        test_list_add(&list, tests[i].name, tests[i].test_func, NULL);
    return test_list_run(&list, "cli", fill_directory, remove_directory);
}
