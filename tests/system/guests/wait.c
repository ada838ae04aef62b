/* SPDX-License-Identifier: ISC */
/* Says "ready", then never ends by itself. Argument: spin, call, sleep or read. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    const char *how = argc == 2 ? argv[1] : "";
    struct stat status;
    char byte;

    puts("ready");
    fflush(stdout);
    if (strcmp(how, "spin") == 0)
        for (;;)
            __asm__ volatile("");
    while (strcmp(how, "call") == 0)
        fstat(0, &status);
    while (strcmp(how, "sleep") == 0)
        sleep(1000);
    while (strcmp(how, "read") == 0)
        if (read(0, &byte, 1) == 0)
            break;
    return 2;
}
