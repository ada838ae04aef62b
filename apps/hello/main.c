/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

static int print_usage(int argc, char **argv)
{
    int help = argc == 2 && strcmp(argv[1], "--help") == 0;

    fputs("usage: hello\nPrints a greeting.\n", help ? stdout : stderr);
    return help ? 0 : 2;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return print_usage(argc, argv);
    return puts("Hello from husk") == EOF || fflush(stdout) == EOF;
}
