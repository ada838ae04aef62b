/* SPDX-License-Identifier: ISC
 *
 * The command line of `husk run`: what is accepted, and every refusal with its text.
 */
#include "options_fixture.h"

#include "help.h"
#include "husk/abi.h"

#define MIB ((uint64_t)1 << 20)

static void test_an_image_alone_gets_the_defaults(void **state)
{
    (void)state;
    assert_int_equal(parse("image"), 0);
    assert_string_equal(options.image, "image");
    assert_int_equal(options.argument_count, 1);
    assert_null(options.arguments[1]);
    assert_int_equal(options.volume_count, 0);
    assert_int_equal(options.environment_count, 0);
    assert_string_equal(options.workdir, "/");
    assert_int_equal(options.memory, 256 * MIB);
    assert_int_equal(options.timeout_ns, 0);
    assert_null(options.trace);
    assert_null(options.stats);
    assert_false(options.help);
}

static void test_options_end_at_the_image(void **state)
{
    (void)state;
    assert_int_equal(parse("-m", "16M", "image", "-m", "--trace", "--", "x"), 0);
    assert_int_equal(options.memory, 16 * MIB);
    assert_null(options.trace);
    assert_int_equal(options.argument_count, 5);
    assert_string_equal(options.arguments[0], "image");
    assert_string_equal(options.arguments[3], "--");
    assert_null(options.arguments[5]);
}

static void test_options_end_at_two_dashes(void **state)
{
    (void)state;
    assert_int_equal(parse("--trace", "--", "--stats", "--"), 0);
    assert_string_equal(options.image, "--stats");
    assert_null(options.stats);
    assert_int_equal(options.argument_count, 2);
}

static void test_a_single_dash_and_an_empty_word_are_images(void **state)
{
    (void)state;
    assert_int_equal(parse("-", "a"), 0);
    assert_string_equal(options.image, "-");
    assert_int_equal(parse("", "a"), 0);
    assert_string_equal(options.image, "");
}

static void test_all_four_spellings_of_a_value_are_equal(void **state)
{
    (void)state;
    assert_int_equal(parse("-m", "32M", "image"), 0);
    assert_int_equal(options.memory, 32 * MIB);
    assert_int_equal(parse("-m32M", "image"), 0);
    assert_int_equal(options.memory, 32 * MIB);
    assert_int_equal(parse("--memory", "32M", "image"), 0);
    assert_int_equal(options.memory, 32 * MIB);
    assert_int_equal(parse("--memory=32M", "image"), 0);
    assert_int_equal(options.memory, 32 * MIB);
}

static void test_the_last_of_equal_options_counts(void **state)
{
    (void)state;
    assert_int_equal(parse("-m8M", "-m", "64M", "-w/a", "-w/b", "--trace", "--trace=f", "i"), 0);
    assert_int_equal(options.memory, 64 * MIB);
    assert_string_equal(options.workdir, "/b");
    assert_string_equal(options.trace, "f");
}

static void test_a_missing_image_is_refused(void **state)
{
    const char *text = "no image given; usage: husk run [options] [--] IMAGE [ARG...]";

    (void)state;
    assert_int_equal(options_parse_run((char *[]){NULL}, &options, &error), -1);
    assert_string_equal(error.text, text);
    assert_refused(text, "--");
    assert_refused(text, "-m", "64M", "--trace");
}

static void test_unknown_options_are_refused_by_name(void **state)
{
    (void)state;
    assert_refused("unknown option -x; `husk help run` lists all", "-x", "image");
    assert_refused("unknown option -x; `husk help run` lists all", "-xyz", "image");
    assert_refused("unknown option --foo; `husk help run` lists all", "--foo", "image");
    assert_refused("unknown option --foo; `husk help run` lists all", "--foo=secret", "image");
    assert_refused("unknown option --mem; `husk help run` lists all", "--mem", "64M", "image");
    assert_refused("unknown option --memoryx; `husk help run` lists all", "--memoryx", "image");
    assert_refused("unknown option --; `husk help run` lists all", "--=", "image");
    assert_refused("unknown option ---; `husk help run` lists all", "---", "image");
}

