/* SPDX-License-Identifier: ISC
 *
 * A husk whose host calls fail on demand: what the program in it sees of that, all the way through
 * guest-rt. tests/unit/test_faults.c has every call and every error.
 */
#include <stdlib.h>
#include <string.h>

#include "harness.h"

static void test_guest_sees_the_hosts_errors_and_goes_on(void **state)
{
    const char *directory = directory_make();
    struct bytes expected = file_read(built("fault/expected"));
    const struct result *result;

    (void)state;
    need_kvm();
    result = RUN(built("fault/husk"), "run", "-v", text("%s:/work:rw", directory),
                 built("fault/guest"), "/work");
    directory_remove(directory);
    assert_status(result, 0);
    assert_is_quiet(result);
    assert_prints(result, expected.data);
    free(expected.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guest_sees_the_hosts_errors_and_goes_on),
    };

    return cmocka_run_group_tests_name("host errors", tests, NULL, NULL);
}
