/* SPDX-License-Identifier: ISC */
#define _GNU_SOURCE
#include "request.h"

#include <string.h>
#include <strings.h>

size_t request_length(const char *text, size_t length)
{
    const char *at = text, *end = text + length;

    /* Lines may end in a bare line feed (RFC 9112, 2.2). */
    while ((at = memchr(at, '\n', (size_t)(end - at)))) {
        at++;
        if (at < end && *at == '\n')
            return (size_t)(at + 1 - text);
        if (at + 1 < end && at[0] == '\r' && at[1] == '\n')
            return (size_t)(at + 2 - text);
    }
    return 0;
}

/* The next line of *TEXT, terminated in place. */
static char *next_line(char **text)
{
    char *line = *text, *end = strchr(line, '\n');

    *text = end + 1;
    if (end > line && end[-1] == '\r')
        end--;
    *end = '\0';
    return line;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decode the target's path. Returns 0 or a status. */
static int decode_path(const char *target, char *path)
{
    size_t used = 0;

    for (; *target && *target != '?' && *target != '#'; target++) {
        char c = *target;

        if (c == '%') {
            int high = hex_digit(target[1]), low = high < 0 ? -1 : hex_digit(target[2]);

            if (low < 0 || (high == 0 && low == 0))
                return 400;
            c = (char)(high << 4 | low);
            target += 2;
        }
        path[used++] = c;
    }
    path[used] = '\0';
    return 0;
}

/* Does a segment of the path lead upwards? */
static bool leads_up(const char *path)
{
    for (const char *at = path; (at = strstr(at, "/..")); at += 3)
        if (at[3] == '/' || at[3] == '\0')
            return true;
    return false;
}

/* "METHOD TARGET HTTP/1.x" */
static int parse_first_line(char *line, struct request *request, bool *http10)
{
    char *target = strchr(line, ' '), *version = target ? strchr(target + 1, ' ') : NULL;
    const char *path;
    int status;

    if (!version || version[1] == '\0' || target == line)
        return 400;
    *target++ = *version++ = '\0';
    if (strncmp(version, "HTTP/", 5) != 0)
        return 400;
    if (strncmp(version, "HTTP/1.", 7) != 0 || strlen(version) != 8)
        return 505;
    *http10 = version[7] == '0';
    request->method = line;
    request->target = path = target;
    /* A proxy's form: http://host/path */
    if (strncasecmp(path, "http://", 7) == 0) {
        path = strchr(path + 7, '/');
        path = path ? path : "/";
    }
    if (*path != '/')
        return 400;
    status = decode_path(path, request->path);
    if (status == 0 && leads_up(request->path))
        status = 403;
    if (status != 0)
        return status;
    request->head = strcmp(line, "HEAD") == 0;
    return request->head || strcmp(line, "GET") == 0 ? 0 : 405;
}

/* Is TOKEN in the comma-separated LIST? */
static bool has_token(const char *list, const char *token)
{
    size_t length = strlen(token);

    while (*list) {
        list += strspn(list, " \t,");
        size_t this = strcspn(list, " \t,");
        if (this == length && strncasecmp(list, token, length) == 0)
            return true;
        list += this;
    }
    return false;
}

struct fields {
    bool host, http10, body;
};

static int parse_field(char *line, struct request *request, struct fields *fields)
{
    char *colon = strchr(line, ':'), *value;

    /* White space before the colon, and continued lines, have been ways to fool servers. */
    if (!colon || colon == line || strcspn(line, " \t") < (size_t)(colon - line))
        return 400;
    *colon = '\0';
    value = colon + 1 + strspn(colon + 1, " \t");
    for (char *end = value + strlen(value); end > value && (end[-1] == ' ' || end[-1] == '\t');)
        *--end = '\0';
    if (strcasecmp(line, "Host") == 0) {
        if (fields->host)
            return 400;
        fields->host = true;
    } else if (strcasecmp(line, "Connection") == 0) {
        if (has_token(value, "close"))
            request->keep_alive = false;
        else if (fields->http10 && has_token(value, "keep-alive"))
            request->keep_alive = true;
    } else if (strcasecmp(line, "Content-Length") == 0) {
        fields->body |= strcmp(value, "0") != 0;
    } else if (strcasecmp(line, "Transfer-Encoding") == 0) {
        fields->body = true;
    } else if (strcasecmp(line, "Range") == 0) {
        request->range = value;
    } else if (strcasecmp(line, "If-Range") == 0) {
        request->if_range = value;
    } else if (strcasecmp(line, "If-Modified-Since") == 0) {
        request->if_modified_since = value;
    } else if (strcasecmp(line, "If-None-Match") == 0) {
        request->if_none_match = value;
    }
    return 0;
}

int request_parse(char *text, size_t length, struct request *request)
{
    struct fields fields = {0};
    int status;

    *request = (struct request){0};
    if (memchr(text, '\0', length))
        return 400;
    status = parse_first_line(next_line(&text), request, &fields.http10);
    if (status != 0 && status != 405)
        return status;
    request->keep_alive = !fields.http10;
    for (;;) {
        char *line = next_line(&text);
        int bad;

        if (*line == '\0')
            break;
        bad = parse_field(line, request, &fields);
        if (bad) {
            request->keep_alive = false;
            return bad;
        }
    }
    if (!fields.host && !fields.http10)
        status = 400;
    /* A body is not read: what follows the head is no request then. */
    if (fields.body || status != 0)
        request->keep_alive = false;
    return status;
}

/* Digits at *TEXT up to a bound far above any file. */
static bool parse_number(const char **text, uint64_t *value)
{
    const char *start = *text;

    for (*value = 0; **text >= '0' && **text <= '9'; ++*text)
        if (*value < UINT64_MAX / 16)
            *value = *value * 10 + (uint64_t)(**text - '0');
    return *text > start;
}

int request_range(const char *range, uint64_t size, uint64_t *first, uint64_t *count)
{
    uint64_t last;
    bool from_start, has_last;

    *first = 0;
    *count = size;
    if (strncasecmp(range, "bytes=", 6) != 0)
        return 200;
    range += 6;
    from_start = parse_number(&range, first);
    if (*range++ != '-')
        return 200;
    has_last = parse_number(&range, &last);
    if (*range != '\0' || (!from_start && !has_last) || (from_start && has_last && last < *first)) {
        *first = 0;
        return 200; /* several ranges, or none: RFC 9110 lets us send all */
    }
    if (!from_start) {
        if (last == 0)
            return 416;
        *first = last < size ? size - last : 0;
        last = size - 1;
    } else if (!has_last || last >= size) {
        last = size - 1;
    }
    if (*first >= size)
        return 416;
    *count = last - *first + 1;
    return 206;
}
