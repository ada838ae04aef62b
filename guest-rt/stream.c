/* SPDX-License-Identifier: ISC
 *
 * The host's pipes and terminals are shared with other processes, so they cannot be set to
 * O_NONBLOCK. A call that must not block asks first whether it would.
 */
#include "stream.h"

#include <asm/poll.h>
#include <linux/fcntl.h>

#include "wait.h"

#define PIPE_ATOMIC 4096 /* PIPE_BUF of Linux: so much fits where poll says POLLOUT */

static bool is_write(enum husk_op op)
{
    return op == HUSK_OP_WRITE || op == HUSK_OP_WRITEV;
}

/* 1: the call will not block; else -errno. */
static int64_t wait_until_ready(const struct file *file, enum husk_op op)
{
    int16_t events = is_write(op) ? POLLOUT : POLLIN;
    struct husk_wait now = {.handle = file->handle, .events = events};
    int64_t ret;

    if (file->flags & O_NONBLOCK) {
        ret = HYPERCALL(HUSK_OP_WAIT, &now, 1, 0);
        return ret == 0 ? -EAGAIN : ret;
    }
    return wait_for_host(file->handle, NULL, events, NEVER);
}

/* What is written in pieces is not atomic on Linux either. */
static int64_t write_pieces(const struct file *file, uint64_t addr, uint64_t len)
{
    uint64_t done = 0;
    int64_t ret = 0;

    do {
        uint64_t piece = len - done < PIPE_ATOMIC ? len - done : PIPE_ATOMIC;

        ret = wait_until_ready(file, HUSK_OP_WRITE);
        if (ret > 0)
            ret = HYPERCALL(HUSK_OP_WRITE, file->handle, addr + done, piece, HUSK_STREAM);
        if (ret > 0)
            done += ret;
    } while (ret > 0 && done < len);
    return done > 0 ? (int64_t)done : ret;
}

static int64_t writev_pieces(const struct file *file, uint64_t addr, uint64_t count)
{
    int64_t total = 0, done = 0;

    if (count > HUSK_IOV_MAX)
        return -EINVAL;
    for (uint64_t i = 0; i < count; i++) {
        struct husk_iovec piece;

        if (user_read(&piece, addr + i * sizeof(piece)) < 0)
            return total > 0 ? total : -EFAULT;
        if (piece.len == 0)
            continue;
        done = write_pieces(file, piece.base, piece.len);
        if (done <= 0)
            break;
        total += done;
        if ((uint64_t)done < piece.len)
            break;
    }
    return total > 0 ? total : done;
}

static int64_t transfer(const struct file *file, enum husk_op op, uint64_t addr, uint64_t len)
{
    int64_t ret;

    clock_slept();
    if (thread_alone() && !(file->flags & O_NONBLOCK))
        return HYPERCALL(op, file->handle, addr, len, HUSK_STREAM);
    if (op == HUSK_OP_WRITE)
        return write_pieces(file, addr, len);
    if (op == HUSK_OP_WRITEV)
        return writev_pieces(file, addr, len);
    ret = wait_until_ready(file, op);
    return ret < 0 ? ret : HYPERCALL(op, file->handle, addr, len, HUSK_STREAM);
}

int64_t stream_transfer(struct file *file, enum husk_op op, uint64_t addr, uint64_t len)
{
    int64_t ret = transfer(file, op, addr, len);

    return ret == -EINTR ? -ERESTARTSYS : ret;
}
