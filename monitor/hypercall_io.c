/* SPDX-License-Identifier: ISC
 *
 * Reading and writing through handles.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cleanup.h"
#include "hypercall.h"
#include "run_limits.h"

/* As Linux: a transfer is shorter than 2 GiB (read(2)). */
#define TRANSFER_MAX 0x7ffff000ULL

/* What a transfer moves: to the guest's memory (read) or from it (write). */
enum direction { TO_GUEST, FROM_GUEST };

static int access_for(enum direction direction)
{
    return direction == TO_GUEST ? HUSK_PROT_WRITE : HUSK_PROT_READ;
}

/* A handle that data can be read from or written to, or -errno. */
static int data_handle(struct run *run, uint64_t number, struct handle **handle)
{
    *handle = handles_get(&run->handles, number);
    if (!*handle)
        return -EBADF;
    return (*handle)->kind == HUSK_KIND_DIR ? -EISDIR : 0;
}

/* Appending is asked for with each write: descriptors of a mounted file share one description. */
static ssize_t append(int fd, const struct iovec *iov, int count, uint64_t offset)
{
    return syscall(SYS_pwritev2, fd, iov, (long)count, (long)offset, 0L, (long)RWF_APPEND);
}

static ssize_t transfer_host(struct run *run, struct handle *handle, enum direction direction,
                             struct iovec *iov, int count, uint64_t offset)
{
    int fd = handle->dir.fd;
    ssize_t done;

    if (handle->kind == HUSK_KIND_SOCKET)
        return offset == HUSK_STREAM
                   ? hypercall_socket_transfer(run, handle, direction == TO_GUEST, iov, count)
                   : -ESPIPE;
    if (direction == FROM_GUEST && (count = limits_cut(run, iov, count)) < 0)
        return count;
    if (direction == FROM_GUEST && handle->append)
        done = append(fd, iov, count, offset);
    else if (offset == HUSK_STREAM)
        done = direction == TO_GUEST ? readv(fd, iov, count) : writev(fd, iov, count);
    else if (direction == TO_GUEST)
        done = preadv(fd, iov, count, (off_t)offset);
    else
        done = pwritev(fd, iov, count, (off_t)offset);
    if (done < 0)
        return -errno;
    if (direction == FROM_GUEST)
        limits_spend(run, (uint64_t)done);
    return done;
}

static int64_t transfer(struct run *run, const struct husk_desc *desc, enum direction direction)
{
    uint64_t len = desc->arg[2] < TRANSFER_MAX ? desc->arg[2] : TRANSFER_MAX;
    struct handle *handle;
    struct iovec iov;
    int ret = data_handle(run, desc->arg[0], &handle);

    if (ret < 0)
        return ret;
    iov.iov_len = len;
    if (len == 0)
        iov.iov_base = NULL;
    else if (!(iov.iov_base = memory_pointer_prefix(&run->memory, desc->arg[1], &iov.iov_len,
                                                    access_for(direction))))
        return -EFAULT;
    return transfer_host(run, handle, direction, &iov, 1, desc->arg[3]);
}

int64_t serve_read(struct run *run, const struct husk_desc *desc)
{
    return transfer(run, desc, TO_GUEST);
}

int64_t serve_write(struct run *run, const struct husk_desc *desc)
{
    return transfer(run, desc, FROM_GUEST);
}

static int64_t translate(const struct guest_memory *memory, const struct husk_iovec *guest,
                         uint64_t count, int access, struct iovec host[HUSK_IOV_MAX],
                         uint64_t *size)
{
    uint64_t total = 0;

    for (uint64_t i = 0; i < count; i++)
        if (guest[i].len > INT64_MAX || (*size += guest[i].len) > INT64_MAX)
            return -EINVAL;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t want = guest[i].len, len;

        if (want > TRANSFER_MAX - total)
            want = TRANSFER_MAX - total;
        len = want;
        host[i].iov_base = want ? memory_pointer_prefix(memory, guest[i].base, &len, access) : NULL;
        if (want && !host[i].iov_base)
            return total ? (int64_t)i : -EFAULT;
        host[i].iov_len = len;
        total += len;
        if (len < want || total == TRANSFER_MAX)
            return i + 1;
    }
    return count;
}

int64_t hypercall_get_vector(struct run *run, guest_addr_t addr, uint64_t count, int access,
                             struct iovec host[HUSK_IOV_MAX], uint64_t *size)
{
    uncleared struct husk_iovec guest[HUSK_IOV_MAX];

    *size = 0;
    if (count > HUSK_IOV_MAX)
        return -EINVAL;
    if (count == 0)
        return 0;
    if (memory_read(&run->memory, guest, addr, count * sizeof(guest[0])) < 0)
        return -EFAULT;
    return translate(&run->memory, guest, count, access, host, size);
}

