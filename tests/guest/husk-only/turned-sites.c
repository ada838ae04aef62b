/* SPDX-License-Identifier: ISC */
/*
 * husk-cc made this program's system calls jumps: they work without the instruction, which is still
 * there, and is what a call is made again by.
 */
#include "../check.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

long plain_call(void);
long call_with_red_zone(void);
long read_byte(int file, char *byte);
extern const char plain_syscall[], red_zone_syscall[], read_syscall[];

/* On a page of their own, which is writable and not executable for a moment. */
__asm__(".text\n"
        ".balign 4096\n"
        ".type plain_call, @function\n"
        "plain_call:\n"
        "mov $39, %eax\n"
        "plain_syscall: syscall\n"
        "ret\n"
        ".size plain_call, . - plain_call\n"
        ".type call_with_red_zone, @function\n"
        "call_with_red_zone:\n"
        "movq $1000000, -8(%rsp)\n"
        "movq $2000000, -128(%rsp)\n"
        "mov $39, %eax\n"
        "red_zone_syscall: syscall\n"
        "add -8(%rsp), %rax\n"
        "add -128(%rsp), %rax\n"
        "ret\n"
        ".size call_with_red_zone, . - call_with_red_zone\n"
        ".type read_byte, @function\n"
        "read_byte:\n"
        "mov $1, %edx\n"
        "mov $0, %eax\n"
        "read_syscall: syscall\n"
        "ret\n"
        ".size read_byte, . - read_byte\n"
        ".balign 4096\n");

static void put_bytes(const char *where, const char *bytes)
{
    char *page = (char *)((unsigned long)where & ~4095UL);

    if (mprotect(page, 4096, PROT_READ | PROT_WRITE) != 0)
        perror("mprotect");
    memcpy((char *)where, bytes, 2);
    if (mprotect(page, 4096, PROT_READ | PROT_EXEC) != 0)
        perror("mprotect");
}

static int ends[2];

static void write_byte(int signal)
{
    (void)signal;
    if (write(ends[1], "x", 1) != 1)
        _exit(3);
}

/* The trap is where a call that a signal interrupted goes on. */
static volatile int traps;

static void replace_trap(int signal)
{
    (void)signal;
    traps++;
    put_bytes(read_syscall, "\x0f\x05");
}

static void check_restart(void)
{
    const struct itimerval once = {.it_value = {0, 20000}};
    char byte = 0;

    check(pipe(ends) == 0, "a pipe");
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = write_byte, .sa_flags = SA_RESTART}, NULL);
    signal(SIGILL, replace_trap);
    put_bytes(read_syscall, "\x0f\x0b");
    setitimer(ITIMER_REAL, &once, NULL);
    check(read_byte(ends[0], &byte) == 1 && byte == 'x', "a call that is made again");
    check(traps == 1, "it is made again by the instruction");
}

int main(void)
{
    check(plain_call() == getpid(), "a call");
    put_bytes(plain_syscall, "\x0f\x0b"); /* ud2 */
    check(plain_call() == getpid(), "a call without the instruction");
    put_bytes(red_zone_syscall, "\x0f\x0b");
    check(call_with_red_zone() == getpid() + 3000000, "it leaves the red zone alone");
    check_restart();
    return exit_status();
}