static void test_missing_values_are_refused_with_their_form(void **state)
{
    (void)state;
    assert_refused("--volume needs a value: HOST:GUEST[:ro]", "-v");
    assert_refused("--volume needs a value: HOST:GUEST[:ro]", "--volume");
    assert_refused("--env needs a value: NAME[=VALUE]", "-e");
    assert_refused("--workdir needs a value: DIR", "-w");
    assert_refused("--memory needs a value: SIZE, e.g. 256M", "-m");
    assert_refused("--timeout needs a value: DURATION, e.g. 30s", "--timeout");
    assert_refused("--publish needs a value: [ADDR:]HOST:GUEST[/udp]", "-p");
    assert_refused("--connect needs a value: HOST:PORT", "--connect");
}

static void test_a_value_where_none_is_taken_is_refused(void **state)
{
    (void)state;
    assert_refused("--help takes no value", "--help=run", "image");
    assert_refused("--help takes no value", "-hv", "image");
}

static void test_help_stops_the_parser(void **state)
{
    (void)state;
    assert_int_equal(parse("--help", "--nonsense"), 0);
    assert_true(options.help);
    assert_null(options.image);
    assert_int_equal(parse("-v", "a:/b", "-h"), 0);
    assert_true(options.help);
}

static void test_help_after_the_image_belongs_to_the_program(void **state)
{
    (void)state;
    assert_int_equal(parse("image", "--help"), 0);
    assert_false(options.help);
}

static void test_environment_entries_are_taken_as_given(void **state)
{
    (void)state;
    assert_int_equal(parse("-e", "A=1", "-eB=", "--env=C=x=y", "--env", "D==", "image"), 0);
    assert_int_equal(options.environment_count, 4);
    assert_string_equal(options.environment[0], "A=1");
    assert_string_equal(options.environment[1], "B=");
    assert_string_equal(options.environment[2], "C=x=y");
    assert_string_equal(options.environment[3], "D==");
}

static void test_a_name_alone_takes_husks_own_value(void **state)
{
    (void)state;
    setenv("HUSK_TEST", "own", 1);
    unsetenv("HUSK_TEST_UNSET");
    unsetenv("HUSK_TES");
    assert_int_equal(parse("-e", "HUSK_TEST", "-e", "HUSK_TEST_UNSET", "-e", "HUSK_TES", "i"), 0);
    assert_int_equal(options.environment_count, 1);
    assert_string_equal(options.environment[0], "HUSK_TEST=own");
}

static void test_the_last_value_of_a_name_counts(void **state)
{
    (void)state;
    setenv("HUSK_TEST", "own", 1);
    assert_int_equal(parse("-eHUSK_TEST=1", "-eHUSK_TES=2", "-eHUSK_TEST", "-eHUSK_TES=3", "i"), 0);
    assert_int_equal(options.environment_count, 2);
    assert_string_equal(options.environment[0], "HUSK_TEST=own");
    assert_string_equal(options.environment[1], "HUSK_TES=3");
}

static void test_an_empty_name_is_refused(void **state)
{
    (void)state;
    assert_refused("--env : the name is empty; give NAME=VALUE or NAME", "-e", "", "i");
    assert_refused("--env =x: the name is empty; give NAME=VALUE or NAME", "-e", "=x", "i");
    assert_refused("--env : the name is empty; give NAME=VALUE or NAME", "--env=", "i");
}

static void test_a_relative_workdir_is_refused(void **state)
{
    (void)state;
    assert_refused("--workdir data: give an absolute path of the guest, e.g. /data", "-wdata", "i");
    assert_refused("--workdir : give an absolute path of the guest, e.g. /data", "-w", "", "i");
}

static void test_a_workdir_must_fit_the_boot_page(void **state)
{
    char dir[sizeof(((struct husk_boot *)NULL)->cwd) + 1];

    (void)state;
    memset(dir, '/', sizeof(dir));
    dir[sizeof(dir) - 1] = '\0';
    assert_int_equal(parse("-w", dir, "i"), -1);
    assert_non_null(strstr(error.text, "too long; 2047 bytes are the most"));
    dir[sizeof(dir) - 2] = '\0';
    assert_int_equal(parse("-w", dir, "i"), 0);
}

static void test_memory_is_rounded_up_to_huge_pages(void **state)
{
    (void)state;
    assert_int_equal(parse("-m", "8M", "i"), 0);
    assert_int_equal(options.memory, 8 * MIB);
    assert_int_equal(parse("-m", "8388609", "i"), 0);
    assert_int_equal(options.memory, 10 * MIB);
    assert_int_equal(parse("-m", "9M", "i"), 0);
    assert_int_equal(options.memory, 10 * MIB);
    assert_int_equal(parse("-m", "510G", "i"), 0);
    assert_int_equal(options.memory, HUSK_RAM_MAX);
}

