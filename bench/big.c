/* SPDX-License-Identifier: ISC
 *
 * hello with 10 MiB of data: a start must not cost what the size of the program is.
 */
#include <stdio.h>

__asm__(".pushsection .data\n"
        ".fill 10 << 20, 1, 0x5a\n"
        ".popsection\n");

int main(void)
{
    return puts("Hello from husk") == EOF || fflush(stdout) == EOF;
}
