/* SPDX-License-Identifier: ISC
 *
 * The benchmarks' own programs: what they say of commands that do well, that fail, and that are not
 * there. No time is measured here that a test could depend on.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directory.h"
#include "harness.h"
#include "json.h"

#define BENCH(...) RUN(built("bench/run"), __VA_ARGS__)

static const char sample[] =
    "{\"schema\": 1, \"machine\": {\"kvm\": \"%s\", \"kernel\": \"6.1\", \"cpu\": \"Sample\", "
    "\"cpus\": 2, \"clock\": \"%s\", \"date\": \"2026-11-28T10:00:00Z\"}, \"rows\": [\n"
    "{\"bench\": \"cold\", \"row\": \"floor\", \"unit\": \"us\", \"median\": 1000, \"p25\": 900, "
    "\"p75\": 1100},\n"
    "{\"bench\": \"cold\", \"row\": \"husk hello\", \"unit\": \"us\", \"median\": 12345, "
    "\"ratio\": 12.345, \"goal\": \"<=1.2\", \"missed\": true},\n"
    "{\"bench\": \"cold\", \"row\": \"crun\", \"why\": \"not installed\"},\n"
    "{\"bench\": \"file\", \"row\": \"native: stat\", \"unit\": \"ns\", \"median\": 1500},\n"
    "{\"bench\": \"file\", \"row\": \"husk: stat\", \"unit\": \"ns\", \"median\": 3000, "
    "\"ratio\": 2, \"goal\": \"<=3\", \"missed\": false},\n"
    "{\"bench\": \"file\", \"row\": \"bwrap\", \"why\": \"not here\"}\n]}\n";

static const char page[] = "# A page\n<!-- bench machine -->\nold\n<!-- end -->\nkept\n"
                           "<!-- bench cold -->\n<!-- end -->\n<!-- bench file -->\n<!-- end -->\n"
                           "<!-- bench net -->\n<!-- end -->\n"
                           "<!-- instructions file -->\n<!-- end -->\nlast\n";

static void assert_holds(const char *path, const char *wanted)
{
    struct bytes bytes = file_read(path);

    if (!strstr(bytes.data, wanted))
        FAIL((&(struct result){.out = bytes}), "%s: no \"%s\"", path, wanted);
    free(bytes.data);
}

/* Valid in every byte, and with all members that results.h promises. */
static const char *member_of_row(const char *json, size_t row, const char *name)
{
    const char *rows = json_member(json, "rows");

    assert_true(json_is_valid(json));
    assert_non_null(rows);
    assert_non_null(json_element(rows, row));
    return json_member(json_element(rows, row), name);
}

static void test_json_has_the_documented_members(void **state)
{
    static const char *const of_machine[] = {"kvm",        "kernel",    "cpu",   "cpus",
                                             "memory_mib", "hugepages", "clock", "date"};
    static const char *const of_row[] = {
        "bench", "row",    "unit", "count",    "median", "p25",       "p75",  "min",
        "max",   "cpu_us", "load", "baseline", "ratio",  "cpu_ratio", "goal", "missed"};
    const char *file = in_directory("bench.json");
    struct bytes json;

    (void)state;
    assert_status(BENCH("-n", "3", "-o", file, "-g", "second<=1e9", "first", "--", "one", "true",
                        "--", "second", "true"),
                  0);
    assert_status(BENCH("-n", "1", "-o", file, "later", "--", "a \"name\" \\", "true"), 0);
    json = file_read(file);
    for (size_t i = 0; i < COUNT(of_machine); i++)
        assert_non_null(json_member(json_member(json.data, "machine"), of_machine[i]));
    for (size_t i = 0; i < COUNT(of_row); i++)
        assert_non_null(member_of_row(json.data, 1, of_row[i]));
    assert_true(json_number(member_of_row(json.data, 1, "count")) == 3);
    assert_null(member_of_row(json.data, 0, "ratio"));
    assert_memory_equal(member_of_row(json.data, 2, "bench"), "\"later\"", 7);
    assert_null(json_element(json_member(json.data, "rows"), 3));
    free(json.data);
}

