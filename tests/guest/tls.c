/* SPDX-License-Identifier: ISC */
/* Thread-local variables: their first values, alignment, and errno, which is one of them. */
#include "check.h"
#include "memory.h"

#include <stdint.h>

static __thread int initialised = 42;
static __thread int zero;
static __thread char text[16] = "thread";
static __thread _Alignas(64) char aligned[64] = {1, 2, 3};
static __thread unsigned char large[100000];
__thread long visible = -7;

__attribute__((noinline)) static int *address_of_zero(void)
{
    return &zero;
}

int main(void)
{
    void *self;

    printf("%d %d %s %ld\n", initialised, zero, text, visible);
    check((uintptr_t)aligned % 64 == 0, "alignment of 64 bytes");
    check(aligned[0] == 1 && aligned[2] == 3 && holds_only(aligned + 3, 0, 61), "its contents");
    check(holds_only(large, 0, sizeof large), "100,000 bytes are zero");
    memset(large, 0xee, sizeof large);
    check(initialised == 42 && zero == 0 && visible == -7, "filling them leaves the others");
    check(address_of_zero() == &zero, "a variable has one address");

    __asm__("mov %%fs:0, %0" : "=r"(self));
    check(self != NULL && (uintptr_t)self % 16 == 0, "the thread pointer is aligned");
    check(*(void **)self == self, "and points to itself");
    check((uintptr_t)&zero < (uintptr_t)self, "variables lie below it");

    errno = 0;
    check(close(-1) == -1 && errno == EBADF, "a failing call sets errno");
    check(getpid() > 0 && errno == EBADF, "a succeeding one leaves it");
    int *place = &errno;
    *place = 0;
    check(errno == 0, "errno has an address");

    for (int i = 0; i < 1000; i++) {
        zero++;
        getppid();
        visible += zero;
    }
    printf("%d %ld\n", zero, visible);
    return exit_status();
}
