/* SPDX-License-Identifier: ISC */
#define _GNU_SOURCE
#include "http.h"

#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define TIMEOUT_S  30 /* without anything that comes or goes */
#define LINE_SIZE  8192
#define FIELDS_MAX 200

__attribute__((format(printf, 1, 2))) static int complain(const char *format, ...)
{
    va_list arguments;

    fputs("fetch: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return -1;
}

static const char *io_error(FILE *in)
{
    if (!ferror(in))
        return "the connection ended too early";
    return errno == EAGAIN ? "no answer for 30 seconds" : strerror(errno);
}

/* A connection to the first address that answers, or -1. */
static int connect_to(const struct url *url)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    const struct timeval timeout = {.tv_sec = TIMEOUT_S};
    struct addrinfo *found;
    int error = getaddrinfo(url->host, url->port, &hints, &found), fd = -1;

    if (error)
        return complain("%s: %s", url->host,
                        error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
    error = 0;
    for (const struct addrinfo *each = found; each && fd < 0; each = each->ai_next) {
        fd = socket(each->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0) {
            error = errno;
            continue;
        }
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
        if (connect(fd, each->ai_addr, each->ai_addrlen) == 0)
            break;
        error = errno == EINPROGRESS ? ETIMEDOUT : errno;
        close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd < 0 ? complain("%s port %s: %s", url->host, url->port, strerror(error)) : fd;
}

static int send_request(int fd, const struct url *url)
{
    const char *open = url->bracketed ? "[" : "", *close = url->bracketed ? "]" : "";
    bool usual = strcmp(url->port, "80") == 0;
    char *text;
    int length =
        asprintf(&text,
                 "GET %s HTTP/1.1\r\nHost: %s%s%s%s%s\r\nUser-Agent: husk-fetch\r\n"
                 "Accept: */*\r\nConnection: close\r\n\r\n",
                 url->path, open, url->host, close, usual ? "" : ":", usual ? "" : url->port);
    ssize_t sent;

    if (length < 0)
        return complain("out of memory");
    sent = send(fd, text, (size_t)length, MSG_NOSIGNAL);
    free(text);
    return sent == length ? 0 : complain("%s: %s", url->host, strerror(errno));
}

/* A line without its end. Returns false at the end of the connection or when it is too long. */
static bool read_line(FILE *in, char line[LINE_SIZE])
{
    size_t length;

    if (!fgets(line, LINE_SIZE, in))
        return false;
    length = strlen(line);
    if (length == 0 || line[length - 1] != '\n')
        return false;
    line[--length] = '\0';
    if (length > 0 && line[length - 1] == '\r')
        line[length - 1] = '\0';
    return true;
}

static bool parse_length(const char *text, int64_t *length)
{
    char *end;

    errno = 0;
    *length = strtoll(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0;
}

/* "HTTP/1.1 200 OK" */
static int parse_status(const char *line, struct http *http)
{
    if (strncmp(line, "HTTP/1.", 7) != 0 || strlen(line) < 12 || line[8] != ' ' ||
        strspn(line + 9, "0123456789") != 3)
        return complain("the answer is not HTTP/1");
    snprintf(http->reason, sizeof(http->reason), "%.63s", line[12] ? line + 13 : "");
    return atoi(line + 9);
}

static int parse_field(char *line, struct http *http)
{
    char *value = strchr(line, ':');

    if (!value)
        return complain("the answer has a field without a name");
    *value++ = '\0';
    value += strspn(value, " \t");
    if (strcasecmp(line, "Content-Length") == 0 && !parse_length(value, &http->length))
        return complain("the answer's Content-Length is no number");
    if (strcasecmp(line, "Transfer-Encoding") == 0) {
        if (strcasecmp(value, "chunked") != 0)
            return complain("the answer's encoding %s is not known", value);
        http->chunked = true;
    }
    if (strcasecmp(line, "Location") == 0 && strlen(value) < sizeof(http->location))
        strcpy(http->location, value);
    return 0;
}

/* One head. Returns the status or -1. */
static int read_head(struct http *http)
{
    char line[LINE_SIZE];
    int status;

    http->length = -1;
    http->chunked = false;
    http->location[0] = '\0';
    if (!read_line(http->in, line))
        return complain("no answer: %s", io_error(http->in));
    status = parse_status(line, http);
    for (int i = 0; status >= 0; i++) {
        if (i == FIELDS_MAX || !read_line(http->in, line))
            return complain("the answer's head does not end: %s", io_error(http->in));
        if (line[0] == '\0')
            break;
        if (parse_field(line, http) < 0)
            status = -1;
    }
    return status;
}

int http_open(struct http *http, const struct url *url)
{
    int fd = connect_to(url), status;

    if (fd < 0)
        return -1;
    if (send_request(fd, url) < 0 || !(http->in = fdopen(fd, "r"))) {
        close(fd);
        return -1;
    }
    do
        status = read_head(http);
    while (status >= 100 && status < 200);
    if (status < 0)
        http_close(http);
    return status;
}

void http_close(struct http *http)
{
    fclose(http->in);
}

/* LENGTH bytes, or all until the end if that is -1. */
static int copy(FILE *in, FILE *out, int64_t length)
{
    static char data[64 << 10];

    while (length != 0) {
        size_t want = length < 0 || length > (int64_t)sizeof(data) ? sizeof(data) : (size_t)length;
        size_t got = fread(data, 1, want, in);

        if (fwrite(data, 1, got, out) != got)
            return -1; /* main tells */
        if (got < want)
            return length < 0 && !ferror(in) ? 0 : complain("%s", io_error(in));
        length -= length < 0 ? 0 : (int64_t)got;
    }
    return 0;
}

static int read_chunks(struct http *http, FILE *out)
{
    char line[LINE_SIZE];

    for (;;) {
        unsigned long long size;
        char *end;

        if (!read_line(http->in, line))
            return complain("%s", io_error(http->in));
        errno = 0;
        size = strtoull(line, &end, 16);
        if (end == line || errno || size > INT64_MAX || !strchr("; \t", *end))
            return complain("a chunk of the answer has no size");
        if (size == 0)
            return 0;
        if (copy(http->in, out, (int64_t)size) < 0)
            return -1;
        if (!read_line(http->in, line) || line[0] != '\0')
            return complain("a chunk of the answer does not end where it should");
    }
}

int http_read_body(struct http *http, FILE *out)
{
    return http->chunked ? read_chunks(http, out) : copy(http->in, out, http->length);
}
