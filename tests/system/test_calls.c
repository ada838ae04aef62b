/* SPDX-License-Identifier: ISC
 *
 * husk-cc turns system calls into jumps into guest-rt: how many, in programs built in any way, and
 * that nobody notices. What it does not understand it leaves alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

static const char *const variants[] = {
    "calls/plain",    "calls/unoptimized",        "calls/lto",     "calls/sections",
    "calls/stripped", "calls/stripped-by-linker", "calls/verbose",
};

/* At least 70 of 100: assembly stays, and what nothing could be proved about. */
static void test_most_system_calls_are_turned(void **state)
{
    const char *image = *state;
    const struct result *result = HUSK("inspect", built("%s", image));
    const char *line;
    unsigned turned, sites;

    assert_status(result, 0);
    line = strstr(result->out.data, "\ncalls ");
    if (!line || sscanf(line, " calls %u of %u system calls are jumps", &turned, &sites) != 2)
        FAIL(result, "no count of system calls");
    print_message("%s: %u of %u\n", image, turned, sites);
    if (turned * 100 < sites * 70 || turned > sites)
        FAIL(result, "%u of %u is not most of them", turned, sites);
}

static void test_program_behaves_as_natively(void **state)
{
    const struct program program = {
        .native = built("guest/musl/turned-calls"),
        .image = built("%s", (const char *)*state),
    };

    assert_same_as_native(&program);
}

/* What ./configure does with what it has just compiled. */
static void test_image_runs_without_husk(void **state)
{
    const char *image = built("%s", (const char *)*state);
    const struct result *result = RUN(image);

    assert_status(result, 0);
    assert_same_results(RUN(built("guest/musl/turned-calls")), result);
}

static void test_threads_of_an_image_run_without_husk(void **state)
{
    static const char *const programs[] = {"thread-stress", "thread-life", "malloc-stress"};

    (void)state;
    for (size_t i = 0; i < COUNT(programs); i++)
        assert_same_results(RUN(built("guest/musl/%s", programs[i])),
                            RUN(built("guest/husk/%s", programs[i])));
}

static void test_system_calls_stay_traps_on_request(void **state)
{
    (void)state;
    assert_shows(HUSK("inspect", built("calls/traps")), "system calls are traps\n");
}

static void test_stripped_images_have_no_symbols(void **state)
{
    (void)state;
    assert_shows(HUSK("inspect", built("calls/stripped")), "symbols   none");
    assert_shows(HUSK("inspect", built("calls/stripped-by-linker")), "symbols   none");
}

static void test_turned_calls_work_without_the_instruction(void **state)
{
    const struct result *result = HUSK_RUN(built("guest/husk/husk-only/turned-sites"));

    (void)state;
    assert_status(result, 0);
    assert_is_quiet(result);
}

/* Whether husk-cc moved the instruction or not. */
static void test_a_fault_is_reported_where_the_instruction_was_written(void **state)
{
    static const char *const toolchains[] = {"husk", "musl"};

    (void)state;
    for (size_t i = 0; i < COUNT(toolchains); i++) {
        const struct result *result = HUSK_RUN(built("guest/%s/bad-argument", toolchains[i]));

        assert_status(result, 139);
        assert_complains(result, " load_and_call+0x8\n");
        assert_complains(result, " main+0x");
    }
}

/* What husk-cc calls. It complains and succeeds, and FILE is as it was. */
static void assert_left_alone(const char *file, const char *why)
{
    struct bytes before = file_read(file), after;
    const struct result *result = RUN(built("husk-calls"), file);

    assert_status(result, 0);
    assert_complains(result, why);
    assert_complains(result, "its system calls stay as they are");
    after = file_read(file);
    if (before.size != after.size || memcmp(before.data, after.data, before.size) != 0)
        FAIL(result, "%s was changed", file);
    free(before.data);
    free(after.data);
}

static void test_what_is_no_husk_image_is_left_alone(void **state)
{
    const char *directory = directory_make(), *file = text("%s/file", directory);
    struct bytes image = file_read(built("calls/traps"));

    (void)state;
    file_write(file, "int main;\n", 10);
    assert_left_alone(file, "it is no husk image");
    file_write(file, image.data, 2000);
    assert_left_alone(file, "it is no husk image");
    assert_left_alone(built("guest/musl/args"), "it is no husk image");
    assert_left_alone(built("guest/pie/args"), "it is no husk image");
    free(image.data);
    directory_remove(directory);
}

