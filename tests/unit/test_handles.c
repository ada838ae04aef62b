/* SPDX-License-Identifier: ISC
 *
 * Handles: what the guest may name, and what it may not name any more.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "handles.h"

static struct handles handles;

static int set_up(void **state)
{
    const uint8_t stdio[3] = {HUSK_KIND_STREAM, HUSK_KIND_TTY, HUSK_KIND_NONE};

    (void)state;
    memset(&handles, 0, sizeof(handles));
    handles_init(&handles, stdio);
    return 0;
}

static int64_t insert_file(void)
{
    struct opened opened = {.kind = HUSK_KIND_FILE, .fd = open("/dev/null", O_RDONLY)};

    return handles_insert(&handles, &opened);
}

static void test_stdio_is_there_with_its_kinds(void **state)
{
    (void)state;
    assert_int_equal(handles_get(&handles, 0)->kind, HUSK_KIND_STREAM);
    assert_int_equal(handles_get(&handles, 1)->dir.fd, 1);
    assert_null(handles_get(&handles, 2));
}

static void test_numbers_never_issued_are_refused(void **state)
{
    const uint64_t bad[] = {3,       HANDLES_MAX - 1, HANDLES_MAX, 0xffff,
                            0x10000, 1ULL << 32,      UINT64_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_null(handles_get(&handles, bad[i]));
        assert_int_equal(handles_close(&handles, bad[i]), -EBADF);
    }
}

static void test_a_closed_handle_never_reaches_its_successor(void **state)
{
    int64_t first = insert_file(), second;

    (void)state;
    assert_true(first >= 3);
    assert_int_equal(handles_close(&handles, (uint64_t)first), 0);
    assert_int_equal(handles_close(&handles, (uint64_t)first), -EBADF);
    second = insert_file();
    assert_true(second != first);
    assert_null(handles_get(&handles, (uint64_t)first));
    assert_non_null(handles_get(&handles, (uint64_t)second));
    assert_int_equal(handles_close(&handles, (uint64_t)second), 0);
}

static void test_closing_closes_the_host_descriptor_but_not_stdio(void **state)
{
    int64_t handle = insert_file();
    int fd = handles_get(&handles, (uint64_t)handle)->dir.fd;

    (void)state;
    assert_int_equal(handles_close(&handles, (uint64_t)handle), 0);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    assert_int_equal(handles_close(&handles, 1), 0);
    assert_true(fcntl(1, F_GETFD) >= 0);
}

static void test_a_full_table_closes_what_it_cannot_take(void **state)
{
    struct opened extra = {.kind = HUSK_KIND_DIR};

    (void)state;
    for (int i = 3; i < HANDLES_MAX; i++) {
        struct opened opened = {.kind = HUSK_KIND_FILE, .fd = -1};

        assert_true(handles_insert(&handles, &opened) >= 0);
    }
    extra.fd = open("/", O_RDONLY);
    extra.path = strdup("/"); /* freed by the table: the sanitizer would tell */
    assert_int_equal(handles_insert(&handles, &extra), -ENFILE);
    assert_int_equal(fcntl(extra.fd, F_GETFD), -1);
}

/* A directory that is moved below itself, so to speak, again and again. */
static void test_a_name_that_grows_too_long_is_lost(void **state)
{
    struct opened opened = {.kind = HUSK_KIND_DIR, .fd = -1, .path = strdup("/a/b")};
    const struct handle *handle =
        handles_get(&handles, (uint64_t)handles_insert(&handles, &opened));
    char deeper[3001] = "/a";
    size_t length = 4;

    (void)state;
    memset(deeper + 2, '/', sizeof(deeper) - 3);
    for (int i = 0; i < 5; i++) {
        handles_rename(&handles, "/a", deeper);
        length += sizeof(deeper) - 1 - 2;
        assert_int_equal(strlen(handle->dir.path), length);
    }
    handles_rename(&handles, "/a", deeper);
    assert_string_equal(handle->dir.path, "");
    handles_rename(&handles, "/a", "/b");
    assert_string_equal(handle->dir.path, "");
    free(handle->dir.path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_stdio_is_there_with_its_kinds, set_up),
        cmocka_unit_test_setup(test_numbers_never_issued_are_refused, set_up),
        cmocka_unit_test_setup(test_a_closed_handle_never_reaches_its_successor, set_up),
        cmocka_unit_test_setup(test_closing_closes_the_host_descriptor_but_not_stdio, set_up),
        cmocka_unit_test_setup(test_a_full_table_closes_what_it_cannot_take, set_up),
        cmocka_unit_test_setup(test_a_name_that_grows_too_long_is_lost, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
