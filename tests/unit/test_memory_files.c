/* SPDX-License-Identifier: ISC
 *
 * Files of memory: what they are counted for, and who finds what in them.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "memory_files.h"
#include "memory_fixture.h"

static struct memory_files files;

static int64_t resize(struct fixture *fixture, uint64_t number, uint64_t size)
{
    return memory_files_resize(&files, &fixture->memory, number, size);
}

static int64_t add(struct fixture *fixture, uint64_t size)
{
    return resize(fixture, HUSK_MEMORY_NEW, size);
}

static void end_all(struct fixture *fixture)
{
    for (uint64_t i = 0; i < HUSK_MEMORY_FILES_MAX; i++)
        resize(fixture, HUSK_MEMORY_FILE + i, 0);
}

static uint64_t size_on_host(uint64_t number)
{
    struct stat status;

    assert_int_equal(fstat(memory_files_descriptor(&files, number), &status), 0);
    return (uint64_t)status.st_size;
}

static void test_they_count_until_they_end(void **state)
{
    struct fixture *fixture = *state;
    struct guest_memory *memory = &fixture->memory;
    uint64_t one, two;

    one = (uint64_t)add(fixture, 3 * PAGE);
    two = (uint64_t)add(fixture, PAGE);
    assert_true(one & HUSK_MEMORY_FILE && two & HUSK_MEMORY_FILE && one != two);
    assert_int_equal(memory->held, 4 * PAGE);
    assert_int_equal(size_on_host(one), 3 * PAGE);
    assert_int_equal(resize(fixture, two, 5 * PAGE), two);
    assert_int_equal(memory->held, 8 * PAGE);
    assert_int_equal(size_on_host(two), 5 * PAGE);
    assert_int_equal(resize(fixture, one, 0), 0);
    assert_int_equal(memory->held, 5 * PAGE);
    assert_int_equal(memory_files_descriptor(&files, one), -1);
    assert_int_equal(resize(fixture, two, 0), 0);
    assert_int_equal(memory->held, 0);
    assert_int_equal(memory->held_peak, 8 * PAGE);
}

static void test_they_and_mappings_have_one_limit(void **state)
{
    struct fixture *fixture = *state;
    struct guest_memory *memory = &fixture->memory;
    int64_t file;

    assert_int_equal(memory_map(memory, ADDRESS, RAM / 2, RW), 0);
    assert_int_equal(add(fixture, RAM / 2 + PAGE), -ENOMEM);
    file = add(fixture, RAM / 2);
    assert_true(file > 0);
    assert_int_equal(add(fixture, PAGE), -ENOMEM);
    assert_int_equal(resize(fixture, (uint64_t)file, RAM / 2 + PAGE), -ENOMEM);
    assert_int_equal(size_on_host((uint64_t)file), RAM / 2);
    assert_int_equal(memory_map(memory, ADDRESS + RAM / 2, PAGE, RW), -ENOMEM);
    /* What shows a file costs nothing more. */
    assert_int_equal(memory_map_file(memory, ADDRESS + RAM / 2, PAGE, RW,
                                     memory_files_descriptor(&files, (uint64_t)file), 0,
                                     MEMORY_FILE_SHARED),
                     0);
    assert_int_equal(memory->held, RAM);
    end_all(fixture);
    assert_int_equal(memory_map(memory, ADDRESS + RAM / 2, PAGE, RW), 0);
}

/* A mapping outlives the file, so its pages must not. */
static void test_pages_of_a_file_that_ended_are_gone(void **state)
{
    struct fixture *fixture = *state;
    struct guest_memory *memory = &fixture->memory;
    const struct sigaction on_bus_error = {.sa_handler = memory_on_bus_error,
                                           .sa_flags = SA_NODEFER};
    int64_t file = add(fixture, 2 * PAGE);
    uint64_t value = 42, seen = 0;
    struct sigaction before;

    assert_int_equal(sigaction(SIGBUS, &on_bus_error, &before), 0);

    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(memory_map_file(memory, ADDRESS + i * PAGE, PAGE, RW,
                                         memory_files_descriptor(&files, (uint64_t)file), PAGE,
                                         MEMORY_FILE_SHARED),
                         0);
    assert_int_equal(memory_write(memory, ADDRESS, &value, sizeof(value)), 0);
    assert_int_equal(memory_read(memory, &seen, ADDRESS + PAGE, sizeof(seen)), 0);
    assert_int_equal(seen, 42);
    assert_int_equal(resize(fixture, (uint64_t)file, 0), 0);
    assert_int_equal(memory_read(memory, &seen, ADDRESS, sizeof(seen)), -EFAULT);
    assert_int_equal(memory_write(memory, ADDRESS + PAGE, &value, sizeof(value)), -EFAULT);
    sigaction(SIGBUS, &before, NULL);
    assert_int_equal(add(fixture, 2 * PAGE), file);
    assert_int_equal(memory_map_file(memory, ADDRESS, PAGE, RW,
                                     memory_files_descriptor(&files, (uint64_t)file), PAGE,
                                     MEMORY_FILE_SHARED),
                     0);
    assert_int_equal(memory_read(memory, &seen, ADDRESS, sizeof(seen)), 0);
    assert_int_equal(seen, 0);
    end_all(fixture);
}

static void test_numbers_and_sizes_that_are_none(void **state)
{
    struct fixture *fixture = *state;
    int64_t file = add(fixture, 2 * PAGE), last = file;

    assert_int_equal(resize(fixture, (uint64_t)file, PAGE), -EINVAL);
    assert_int_equal(resize(fixture, (uint64_t)file, 2 * PAGE + 1), -EINVAL);
    assert_int_equal(resize(fixture, (uint64_t)file, UINT64_MAX - PAGE + 1), -EINVAL);
    assert_int_equal(resize(fixture, (uint64_t)file, 2 * PAGE), file);
    assert_int_equal(add(fixture, 0), -EINVAL);
    assert_int_equal(resize(fixture, (uint64_t)file + 1, PAGE), -EBADF);
    assert_int_equal(resize(fixture, (uint64_t)file & 0xff, PAGE), -EBADF);
    assert_int_equal(resize(fixture, (uint64_t)file | 1ULL << 40, PAGE), -EBADF);
    assert_int_equal(memory_files_descriptor(&files, (uint64_t)file + 1), -1);
    for (unsigned i = 1; i < HUSK_MEMORY_FILES_MAX; i++)
        assert_true((last = add(fixture, PAGE)) >= 0);
    assert_int_equal(add(fixture, PAGE), -ENFILE);
    assert_int_equal(resize(fixture, (uint64_t)last, 0), 0);
    assert_int_equal(add(fixture, PAGE), last);
    end_all(fixture);
    assert_int_equal(fixture->memory.held, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_they_count_until_they_end),
        TEST(test_they_and_mappings_have_one_limit),
        TEST(test_pages_of_a_file_that_ended_are_gone),
        TEST(test_numbers_and_sizes_that_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