static void test_memory_out_of_bounds_is_refused(void **state)
{
    (void)state;
    assert_refused("--memory 7M: too small; 8M is the least", "-m", "7M", "i");
    assert_refused("--memory 256: too small; 8M is the least", "-m", "256", "i");
    assert_refused("--memory 511G: too large; 510G is the most", "-m", "511G", "i");
    assert_refused("--memory 1T: too large; 510G is the most", "-m", "1T", "i");
    assert_refused("--memory 5xyz: not a size; give digits and K, M or G, e.g. 256M", "--memory",
                   "5xyz", "i");
    assert_refused("--memory --trace: not a size; give digits and K, M or G, e.g. 256M", "-m",
                   "--trace", "i");
}

static void test_timeouts_are_read_in_nanoseconds(void **state)
{
    (void)state;
    assert_int_equal(parse("--timeout", "1.5s", "i"), 0);
    assert_int_equal(options.timeout_ns, 1500000000);
}

static void test_a_malformed_timeout_is_refused(void **state)
{
    (void)state;
    assert_refused(
        "--timeout 0: not a duration; give a number above 0 and ms, s, m or h, e.g. 1.5s",
        "--timeout", "0", "i");
    assert_refused("--timeout : not a duration; give a number above 0 and ms, s, m or h, e.g. 1.5s",
                   "--timeout=", "i");
}

static void test_limits_are_read(void **state)
{
    (void)state;
    assert_int_equal(parse("i"), 0);
    assert_true(options.max_output == UINT64_MAX && options.max_files == UINT64_MAX &&
                options.max_sockets == UINT64_MAX && options.cpu_time_ns == 0);
    assert_int_equal(parse("--cpu-time", "2s", "--max-output=1K", "--max-files", "0",
                           "--max-sockets", "4294967295", "--nice", "19", "--cgroup", "a/b", "i"),
                     0);
    assert_int_equal(options.cpu_time_ns, 2000000000);
    assert_int_equal(options.max_output, 1024);
    assert_int_equal(options.max_files, 0);
    assert_int_equal(options.max_sockets, UINT32_MAX);
    assert_int_equal(options.nice, 19);
    assert_string_equal(options.cgroup, "a/b");
}

static void test_malformed_limits_are_refused(void **state)
{
    (void)state;
    assert_refused("--cpu-time 1x: not a duration; give a number above 0 and ms, s, m or h, e.g. "
                   "1.5s",
                   "--cpu-time", "1x", "i");
    assert_refused("--max-output 0: not a size; give digits and K, M or G, e.g. 10M",
                   "--max-output", "0", "i");
    assert_refused("--max-files 1K: not a number; give digits, e.g. 64", "--max-files", "1K", "i");
    assert_refused("--max-files -1: not a number; give digits, e.g. 64", "--max-files", "-1", "i");
    assert_refused("--max-sockets : not a number; give digits, e.g. 64", "--max-sockets=", "i");
    assert_refused("--max-sockets 4294967296: not a number; give digits, e.g. 64", "--max-sockets",
                   "4294967296", "i");
    assert_refused("--nice 20: give a number from 0 to 19: how far to stand back", "--nice", "20",
                   "i");
    assert_refused("--nice -5: give a number from 0 to 19: how far to stand back", "--nice", "-5",
                   "i");
    assert_refused("--cgroup : give a directory below /sys/fs/cgroup", "--cgroup=", "i");
}

static void assert_is_flag(char *name, const bool *flag)
{
    char value[32], refused[64];

    assert_int_equal(parse("image"), 0);
    assert_false(*flag);
    assert_int_equal(parse(name, "image"), 0);
    assert_true(*flag);
    snprintf(value, sizeof(value), "%s=yes", name);
    snprintf(refused, sizeof(refused), "%s takes no value", name);
    assert_refused(refused, value, "image");
}

static void test_flags_take_no_value(void **state)
{
    (void)state;
    assert_is_flag("--isolate", &options.isolate);
    assert_is_flag("--require-jail", &options.require_jail);
}

