/* SPDX-License-Identifier: ISC */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>

int error_set(struct husk_error *err, int status, const char *format, ...)
{
    va_list args;

    err->status = status;
    va_start(args, format);
    vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    return -1;
}

int error_print(const struct husk_error *err)
{
    fprintf(stderr, "husk: %s\n", err->text);
    return err->status;
}
