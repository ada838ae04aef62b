/* SPDX-License-Identifier: ISC */
#include "handles.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "resolve.h"

#define INDEX_BITS 16

/* Bytes of a directory's name: directories that are moved below others, again and again, have names
 * longer than a path can be. */
#define NAME_LENGTH_MAX (4 * HUSK_PATH_MAX)

void handles_init(struct handles *handles, const uint8_t stdio_kind[3])
{
    handles->max_files = handles->max_sockets = UINT64_MAX;
    for (int fd = 0; fd < 3; fd++)
        handles->table[fd] = (struct handle){.kind = stdio_kind[fd], .dir.fd = fd, .writer = -1};
}

/* A free entry, if COUNT may grow; else -errno. */
static int find_free(struct handles *handles, uint64_t count, uint64_t most, struct handle **free)
{
    if (count >= most)
        return -EMFILE;
    for (struct handle *handle = handles->table + 3; handle < handles->table + HANDLES_MAX;
         handle++)
        if (handle->kind == HUSK_KIND_NONE) {
            *free = handle;
            return 0;
        }
    return -ENFILE;
}

static int64_t number_of(const struct handles *handles, const struct handle *handle)
{
    return (handle - handles->table) | (int64_t)handle->generation << INDEX_BITS;
}

int64_t handles_insert(struct handles *handles, struct opened *opened)
{
    struct handle *handle;
    int ret = find_free(handles, handles->files, handles->max_files, &handle);

    if (ret < 0) {
        if (opened->fd >= 0)
            close(opened->fd);
        free(opened->path);
        return ret;
    }
    handles->files++;
    *handle = (struct handle){
        .kind = opened->kind,
        .generation = handle->generation,
        .writable = opened->writable,
        .mount = opened->mount,
        .writer = -1,
        .dir = {.fd = opened->fd, .path = opened->path},
    };
    return number_of(handles, handle);
}

int64_t handles_insert_socket(struct handles *handles, struct net_socket *socket, int fd)
{
    struct handle *handle;
    int ret = find_free(handles, handles->sockets, handles->max_sockets, &handle);

    if (ret < 0) {
        net_socket_close(socket, fd);
        return ret;
    }
    handles->sockets++;
    *handle = (struct handle){
        .kind = HUSK_KIND_SOCKET,
        .generation = handle->generation,
        .writer = -1,
        .dir = {.fd = fd},
        .socket = socket,
    };
    return number_of(handles, handle);
}

struct handle *handles_get(struct handles *handles, uint64_t number)
{
    uint64_t index = number & ((1 << INDEX_BITS) - 1);
    struct handle *handle;

    if (index >= HANDLES_MAX)
        return NULL;
    handle = &handles->table[index];
    if (handle->kind == HUSK_KIND_NONE || handle->generation != number >> INDEX_BITS)
        return NULL;
    return handle;
}

/* PATH if it is DIR or below it: what follows DIR. */
static const char *rest_below(const char *path, const char *dir)
{
    size_t len = strlen(dir);

    return strncmp(path, dir, len) == 0 && (path[len] == '/' || path[len] == 0) ? path + len : NULL;
}

void handles_rename(struct handles *handles, const char *from, const char *to)
{
    for (struct handle *handle = handles->table; handle < handles->table + HANDLES_MAX; handle++) {
        const char *rest = handle->dir.path ? rest_below(handle->dir.path, from) : NULL;
        char *path;

        if (!rest)
            continue;
        if (strlen(to) + strlen(rest) > NAME_LENGTH_MAX || asprintf(&path, "%s%s", to, rest) < 0) {
            *handle->dir.path = '\0'; /* the old name may soon be another's */
            continue;
        }
        free(handle->dir.path);
        handle->dir.path = path;
    }
}

struct handle *handles_find_file(struct handles *handles, dev_t device, ino_t inode)
{
    for (struct handle *handle = handles->table; handle < handles->table + HANDLES_MAX; handle++) {
        struct statx found;

        if (handle->kind == HUSK_KIND_FILE &&
            stat_beneath(handle->dir.fd, "", STATX_INO, &found) == 0 && found.stx_ino == inode &&
            makedev(found.stx_dev_major, found.stx_dev_minor) == device)
            return handle;
    }
    return NULL;
}

size_t handles_count(const struct handles *handles, enum husk_kind kind)
{
    size_t count = 0;

    for (size_t i = 0; i < HANDLES_MAX; i++)
        count += handles->table[i].kind == kind;
    return count;
}

/* A close is not enough where the description has another descriptor in this process. */
static void stop_watching(const struct handles *handles, int fd)
{
    for (size_t i = 0; i < HANDLES_MAX; i++)
        if (handles->table[i].kind == HUSK_KIND_EPOLL)
            epoll_ctl(handles->table[i].dir.fd, EPOLL_CTL_DEL, fd, NULL);
}

int handles_close(struct handles *handles, uint64_t number)
{
    struct handle *handle = handles_get(handles, number);
    int ret = 0;

    if (!handle)
        return -EBADF;
    if (handle->watched)
        stop_watching(handles, handle->dir.fd);
    if (handle->writer >= 0)
        close(handle->writer);
    if (handle->socket)
        net_socket_close(handle->socket, handle->dir.fd);
    /* Other processes may share stdin, stdout and stderr: they stay open here. */
    else if (number > 2 && handle->dir.fd >= 0 && close(handle->dir.fd) < 0)
        ret = -errno;
    handles->sockets -= handle->kind == HUSK_KIND_SOCKET;
    handles->files -= number > 2 && handle->kind != HUSK_KIND_SOCKET;
    free(handle->dir.path);
    *handle = (struct handle){.generation = (handle->generation + 1) & 0x7fff};
    return ret;
}
