/* SPDX-License-Identifier: ISC
 *
 * One request of HTTP/1.1 and its answer (RFC 9112).
 */
#ifndef FETCH_HTTP_H
#define FETCH_HTTP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define URL_MAX 4096

struct url {
    char host[256]; /* without the brackets of an IPv6 address */
    char port[6];
    char path[URL_MAX]; /* with the query */
    bool bracketed;
};

/* Returns NULL or what is wrong with TEXT. */
const char *url_parse(const char *text, struct url *url);
/* The address that LOCATION, as found at BASE, leads to. */
void url_join(const struct url *base, const char *location, char joined[URL_MAX]);

struct http {
    FILE *in;
    char reason[64];
    char location[URL_MAX]; /* of a redirection, or "" */
    bool chunked;
    int64_t length; /* of the body, -1: until the connection ends */
};

/* Connect, ask, and read the answer's head. Returns its status, or -1: the error was printed. */
int http_open(struct http *http, const struct url *url);
/* Write the body to OUT. 0, or -1: the error was printed. */
int http_read_body(struct http *http, FILE *out);
void http_close(struct http *http);

#endif
