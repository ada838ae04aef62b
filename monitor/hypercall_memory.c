/* SPDX-License-Identifier: ISC
 *
 * Hypercalls that change the guest's mappings. memory.c checks everything.
 */
#include <errno.h>
#include <fcntl.h>

#include "hypercall.h"

int64_t serve_map(struct run *run, const struct husk_desc *desc)
{
    return memory_map(&run->memory, desc->arg[0], desc->arg[1], desc->arg[2] & 7);
}

int64_t serve_protect(struct run *run, const struct husk_desc *desc)
{
    return memory_protect(&run->memory, desc->arg[0], desc->arg[1], desc->arg[2] & 7);
}

int64_t serve_unmap(struct run *run, const struct husk_desc *desc)
{
    return memory_unmap(&run->memory, desc->arg[0], desc->arg[1]);
}

int64_t serve_discard(struct run *run, const struct husk_desc *desc)
{
    return memory_discard(&run->memory, desc->arg[0], desc->arg[1]);
}

/* What is to be mapped: a file of memory, or a handle's. Its descriptor, or -errno. */
static int descriptor_to_map(struct run *run, uint64_t number)
{
    int fd = memory_files_descriptor(&run->memory_files, number);
    const struct handle *handle;

    if (fd >= 0)
        return fd;
    handle = handles_get(&run->handles, number);
    if (!handle)
        return -EBADF;
    if (handle->kind != HUSK_KIND_FILE && handle->kind != HUSK_KIND_SHARED)
        return -ENODEV;
    return handle->dir.fd;
}

/* The mapping outlives the handle. */
int64_t serve_mapfile(struct run *run, const struct husk_desc *desc)
{
    guest_addr_t addr = desc->arg[0];
    uint64_t len = desc->arg[1], offset = desc->arg[3];
    enum memory_file kind = MEMORY_FILE_PRIVATE;
    int fd = descriptor_to_map(run, desc->arg[2]);

    if (fd < 0)
        return fd;
    if (offset % HUSK_PAGE_SIZE || offset > INT64_MAX - len)
        return -EINVAL;
    if (desc->arg[5]) {
        int flags = fcntl(fd, F_GETFL);

        if (flags < 0)
            return -errno;
        kind = (flags & O_ACCMODE) == O_RDWR ? MEMORY_FILE_SHARED : MEMORY_FILE_SHARED_READ;
    }
    return memory_map_file(&run->memory, addr, len, desc->arg[4] & 7, fd, offset, kind);
}

int64_t serve_memory(struct run *run, const struct husk_desc *desc)
{
    return memory_files_resize(&run->memory_files, &run->memory, desc->arg[0], desc->arg[1]);
}

int64_t serve_msync(struct run *run, const struct husk_desc *desc)
{
    return memory_sync(&run->memory, desc->arg[0], desc->arg[1], (int)desc->arg[2]);
}
