/* SPDX-License-Identifier: ISC */
/*
 * What the guest tests share. Each check prints one line, which must be the same natively and under
 * husk, and is wrong in either place if it ends in NO. Include this header first.
 */
#ifndef GUEST_CHECK_H
#define GUEST_CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static int failed_checks;

/* An address where nothing is; the compiler does not know. */
static void *volatile nowhere __attribute__((unused)) = (void *)8;

__attribute__((format(printf, 2, 3))) static inline void check(bool ok, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    puts(ok ? ": yes" : ": NO");
    failed_checks += !ok;
}

static inline const char *error_name(int error)
{
    static const char *const names[] = {
        [0] = "no error",
        [ENOENT] = "ENOENT",
        [EBADF] = "EBADF",
        [ENOMEM] = "ENOMEM",
        [EACCES] = "EACCES",
        [EFAULT] = "EFAULT",
        [EEXIST] = "EEXIST",
        [ENOTDIR] = "ENOTDIR",
        [EISDIR] = "EISDIR",
        [EINVAL] = "EINVAL",
        [EMFILE] = "EMFILE",
        [ENOTTY] = "ENOTTY",
        [ESPIPE] = "ESPIPE",
        [EROFS] = "EROFS",
        [ERANGE] = "ERANGE",
        [ENAMETOOLONG] = "ENAMETOOLONG",
        [ENOSYS] = "ENOSYS",
        [ELOOP] = "ELOOP",
        [EOVERFLOW] = "EOVERFLOW",
        [EPERM] = "EPERM",
        [ENOTEMPTY] = "ENOTEMPTY",
        [EXDEV] = "EXDEV",
        [EBUSY] = "EBUSY",
        [EAGAIN] = "EAGAIN",
        [ENODEV] = "ENODEV",
        [EFBIG] = "EFBIG",
        [ENOSPC] = "ENOSPC",
        [ENXIO] = "ENXIO",
        [EOPNOTSUPP] = "EOPNOTSUPP",
        [EPIPE] = "EPIPE",
        [EPROTOTYPE] = "EPROTOTYPE",
        [EINTR] = "EINTR",
        [ENFILE] = "ENFILE",
        [EDOM] = "EDOM",
        [ENOTSOCK] = "ENOTSOCK",
        [EDESTADDRREQ] = "EDESTADDRREQ",
        [EMSGSIZE] = "EMSGSIZE",
        [ENOPROTOOPT] = "ENOPROTOOPT",
        [EPROTONOSUPPORT] = "EPROTONOSUPPORT",
        [ESOCKTNOSUPPORT] = "ESOCKTNOSUPPORT",
        [EAFNOSUPPORT] = "EAFNOSUPPORT",
        [EADDRINUSE] = "EADDRINUSE",
        [EADDRNOTAVAIL] = "EADDRNOTAVAIL",
        [ENETUNREACH] = "ENETUNREACH",
        [ECONNRESET] = "ECONNRESET",
        [EISCONN] = "EISCONN",
        [ENOTCONN] = "ENOTCONN",
        [ECONNREFUSED] = "ECONNREFUSED",
        [ESRCH] = "ESRCH",
        [EDEADLK] = "EDEADLK",
        [ETIMEDOUT] = "ETIMEDOUT",
        [EOWNERDEAD] = "EOWNERDEAD",
        [ENOTRECOVERABLE] = "ENOTRECOVERABLE",
        [ECHILD] = "ECHILD",
    };
    bool known = error >= 0 && (size_t)error < sizeof names / sizeof *names && names[error];

    return known ? names[error] : "another error";
}

/* For a call that must return -1 and set errno: prints the error that it gave. */
__attribute__((format(printf, 3, 4))) static inline void check_error(long result, int expected,
                                                                     const char *format, ...)
{
    int error = result == -1 ? errno : 0;
    va_list arguments;

    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf(": %s%s\n", error_name(error), error == expected ? "" : " (WRONG)");
    failed_checks += error != expected;
}

/* The same for a function that returns the error, as those of pthread do; 0 may be expected too. */
__attribute__((format(printf, 3, 4))) static inline void check_code(int error, int expected,
                                                                    const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf(": %s%s\n", error_name(error), error == expected ? "" : " (WRONG)");
    failed_checks += error != expected;
}

/* Prints a string of any bytes so that its extent can be seen. */
static inline void print_quoted(const char *string)
{
    putchar('"');
    for (; *string != '\0'; string++) {
        unsigned char byte = (unsigned char)*string;
        if (byte < ' ' || byte > '~' || byte == '"' || byte == '\\')
            printf("\\%03o", byte);
        else
            putchar(byte);
    }
    putchar('"');
}

static inline int exit_status(void)
{
    return failed_checks == 0 ? 0 : 1;
}

#endif
