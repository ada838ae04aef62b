/* SPDX-License-Identifier: ISC */
#include "memory_files.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U /* since Linux 6.3 */
#endif

/* The index of a file that there is, or -1. */
static int index_of(const struct memory_files *files, uint64_t number)
{
    uint64_t index = number ^ HUSK_MEMORY_FILE;

    return index < HUSK_MEMORY_FILES_MAX && files->file[index].size > 0 ? (int)index : -1;
}

/* Where the host wants to be told that nobody executes it (vm.memfd_noexec). */
static int create_memfd(void)
{
    int fd = memfd_create("guest", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

    return fd < 0 && errno == EINVAL ? memfd_create("guest", MFD_CLOEXEC) : fd;
}

static int64_t create(struct memory_files *files)
{
    for (int i = 0; i < HUSK_MEMORY_FILES_MAX; i++) {
        if (files->file[i].size > 0)
            continue;
        files->file[i].fd = create_memfd();
        return files->file[i].fd < 0 ? -errno : i;
    }
    return -ENFILE;
}

/* The pages are gone before they do not count any more: mappings of them outlive the descriptor. */
static void end(struct memory_files *files, struct guest_memory *memory, int index)
{
    if (ftruncate(files->file[index].fd, 0) == 0)
        memory_hold(memory, files->file[index].size, 0);
    close(files->file[index].fd);
    files->file[index].size = 0;
}

static int grow(struct memory_files *files, struct guest_memory *memory, int index, uint64_t size)
{
    uint64_t old = files->file[index].size;
    int ret = memory_hold(memory, old, size);

    if (ret < 0)
        return ret;
    if (ftruncate(files->file[index].fd, (off_t)size) < 0) {
        ret = -errno;
        memory_hold(memory, size, old);
        return ret;
    }
    files->file[index].size = size;
    return 0;
}

int64_t memory_files_resize(struct memory_files *files, struct guest_memory *memory,
                            uint64_t number, uint64_t size)
{
    bool fresh = number == HUSK_MEMORY_NEW;
    int64_t index = index_of(files, number);
    int ret;

    if (index < 0 && !fresh)
        return -EBADF;
    if (size == 0 && !fresh) {
        end(files, memory, (int)index);
        return 0;
    }
    if (size == 0 || size % HUSK_PAGE_SIZE || size > HUSK_RAM_MAX ||
        (!fresh && size < files->file[index].size))
        return -EINVAL;
    if (fresh)
        index = create(files);
    if (index < 0)
        return index;
    ret = grow(files, memory, (int)index, size);
    if (ret < 0 && fresh)
        close(files->file[index].fd);
    return ret < 0 ? ret : (int64_t)(HUSK_MEMORY_FILE | (uint64_t)index);
}

int memory_files_descriptor(const struct memory_files *files, uint64_t number)
{
    int index = index_of(files, number);

    return index < 0 ? -1 : files->file[index].fd;
}
