/* SPDX-License-Identifier: ISC */
/* Arguments: any, among them empty ones, bytes above 127, 200 at once. */
#include "check.h"

#include <string.h>

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');

    printf("argv[0] ends in ");
    print_quoted(slash ? slash + 1 : argv[0]);
    printf("\n%d arguments\n", argc - 1);
    for (int i = 1; i < argc; i++) {
        printf("argv[%d], %zu bytes: ", i, strlen(argv[i]));
        print_quoted(argv[i]);
        putchar('\n');
    }
    check(argv[argc] == NULL, "a null pointer ends argv");

    for (int i = 1; i < argc; i++)
        memset(argv[i], 'x', strlen(argv[i]));
    check(argc < 2 || strspn(argv[argc - 1], "x") == strlen(argv[argc - 1]),
          "arguments can be overwritten");
    return exit_status();
}
