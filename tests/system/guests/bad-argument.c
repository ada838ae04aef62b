/* SPDX-License-Identifier: ISC
 *
 * Faults while it loads an argument of a system call, which husk-cc moves elsewhere: the second of
 * the two instructions before the call.
 */
long load_and_call(const long *word);

__asm__(".text\n"
        ".type load_and_call, @function\n"
        "load_and_call:\n"
        ".cfi_startproc\n"
        "mov $39, %eax\n"
        "mov %rdi, %rsi\n"
        "mov (%rsi), %rdx\n"
        "syscall\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size load_and_call, . - load_and_call\n");

static const long *volatile nowhere = (const long *)8;

__attribute__((noinline)) static long call_badly(void)
{
    return load_and_call(nowhere) + 1;
}

int main(void)
{
    return call_badly() != 0;
}
