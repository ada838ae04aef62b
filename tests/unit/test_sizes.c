/* SPDX-License-Identifier: ISC
 *
 * The strict parsers of sizes and durations: everything that they take, and what looks like it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "options.h"

#define MIB ((uint64_t)1 << 20)

static void test_sizes_are_digits_and_a_unit(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } sizes[] = {
        {"1", 1},
        {"1B", 1},
        {"007", 7},
        {"4K", 4096},
        {"4k", 4096},
        {"4KiB", 4096},
        {"4kib", 4096},
        {"3M", 3 * MIB},
        {"3MiB", 3 * MIB},
        {"2G", 2048 * MIB},
        {"2g", 2048 * MIB},
        {"2GiB", 2048 * MIB},
        {"1T", 1024 * 1024 * MIB},
        {"1TiB", 1024 * 1024 * MIB},
        {"18446744073709551615", UINT64_MAX},
        {"16777215T", UINT64_MAX - ((uint64_t)1 << 40) + 1},
    };
    uint64_t bytes;

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        assert_int_equal(parse_size(sizes[i].text, &bytes), 0);
        assert_int_equal(bytes, sizes[i].bytes);
    }
}

static void test_anything_else_is_no_size(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "0",
        "0M",
        "00",
        "5xyz",
        "1.5G",
        "1,5G",
        " 5",
        "5 ",
        "5 M",
        "-5",
        "+5",
        "0x10",
        "1e3",
        "M",
        "K5",
        "5KB",
        "5MB",
        "5Ki",
        "5iB",
        "5MM",
        "5M5",
        "5P",
        "5\n",
        "18446744073709551616",
        "99999999999999999999999999",
        "16777216T",
        "18014398509481984K",
    };
    uint64_t bytes;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (parse_size(texts[i], &bytes) != -1)
            fail_msg("'%s' was taken as a size", texts[i]);
}

static void test_durations_are_digits_a_fraction_and_a_unit(void **state)
{
    static const struct {
        const char *text;
        uint64_t ns;
    } durations[] = {
        {"1", 1000000000},
        {"1s", 1000000000},
        {"0.5", 500000000},
        {"00.5s", 500000000},
        {"250ms", 250000000},
        {"7us", 7000},
        {"9ns", 9},
        {"9.00ns", 9},
        {"1.5m", 90000000000},
        {"2h", 7200000000000},
        {"0.000000001", 1},
        {"0.00000000100000000000000000000000", 1},
        {"1.00000000025h", 3600000000900},
        {"9223372036.854775807", INT64_MAX},
    };
    uint64_t ns;

    (void)state;
    for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
        assert_int_equal(parse_duration(durations[i].text, &ns), 0);
        assert_int_equal(ns, durations[i].ns);
    }
}

static void test_anything_else_is_no_duration(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "0",
        "0s",
        "0.0",
        "0.000ms",
        "5xyz",
        " 5",
        "5 ",
        "5 s",
        "-5",
        "+5",
        "0x10",
        "1e3",
        "s",
        ".",
        ".5",
        "5.",
        "5.s",
        "1..5",
        "1.5.5",
        "1.5.5s",
        "1,5",
        "5S",
        "5M",
        "5min",
        "5d",
        "5ss",
        "5s5",
        "5sm",
        "5\n",
        "1.5ns",
        "0.5ns",
        "0.0000000001",
        "1.0000000000000001h",
        "9223372036.854775808",
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999h",
        "2562048h",
        "18446744073.709551616",
    };
    uint64_t ns;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (parse_duration(texts[i], &ns) != -1)
            fail_msg("'%s' was taken as a duration", texts[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_are_digits_and_a_unit),
        cmocka_unit_test(test_anything_else_is_no_size),
        cmocka_unit_test(test_durations_are_digits_a_fraction_and_a_unit),
        cmocka_unit_test(test_anything_else_is_no_duration),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