static void test_trace_and_stats_take_a_file_only_after_an_equals_sign(void **state)
{
    (void)state;
    assert_int_equal(parse("--trace", "--stats", "image"), 0);
    assert_string_equal(options.trace, "");
    assert_string_equal(options.stats, "");
    assert_string_equal(options.image, "image");
    assert_int_equal(parse("--trace=a", "--stats=b=c", "image"), 0);
    assert_string_equal(options.trace, "a");
    assert_string_equal(options.stats, "b=c");
}

static void test_an_empty_trace_or_stats_file_is_refused(void **state)
{
    (void)state;
    assert_refused("--trace=: give a file name, or leave the '=' out", "--trace=", "i");
    assert_refused("--stats=: give a file name, or leave the '=' out", "--stats=", "i");
}

static void test_network_rules_are_collected(void **state)
{
    (void)state;
    assert_int_equal(parse("-p", "8080:80", "-p[::1]:0:53/udp", "--connect=example.org:443", "i"),
                     0);
    assert_int_equal(options.publish_count, 2);
    assert_int_equal(options.publish[0].host.port, 8080);
    assert_int_equal(options.publish[1].guest_port, 53);
    assert_int_equal(options.connect_count, 1);
    assert_int_equal(options.connect[0].port, 443);
}

static void test_network_rules_are_refused_by_name_and_number(void **state)
{
    char *many[2 * NET_RULES_MAX + 4];

    (void)state;
    assert_refused("--publish 80: give HOST:GUEST, two ports, e.g. 8080:80", "-p", "80", "i");
    assert_refused("--connect a: give HOST:PORT, e.g. example.org:443, 10.0.0.0/8:5432, [::1]:80 "
                   "or '*:443'",
                   "--connect=a", "i");
    for (size_t i = 0; i <= NET_RULES_MAX; i++) {
        many[2 * i] = (char *)"--connect";
        many[2 * i + 1] = (char *)"a:80";
    }
    many[2 * NET_RULES_MAX + 2] = (char *)"i";
    many[2 * NET_RULES_MAX + 3] = NULL;
    check_refused(many, "--connect a:80: there are 64 already, and 64 are the most");
}

static void test_options_can_be_freed_twice(void **state)
{
    (void)state;
    assert_int_equal(parse("-va:/b", "-eA=1", "image"), 0);
    options_free(&options);
    options_free(&options);
}

static void test_help_knows_every_command_and_option(void **state)
{
    static const char *const words[] = {
        "--volume", "--env",   "--workdir", "--memory",  "--timeout",
        "--trace",  "--stats", "--publish", "--connect", "--help",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        assert_non_null(strstr(help_text("run"), words[i]));
    assert_non_null(help_text(NULL));
    assert_non_null(help_text("inspect"));
    assert_non_null(help_text("doctor"));
    assert_non_null(help_text("help"));
    assert_null(help_text("nonsense"));
    assert_null(help_text(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_an_image_alone_gets_the_defaults),
        test(test_options_end_at_the_image),
        test(test_options_end_at_two_dashes),
        test(test_a_single_dash_and_an_empty_word_are_images),
        test(test_all_four_spellings_of_a_value_are_equal),
        test(test_the_last_of_equal_options_counts),
        test(test_a_missing_image_is_refused),
        test(test_unknown_options_are_refused_by_name),
        test(test_missing_values_are_refused_with_their_form),
        test(test_a_value_where_none_is_taken_is_refused),
        test(test_help_stops_the_parser),
        test(test_help_after_the_image_belongs_to_the_program),
        test(test_environment_entries_are_taken_as_given),
        test(test_a_name_alone_takes_husks_own_value),
        test(test_the_last_value_of_a_name_counts),
        test(test_an_empty_name_is_refused),
        test(test_a_relative_workdir_is_refused),
        test(test_a_workdir_must_fit_the_boot_page),
        test(test_memory_is_rounded_up_to_huge_pages),
        test(test_memory_out_of_bounds_is_refused),
        test(test_timeouts_are_read_in_nanoseconds),
        test(test_a_malformed_timeout_is_refused),
        test(test_flags_take_no_value),
        test(test_limits_are_read),
        test(test_malformed_limits_are_refused),
        test(test_trace_and_stats_take_a_file_only_after_an_equals_sign),
        test(test_an_empty_trace_or_stats_file_is_refused),
        test(test_network_rules_are_collected),
        test(test_network_rules_are_refused_by_name_and_number),
        test(test_options_can_be_freed_twice),
        test(test_help_knows_every_command_and_option),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
