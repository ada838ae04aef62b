/* SPDX-License-Identifier: ISC */
/*
 * Counts primes twice, so that the work covers two kinds of CPU load and checks itself: a segmented
 * sieve (memory in the first-level cache) and a primality test of every odd number (arithmetic).
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEFAULT_LIMIT = 5000000,
    SEGMENT_ODDS = 32 * 1024, /* fits the first-level data cache, one byte a number */
    ROOT_LIMIT = 65536,       /* the square root of the greatest limit allowed */
    ROOT_PRIMES = 6541,       /* odd primes below ROOT_LIMIT */
};

static const char usage[] = "usage: primes [--help] [LIMIT]\n"
                            "Counts the primes below LIMIT (0 to 4294967296, default 5000000).\n";

static bool parse_number(const char *text, uint64_t greatest, uint64_t *number)
{
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0' && *number <= greatest;
}

static void find_root_primes(uint32_t primes[ROOT_PRIMES])
{
    static bool composite[ROOT_LIMIT];
    int found = 0;

    for (uint32_t n = 3; n < ROOT_LIMIT; n += 2) {
        if (composite[n])
            continue;
        primes[found++] = n;
        for (uint32_t multiple = 3 * n; multiple < ROOT_LIMIT; multiple += 2 * n)
            composite[multiple] = true;
    }
}

/* Byte i of a segment stands for the odd number low + 2 * i + 1. */
static uint64_t count_segment(const uint8_t *composite, uint64_t low, uint64_t limit)
{
    uint64_t odds = (limit - low) / 2;
    uint64_t count = 0;

    for (uint64_t i = 0; i < odds && i < SEGMENT_ODDS; i++)
        count += !composite[i];
    return count;
}

static uint64_t count_by_sieve(uint64_t limit)
{
    static uint32_t primes[ROOT_PRIMES];
    static uint64_t next_multiple[ROOT_PRIMES];
    static uint8_t composite[SEGMENT_ODDS];
    uint64_t count = limit > 2; /* the only even prime */

    find_root_primes(primes);
    for (int i = 0; i < ROOT_PRIMES; i++)
        next_multiple[i] = (uint64_t)primes[i] * primes[i];

    for (uint64_t low = 0; low < limit; low += 2 * SEGMENT_ODDS) {
        uint64_t high = low + 2 * SEGMENT_ODDS;
        memset(composite, 0, sizeof composite);
        composite[0] = low == 0; /* 1 is no prime */
        for (int i = 0; i < ROOT_PRIMES && (uint64_t)primes[i] * primes[i] < high; i++) {
            uint64_t multiple = next_multiple[i];
            for (; multiple < high; multiple += 2 * primes[i])
                composite[(multiple - low) / 2] = 1;
            next_multiple[i] = multiple;
        }
        count += count_segment(composite, low, limit);
    }
    return count;
}

static uint32_t power_modulo(uint32_t base, uint32_t exponent, uint32_t modulus)
{
    uint64_t result = 1;
    uint64_t square = base % modulus;

    for (; exponent > 0; exponent /= 2) {
        if (exponent % 2 == 1)
            result = result * square % modulus;
        square = square * square % modulus;
    }
    return (uint32_t)result;
}

/* The strong probable prime test of Miller and Rabin for an odd number greater than the base. */
static bool passes_test(uint32_t number, uint32_t base)
{
    int twos = __builtin_ctz(number - 1);
    uint64_t power = power_modulo(base, (number - 1) >> twos, number);

    if (power == 1 || power == number - 1)
        return true;
    while (--twos > 0) {
        power = power * power % number;
        if (power == number - 1)
            return true;
    }
    return false;
}

/* Bases 2, 7 and 61 decide every number below 4,759,123,141 (Jaeschke 1993). */
static bool odd_is_prime(uint32_t number)
{
    static const uint32_t divisors[] = {3,  5,  7,  11, 13, 17, 19, 23, 29,
                                        31, 37, 41, 43, 47, 53, 59, 61};

    for (size_t i = 0; i < sizeof divisors / sizeof *divisors; i++)
        if (number % divisors[i] == 0)
            return number == divisors[i];
    return number > 1 && passes_test(number, 2) && passes_test(number, 7) &&
           passes_test(number, 61);
}

static uint64_t count_by_test(uint64_t limit)
{
    uint64_t count = limit > 2;

    for (uint64_t number = 1; number < limit; number += 2)
        count += odd_is_prime((uint32_t)number);
    return count;
}

int main(int argc, char **argv)
{
    uint64_t limit = DEFAULT_LIMIT;

    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return fputs(usage, stdout) == EOF || fflush(stdout) == EOF;
    if (argc > 2 ||
        (argc == 2 && !parse_number(argv[1], (uint64_t)ROOT_LIMIT * ROOT_LIMIT, &limit))) {
        fputs(usage, stderr);
        return 2;
    }

    uint64_t sieved = count_by_sieve(limit);
    uint64_t tested = count_by_test(limit);
    if (sieved != tested) {
        fprintf(stderr, "primes: the sieve counts %llu primes, the test %llu\n",
                (unsigned long long)sieved, (unsigned long long)tested);
        return 1;
    }
    printf("%llu primes below %llu\n", (unsigned long long)sieved, (unsigned long long)limit);
    return fflush(stdout) == EOF;
}
