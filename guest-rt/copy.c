/* SPDX-License-Identifier: ISC
 *
 * Calls that move data between two descriptors: through a buffer of guest-rt's, whatever the two
 * are.
 */
#include <asm/poll.h>
#include <asm/signal.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/stat.h>

#include "files.h"
#include "io.h"
#include "pages.h"
#include "sockets.h"

static char shared[64 << 10];
static bool in_use; /* by a thread that waits in the middle of a copy */

struct buffer {
    char *data;
    size_t size;
};

/* One end of a copy: at *OFFSET, or at the file's own position when there is none. */
struct end {
    struct file *file;
    uint64_t addr; /* of the offset in the application's memory, or 0 */
    uint64_t offset;
};

static int64_t get_end(uint64_t fd, uint64_t addr, enum husk_op op, struct end *end)
{
    *end = (struct end){.file = file_for(fd, op), .addr = addr};
    if (!end->file)
        return -EBADF;
    if (end->file->kind == HUSK_KIND_DIR)
        return -EISDIR;
    if (addr && user_read(&end->offset, addr) < 0)
        return -EFAULT;
    return (int64_t)end->offset < 0 ? -EINVAL : 0;
}

static int64_t move(struct end *end, enum husk_op op, const char *data, uint64_t len)
{
    int64_t done;

    if (!end->addr)
        return file_transfer(end->file, op, (uint64_t)data, len);
    done = FILE_CALL(op, end->file, data, len, end->offset);
    if (done > 0)
        end->offset += done;
    return done;
}

/* What could not be written was not read: put the input's position back. */
static void put_back(struct end *in, int64_t bytes)
{
    if (in->addr)
        in->offset -= bytes;
    else if (in->file->kind == HUSK_KIND_FILE)
        in->file->offset -= bytes;
    else
        FILE_CALL(HUSK_OP_SEEK, in->file, -bytes, SEEK_CUR);
}

static int64_t copy(struct end *in, struct end *out, uint64_t len, struct buffer buffer)
{
    int64_t total = 0, error = 0;

    while ((uint64_t)total < len) {
        uint64_t left = len - total, want = left < buffer.size ? left : buffer.size;
        int64_t got = move(in, HUSK_OP_READ, buffer.data, want), put;

        if (got <= 0) {
            error = got;
            break;
        }
        put = move(out, HUSK_OP_WRITE, buffer.data, got);
        total += put > 0 ? put : 0;
        if (put < got) {
            put_back(in, got - (put > 0 ? put : 0));
            error = put;
            break;
        }
    }
    return total > 0 ? total : error < 0 ? error : 0;
}

static int64_t copy_ends(struct end *in, struct end *out, uint64_t len)
{
    bool others = in_use;
    struct buffer buffer = others ? (struct buffer){page_alloc(), HUSK_PAGE_SIZE}
                                  : (struct buffer){shared, sizeof(shared)};
    int64_t done;

    if (!buffer.data)
        return -ENOMEM;
    in_use = true;
    file_hold(in->file);
    file_hold(out->file);
    done = copy(in, out, len, buffer);
    if (others)
        page_free(buffer.data);
    else
        in_use = false;
    file_release(in->file);
    file_release(out->file);
    if (in->addr && user_write(in->addr, &in->offset) < 0)
        return -EFAULT;
    if (out->addr && user_write(out->addr, &out->offset) < 0)
        return -EFAULT;
    return done;
}

/* A file of the host's for a socket: the data does not come here. */
static int64_t send_to_socket(struct end *in, struct file *socket, uint64_t len)
{
    uint64_t deadline = socket_send_deadline(socket);
    int64_t total = 0, ret = 1;

    file_hold(socket);
    file_hold(in->file);
    while ((uint64_t)total < len && ret > 0) {
        int64_t from = in->addr ? (int64_t)in->offset : file_position(in->file);

        ret = from < 0 ? from
                       : HYPERCALL(HUSK_OP_SENDFILE, socket->handle, in->file->handle, from,
                                   len - total);
        total += ret > 0 ? ret : 0;
        *(in->addr ? &in->offset : &in->file->offset) += ret > 0 ? ret : 0;
        if (ret != -EAGAIN || socket->flags & O_NONBLOCK)
            continue;
        ret = socket_wait(socket, POLLOUT, deadline);
        ret = ret == 0 ? 1 : ret;
    }
    file_release(in->file);
    file_release(socket);
    if (in->addr && user_write(in->addr, &in->offset) < 0)
        return -EFAULT;
    if (total == 0 && ret == -EPIPE)
        signal_raise(SIGPIPE);
    return total > 0 ? total : ret < 0 ? ret : 0;
}

int64_t sys_sendfile(const struct call *call)
{
    struct end in, out;
    int64_t ret = get_end(call->arg[0], 0, HUSK_OP_WRITE, &out);

    if (ret == 0)
        ret = get_end(call->arg[1], call->arg[2], HUSK_OP_READ, &in);
    if (ret < 0)
        return ret;
    if (out.file->flags & O_APPEND || !file_seekable(in.file))
        return -EINVAL;
    if (out.file->kind == HUSK_KIND_SOCKET && out.file->socket_type == SOCK_STREAM &&
        in.file->system == FS_HOST && in.file->kind == HUSK_KIND_FILE)
        return send_to_socket(&in, out.file, call->arg[3]);
    return copy_ends(&in, &out, call->arg[3]);
}

static int64_t status(const struct end *end, struct statx *found)
{
    return HYPERCALL(HUSK_OP_STAT, end->file->handle, 0, 0, AT_EMPTY_PATH, STATX_BASIC_STATS,
                     found);
}

static int64_t offset(const struct end *end)
{
    return end->addr ? (int64_t)end->offset : file_position(end->file);
}

/* -EINVAL if the LEN bytes, as far as there are any, would be copied over themselves. */
static int64_t check_overlap(const struct end *in, const struct end *out, uint64_t len)
{
    int64_t from = offset(in), to = offset(out), ret;
    uint64_t distance = from < to ? to - from : from - to;
    struct statx source, target;

    if (from < 0 || to < 0)
        return from < 0 ? from : to;
    if (distance >= len)
        return 0;
    ret = status(in, &source);
    if (ret == 0)
        ret = status(out, &target);
    if (ret < 0 || source.stx_ino != target.stx_ino ||
        source.stx_dev_major != target.stx_dev_major ||
        source.stx_dev_minor != target.stx_dev_minor)
        return ret;
    return distance + from < source.stx_size ? -EINVAL : 0;
}

int64_t sys_copy_file_range(const struct call *call)
{
    struct end in, out;
    int64_t ret = get_end(call->arg[0], call->arg[1], HUSK_OP_READ, &in);

    if (ret == 0)
        ret = get_end(call->arg[2], call->arg[3], HUSK_OP_WRITE, &out);
    if (ret < 0)
        return ret;
    if (out.file->flags & O_APPEND)
        return -EBADF;
    if (call->arg[5] || !file_seekable(in.file) || !file_seekable(out.file))
        return -EINVAL;
    ret = check_overlap(&in, &out, call->arg[4]);
    return ret < 0 ? ret : copy_ends(&in, &out, call->arg[4]);
}
