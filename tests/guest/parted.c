/* SPDX-License-Identifier: ISC
 *
 * A function in two parts, as compilers make them of hot and cold code: a jump table of the one
 * leads between the instructions before a system call of the other.
 */
#include "check.h"

#include <sys/syscall.h>
#include <unistd.h>

/* A system call without arguments: with 0 NUMBER, with 1 OTHER. */
long parted(long where, long other, long number);

__asm__(".text\n"
        ".globl parted\n"
        ".type parted, @function\n"
        "parted:\n"
        "    lea .Lparted_table(%rip), %rax\n"
        "    jmp *(%rax,%rdi,8)\n"
        ".size parted, . - parted\n"
        ".type parted.cold, @function\n"
        "parted.cold:\n"
        "    mov %rdx, %rsi\n"
        ".Lparted_second:\n"
        "    mov %rsi, %rax\n"
        "    syscall\n"
        "    ret\n"
        ".size parted.cold, . - parted.cold\n"
        ".section .data.rel.ro, \"aw\"\n"
        ".balign 8\n"
        ".Lparted_table: .quad parted.cold, .Lparted_second\n"
        ".text\n");

int main(void)
{
    check(parted(0, SYS_getppid, SYS_getpid) == getpid(), "its first instruction");
    check(parted(1, SYS_getpid, SYS_getppid) == getpid(), "its second");
    return exit_status();
}