static void test_printed_numbers_become_rows_with_medians_and_ratios(void **state)
{
    const char *file = in_directory("bench.json");
    const struct result *result = BENCH(
        "-v", "-n", "3", "-o", file, "-g", "b: read a file>=3", "x", "--", "a", "echo",
        "no number\nread a file 10 MiB/s\nother 1.5 us", "--", "b", "echo", "read a file 20 MiB/s");
    struct bytes json;

    (void)state;
    assert_status(result, 0);
    assert_shows(result, ">=3 missed\n");
    json = file_read(file);
    assert_true(json_number(member_of_row(json.data, 0, "median")) == 10);
    assert_true(json_number(member_of_row(json.data, 1, "median")) == 1.5);
    assert_true(json_number(member_of_row(json.data, 2, "ratio")) == 2);
    assert_memory_equal(member_of_row(json.data, 2, "missed"), "true", 4);
    assert_memory_equal(member_of_row(json.data, 2, "baseline"), "\"a: read a file\"", 16);
    free(json.data);
}

static void test_what_cannot_be_measured_says_why_and_the_rest_is_measured(void **state)
{
    const char *file = in_directory("bench.json");
    const struct result *result =
        BENCH("-n", "2", "-o", file, "x", "--", "a", "true", "--", "b", "!", "no", "such package");
    struct bytes json;

    (void)state;
    assert_status(result, 0);
    assert_shows(result, "no such package\n");
    result = BENCH("-n", "2", "-o", file, "y", "--", "c", "false", "--", "d", "sh", "-c",
                   "kill -9 $$", "--", "e", in_directory("absent"), "--", "f", "true");
    assert_status(result, 1);
    assert_complains(result, "bench/run: c: ended with status 1\n");
    json = file_read(file);
    assert_memory_equal(member_of_row(json.data, 1, "why"), "\"no such package\"", 17);
    assert_null(member_of_row(json.data, 1, "median"));
    assert_memory_equal(member_of_row(json.data, 2, "why"), "\"ended with status 1\"", 21);
    assert_memory_equal(member_of_row(json.data, 3, "why"), "\"ended by signal 9\"", 19);
    assert_memory_equal(member_of_row(json.data, 4, "why"), "\"cannot be started: ", 20);
    assert_true(json_number(member_of_row(json.data, 5, "count")) == 2);
    assert_null(member_of_row(json.data, 5, "ratio"));
    free(json.data);
}

static void test_a_command_that_fails_later_keeps_no_number(void **state)
{
    const char *file = in_directory("bench.json"), *mark = in_directory("mark");
    const struct result *result =
        BENCH("-v", "-n", "3", "-w", "0", "-o", file, "x", "--", "a", "sh", "-c",
              text("echo step 1 us; ! mkdir %s 2>/dev/null || exit 0; exit 3", mark));
    struct bytes json;

    (void)state;
    assert_status(result, 1);
    json = file_read(file);
    assert_memory_equal(member_of_row(json.data, 0, "why"), "\"ended with status 3\"", 21);
    assert_null(json_element(json_member(json.data, "rows"), 1));
    free(json.data);
}

static void test_orphans_of_a_command_have_ended_before_the_next_starts(void **state)
{
    const char *file = in_directory("orphan");

    (void)state;
    assert_status(BENCH("-n", "1", "-w", "0", "x", "--", "a", "sh", "-c",
                        text("(sleep 0.1; : >%s) &", file), "--", "b", "test", "-e", file),
                  0);
}

static void test_rounds_are_capped_by_the_environment(void **state)
{
    const struct command capped = {
        .argv = LIST(built("bench/run"), "-n", "50", "-v", "x", "--", "a", "sh", "-c",
                     text("echo >>%s; echo step 1 us", in_directory("rounds"))),
        .environment = LIST("HUSK_BENCH_ROUNDS=2", "PATH=/usr/bin:/bin"),
    };
    struct bytes rounds;

    (void)state;
    assert_status(run(&capped), 0);
    rounds = file_read(in_directory("rounds"));
    assert_int_equal(rounds.size, 3); /* and one to warm up */
    free(rounds.data);
}

static void test_wrong_use_is_refused(void **state)
{
    (void)state;
    assert_status(BENCH("x"), 2);
    assert_status(BENCH("-n", "0", "x", "--", "a", "true"), 2);
    assert_status(BENCH("-n", "5x", "x", "--", "a", "true"), 2);
    assert_status(BENCH("-g", "a", "x", "--", "a", "true"), 2);
    assert_status(BENCH("x", "--", "a"), 2);
    assert_status(BENCH("x", "--", "a", "--", "b", "true"), 2);
}

