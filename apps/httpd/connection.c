/* SPDX-License-Identifier: ISC */
#define _GNU_SOURCE
#include "connection.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define PIECE       (1 << 20) /* bytes of a file at once */
#define DROPPED_MAX (1 << 20)

bool connection_log;

void connection_end(struct connection *connection)
{
    if (connection->sending)
        content_release(connection->response.content);
    close(connection->fd);
}

/* Head and content in memory, with one call. Returns bytes or -1. */
static ssize_t send_memory(struct connection *connection)
{
    struct response *response = &connection->response;
    const struct content *content = response->content;
    bool more = content && !content->data && response->left > 0;
    struct iovec iov[2] = {
        {response->head + connection->head_sent, response->head_length - connection->head_sent}};
    struct msghdr message = {.msg_iov = iov, .msg_iovlen = 1};
    ssize_t sent;

    if (content && content->data && response->left > 0)
        iov[message.msg_iovlen++] =
            (struct iovec){content->data + response->offset, response->left};
    sent = sendmsg(connection->fd, &message, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    if (sent <= 0)
        return sent;
    size_t of_head = (size_t)sent < iov[0].iov_len ? (size_t)sent : iov[0].iov_len;
    connection->head_sent += of_head;
    response->offset += (size_t)sent - of_head;
    response->left -= (size_t)sent - of_head;
    return sent;
}

static ssize_t send_file(struct connection *connection)
{
    struct response *response = &connection->response;
    off_t offset = (off_t)response->offset;
    ssize_t sent = sendfile(connection->fd, response->content->fd, &offset,
                            response->left < PIECE ? response->left : PIECE);

    if (sent == 0)
        errno = EIO; /* the file became shorter: the client must not take it for whole */
    if (sent <= 0)
        return -1;
    response->offset += (size_t)sent;
    response->left -= (size_t)sent;
    return sent;
}

/* 1: the response is sent, 0: it waits for room, -1: the connection is lost. */
static int send_response(struct connection *connection)
{
    struct response *response = &connection->response;

    while (connection->head_sent < response->head_length || response->left > 0) {
        bool file = connection->head_sent == response->head_length && !response->content->data;

        if ((file ? send_file(connection) : send_memory(connection)) < 0)
            return errno == EAGAIN ? 0 : -1;
    }
    content_release(response->content);
    connection->sending = false;
    return 1;
}

static void log_request(const struct connection *connection, const struct request *request)
{
    if (connection_log)
        printf("%d %s %s\n", connection->response.status, request->method ? request->method : "-",
               request->target ? request->target : "-");
}

/* Make the response to the next request that is complete. False: there is none. */
static bool next_response(struct connection *connection)
{
    static struct request request;
    char *text = connection->input + connection->parsed;
    size_t left = connection->used - connection->parsed;
    size_t length = request_length(text, left);
    int status;

    if (length == 0 && left < REQUEST_MAX)
        return false;
    if (length == 0) {
        request = (struct request){0};
        status = memchr(text, '\n', left) ? 431 : 414;
        connection->parsed = connection->used;
    } else {
        status = request_parse(text, length, &request);
        connection->parsed += length;
    }
    response_make(&connection->response, &request, status);
    connection->head_sent = 0;
    connection->sending = true;
    connection->closing = !connection->response.keep_alive;
    log_request(connection, &request);
    return true;
}

/* Empty lines before a request are skipped (RFC 9112, 2.2); the rest goes to the buffer's start. */
static void compact(struct connection *connection)
{
    while (connection->parsed < connection->used &&
           strchr("\r\n", connection->input[connection->parsed]) &&
           connection->input[connection->parsed])
        connection->parsed++;
    connection->used -= connection->parsed;
    memmove(connection->input, connection->input + connection->parsed, connection->used);
    connection->parsed = 0;
}

enum connection_result connection_send(struct connection *connection)
{
    connection->wants_room = false;
    for (;;) {
        int sent;

        if (!connection->sending) {
            compact(connection);
            if (!next_response(connection))
                return CONNECTION_WAITS;
        }
        sent = send_response(connection);
        if (sent < 0)
            return CONNECTION_OVER;
        if (sent == 0) {
            connection->wants_room = true;
            return CONNECTION_WAITS;
        }
        if (connection->closing) {
            shutdown(connection->fd, SHUT_WR);
            connection->dropped = 1;
            return CONNECTION_WAITS;
        }
    }
}

/* Closing while something unread is there would reset the connection, and the client might lose the
 * end of the response: wait until it closes. */
static enum connection_result drop(struct connection *connection)
{
    ssize_t got = recv(connection->fd, connection->input, REQUEST_MAX, 0);

    connection->dropped += got > 0 ? (size_t)got : 0;
    return (got < 0 && errno == EAGAIN) || (got > 0 && connection->dropped < DROPPED_MAX)
               ? CONNECTION_WAITS
               : CONNECTION_OVER;
}

enum connection_result connection_receive(struct connection *connection)
{
    if (connection->dropped > 0)
        return drop(connection);

    ssize_t got = recv(connection->fd, connection->input + connection->used,
                       REQUEST_MAX - connection->used, 0);

    if (got < 0)
        return errno == EAGAIN ? CONNECTION_WAITS : CONNECTION_OVER;
    if (got == 0)
        return CONNECTION_OVER;
    connection->used += (size_t)got;
    return connection_send(connection);
}
