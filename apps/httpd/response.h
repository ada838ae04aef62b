/* SPDX-License-Identifier: ISC
 *
 * The answer to a request: a head, and content or the page of an error.
 */
#ifndef HTTPD_RESPONSE_H
#define HTTPD_RESPONSE_H

#include "content.h"
#include "request.h"

#define HEAD_MAX (3 * REQUEST_MAX + 1024) /* a redirection repeats the path, encoded */

struct response {
    int status;
    bool keep_alive;
    char head[HEAD_MAX];
    size_t head_length;      /* with the page of an error behind it */
    struct content *content; /* or NULL; taken by content_release */
    uint64_t offset, left;   /* of the content, to be sent */
};

/* STATUS is request_parse's: 0 or an error. */
void response_make(struct response *response, const struct request *request, int status);

#endif
