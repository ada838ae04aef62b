/* SPDX-License-Identifier: ISC
 *
 * Says that it is there, and does nothing for two seconds. memory.c looks at it meanwhile.
 */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
    if (puts("idle") == EOF || fflush(stdout) == EOF)
        return 1;
    return (int)sleep(2);
}
