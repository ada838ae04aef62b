/* SPDX-License-Identifier: ISC */
/*
 * Arguments: STATUS and how to end: return (default), exit, quick_exit or _exit. Shows the order of
 * constructors, exit handlers and destructors.
 */
#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((constructor(102))) static void second_constructor(void)
{
    puts("second constructor");
}

__attribute__((constructor(101))) static void first_constructor(void)
{
    puts("first constructor");
}

__attribute__((destructor(101))) static void last_destructor(void)
{
    puts("last destructor");
}

__attribute__((destructor(102))) static void first_destructor(void)
{
    puts("first destructor");
}

static void last_handler(void)
{
    puts("handler registered first");
}

static void nested_handler(void)
{
    puts("handler registered by a handler");
}

static void first_handler(void)
{
    puts("handler registered last");
    atexit(nested_handler);
}

static void quick_handler(void)
{
    puts("quick handler");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    const char *how = argc > 2 ? argv[2] : "return";

    if (argc < 2) {
        fputs("usage: exit-status STATUS [return|exit|quick_exit|_exit]\n", stderr);
        return 2;
    }
    int status = atoi(argv[1]);
    atexit(last_handler);
    atexit(first_handler);
    at_quick_exit(quick_handler);

    puts("main");
    fflush(stdout);
    printf("not flushed by main\n");
    if (strcmp(how, "exit") == 0)
        exit(status);
    if (strcmp(how, "quick_exit") == 0)
        quick_exit(status);
    if (strcmp(how, "_exit") == 0)
        _exit(status);
    return status;
}
