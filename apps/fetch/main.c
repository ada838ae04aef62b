/* SPDX-License-Identifier: ISC
 *
 * fetch: get a URL by HTTP/1.1, to standard output or a file.
 *
 *     husk run --connect example.org:80 build/apps/fetch http://example.org/
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http.h"

#define REDIRECTIONS_MAX 5

static const char usage[] = "usage: fetch [--help] [-o FILE] http://HOST[:PORT][/PATH]\n"
                            "Writes what the URL names to standard output or to FILE.\n";

static _Noreturn void refuse(void)
{
    fputs(usage, stderr);
    exit(2);
}

/* Follow redirections, then write the body to OUT. Returns the exit status. */
static int fetch(const char *start, FILE *out)
{
    static struct url url;
    char location[URL_MAX];

    snprintf(location, sizeof(location), "%s", start);
    for (int i = 0; i <= REDIRECTIONS_MAX; i++) {
        struct http http;
        const char *error = url_parse(location, &url);
        int status;

        if (error) {
            fprintf(stderr, "fetch: %s: %s\n", location, error);
            return 1;
        }
        status = http_open(&http, &url);
        if (status < 0)
            return 1;
        if (status >= 300 && status < 400 && http.location[0]) {
            http_close(&http);
            url_join(&url, http.location, location);
            continue;
        }
        if (status != 200) {
            fprintf(stderr, "fetch: %s: %d %s\n", location, status, http.reason);
            http_close(&http);
            return 1;
        }
        status = http_read_body(&http, out);
        http_close(&http);
        return status < 0 ? 1 : 0;
    }
    fprintf(stderr, "fetch: %s: more than %d redirections\n", start, REDIRECTIONS_MAX);
    return 1;
}

int main(int argc, char **argv)
{
    const char *file = NULL;
    FILE *out = stdout;
    int status;

    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return fputs(usage, stdout) == EOF || fflush(stdout) == EOF;
    for (int option; (option = getopt(argc, argv, "o:")) != -1;) {
        if (option != 'o')
            refuse();
        file = optarg;
    }
    if (argc - optind != 1)
        refuse();
    if (strlen(argv[optind]) >= URL_MAX) {
        fprintf(stderr, "fetch: the URL is longer than %d bytes\n", URL_MAX - 1);
        return 1;
    }
    if (file && !(out = fopen(file, "w"))) {
        fprintf(stderr, "fetch: %s: %s\n", file, strerror(errno));
        return 1;
    }
    status = fetch(argv[optind], out);
    if (fflush(out) != 0 || ferror(out) || (file && fclose(out) != 0)) {
        fprintf(stderr, "fetch: %s: %s\n", file ? file : "standard output", strerror(errno));
        return 1;
    }
    return status;
}
