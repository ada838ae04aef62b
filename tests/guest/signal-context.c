/* SPDX-License-Identifier: ISC */
/* What a handler is told about the interrupted code, and what it may change there. */
#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

static ucontext_t seen;
static uint64_t seen_xmm5;
static uint32_t seen_mxcsr;
static void (*volatile change)(ucontext_t *context);

/* The area of FXSAVE: SDM 1 10.5.1. The libcs have different types for it. */
enum { MXCSR = 24, XMM = 160 };

static uint8_t *float_state(ucontext_t *context)
{
    return (uint8_t *)context->uc_mcontext.fpregs;
}

static void look(int signal, siginfo_t *info, void *argument)
{
    ucontext_t *context = argument;

    (void)signal;
    (void)info;
    seen = *context;
    memcpy(&seen_xmm5, float_state(context) + XMM + 5 * 16, sizeof seen_xmm5);
    memcpy(&seen_mxcsr, float_state(context) + MXCSR, sizeof seen_mxcsr);
    if (change)
        change(context);
}

static void install(int signal)
{
    struct sigaction action = {.sa_sigaction = look, .sa_flags = SA_SIGINFO};

    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, NULL);
}

/* int3 with known registers; RESULT gets them back in the order of REGISTERS below. */
void trap_with_registers(uint64_t base, uint64_t result[15]);
__asm__(".text\n"
        ".globl trap_insn\n"
        "trap_with_registers:\n"
        "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15; push %rsi\n"
        "lea 1(%rdi), %rax; lea 2(%rdi), %rbx; lea 3(%rdi), %rcx; lea 4(%rdi), %rdx\n"
        "lea 5(%rdi), %rsi; lea 7(%rdi), %rbp; lea 8(%rdi), %r8; lea 9(%rdi), %r9\n"
        "lea 10(%rdi), %r10; lea 11(%rdi), %r11; lea 12(%rdi), %r12; lea 13(%rdi), %r13\n"
        "lea 14(%rdi), %r14; lea 15(%rdi), %r15; lea 6(%rdi), %rdi\n"
        "movq %rdi, %xmm5\n"
        "stc\n"
        "int3\n"
        "trap_insn: xchg %rsi, (%rsp)\n"
        "mov %rax, (%rsi); mov %rbx, 8(%rsi); mov %rcx, 16(%rsi); mov %rdx, 24(%rsi)\n"
        "pop %rax\n"
        "mov %rax, 32(%rsi); mov %rdi, 40(%rsi); mov %rbp, 48(%rsi); mov %r8, 56(%rsi)\n"
        "mov %r9, 64(%rsi); mov %r10, 72(%rsi); mov %r11, 80(%rsi); mov %r12, 88(%rsi)\n"
        "mov %r13, 96(%rsi); mov %r14, 104(%rsi); mov %r15, 112(%rsi)\n"
        "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "ret\n");
extern char trap_insn[];

static const int registers[15] = {REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI,
                                  REG_RDI, REG_RBP, REG_R8,  REG_R9,  REG_R10,
                                  REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

static void add_1000_to_all(ucontext_t *context)
{
    for (int i = 0; i < 15; i++)
        context->uc_mcontext.gregs[registers[i]] += 1000;
}

static void check_registers(void)
{
    uint64_t result[15];
    bool good = true;

    trap_with_registers(5000, result);
    for (int i = 0; i < 15; i++)
        good &= (uint64_t)seen.uc_mcontext.gregs[registers[i]] == 5001 + (uint64_t)i;
    check(good, "the handler sees all registers");
    check(seen.uc_mcontext.gregs[REG_RIP] == (greg_t)(uintptr_t)trap_insn, "and RIP");
    check(seen.uc_mcontext.gregs[REG_EFL] & 1, "and the carry flag");
    check(seen.uc_mcontext.gregs[REG_TRAPNO] == 3, "trap 3");
    check(seen_xmm5 == 5006, "and SSE registers");
    check((seen_mxcsr & 0xffc0) == 0x1f80, "and MXCSR");
    check((seen.uc_mcontext.gregs[REG_CSGSFS] & 0xffff) == 0x33, "and CS");
    good = true;
    for (int i = 0; i < 15; i++)
        good &= result[i] == 5001 + (uint64_t)i;
    check(good, "all registers are the same afterwards");

    change = add_1000_to_all;
    trap_with_registers(7000, result);
    change = NULL;
    good = true;
    for (int i = 0; i < 15; i++)
        good &= result[i] == 8001 + (uint64_t)i;
    check(good, "what the handler changes is changed");
}

static void change_float(ucontext_t *context)
{
    const uint32_t mxcsr = 0x1f80 | 3 << 13;

    memset(float_state(context) + XMM + 3 * 16, 0x77, 16);
    memcpy(float_state(context) + MXCSR, &mxcsr, sizeof mxcsr);
    context->uc_mcontext.gregs[REG_EFL] |= 1;
}

static void check_float_state(void)
{
    uint64_t low;
    uint32_t mxcsr = 0x1f80;
    uint8_t carry;

    change = change_float;
    __asm__ volatile("pxor %%xmm3, %%xmm3; clc; int3; setc %2; movq %%xmm3, %0; stmxcsr %1"
                     : "=r"(low), "=m"(mxcsr), "=q"(carry)
                     :
                     : "xmm3", "cc");
    change = NULL;
    check(low == 0x7777777777777777, "an SSE register is changed by the handler");
    check(mxcsr >> 13 == 3, "and the rounding mode");
    check(carry == 1, "and the carry flag");
    mxcsr = 0x1f80;
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
}

/* The flags of handlers are clean: System V ABI 3.2.1. */
static volatile uint64_t flags_in_handler;

static void note_flags(int signal)
{
    uint64_t flags;

    (void)signal;
    __asm__ volatile("pushf; pop %0" : "=r"(flags));
    flags_in_handler = flags;
    __asm__ volatile("pxor %%xmm6, %%xmm6" ::: "xmm6");
}

static void check_flags(void)
{
    uint64_t low;
    struct sigaction action = {.sa_handler = note_flags};

    sigaction(SIGTRAP, &action, NULL);
    __asm__ volatile("movq %1, %%xmm6; std; int3; cld; movq %%xmm6, %0"
                     : "=r"(low)
                     : "r"(0x1122334455667788)
                     : "xmm6", "cc");
    check(!(flags_in_handler & 0x400), "the direction flag is clear in a handler");
    check(low == 0x1122334455667788, "SSE registers that a handler uses are restored");
    install(SIGTRAP);
}

static volatile int arrived;

static void destination(void)
{
    arrived = 1;
}

/* As a debugger calls a function: the return address is where it was. */
static void call_destination(ucontext_t *context)
{
    greg_t *gregs = context->uc_mcontext.gregs;
    uint64_t *stack = (uint64_t *)(uintptr_t)gregs[REG_RSP] - 1;

    *stack = (uint64_t)gregs[REG_RIP];
    gregs[REG_RSP] = (greg_t)(uintptr_t)stack;
    gregs[REG_RIP] = (greg_t)(uintptr_t)destination;
}

static void skip_two(ucontext_t *context)
{
    context->uc_mcontext.gregs[REG_RIP] += 2;
}

static void check_rip(void)
{
    change = call_destination;
    /* Aligned as a call leaves it, and below the red zone. */
    __asm__ volatile("mov %%rsp, %%rbx; sub $256, %%rsp; and $-16, %%rsp; int3; mov %%rbx, %%rsp"
                     :
                     :
                     : "rbx", "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory",
                       "cc");
    check(arrived == 1, "a handler lets the program go on elsewhere");
    change = skip_two;
    install(SIGILL);
    __asm__ volatile("ud2");
    check(true, "and step over an instruction that failed");
    change = NULL;
}

static void block_usr1(ucontext_t *context)
{
    sigaddset(&context->uc_sigmask, SIGUSR1);
}

static void check_mask(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_SETMASK, &set, NULL);
    change = block_usr1;
    raise(SIGTRAP);
    change = NULL;
    check(sigismember(&seen.uc_sigmask, SIGUSR2) && !sigismember(&seen.uc_sigmask, SIGTRAP),
          "the context has the mask from before");
    sigprocmask(SIG_BLOCK, NULL, &set);
    check(sigismember(&set, SIGUSR1), "a mask that the handler changes is the mask afterwards");
    check(seen.uc_stack.ss_size == 0, "and the alternate stack's state");
    sigemptyset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
}

static void note_alignment(int signal)
{
    arrived = ((uintptr_t)__builtin_frame_address(0) & 15) == 0;
    (void)signal;
}

static void check_alignment(void)
{
    struct sigaction action = {.sa_handler = note_alignment};
    bool good = true;

    sigaction(SIGTRAP, &action, NULL);
    for (int i = 0; i < 4; i++) {
        arrived = 0;
        __asm__ volatile("mov %%rsp, %%rbx; sub $256, %%rsp; sub %0, %%rsp; int3; mov %%rbx, %%rsp"
                         :
                         : "r"((uint64_t)i * 8)
                         : "rbx", "memory", "cc");
        good &= arrived;
    }
    check(good, "a handler's stack is aligned whatever the stack was");
}

int main(void)
{
    install(SIGTRAP);
    check_registers();
    check_float_state();
    check_flags();
    check_rip();
    check_mask();
    check_alignment();
    return exit_status();
}
