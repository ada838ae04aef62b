/* SPDX-License-Identifier: ISC
 *
 *     idle [SECONDS]
 *
 * Says that it is there, and does nothing for two seconds, or SECONDS. memory.c and crowd.c look at
 * it meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (puts("idle") == EOF || fflush(stdout) == EOF)
        return 1;
    return (int)sleep(argc > 1 ? (unsigned)atoi(argv[1]) : 2);
}
