/* SPDX-License-Identifier: ISC */
/*
 * What a system call must leave alone: the 128 bytes below the stack pointer, where compilers keep
 * the data of leaf functions (System V ABI 3.2.2), and every register but rax, rcx and r11.
 */
#include "check.h"
#include "inline-call.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct state {
    uint64_t rax, rbx, rdx, rsi, rdi, rbp, r8, r9, r10, r12, r13, r14, r15;
    uint64_t red_zone[16];
    uint64_t xmm[16][2];
};

/* The assembly below counts on these. */
_Static_assert(offsetof(struct state, r15) == 12 * 8, "general registers come first");
_Static_assert(offsetof(struct state, red_zone) == 104, "then the red zone");
_Static_assert(offsetof(struct state, xmm) == 232, "then the SSE registers");

/*
 * Fills registers and red zone from *before, makes the system call, stores what is left in *after.
 * The only place that survives any mistake of the call is (%rsp): it holds the address of *after.
 */
void call_with_state(const struct state *before, struct state *after);

__asm__(".text\n"
        ".type call_with_state, @function\n"
        "call_with_state:\n"
        "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15; push %rsi\n"
        "mov %rdi, %rdx\n"
        "lea 104(%rdx), %rsi; lea -128(%rsp), %rdi; mov $16, %ecx; rep movsq\n"
        ".irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
        "movups 232 + 16 * \\i(%rdx), %xmm\\i\n"
        ".endr\n"
        "mov %rdx, %rdi\n"
        "mov 0(%rdi), %rax; mov 8(%rdi), %rbx; mov 16(%rdi), %rdx; mov 24(%rdi), %rsi\n"
        "mov 40(%rdi), %rbp; mov 48(%rdi), %r8; mov 56(%rdi), %r9; mov 64(%rdi), %r10\n"
        "mov 72(%rdi), %r12; mov 80(%rdi), %r13; mov 88(%rdi), %r14; mov 96(%rdi), %r15\n"
        "mov 32(%rdi), %rdi\n"
        "syscall\n"
        "mov (%rsp), %rcx\n"
        "mov %rax, 0(%rcx); mov %rbx, 8(%rcx); mov %rdx, 16(%rcx); mov %rsi, 24(%rcx)\n"
        "mov %rdi, 32(%rcx); mov %rbp, 40(%rcx); mov %r8, 48(%rcx); mov %r9, 56(%rcx)\n"
        "mov %r10, 64(%rcx); mov %r12, 72(%rcx); mov %r13, 80(%rcx); mov %r14, 88(%rcx)\n"
        "mov %r15, 96(%rcx)\n"
        ".irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
        "movups %xmm\\i, 232 + 16 * \\i(%rcx)\n"
        ".endr\n"
        "lea -128(%rsp), %rsi; lea 104(%rcx), %rdi; mov $16, %ecx; cld; rep movsq\n"
        "pop %rsi; pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "ret\n");

static const struct timespec short_time = {0, 1000};
static struct timespec current_time;

/* Arguments are numbers or pointers; the other of the two is zero. */
static const struct {
    const char *name;
    long number;
    uint64_t rdi, rsi, rdx;
    const void *rdi_pointer, *rsi_pointer;
} calls[] = {
    {"getpid", SYS_getpid, 0, 0, 0, NULL, NULL},
    {"clock_gettime", SYS_clock_gettime, CLOCK_MONOTONIC, 0, 0, NULL, &current_time},
    {"write of nothing", SYS_write, STDOUT_FILENO, 0, 0, NULL, &current_time},
    {"write to nothing", SYS_write, 9999, 0, 16, NULL, &current_time},
    {"brk", SYS_brk, 0, 0, 0, NULL, NULL},
    {"nanosleep", SYS_nanosleep, 0, 0, 0, &short_time, NULL},
    {"uname of a bad pointer", SYS_uname, 8, 0, 0, NULL, NULL},
    {"an unknown call", 4095, 0, 0, 0, NULL, NULL},
};

static struct state fill_state(size_t call)
{
    struct state state;

    for (size_t i = 0; i < sizeof state / sizeof(uint64_t); i++)
        ((uint64_t *)&state)[i] = (i + 1) * 0x0123456789abcdef + call;
    state.rax = (uint64_t)calls[call].number;
    state.rdi = calls[call].rdi | (uintptr_t)calls[call].rdi_pointer;
    state.rsi = calls[call].rsi | (uintptr_t)calls[call].rsi_pointer;
    state.rdx = calls[call].rdx;
    return state;
}

static void check_calls(void)
{
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct state before = fill_state(i), after = {0};
        size_t general = offsetof(struct state, red_zone) - offsetof(struct state, rbx);
        fflush(stdout);
        call_with_state(&before, &after);
        printf("%s:%s\n", calls[i].name, (int64_t)after.rax < 0 ? " fails" : "");
        check(memcmp(&before.rbx, &after.rbx, general) == 0, "general registers");
        check(memcmp(before.red_zone, after.red_zone, sizeof before.red_zone) == 0, "red zone");
        check(memcmp(before.xmm, after.xmm, sizeof before.xmm) == 0, "SSE registers");
    }
}

/* A leaf for the compiler, which at -O2 keeps words below the stack pointer. */
__attribute__((noinline)) static uint64_t leaf(uint64_t seed)
{
    volatile uint64_t words[14];

    for (uint64_t i = 0; i < 14; i++)
        words[i] = seed * (i + 1);
    inline_call(SYS_getpid, 0, 0, 0);
    inline_call(SYS_clock_gettime, CLOCK_REALTIME, (long)&current_time, 0);
    inline_call(SYS_write, STDOUT_FILENO, (long)&current_time, 0);
    inline_call(SYS_brk, 0, 0, 0);
    inline_call(SYS_nanosleep, (long)&short_time, 0, 0);
    uint64_t sum = 0;
    for (uint64_t i = 0; i < 14; i++)
        sum += words[i];
    return sum;
}

int main(void)
{
    bool kept = true;

    check_calls();
    for (uint64_t seed = 1; seed <= 1000; seed++)
        kept &= leaf(seed) == seed * 105;
    check(kept, "a leaf function keeps its words, 1000 times");
    return exit_status();
}