static void test_images_without_symbols_are_left_alone(void **state)
{
    (void)state;
    assert_left_alone(built("calls/stripped-traps"), "it has no symbols");
}

static void test_calls_are_turned_once(void **state)
{
    (void)state;
    assert_left_alone(built("calls/plain"), "it has its trampolines already");
}

/* Its headers say what is not there; a file that was cut off says it all the time. */
static void test_damaged_images_do_no_harm(void **state)
{
    const char *directory = directory_make();
    char *file = strdup(text("%s/file", directory));
    struct bytes image = file_read(built("calls/traps"));
    unsigned seed = 1;

    (void)state;
    for (int round = 0; round < (is_slow_machine() ? 30 : 300); round++) {
        char *copy = malloc(image.size);
        const struct result *result;

        memcpy(copy, image.data, image.size);
        for (int i = 0; i < 20; i++) {
            size_t headers = image.size - 0x9000, at;

            seed = seed * 1103515245 + 12345;
            at = seed >> 8;
            /* the headers at the start, or the symbols and section headers at the end */
            at = round % 2 ? at % 0x300 : headers + at % 0x9000;
            copy[at] = (char)(seed >> 3);
        }
        file_write(file, copy, image.size - (round % 3 ? 0 : (size_t)round * 64));
        free(copy);
        result = RUN(built("husk-calls"), file);
        assert_status(result, 0);
    }
    free(image.data);
    free(file);
    directory_remove(directory);
}

static void test_what_is_no_file_is_left_alone(void **state)
{
    const struct result *result = RUN(built("husk-calls"), "/dev/null");

    (void)state;
    assert_status(result, 0);
    assert_is_quiet(result);
    result = RUN(built("husk-calls"), "/nonexistent");
    assert_status(result, 0);
    assert_complains(result, "No such file or directory");
    assert_status(RUN(built("husk-calls")), 2);
}

int main(void)
{
    static const struct {
        const char *name;
        CMUnitTestFunction test;
    } tests[] = {
        {"traps on request", test_system_calls_stay_traps_on_request},
        {"stripped images have no symbols", test_stripped_images_have_no_symbols},
        {"turned calls work without the instruction",
         test_turned_calls_work_without_the_instruction},
        {"a fault is reported where the instruction was written",
         test_a_fault_is_reported_where_the_instruction_was_written},
        {"what is no husk image is left alone", test_what_is_no_husk_image_is_left_alone},
        {"images without symbols are left alone", test_images_without_symbols_are_left_alone},
        {"calls are turned once", test_calls_are_turned_once},
        {"threads of an image run without husk", test_threads_of_an_image_run_without_husk},
        {"damaged images do no harm", test_damaged_images_do_no_harm},
        {"what is no file is left alone", test_what_is_no_file_is_left_alone},
    };
    static const char *const programs[] = {"apps/hello", "apps/httpd", "guest/husk/thread-stress"};
    struct test_list list = {0};

    for (size_t i = 0; i < COUNT(variants); i++)
        test_list_add(&list, text("%s: most system calls are turned", variants[i]),
                      test_most_system_calls_are_turned, variants[i]);
    for (size_t i = 0; i < COUNT(programs); i++)
        test_list_add(&list, text("%s: most system calls are turned", programs[i]),
                      test_most_system_calls_are_turned, programs[i]);
    for (size_t i = 0; i < COUNT(variants); i++)
        if (i < 2 || !is_slow_machine())
            test_list_add(&list, text("%s: behaves as natively", variants[i]),
                          test_program_behaves_as_natively, variants[i]);
    for (size_t i = 0; i < COUNT(variants); i++)
        test_list_add(&list, text("%s: runs without husk", variants[i]),
                      test_image_runs_without_husk, variants[i]);
    for (size_t i = 0; i < COUNT(tests); i++)
        test_list_add(&list, tests[i].name, tests[i].test, NULL);
    return test_list_run(&list, "calls", NULL, NULL);
}
