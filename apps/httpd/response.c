/* SPDX-License-Identifier: ISC */
#define _GNU_SOURCE
#include "response.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"

static const char *reason_of(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 206:
        return "Partial Content";
    case 301:
        return "Moved Permanently";
    case 304:
        return "Not Modified";
    case 400:
        return "Bad Request";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 408:
        return "Request Timeout";
    case 414:
        return "URI Too Long";
    case 416:
        return "Range Not Satisfiable";
    case 431:
        return "Request Header Fields Too Large";
    case 503:
        return "Service Unavailable";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return "Internal Server Error";
    }
}

__attribute__((format(printf, 2, 3))) static void put(struct response *response, const char *format,
                                                      ...)
{
    size_t room = sizeof(response->head) - response->head_length;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(response->head + response->head_length, room, format, arguments);
    va_end(arguments);
    response->head_length += (size_t)length < room ? (size_t)length : room - 1;
}

/* IMF-fixdate of RFC 9110, 5.6.7. */
static void format_date(time_t time, char text[32])
{
    struct tm tm;

    gmtime_r(&time, &tm);
    strftime(text, 32, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

/* It changes once a second. */
static const char *date_now(void)
{
    static char text[32];
    static time_t shown;

    if (clock_seconds != shown)
        format_date(clock_seconds, text);
    shown = clock_seconds;
    return text;
}

static void start(struct response *response, int status)
{
    response->status = status;
    response->head_length = 0;
    put(response, "HTTP/1.1 %d %s\r\nServer: husk-httpd\r\nDate: %s\r\n%s", status,
        reason_of(status), date_now(), response->keep_alive ? "" : "Connection: close\r\n");
}

/* The page that says what went wrong, behind the head. MORE are further fields. */
static void make_error(struct response *response, int status, bool head, const char *more)
{
    char page[200];
    int length =
        snprintf(page, sizeof(page), "<!doctype html>\n<title>%d</title>\n<h1>%d %s</h1>\n", status,
                 status, reason_of(status));

    content_release(response->content);
    response->content = NULL;
    response->left = 0;
    start(response, status);
    put(response, "%sContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s", more,
        length, head ? "" : page);
}

static void make_redirection(struct response *response, const struct request *request)
{
    content_release(response->content);
    response->content = NULL;
    start(response, 301);
    put(response, "Location: ");
    for (const char *at = request->path; *at; at++)
        /* Two slashes at the start would name a host. */
        if (at > request->path + 1 || *at != '/' || at == request->path)
            put(response,
                strchr("-._~/", *at) || (*at >= '0' && *at <= '9') ||
                        ((*at | 0x20) >= 'a' && (*at | 0x20) <= 'z')
                    ? "%c"
                    : "%%%02X",
                (unsigned char)*at);
    put(response, "/\r\nContent-Length: 0\r\n\r\n");
}

/* Does the client have this version already? */
static bool is_known(const struct request *request, const char *tag, const char *date)
{
    if (request->if_none_match)
        return strcmp(request->if_none_match, "*") == 0 || strstr(request->if_none_match, tag);
    /* Clients send back the date that they got. */
    return request->if_modified_since && strcmp(request->if_modified_since, date) == 0;
}

static void make_content(struct response *response, const struct request *request)
{
    const struct content *content = response->content;
    char tag[48], date[32] = "", more[80];
    int status = 200;

    response->offset = 0;
    response->left = content->size;
    if (content->modified) {
        snprintf(tag, sizeof(tag), "\"%llx-%" PRIx64 "\"", (unsigned long long)content->modified,
                 content->size);
        format_date(content->modified, date);
        if (is_known(request, tag, date))
            status = 304;
        else if (request->range && (!request->if_range || strcmp(request->if_range, tag) == 0 ||
                                    strcmp(request->if_range, date) == 0))
            status =
                request_range(request->range, content->size, &response->offset, &response->left);
    }
    if (status == 416) {
        snprintf(more, sizeof(more), "Content-Range: bytes */%" PRIu64 "\r\n", content->size);
        make_error(response, 416, request->head, more);
        return;
    }
    start(response, status);
    if (content->modified)
        put(response, "Last-Modified: %s\r\nETag: %s\r\nAccept-Ranges: bytes\r\n", date, tag);
    if (status == 206)
        put(response, "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n",
            response->offset, response->offset + response->left - 1, content->size);
    if (status != 304)
        put(response, "Content-Type: %s\r\nContent-Length: %" PRIu64 "\r\n", content->type,
            response->left);
    put(response, "\r\n");
    if (status == 304 || request->head)
        response->left = 0;
}

void response_make(struct response *response, const struct request *request, int status)
{
    response->keep_alive = request->keep_alive;
    response->content = NULL;
    response->left = 0;
    if (status == 0)
        status = content_open(request->path, &response->content);
    if (status != 0)
        make_error(response, status, request->head, status == 405 ? "Allow: GET, HEAD\r\n" : "");
    else if (response->content->is_redirection)
        make_redirection(response, request);
    else
        make_content(response, request);
}
