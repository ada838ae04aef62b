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

/* The mapping outlives the handle. */
int64_t serve_mapfile(struct run *run, const struct husk_desc *desc)
{
    guest_addr_t addr = desc->arg[0];
    uint64_t len = desc->arg[1], offset = desc->arg[3];
    const struct handle *handle = handles_get(&run->handles, desc->arg[2]);
    enum memory_file kind = MEMORY_FILE_PRIVATE;

    if (!handle)
        return -EBADF;
    if (handle->kind != HUSK_KIND_FILE && handle->kind != HUSK_KIND_SHARED)
        return -ENODEV;
    if (offset % HUSK_PAGE_SIZE || offset > INT64_MAX - len)
        return -EINVAL;
    if (desc->arg[5]) {
        int flags = fcntl(handle->dir.fd, F_GETFL);

        if (flags < 0)
            return -errno;
        kind = (flags & O_ACCMODE) == O_RDWR ? MEMORY_FILE_SHARED : MEMORY_FILE_SHARED_READ;
    }
    return memory_map_file(&run->memory, addr, len, desc->arg[4] & 7, handle->dir.fd, offset, kind);
}

int64_t serve_msync(struct run *run, const struct husk_desc *desc)
{
    return memory_sync(&run->memory, desc->arg[0], desc->arg[1], (int)desc->arg[2]);
}
