/* SPDX-License-Identifier: ISC
 *
 * Errors as values: filled where something fails, printed once by the command.
 */
#ifndef HUSK_ERROR_H
#define HUSK_ERROR_H

/* Exit statuses of husk's own, as timeout(1) and env(1) use them; docs/husk.1 lists them all. */
enum {
    STATUS_TIME_LIMIT = 124,
    STATUS_HUSK = 125,     /* husk failed: host, options, resources */
    STATUS_IMAGE = 126,    /* the image cannot be run */
    STATUS_NOT_FOUND = 127 /* no such image */
};

struct husk_error {
    int status;     /* what the process exits with */
    char text[600]; /* one line without "husk: " and newline: object, cause, way out */
};

/*
 * Fill ERR, which may not be NULL, and return -1, so that a caller can `return error_set(...)`.
 */
int error_set(struct husk_error *err, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Print "husk: TEXT" to standard error and return the status. */
int error_print(const struct husk_error *err);

#endif
