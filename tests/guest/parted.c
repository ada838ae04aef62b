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
long jumping(long where, long other, long number);

/* FIRST's table leads into SECOND. */
#define PARTS(first, second)                                                                       \
    __asm__(".text\n"                                                                              \
            ".globl " first "\n"                                                                   \
            ".type " first ", @function\n" first ":\n"                                             \
            "    lea 3f(%rip), %rax\n"                                                             \
            "    jmp *(%rax,%rdi,8)\n"                                                             \
            ".size " first ", . - " first "\n"                                                     \
            ".type " second ", @function\n" second ":\n"                                           \
            "1:  mov %rdx, %rsi\n"                                                                 \
            "2:  mov %rsi, %rax\n"                                                                 \
            "    syscall\n"                                                                        \
            "    ret\n"                                                                            \
            ".size " second ", . - " second "\n"                                                   \
            ".section .data.rel.ro, \"aw\"\n"                                                      \
            ".balign 8\n"                                                                          \
            "3:  .quad 1b, 2b\n"                                                                   \
            ".text\n")

PARTS("parted", "parted.cold");
PARTS("jumping", "jumped_to"); /* assembly may do so under any name */

int main(void)
{
    check(parted(0, SYS_getppid, SYS_getpid) == getpid(), "its first instruction");
    check(parted(1, SYS_getpid, SYS_getppid) == getpid(), "its second");
    check(jumping(0, SYS_getppid, SYS_getpid) == getpid(), "another function's first");
    check(jumping(1, SYS_getpid, SYS_getppid) == getpid(), "and second");
    return exit_status();
}
