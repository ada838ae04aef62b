/* SPDX-License-Identifier: ISC */
/* Code written at run time: written while writable, called while executable, never both at once. */
#include "check.h"
#include "memory.h"

#include <stdint.h>

enum { READ_WRITE = PROT_READ | PROT_WRITE, READ_EXECUTE = PROT_READ | PROT_EXEC };

typedef uint32_t constant_function(void);

/* mov eax, value; ret */
static void write_function(unsigned char *code, uint32_t value)
{
    code[0] = 0xb8;
    memcpy(code + 1, &value, sizeof value);
    code[5] = 0xc3;
}

static uint32_t call(unsigned char *code)
{
    return ((constant_function *)(uintptr_t)code)();
}

static void check_rewriting(void)
{
    unsigned char *code = map_pages(1, READ_WRITE);
    bool right = true;

    for (uint32_t value = 1; value <= 100; value++) {
        right &= mprotect(code, PAGE, READ_WRITE) == 0;
        write_function(code, value * 12345);
        right &= mprotect(code, PAGE, READ_EXECUTE) == 0;
        right &= call(code) == value * 12345;
    }
    check(right, "100 functions written one over the other give their values");
    check(is_readable(code) && !is_writable(code), "executable code is not writable");
    mprotect(code, PAGE, READ_WRITE);
    check(code[0] == 0xb8 && is_writable(code), "it can be made data again");
    munmap(code, PAGE);
}

static void check_neighbours(void)
{
    unsigned char *area = map_pages(3, READ_WRITE);

    for (int i = 0; i < 3; i++)
        write_function(area + i * PAGE, (uint32_t)i + 70);
    check(mprotect(area + PAGE, PAGE, READ_EXECUTE) == 0, "the middle of three pages becomes code");
    check(call(area + PAGE) == 71, "it runs");
    check(is_writable(area) && !is_writable(area + PAGE) && is_writable(area + 2 * PAGE),
          "its neighbours stay writable");
    check(mprotect(area, 3 * PAGE, READ_EXECUTE) == 0, "all three become code");
    check(call(area + PAGE) == 71, "the middle one still runs");
    munmap(area, 3 * PAGE);
}

static void check_fresh_code_at_old_address(void)
{
    unsigned char *code = map_pages(1, READ_WRITE);

    write_function(code, 1);
    mprotect(code, PAGE, READ_EXECUTE);
    uint32_t first = call(code);
    munmap(code, PAGE);
    mmap(code, PAGE, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    write_function(code, 2);
    mprotect(code, PAGE, READ_EXECUTE);
    check(first == 1 && call(code) == 2, "new code at an old address is what runs");
    munmap(code, PAGE);
}

static void check_large(void)
{
    size_t pages = 1024;
    unsigned char *area = map_pages(pages, READ_WRITE);
    uint32_t sum = 0;

    for (size_t i = 0; i < pages; i++)
        write_function(area + i * PAGE + i, (uint32_t)i);
    mprotect(area, pages * PAGE, READ_EXECUTE);
    for (size_t i = 0; i < pages; i++)
        sum += call(area + i * PAGE + i);
    printf("sum of 1024 functions: %u\n", sum);
    munmap(area, pages * PAGE);
}

static void check_errors(void)
{
    char *area = map_pages(3, READ_WRITE);

    munmap(area + PAGE, PAGE);
    check_error(syscall(SYS_mprotect, area + 1, PAGE, PROT_READ), EINVAL, "odd address");
    check_error(syscall(SYS_mprotect, area + PAGE, PAGE, PROT_READ), ENOMEM, "not mapped");
    check_error(syscall(SYS_mprotect, area, 3 * PAGE, PROT_READ), ENOMEM, "partly mapped");
    check_error(syscall(SYS_mprotect, area, -(long)PAGE, PROT_READ), ENOMEM, "length too great");
    check(syscall(SYS_mprotect, area, 0, PROT_READ) == 0, "length 0 succeeds");
    munmap(area, 3 * PAGE);
}

int main(void)
{
    check_rewriting();
    check_neighbours();
    check_fresh_code_at_old_address();
    check_large();
    check_errors();
    return exit_status();
}
