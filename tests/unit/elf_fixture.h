/* SPDX-License-Identifier: ISC
 *
 * For the tests of elf.h: an image that is good until a test spoils it, and what parsing it says.
 */
#ifndef ELF_FIXTURE_H
#define ELF_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cleanup.h"
#include "elf_builder.h"

static struct program_image image;
static struct elf_image parsed;

static inline int program(void **state)
{
    (void)state;
    image_program(&image);
    return 0;
}

static inline int husk(void **state)
{
    (void)state;
    image_husk(&image);
    return 0;
}

static inline int pie(void **state)
{
    (void)state;
    image_pie(&image);
    return 0;
}

static inline int parse_as_file(struct husk_error *err)
{
    cleanup_fd int fd = memfd_create("image", 0);
    struct elf_file file = {image.file.name, fd, NULL, image.file.size};

    assert_int_equal(write(fd, image.file.data, image.file.size), image.file.size);
    return elf_parse(&file, &parsed, err);
}

/* From a file and from memory alike, in one line that begins with the name and says what to do. */
static inline void assert_refused(const char *fault)
{
    struct husk_error err = {0}, file_err = {0};

    assert_int_equal(elf_parse(&image.file, &parsed, &err), -1);
    assert_int_equal(err.status, STATUS_IMAGE);
    assert_memory_equal(err.text, "./prog: ", 8);
    if (!strstr(err.text, fault))
        fail_msg("\"%s\" does not say \"%s\"", err.text, fault);
    assert_non_null(strstr(err.text, "; "));
    assert_null(strchr(err.text, '\n'));
    assert_int_equal(parse_as_file(&file_err), -1);
    assert_string_equal(file_err.text, err.text);
}

static inline void assert_accepted(void)
{
    struct husk_error err = {0};

    if (parse_as_file(&err) < 0 || elf_parse(&image.file, &parsed, &err) < 0)
        fail_msg("%s", err.text);
}

#define PROGRAM(test) cmocka_unit_test_setup(test, program)
#define PIE(test)     cmocka_unit_test_setup(test, pie)
#define HUSK(test)    cmocka_unit_test_setup(test, husk)

#endif
