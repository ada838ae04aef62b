/* SPDX-License-Identifier: ISC
 *
 * A server on Debian's static libevent, unmodified: GET /NAME answers "Hello, NAME", a POST its own
 * body, and /stop ends it.
 */
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>

static void answer(struct evhttp_request *request, void *base)
{
    struct evbuffer *out = evbuffer_new();

    (void)base;
    if (evhttp_request_get_command(request) == EVHTTP_REQ_POST)
        evbuffer_add_buffer(out, evhttp_request_get_input_buffer(request));
    else
        evbuffer_add_printf(out, "Hello, %s\n", evhttp_request_get_uri(request) + 1);
    evhttp_send_reply(request, 200, "OK", out);
    evbuffer_free(out);
}

static void stop(struct evhttp_request *request, void *base)
{
    const struct timeval soon = {.tv_usec = 100000};

    evhttp_send_reply(request, 200, "OK", NULL);
    event_base_loopexit(base, &soon);
}

int main(void)
{
    struct event_base *base = event_base_new();
    struct evhttp *http = base ? evhttp_new(base) : NULL;

    if (!http || evhttp_bind_socket(http, "0.0.0.0", 80) < 0) {
        perror("evhttpd");
        return 1;
    }
    printf("%s by %s\n", event_get_version(), event_base_get_method(base));
    fflush(stdout);
    evhttp_set_gencb(http, answer, base);
    evhttp_set_cb(http, "/stop", stop, base);
    event_base_dispatch(base);
    evhttp_free(http);
    event_base_free(base);
    puts("stopped");
    return 0;
}
