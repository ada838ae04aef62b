/* SPDX-License-Identifier: ISC
 *
 * What the tests of the command line share. Include this first.
 */
#ifndef OPTIONS_FIXTURE_H
#define OPTIONS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "options.h"

static struct run_options options;
static struct husk_error error;

#define parse(...) options_parse_run((char *[]){__VA_ARGS__, NULL}, &options, &error)

/* The arguments must be refused, with exactly this text. */
#define assert_refused(reason, ...) check_refused((char *[]){__VA_ARGS__, NULL}, reason)

static inline void check_refused(char **argv, const char *reason)
{
    assert_int_equal(options_parse_run(argv, &options, &error), -1);
    assert_string_equal(error.text, reason);
    assert_int_equal(error.status, STATUS_HUSK);
    options_free(&options);
}

static inline int free_options(void **state)
{
    (void)state;
    options_free(&options);
    return 0;
}

#define test(name) cmocka_unit_test_teardown(name, free_options)

#endif
