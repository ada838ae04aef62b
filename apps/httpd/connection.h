/* SPDX-License-Identifier: ISC
 *
 * One client: its requests, one after the other, and what is on its way to it.
 */
#ifndef HTTPD_CONNECTION_H
#define HTTPD_CONNECTION_H

#include "response.h"

struct connection {
    struct connection *older, *newer; /* by the last time that something moved */
    long long moved_ns;
    int fd;
    bool wants_room;     /* waits until it can send, not for requests */
    bool sending;        /* a response is on its way */
    bool closing;        /* nothing follows the response */
    size_t used, parsed; /* of INPUT */
    size_t dropped;      /* bytes that came after the last response, and 1 */
    size_t head_sent;
    struct response response;
    char input[REQUEST_MAX + 1];
};

enum connection_result { CONNECTION_WAITS, CONNECTION_OVER };

/* Read what came and answer it, as far as that goes without waiting. */
enum connection_result connection_receive(struct connection *connection);
/* Go on sending, and then with requests that have come already. */
enum connection_result connection_send(struct connection *connection);
/* Close it and give back what it holds, but not CONNECTION itself. */
void connection_end(struct connection *connection);

/* Whether requests are printed. */
extern bool connection_log;

#endif
