/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "http.h"

static bool is_port(const char *text, size_t length)
{
    return length > 0 && length < 6 && strspn(text, "0123456789") >= length;
}

const char *url_parse(const char *text, struct url *url)
{
    const char *host = text + 7, *path, *colon;
    size_t length;

    *url = (struct url){.port = "80"};
    if (strncmp(text, "https://", 8) == 0)
        return "https is not supported; give an http:// URL";
    if (strncmp(text, "http://", 7) != 0)
        return "give an http:// URL";
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at <= ' ' || *at == 0x7f)
            return "a URL has no spaces or control characters";
    path = host + strcspn(host, "/?#");
    snprintf(url->path, sizeof(url->path), "%s%.*s", *path == '/' ? "" : "/",
             (int)strcspn(path, "#"), path);
    url->bracketed = *host == '[';
    colon = url->bracketed ? memchr(host, ']', (size_t)(path - host)) : host;
    if (!colon)
        return "']' is missing";
    colon = memchr(colon, ':', (size_t)(path - colon));
    if (colon && !is_port(colon + 1, (size_t)(path - colon - 1)))
        return "the port is not a number";
    if (colon)
        snprintf(url->port, sizeof(url->port), "%.*s", (int)(path - colon - 1), colon + 1);
    length = (size_t)((colon ? colon : path) - host);
    if (url->bracketed) {
        host++;
        length -= 2;
    }
    if (length == 0 || length >= sizeof(url->host))
        return "the host's name is missing or too long";
    memcpy(url->host, host, length);
    return NULL;
}

void url_join(const struct url *base, const char *location, char joined[URL_MAX])
{
    const char *open = base->bracketed ? "[" : "", *close = base->bracketed ? "]" : "";
    int directory = (int)(strrchr(base->path, '/') - base->path) + 1;

    if (strstr(location, "://"))
        snprintf(joined, URL_MAX, "%s", location);
    else if (strncmp(location, "//", 2) == 0)
        snprintf(joined, URL_MAX, "http:%s", location);
    else
        snprintf(joined, URL_MAX, "http://%s%s%s:%s%.*s%s", open, base->host, close, base->port,
                 *location == '/' ? 0 : directory, base->path, location);
}
