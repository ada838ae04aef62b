/* SPDX-License-Identifier: ISC */
#include "handles.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "resolve.h"

#define INDEX_BITS 16

void handles_init(struct handles *handles, const uint8_t stdio_kind[3])
{
    for (int fd = 0; fd < 3; fd++)
        handles->table[fd] = (struct handle){.kind = stdio_kind[fd], .dir.fd = fd};
}

int64_t handles_insert(struct handles *handles, struct opened *opened)
{
    for (uint32_t index = 3; index < HANDLES_MAX; index++) {
        struct handle *handle = &handles->table[index];

        if (handle->kind != HUSK_KIND_NONE)
            continue;
        handle->kind = opened->kind;
        handle->dir = (struct guest_dir){.fd = opened->fd, .path = opened->path};
        handle->writable = opened->writable;
        handle->virtual_position = 0;
        return index | (uint32_t)handle->generation << INDEX_BITS;
    }
    if (opened->fd >= 0)
        close(opened->fd);
    free(opened->path);
    return -ENFILE;
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

/* PATH with FROM replaced by TO, or NULL if it is not below FROM. */
static char *path_moved(const char *path, const char *from, const char *to)
{
    const char *below = path_below(path, from);
    char *moved;

    if (below == NULL)
        return NULL;
    if (asprintf(&moved, "%s%s%s", to, *below ? "/" : "", below) < 0)
        return NULL;
    return moved;
}

void handles_renamed(struct handles *handles, const struct renamed *renamed, bool both)
{
    for (struct handle *handle = handles->table; handle < handles->table + HANDLES_MAX; handle++) {
        char *moved = NULL;

        if (handle->kind != HUSK_KIND_DIR || handle->dir.path == NULL)
            continue;
        moved = path_moved(handle->dir.path, renamed->from, renamed->to);
        if (moved == NULL && both)
            moved = path_moved(handle->dir.path, renamed->to, renamed->from);
        if (moved == NULL)
            continue;
        free(handle->dir.path);
        handle->dir.path = moved;
    }
}

int handles_close(struct handles *handles, uint64_t number)
{
    struct handle *handle = handles_get(handles, number);

    if (!handle)
        return -EBADF;
    /* Other processes may share stdin, stdout and stderr: they stay open here. */
    if (number > 2 && handle->dir.fd >= 0)
        close(handle->dir.fd);
    free(handle->dir.path);
    *handle = (struct handle){.generation = (handle->generation + 1) & 0x7fff};
    return 0;
}