/* How many processes have WORD in their command line. */
static int count_processes(const char *word)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    int count = 0;

    while ((entry = readdir(proc)))
        if (strspn(entry->d_name, "0123456789") == strlen(entry->d_name)) {
            char line[4096];
            FILE *file = fopen(text("/proc/%s/cmdline", entry->d_name), "r");
            size_t length = file ? fread(line, 1, sizeof(line), file) : 0;

            count += length > 0 && memmem(line, length, word, strlen(word));
            if (file)
                fclose(file);
        }
    closedir(proc);
    return count;
}

static void test_a_crowd_is_counted_and_leaves_nobody_behind(void **state)
{
    const char *idle = built("bench/native/idle");
    const struct result *result = RUN(built("bench/crowd"), "20", idle, "77701");

    (void)state;
    assert_status(result, 0);
    assert_shows(result, "at once 20 procs\n");
    assert_shows(result, "own private of each ");
    assert_shows(result, "host memory of each ");
    assert_int_equal(count_processes("77701"), 0);
}

static void test_a_crowd_that_fails_or_is_interrupted_leaves_nobody_behind(void **state)
{
    const char *fifth = text("mkdir %s/$(ls %s | wc -l); [ -d %s/4 ] && exit 1; echo; exec sleep "
                             "77702",
                             directory, directory, directory);
    struct process *process;
    const struct result *result = RUN(built("bench/crowd"), "20", "sh", "-c", fifth);

    (void)state;
    assert_status(result, 1);
    assert_complains(result, "with 4 of 20\n");
    assert_int_equal(count_processes("77702"), 0);
    process = process_start(&(struct command){
        .argv =
            LIST(built("bench/crowd"), "100000", "sh", "-c",
                 text("echo; [ -e %s/go ] || : >%s/go; exec sleep 77703", directory, directory)),
    });
    while (access(in_directory("go"), F_OK) != 0)
        usleep(1000);
    process_signal(process, SIGTERM);
    result = process_end(process);
    assert_status(result, 1);
    assert_complains(result, "interrupted");
    assert_int_equal(count_processes("77703"), 0);
}

static void test_memory_counts_what_a_process_started_as_well(void **state)
{
    const char *idle = built("bench/native/idle");
    double one, two;
    const struct result *result = RUN(built("bench/memory"), idle, "30");

    (void)state;
    assert_status(result, 0);
    one = atof(result->out.data + strlen("own private "));
    result = RUN(built("bench/memory"), "sh", "-c", text("%s 30 & wait", idle));
    assert_status(result, 0);
    two = atof(result->out.data + strlen("own private "));
    assert_true(one > 0 && two > one);
    assert_status(RUN(built("bench/memory"), "false"), 1);
}

static const struct result *perform(const char *kvm, const char *clock)
{
    const char *json = text(sample, kvm, clock);

    if (access("/usr/bin/jq", X_OK) != 0 || access("/usr/bin/gnuplot", X_OK) != 0)
        skip();
    file_write(in_directory("page.md"), page, strlen(page));
    file_write(in_directory("sample.json"), json, strlen(json));
    return run(&(struct command){
        .argv = LIST("bench/performance.sh", in_directory("sample.json"), in_directory("page.md")),
        .environment = LIST("PATH=/usr/bin:/bin"),
    });
}

static void test_a_page_gets_its_tables_and_plots_and_keeps_its_prose(void **state)
{
    const char *made = in_directory("page.md");

    (void)state;
    assert_status(perform("kvm_pvm", "time"), 0);
    assert_holds(made, "# A page\n<!-- bench machine -->\nFrom [bench-kvm-pvm.json]"
                       "(bench-kvm-pvm.json): kvm-pvm, Linux 6.1, Sample, 2 CPUs, "
                       "2026-11-28.\n<!-- end -->\nkept\n");
    assert_holds(made, "| floor | 1000 µs ±10% |  |  |\n"
                       "| husk hello | 12.3 ms | 12.3 | ≤ 1.2, missed |\n"
                       "| crun | not installed |  |  |\n");
    assert_holds(made, "|  | native | husk | ratio | goal |\n"
                       "| --- | ---: | ---: | ---: | ---: |\n"
                       "| stat | 1.5 µs | 3 µs | 2 | ≤ 3 |\n| bwrap | not here |  |  |  |\n");
    assert_holds(made, "Not measured in this run.\n<!-- end -->\n"
                       "<!-- instructions file -->\n<!-- end -->\nlast\n");
    assert_holds(in_directory("bench-kvm-pvm.json"), "\"schema\": 1");
    assert_holds(in_directory("plots/start.svg"), "</svg>");
    assert_holds(in_directory("plots/native.svg"), "file: stat");
    assert_int_not_equal(access(in_directory("plots/phases.svg"), F_OK), 0);
}

