/* SPDX-License-Identifier: ISC */
/* Environment: shows the variables whose names start with HUSK_TEST_, then changes its own. */
#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char prefix[] = "HUSK_TEST_";

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_variables(void)
{
    char *found[64];
    size_t count = 0;

    for (char **e = environ; *e != NULL && count < 64; e++)
        if (strncmp(*e, prefix, strlen(prefix)) == 0)
            found[count++] = *e;
    qsort(found, count, sizeof *found, compare_strings);
    printf("%zu variables\n", count);
    for (size_t i = 0; i < count; i++) {
        print_quoted(found[i]);
        putchar('\n');
    }
}

static bool equals(const char *name, const char *value)
{
    const char *found = getenv(name);

    return found != NULL && strcmp(found, value) == 0;
}

int main(void)
{
    static char assignment[] = "HUSK_TEST_PUT=put";

    print_variables();
    check(getenv("HUSK_TEST_MISSING") == NULL, "a missing variable is not found");
    check(getenv("HUSK_TEST") == NULL, "the start of a name is not found");

    setenv("HUSK_TEST_SET", "first", 0);
    setenv("HUSK_TEST_SET", "second", 0);
    check(equals("HUSK_TEST_SET", "first"), "setenv without overwrite keeps the value");
    setenv("HUSK_TEST_SET", "third", 1);
    check(equals("HUSK_TEST_SET", "third"), "setenv with overwrite changes it");
    putenv(assignment);
    memcpy(assignment + strlen("HUSK_TEST_PUT="), "PUT", 3);
    check(equals("HUSK_TEST_PUT", "PUT"), "putenv keeps the caller's string");
    unsetenv("HUSK_TEST_SET");
    check(getenv("HUSK_TEST_SET") == NULL, "unsetenv removes a variable");
    check_error(setenv("a=b", "", 1), EINVAL, "setenv of a name with =");

    for (int i = 0; i < 500; i++) {
        char name[32];
        snprintf(name, sizeof name, "%sMANY_%03d", prefix, i);
        setenv(name, name, 1);
    }
    check(equals("HUSK_TEST_MANY_000", "HUSK_TEST_MANY_000"), "the first of 500 is there");
    check(equals("HUSK_TEST_MANY_499", "HUSK_TEST_MANY_499"), "the last of 500 is there");
    clearenv();
    check(getenv("HUSK_TEST_PUT") == NULL, "clearenv removes all");
    return exit_status();
}