static int64_t transfer_vector(struct run *run, const struct husk_desc *desc,
                               enum direction direction)
{
    uncleared struct iovec host[HUSK_IOV_MAX];
    struct handle *handle;
    uint64_t size;
    int64_t count;
    int ret = data_handle(run, desc->arg[0], &handle);

    if (ret < 0)
        return ret;
    count =
        hypercall_get_vector(run, desc->arg[1], desc->arg[2], access_for(direction), host, &size);
    if (count <= 0)
        return count;
    return transfer_host(run, handle, direction, host, (int)count, desc->arg[3]);
}

int64_t serve_readv(struct run *run, const struct husk_desc *desc)
{
    return transfer_vector(run, desc, TO_GUEST);
}

int64_t serve_writev(struct run *run, const struct husk_desc *desc)
{
    return transfer_vector(run, desc, FROM_GUEST);
}

/* A directory of the name space has no host descriptor: its position is kept in the handle. */
static int64_t seek_virtual(struct handle *handle, int64_t offset, uint64_t whence)
{
    if (whence > SEEK_CUR ||
        (whence == SEEK_CUR &&
         __builtin_add_overflow(offset, (int64_t)handle->virtual_position, &offset)) ||
        offset < 0)
        return -EINVAL;
    handle->virtual_position = (uint64_t)offset;
    return offset;
}

int64_t serve_seek(struct run *run, const struct husk_desc *desc)
{
    struct handle *handle = handles_get(&run->handles, desc->arg[0]);
    off_t position;

    if (!handle)
        return -EBADF;
    if (desc->arg[2] > SEEK_HOLE)
        return -EINVAL;
    if (handle->dir.fd < 0)
        return seek_virtual(handle, (int64_t)desc->arg[1], desc->arg[2]);
    position = lseek(handle->dir.fd, (off_t)desc->arg[1], (int)desc->arg[2]);
    return position < 0 ? -errno : position;
}

int64_t serve_close(struct run *run, const struct husk_desc *desc)
{
    return handles_close(&run->handles, desc->arg[0]);
}

int64_t serve_allocate(struct run *run, const struct husk_desc *desc)
{
    struct handle *handle;
    int ret = data_handle(run, desc->arg[0], &handle);

    if (ret < 0)
        return ret;
    if (desc->arg[3] > run->output_left)
        return -EFBIG;
    if (fallocate(handle->dir.fd, (int)desc->arg[1], (off_t)desc->arg[2], (off_t)desc->arg[3]) < 0)
        return -errno;
    limits_spend(run, desc->arg[3]);
    return 0;
}

int64_t serve_sync(struct run *run, const struct husk_desc *desc)
{
    const struct handle *handle = handles_get(&run->handles, desc->arg[0]);

    if (!handle)
        return -EBADF;
    if (handle->dir.fd < 0)
        return 0;
    return (desc->arg[1] ? fdatasync(handle->dir.fd) : fsync(handle->dir.fd)) < 0 ? -errno : 0;
}

/* No flag lets the guest keep others from its image: locks on that are its own affair, and as it is
 * one process they do nothing. */
static bool is_image(const struct handle *handle)
{
    return handle->kind == HUSK_KIND_FILE && !handle->mount;
}

/* Record locks are the monitor's, one process for one guest: they meet those of others. */
int64_t serve_lock(struct run *run, const struct husk_desc *desc)
{
    struct flock lock;
    struct handle *handle;
    int command = (int)desc->arg[1], ret = data_handle(run, desc->arg[0], &handle);

    if (ret < 0)
        return ret;
    if (command != F_GETLK && command != F_SETLK && command != F_SETLKW && command != F_OFD_GETLK &&
        command != F_OFD_SETLK && command != F_OFD_SETLKW)
        return -EINVAL;
    if (memory_read(&run->memory, &lock, desc->arg[2], sizeof(lock)) < 0)
        return -EFAULT;
    if (is_image(handle))
        lock.l_type = F_UNLCK;
    else if (fcntl(handle->dir.fd, command, &lock) < 0)
        return -errno;
    run->handles.locks_records |= command == F_SETLK || command == F_SETLKW;
    if (command != F_GETLK && command != F_OFD_GETLK)
        return 0;
    if (lock.l_pid == getpid())
        lock.l_pid = 0; /* the guest's own: it knows its number */
    return memory_write(&run->memory, desc->arg[2], &lock, sizeof(lock));
}

int64_t serve_flock(struct run *run, const struct husk_desc *desc)
{
    const struct handle *handle = handles_get(&run->handles, desc->arg[0]);

    if (!handle || handle->dir.fd < 0)
        return -EBADF;
    if (is_image(handle))
        return 0;
    return flock(handle->dir.fd, (int)desc->arg[1]) < 0 ? -errno : 0;
}

int64_t serve_append(struct run *run, const struct husk_desc *desc)
{
    struct handle *handle = handles_get(&run->handles, desc->arg[0]);

    if (!handle || handle->kind != HUSK_KIND_FILE)
        return -EBADF;
    handle->append = desc->arg[1] != 0;
    return 0;
}
