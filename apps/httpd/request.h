/* SPDX-License-Identifier: ISC
 *
 * The head of an HTTP/1 request (RFC 9112).
 */
#ifndef HTTPD_REQUEST_H
#define HTTPD_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_MAX 8192 /* bytes of a head */

struct request {
    const char *method, *target; /* inside the head that was parsed, terminated */
    char path[REQUEST_MAX];      /* of the target, decoded: starts with '/' */
    bool head;                   /* HEAD */
    bool keep_alive;
    const char *range, *if_range, *if_modified_since, *if_none_match; /* or NULL */
};

/* Bytes of the first head in LENGTH bytes of TEXT, with the empty line; 0: it is not complete. */
size_t request_length(const char *text, size_t length);

/* Parse the head of LENGTH bytes, which is changed. Returns 0 or the status of the error. */
int request_parse(char *text, size_t length, struct request *request);

/*
 * "bytes=FIRST-LAST" for a body of SIZE bytes: *FIRST and *COUNT. Returns 206, 200 (not a range
 * that we serve: the whole body) or 416.
 */
int request_range(const char *range, uint64_t size, uint64_t *first, uint64_t *count);

#endif
