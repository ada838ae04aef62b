/* SPDX-License-Identifier: ISC */
#include "handles.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

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
