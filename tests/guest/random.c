/* SPDX-License-Identifier: ISC */
/* getrandom: lengths, flags, errors, and that its bytes are not all alike. */
#include "check.h"
#include "memory.h"

#include <sys/random.h>

static unsigned count_distinct(const unsigned char *bytes, size_t size)
{
    bool seen[256] = {false};
    unsigned distinct = 0;

    for (size_t i = 0; i < size; i++) {
        distinct += !seen[bytes[i]];
        seen[bytes[i]] = true;
    }
    return distinct;
}

static void check_lengths(void)
{
    static const size_t lengths[] = {0, 1, 256, 257, 4096, 100000};
    static unsigned char buffer[100001];

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t length = lengths[i];
        buffer[length] = 0x5a;
        check(getrandom(buffer, length, 0) == (ssize_t)length, "%zu bytes", length);
        check(buffer[length] == 0x5a, "and not one more");
    }
    check(count_distinct(buffer, 4096) > 200, "4096 bytes take more than 200 values");
}

static void check_flags(void)
{
    char first[32], second[32];

    check(getrandom(first, sizeof first, 0) == 32 && getrandom(second, sizeof second, 0) == 32 &&
              memcmp(first, second, sizeof first) != 0,
          "two calls differ");
    check(getrandom(first, sizeof first, GRND_NONBLOCK) == 32, "GRND_NONBLOCK");
    check(getrandom(first, sizeof first, GRND_RANDOM) == 32, "GRND_RANDOM");
    check(getrandom(first, sizeof first, GRND_RANDOM | GRND_NONBLOCK) == 32, "both flags");
    check(getentropy(first, 256 / 8) == 0, "getentropy");
    check_error(getrandom(first, sizeof first, 0x1000), EINVAL, "unknown flag");
}

static void check_pointers(void)
{
    char *area = map_pages(2, PROT_READ | PROT_WRITE);

    munmap(area + PAGE, PAGE);
    check(getrandom(area + PAGE - 64, 64, 0) == 64, "up to the end of a page");
    check_error(getrandom(area + PAGE, 16, 0), EFAULT, "unmapped memory");
    check_error(syscall(SYS_getrandom, -64L, 16, 0), EFAULT, "the end of the address space");
    mprotect(area, PAGE, PROT_READ);
    check_error(getrandom(area, 16, 0), EFAULT, "read-only memory");
    munmap(area, PAGE);
}

int main(void)
{
    check_lengths();
    check_flags();
    check_pointers();
    return exit_status();
}
