/* SPDX-License-Identifier: ISC */
/* Ends in a fault of the kind that its argument names, a few calls below main. */
#include "faults.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: crash KIND | list | --help\n"
    "Ends with a fault of that kind; list prints each kind, its exit status\n"
    "in a shell and its meaning.\n";

static void print_list(void)
{
    for (const struct fault *f = faults; f->name != NULL; f++)
        printf("%-15s %3d    %s\n", f->name, f->status, f->meaning);
    for (const struct numbered_fault *n = numbered_faults; n->fault.name != NULL; n++) {
        int padding = 13 - (int)strlen(n->fault.name);
        printf("%s:N%*s %3d+N  %s\n", n->fault.name, padding, "", n->fault.status,
               n->fault.meaning);
    }
}

static bool parse_number(const char *text, int least, int greatest, int *number)
{
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    long value = strtol(text, &end, 10);
    *number = (int)value;
    return errno == 0 && *end == '\0' && value >= least && value <= greatest;
}

static const struct fault *find_fault(const char *kind, int *number)
{
    *number = 0;
    for (const struct fault *f = faults; f->name != NULL; f++)
        if (strcmp(kind, f->name) == 0)
            return f;
    for (const struct numbered_fault *n = numbered_faults; n->fault.name != NULL; n++) {
        size_t length = strlen(n->fault.name);
        if (strncmp(kind, n->fault.name, length) == 0 && kind[length] == ':' &&
            parse_number(kind + length + 1, n->least, n->greatest, number))
            return &n->fault;
    }
    return NULL;
}

VISIBLE static void crash_in_depth(const struct fault *fault, int number)
{
    fault->cause(number);
    keep_frame();
}

int main(int argc, char **argv)
{
    int number;

    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return fputs(usage, stdout) == EOF || fflush(stdout) == EOF;
    if (argc == 2 && strcmp(argv[1], "list") == 0) {
        print_list();
        return fflush(stdout) == EOF;
    }
    const struct fault *fault = argc == 2 ? find_fault(argv[1], &number) : NULL;
    if (fault == NULL) {
        fputs(usage, stderr);
        return 2;
    }

    crash_in_depth(fault, number);
    fprintf(stderr, "crash: %s had no effect\n", argv[1]);
    return 1;
}
