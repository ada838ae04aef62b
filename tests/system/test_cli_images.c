/* SPDX-License-Identifier: ISC
 *
 * Images on the command line: which run, and what is said about the others.
 */
#include <elf.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory.h"
#include "harness.h"

#define BUSYBOX "/bin/busybox"
#define LONG    "a-name-that-is-repeated-often-enough-to-be-too-long"

enum { CANNOT_RUN = 126, NOT_FOUND = 127 };

static void assert_image_is_refused(const char *image, int status, const char *fault,
                                    const char *cure)
{
    const struct result *result[] = {HUSK("run", image), HUSK("inspect", image)};

    for (size_t i = 0; i < COUNT(result); i++) {
        assert_status(result[i], status);
        assert_prints(result[i], "");
        assert_complains(result[i], text("husk: %s: ", image));
        assert_complains(result[i], fault);
        assert_complains(result[i], cure);
    }
}

static void test_image_that_is_not_there_gives_127(void **state)
{
    (void)state;
    assert_image_is_refused(in_directory("missing"), NOT_FOUND, "no such image", "");
    assert_image_is_refused(in_directory("text/below-a-file"), NOT_FOUND, "", "");
    assert_image_is_refused(in_directory("dangling"), NOT_FOUND, "no such image", "");
    assert_image_is_refused("busybox", NOT_FOUND, "no such image", ""); /* no search of PATH */
}

static void test_image_with_an_empty_name_gives_127(void **state)
{
    (void)state;
    assert_status(HUSK("run", ""), NOT_FOUND);
    assert_status(HUSK("run", "--", ""), NOT_FOUND);
}

static void test_image_that_cannot_be_opened_gives_126(void **state)
{
    (void)state;
    assert_image_is_refused(in_directory("loop"), CANNOT_RUN, "ymbolic link", "");
    assert_image_is_refused(in_directory(LONG LONG LONG LONG LONG LONG), CANNOT_RUN, "too long",
                            "");
}

static void test_image_that_may_not_be_read_gives_126(void **state)
{
    const struct result *result = run(&(struct command){
        .argv = LIST(husk(), "run", in_directory("unreadable")), .enter = enter_as_nobody});

    (void)state;
    assert_status(result, CANNOT_RUN);
    assert_complains(result, "unreadable: Permission denied");
}

static void test_image_that_is_no_regular_file_gives_126_at_once(void **state)
{
    (void)state;
    assert_image_is_refused(directory, CANNOT_RUN, "not a regular file", "static ELF program");
    assert_image_is_refused("/dev/null", CANNOT_RUN, "not a regular file", "");
    assert_image_is_refused("/dev/zero", CANNOT_RUN, "not a regular file", "");
    assert_image_is_refused(in_directory("fifo"), CANNOT_RUN, "not a regular file", "");
}

/* A copy of a good image with one byte changed, if PATCH is in it, and only SIZE bytes of it. */
static const char *changed_image(size_t patch, unsigned char byte, size_t size)
{
    struct bytes good = file_read(built("guest/musl/args"));
    const char *path = in_directory("changed");

    if (patch < good.size)
        good.data[patch] = (char)byte;
    file_write(path, good.data, size < good.size ? size : good.size);
    free(good.data);
    return path;
}

static void test_image_that_is_no_static_program_gives_126_and_the_cure(void **state)
{
    const size_t whole = SIZE_MAX;

    (void)state;
    assert_image_is_refused(in_directory("text"), CANNOT_RUN, "not an ELF file",
                            "static x86-64 Linux programs");
    assert_image_is_refused(in_directory("empty"), CANNOT_RUN, "empty file", "copy or build");
    assert_image_is_refused(in_directory("script"), CANNOT_RUN, "a script", "interpreter");
    assert_image_is_refused(built("system/test_cli_images"), CANNOT_RUN, "dynamically linked",
                            "-static");
    assert_image_is_refused(changed_image(EI_CLASS, ELFCLASS32, whole), CANNOT_RUN, "32-bit",
                            "rebuild it for x86-64");
    assert_image_is_refused(changed_image(EI_DATA, ELFDATA2MSB, whole), CANNOT_RUN, "big-endian",
                            "rebuild it for x86-64");
    assert_image_is_refused(changed_image(offsetof(Elf64_Ehdr, e_machine), EM_386, whole),
                            CANNOT_RUN, "another processor", "rebuild it for x86-64");
    assert_image_is_refused(changed_image(offsetof(Elf64_Ehdr, e_type), ET_REL, whole), CANNOT_RUN,
                            "object file", "link it");
    assert_image_is_refused(changed_image(offsetof(Elf64_Ehdr, e_type), ET_CORE, whole), CANNOT_RUN,
                            "core dump", "run the program");
}

static void test_image_that_is_truncated_gives_126_wherever_it_was_cut(void **state)
{
    static const size_t sizes[] = {16, 63, 64, 100, 300, 4096, 8000, 16000};

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++)
        assert_image_is_refused(changed_image(SIZE_MAX, 0, sizes[i]), CANNOT_RUN, "truncated",
                                "copy or build it again");
}

static void test_image_larger_than_the_memory_gives_126(void **state)
{
    const struct result *result = HUSK_RUN("-m", "32M", built("guest/musl/big-bss"));

    (void)state;
    assert_status(result, CANNOT_RUN);
    assert_complains(result, "big-bss");
    assert_complains(result, "--memory");
    assert_status(HUSK_RUN("-m", "128M", built("guest/musl/big-bss")), 0);
}

static void test_image_through_a_symbolic_link_runs(void **state)
{
    (void)state;
    assert_prints(HUSK_RUN(in_directory("busybox"), "echo", "linked"), "linked\n");
}

static int fill_directory(void **state)
{
    make_directory(state);
    file_write(in_directory("text"), "plain text\n", 11);
    file_write(in_directory("empty"), "", 0);
    file_write(in_directory("script"), "#!/bin/sh\necho no\n", 18);
    file_write(in_directory("unreadable"), "\177ELF", 4);
    chmod(in_directory("unreadable"), 0);
    chmod(directory, 0755);
    return mkfifo(in_directory("fifo"), 0644) < 0 || symlink("loop", in_directory("loop")) < 0 ||
           symlink("nowhere", in_directory("dangling")) < 0 ||
           symlink(BUSYBOX, in_directory("busybox")) < 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_image_that_is_not_there_gives_127),
        cmocka_unit_test(test_image_with_an_empty_name_gives_127),
        cmocka_unit_test(test_image_that_cannot_be_opened_gives_126),
        cmocka_unit_test(test_image_that_may_not_be_read_gives_126),
        cmocka_unit_test(test_image_that_is_no_regular_file_gives_126_at_once),
        cmocka_unit_test(test_image_that_is_no_static_program_gives_126_and_the_cure),
        cmocka_unit_test(test_image_that_is_truncated_gives_126_wherever_it_was_cut),
        cmocka_unit_test(test_image_larger_than_the_memory_gives_126),
        cmocka_unit_test(test_image_through_a_symbolic_link_runs),
    };

    return cmocka_run_group_tests_name("images", tests, fill_directory, remove_directory);
}