static void test_counts_of_instructions_go_into_tables_of_their_own(void **state)
{
    const char *made = in_directory("page.md");

    (void)state;
    assert_status(perform("kvm_amd", "instructions"), 0);
    assert_holds(made, "<!-- bench machine -->\nold\n<!-- end -->\n");
    assert_holds(made, "<!-- instructions file -->\n|  | native | husk | ratio | goal |\n"
                       "| --- | ---: | ---: | ---: | ---: |\n"
                       "| stat | 1,500 | 3,000 | 2 | ≤ 3 |\n<!-- end -->\n");
    assert_holds(in_directory("bench-emulated-svm.json"), "\"schema\": 1");
}

static void assert_refused(const char *json, const char *text_of_page, const char *complaint)
{
    const struct result *result;
    struct bytes after;

    file_write(in_directory("sample.json"), json, strlen(json));
    file_write(in_directory("page.md"), text_of_page, strlen(text_of_page));
    result = RUN("bench/performance.sh", in_directory("sample.json"), in_directory("page.md"));
    assert_status(result, 1);
    assert_complains(result, complaint);
    after = file_read(in_directory("page.md"));
    assert_string_equal(after.data, text_of_page);
    free(after.data);
}

static void test_what_is_no_measurement_leaves_the_page_as_it_was(void **state)
{
    (void)state;
    assert_status(perform("kvm_pvm", "time"), 0);
    assert_refused("{}", page, "is no JSON of bench/run");
    assert_refused("{\"schema\": 1, \"rows\": [", page, "is no JSON of bench/run");
    assert_refused(text(sample, "none", "time"), page, "was measured without /dev/kvm");
    assert_refused("{\"schema\": 1, \"machine\": {\"kvm\": \"kvm_amd\", \"cpu\": \"QEMU TCG CPU\", "
                   "\"clock\": \"time\"}, \"rows\": [1]}",
                   page, "times of an emulated machine");
    assert_refused(text(sample, "kvm_pvm", "time"), "<!-- bench cold -->\nno end\n",
                   "a table without an end");
}

static void test_a_sandbox_that_cannot_run_says_why(void **state)
{
    const struct command peer = {
        .argv = LIST("bench/peers.sh", "no-such-sandbox", built("bench/native/idle"), "0"),
        .environment = LIST("PATH=/usr/bin:/bin", text("B=%s", directory)),
    };
    const struct command quiet = {
        .argv = LIST("bench/peers.sh", "unshare", built("bench/native/idle"), "0"),
        .environment =
            LIST("PATH=/usr/bin:/bin", text("B=%s", directory), "EXPECTED=something else"),
    };

    (void)state;
    assert_prints(run(&peer), "! not installed\n");
    assert_shows(run(&quiet), "! ");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_directory, remove_directory)
    const struct CMUnitTest tests[] = {
        TEST(test_json_has_the_documented_members),
        TEST(test_printed_numbers_become_rows_with_medians_and_ratios),
        TEST(test_what_cannot_be_measured_says_why_and_the_rest_is_measured),
        TEST(test_a_command_that_fails_later_keeps_no_number),
        TEST(test_orphans_of_a_command_have_ended_before_the_next_starts),
        TEST(test_rounds_are_capped_by_the_environment),
        TEST(test_wrong_use_is_refused),
        TEST(test_a_crowd_is_counted_and_leaves_nobody_behind),
        TEST(test_a_crowd_that_fails_or_is_interrupted_leaves_nobody_behind),
        TEST(test_memory_counts_what_a_process_started_as_well),
        TEST(test_a_page_gets_its_tables_and_plots_and_keeps_its_prose),
        TEST(test_counts_of_instructions_go_into_tables_of_their_own),
        TEST(test_what_is_no_measurement_leaves_the_page_as_it_was),
        TEST(test_a_sandbox_that_cannot_run_says_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
