/* SPDX-License-Identifier: ISC
 *
 * The values of options: counts, sizes and durations, strictly.
 */
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "options.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits, at least one, up to UINT64_MAX. Returns what follows them, or NULL. */
static const char *parse_digits(const char *text, uint64_t *value)
{
    if (!is_digit(*text))
        return NULL;
    for (*value = 0; is_digit(*text); text++)
        if (__builtin_mul_overflow(*value, 10, value) ||
            __builtin_add_overflow(*value, *text - '0', value))
            return NULL;
    return text;
}

int parse_size(const char *text, uint64_t *bytes)
{
    static const struct {
        char name[4];
        uint8_t shift;
    } units[] = {
        {"", 0},     {"B", 0},  {"K", 10},   {"KiB", 10}, {"M", 20},
        {"MiB", 20}, {"G", 30}, {"GiB", 30}, {"T", 40},   {"TiB", 40},
    };
    uint64_t count;
    const char *unit = parse_digits(text, &count);

    if (!unit || count == 0)
        return -1;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcasecmp(unit, units[i].name) == 0)
            return __builtin_mul_overflow(count, (uint64_t)1 << units[i].shift, bytes) ? -1 : 0;
    return -1;
}

/* The fraction's digits at TEXT of a unit of SCALE ns, added to *TOTAL. Returns what follows. */
static const char *parse_fraction(const char *text, uint64_t scale, uint64_t *total)
{
    if (!is_digit(*text))
        return NULL;
    for (; is_digit(*text); text++) {
        scale = scale % 10 == 0 ? scale / 10 : 0;
        if (scale == 0 && *text != '0')
            return NULL;
        if (__builtin_add_overflow(*total, (uint64_t)(*text - '0') * scale, total))
            return NULL;
    }
    return text;
}

/* Nanoseconds of the unit named by the whole of TEXT, or 0. */
static uint64_t duration_unit(const char *text)
{
    static const struct {
        char name[3];
        uint64_t ns;
    } units[] = {
        {"", 1000000000},  {"ns", 1},          {"us", 1000},         {"ms", 1000000},
        {"s", 1000000000}, {"m", 60000000000}, {"h", 3600000000000},
    };

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(text, units[i].name) == 0)
            return units[i].ns;
    return 0;
}

int parse_duration(const char *text, uint64_t *nanoseconds)
{
    uint64_t whole, total;
    const char *rest = parse_digits(text, &whole);
    uint64_t scale = duration_unit(text + strspn(text, "0123456789."));

    if (!rest || scale == 0 || __builtin_mul_overflow(whole, scale, &total))
        return -1;
    if (*rest == '.' && !(rest = parse_fraction(rest + 1, scale, &total)))
        return -1;
    if (*rest == '.' || total == 0 || total > INT64_MAX)
        return -1;
    *nanoseconds = total;
    return 0;
}

int parse_count(const char *text, uint64_t most, uint64_t *count)
{
    const char *rest = parse_digits(text, count);

    return rest && *rest == '\0' && *count <= most ? 0 : -1;
}
