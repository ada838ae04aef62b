/* SPDX-License-Identifier: ISC */
#include "directory.h"

#include "harness.h"

const char *directory;

const char *in_directory(const char *name)
{
    return text("%s/%s", directory, name);
}

int make_directory(void **state)
{
    (void)state;
    directory = directory_make();
    return 0;
}

int remove_directory(void **state)
{
    (void)state;
    directory_remove(directory);
    return 0;
}
