/* SPDX-License-Identifier: ISC
 *
 * What a path names: a file, a directory's list, or an error's page. Small files stay in memory and
 * are looked at again after a second.
 */
#ifndef HTTPD_CONTENT_H
#define HTTPD_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct content {
    unsigned references;
    const char *type; /* of media */
    uint64_t size;
    time_t modified; /* 0: not known */
    char *data;      /* or NULL: FD has it */
    int fd;
    bool is_redirection; /* to the path with a slash behind it */
};

/* Serve what lies below DIRECTORY. Returns 0 or -1 with errno set. */
int content_root(const char *directory);

/* Open PATH ("/a/b", decoded). *CONTENT is to be given to content_release. 0 or a status. */
int content_open(const char *path, struct content **content);
void content_release(struct content *content);

#endif
