/* SPDX-License-Identifier: ISC
 *
 * The tables of system calls, errors and signals.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>

#include "trace.h"

static void test_every_call_of_the_kernels_header_has_its_name(void **state)
{
    FILE *header = fopen("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "re");
    char text[200], name[100];
    unsigned number, found = 0;

    (void)state;
    if (!header)
        skip();
    while (fgets(text, sizeof(text), header)) {
        if (sscanf(text, "#define __NR_%99s %u", name, &number) != 2 || number > 462)
            continue;
        assert_non_null(syscall_name(number));
        assert_string_equal(syscall_name(number), name);
        found++;
    }
    fclose(header);
    assert_in_range(found, 300, 500);
}

static void test_numbers_without_a_call_have_no_name(void **state)
{
    (void)state;
    assert_string_equal(syscall_name(0), "read");
    assert_string_equal(syscall_name(462), "mseal");
    assert_null(syscall_name(335));
    assert_null(syscall_name(423));
    assert_null(syscall_name(463));
    assert_null(syscall_name(UINT64_MAX));
}

static void test_errors_and_signals_have_their_names(void **state)
{
    (void)state;
    assert_string_equal(errno_name(1), "EPERM");
    assert_string_equal(errno_name(ENOSYS), "ENOSYS");
    assert_string_equal(errno_name(133), "EHWPOISON");
    assert_null(errno_name(0));
    assert_null(errno_name(41));
    assert_null(errno_name(134));
    assert_null(errno_name(-1));
    assert_null(errno_name(INT32_MIN));
    assert_string_equal(signal_name(1), "SIGHUP");
    assert_string_equal(signal_name(11), "SIGSEGV");
    assert_string_equal(signal_name(31), "SIGSYS");
    assert_null(signal_name(0));
    assert_null(signal_name(32));
    assert_null(signal_name(-1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_call_of_the_kernels_header_has_its_name),
        cmocka_unit_test(test_numbers_without_a_call_have_no_name),
        cmocka_unit_test(test_errors_and_signals_have_their_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
