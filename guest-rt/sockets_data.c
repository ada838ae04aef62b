/* SPDX-License-Identifier: ISC
 *
 * Sockets: sending and receiving. Each call tries first and waits only when the host says that it
 * would have to.
 */
#include <asm/poll.h>
#include <asm/signal.h>
#include <asm/socket.h>
#include <linux/fcntl.h>
#include <linux/time.h>

#include "ahead.h"
#include "sockets.h"
#include "unix.h"
#include "wait.h"

/* One call: how long it may wait. */
struct patience {
    struct file *file;
    int16_t events;
    bool none;    /* not at all */
    bool started; /* DEADLINE is set */
    uint64_t deadline;
};

static struct patience patience_for(struct file *file, int16_t events, uint32_t flags)
{
    return (struct patience){
        .file = file,
        .events = events,
        .none = file->flags & O_NONBLOCK || flags & MSG_DONTWAIT,
    };
}

/* After a call returned RESULT: 0 if it is to be tried again. */
static int64_t try_again(struct patience *patience, int64_t result)
{
    if (result != -EAGAIN || patience->none)
        return result;
    if (!patience->started)
        patience->deadline = patience->events == POLLIN ? socket_receive_deadline(patience->file)
                                                        : socket_send_deadline(patience->file);
    patience->started = true;
    return socket_wait(patience->file, patience->events, patience->deadline);
}

/* A receive got BYTES from the host. */
static void note_received(struct file *file, int64_t bytes)
{
    file->little = socket_is_stream(file) && bytes > 0 && bytes < HUSK_AHEAD_ROOM;
}

/*
 * A receive without flags into a vector: what is there of the socket's data, as ahead_take. Where
 * little came the last time, and the call may wait, it does so first, because the data come along
 * with the event.
 */
static int64_t look_ahead(struct patience *patience, guest_addr_t iov, uint64_t count)
{
    struct file *file = patience->file;
    struct span to;

    /* What is wrong with the vector the host will say. */
    if ((!file->ahead && !file->little) || span_of_vector(&to, iov, count) < 0 || to.left == 0)
        return 0;
    if (!file->ahead && !patience->none && thread_is_last()) {
        int64_t ret = try_again(patience, -EAGAIN);

        if (ret < 0)
            return ret;
    }
    return ahead_take(file, &to);
}

/* One message, or a piece of a stream. FLAGS are for the monitor. */
static int64_t move_once(struct file *file, enum husk_op op, struct husk_message *message,
                         uint32_t flags)
{
    int64_t ret;

    clock_slept();
    if (op == HUSK_OP_RECEIVE)
        ahead_forget(file);
    ret = HYPERCALL(op, file->handle, message, 1, flags);
    if (ret >= 0 && op == HUSK_OP_RECEIVE)
        note_received(file, message->result);
    return ret < 0 ? ret : message->result;
}

static int64_t move(struct patience *patience, enum husk_op op, struct husk_message *message,
                    uint32_t flags)
{
    int64_t ret;

    for (;;) {
        ret = move_once(patience->file, op, message, flags);
        if (ret != -EAGAIN)
            return ret;
        ret = try_again(patience, ret);
        if (ret < 0)
            return ret;
    }
}

/*
 * A stream's call that moved DONE bytes goes on with the rest of the vector, element by element,
 * until all is moved. Returns the whole number, or the error if nothing was moved.
 */
static int64_t move_rest(struct patience *patience, enum husk_op op,
                         const struct husk_message *message, uint32_t flags, int64_t done)
{
    uint64_t skip = done;

    for (uint64_t i = 0; i < message->iov_count; i++) {
        struct husk_iovec element;

        if (user_read(&element, message->iov + i * sizeof(element)) < 0)
            return done;
        if (skip >= element.len) {
            skip -= element.len;
            continue;
        }
        element.base += skip;
        element.len -= skip;
        skip = 0;
        while (element.len > 0) {
            struct husk_message piece = {.iov = (guest_addr_t)&element, .iov_count = 1};
            int64_t moved = move(patience, op, &piece, flags);

            if (moved <= 0)
                return done > 0 ? done : moved;
            done += moved;
            element.base += moved;
            element.len -= moved;
        }
    }
    return done;
}

static int64_t raise_pipe(const struct file *file, int64_t result, uint32_t flags)
{
    if (result == -EPIPE && socket_is_stream(file) && !(flags & MSG_NOSIGNAL))
        signal_raise(SIGPIPE);
    return result;
}

/* A stream waits until all is sent; flags of the application. */
static int64_t send_message(struct file *file, struct husk_message *message, uint32_t flags)
{
    const uint32_t ours = MSG_DONTWAIT | MSG_NOSIGNAL | MSG_CONFIRM;
    struct patience patience = patience_for(file, POLLOUT, flags);
    int64_t ret = move(&patience, HUSK_OP_SEND, message, flags & ~ours);

    if (ret > 0 && socket_is_stream(file) && !patience.none)
        ret = move_rest(&patience, HUSK_OP_SEND, message, flags & ~ours, ret);
    return raise_pipe(file, ret, flags);
}

static int64_t receive_message(struct file *file, struct husk_message *message, uint32_t flags)
{
    const uint32_t ours = MSG_DONTWAIT | MSG_NOSIGNAL | MSG_WAITALL | MSG_CMSG_CLOEXEC;
    struct patience patience = patience_for(file, POLLIN, flags);
    bool plain = !(flags & ~ours) && !(flags & MSG_WAITALL);
    int64_t ret;

    if (flags & MSG_ERRQUEUE)
        return -EAGAIN;
    do {
        ret = plain ? look_ahead(&patience, message->iov, message->iov_count) : 0;
        if (ret != 0) {
            message->name_size = 0;
            return ret;
        }
        ret = move_once(file, HUSK_OP_RECEIVE, message, flags & ~ours);
    } while (ret == -EAGAIN && (ret = try_again(&patience, ret)) == 0);
    if (ret > 0 && socket_is_stream(file) && !patience.none && flags & MSG_WAITALL &&
        !(flags & MSG_PEEK))
        ret = move_rest(&patience, HUSK_OP_RECEIVE, message, flags & ~ours, ret);
    return ret;
}

/* read(2), write(2): one buffer (OP READ or WRITE) or a vector. */
int64_t socket_transfer(struct file *file, enum husk_op op, uint64_t addr, uint64_t len)
{
    bool write = op == HUSK_OP_WRITE || op == HUSK_OP_WRITEV;
    bool vector = op == HUSK_OP_READV || op == HUSK_OP_WRITEV;
    struct patience patience = patience_for(file, write ? POLLOUT : POLLIN, 0);
    struct husk_iovec all = {addr, len};
    struct husk_message message = {.iov = vector ? addr : (guest_addr_t)&all,
                                   .iov_count = vector ? len : 1};
    int64_t ret;

    file_hold(file);
    do {
        ret = write ? 0 : look_ahead(&patience, message.iov, message.iov_count);
        if (ret != 0)
            break;
        clock_slept();
        if (!write)
            ahead_forget(file);
        ret = HYPERCALL(op, file->handle, addr, len, HUSK_STREAM);
        if (ret >= 0 && !write)
            note_received(file, ret);
    } while (ret == -EAGAIN && (ret = try_again(&patience, ret)) == 0);
    if (ret > 0 && write && socket_is_stream(file) && !patience.none &&
        (vector || (uint64_t)ret < len))
        ret = move_rest(&patience, HUSK_OP_SEND, &message, 0, ret);
    file_release(file);
    return ret;
}

int64_t sys_sendto(const struct call *call)
{
    struct husk_iovec iov = {call->arg[1], call->arg[2]};
    struct husk_message message = {
        .iov = (guest_addr_t)&iov,
        .iov_count = 1,
        .name = call->arg[4],
        .name_size = (uint32_t)call->arg[5],
    };
    struct file *file;
    int64_t ret = socket_get(call->arg[0], &file);

    if (ret == SOCKET_IS_LOCAL)
        return unix_sendto(call);
    if (ret < 0)
        return ret;
    ret = send_message(file, &message, (uint32_t)call->arg[3]);
    file_release(file);
    return ret;
}

int64_t sys_recvfrom(const struct call *call)
{
    struct husk_iovec iov = {call->arg[1], call->arg[2]};
    struct husk_message message = {.iov = (guest_addr_t)&iov, .iov_count = 1, .name = call->arg[4]};
    struct file *file;
    int32_t room = 0;
    int64_t ret = socket_get(call->arg[0], &file);

    if (ret == SOCKET_IS_LOCAL)
        return unix_recvfrom(call);
    if (ret < 0)
        return ret;
    if (message.name && user_read(&room, call->arg[5]) < 0)
        ret = -EFAULT;
    else if (room < 0)
        ret = -EINVAL;
    message.name_size = room;
    if (ret == 0)
        ret = receive_message(file, &message, (uint32_t)call->arg[3]);
    file_release(file);
    if (ret < 0 || !call->arg[4])
        return ret;
    room = (int32_t)message.name_size;
    return user_write(call->arg[5], &room) < 0 ? -EFAULT : ret;
}

/* A struct msghdr as the monitor takes it. Control messages do not exist for TCP and UDP here. */
static int64_t get_message(const struct user_message *user, bool send, struct husk_message *message)
{
    if (user->iov_count > HUSK_IOV_MAX)
        return -EMSGSIZE;
    if ((int32_t)user->name_len < 0 || (send && user->control_len > 0))
        return -EINVAL;
    *message = (struct husk_message){
        .iov = user->iov,
        .iov_count = user->iov_count,
        .name = user->name,
        .name_size = user->name ? user->name_len : 0,
    };
    return 0;
}

static int64_t put_message(uint64_t addr, struct user_message *user,
                           const struct husk_message *message)
{
    if (user->name)
        user->name_len = message->name_size;
    user->control_len = 0;
    user->flags = message->flags;
    return user_write(addr, user);
}

int64_t sys_sendmsg(const struct call *call)
{
    struct user_message user;
    struct husk_message message;
    struct file *file;
    int64_t ret = socket_get(call->arg[0], &file);

    if (ret == SOCKET_IS_LOCAL)
        return unix_sendmsg(call);
    if (ret < 0)
        return ret;
    ret = user_read(&user, call->arg[1]) < 0 ? -EFAULT : get_message(&user, true, &message);
    if (ret == 0)
        ret = send_message(file, &message, (uint32_t)call->arg[2]);
    file_release(file);
    return ret;
}

int64_t sys_recvmsg(const struct call *call)
{
    struct user_message user;
    struct husk_message message;
    struct file *file;
    int64_t ret = socket_get(call->arg[0], &file);

    if (ret == SOCKET_IS_LOCAL)
        return unix_recvmsg(call);
    if (ret < 0)
        return ret;
    ret = user_read(&user, call->arg[1]) < 0 ? -EFAULT : get_message(&user, false, &message);
    if (ret == 0)
        ret = receive_message(file, &message, (uint32_t)call->arg[2]);
    file_release(file);
    if (ret >= 0 && put_message(call->arg[1], &user, &message) < 0)
        return -EFAULT;
    return ret;
}

/* Up to COUNT messages at ADDR that do not wait, with one exit. */
static int64_t move_batch(struct file *file, enum husk_op op, uint64_t addr, uint64_t count,
                          uint32_t flags)
{
    struct husk_message messages[HUSK_MESSAGES_MAX];
    struct user_messages user[HUSK_MESSAGES_MAX];
    bool send = op == HUSK_OP_SEND;
    int64_t ret = 0;
    uint64_t made;

    if (count > HUSK_MESSAGES_MAX)
        count = HUSK_MESSAGES_MAX;
    for (made = 0; made < count; made++) {
        ret = user_read(&user[made], addr + made * sizeof(user[0])) < 0
                  ? -EFAULT
                  : get_message(&user[made].message, send, &messages[made]);
        if (ret < 0)
            break;
    }
    if (made == 0)
        return ret;
    clock_slept();
    if (!send)
        ahead_forget(file);
    ret = HYPERCALL(op, file->handle, messages, made, flags);
    for (int64_t i = 0; i < ret; i++) {
        struct user_messages *each = &user[i];
        uint64_t at = addr + i * sizeof(*each);

        each->len = (uint32_t)messages[i].result;
        if (!send && put_message(at, &each->message, &messages[i]) < 0)
            return -EFAULT;
        if (user_copy((void *)(at + offsetof(struct user_messages, len)), &each->len,
                      sizeof(each->len)) < 0)
            return -EFAULT;
    }
    return ret;
}

/* sendmmsg and recvmmsg: messages until one would have to wait, or fails; the first may wait. */
static int64_t move_messages(struct file *file, enum husk_op op, uint64_t addr, uint64_t count,
                             uint32_t flags, uint64_t until)
{
    const uint32_t ours =
        MSG_DONTWAIT | MSG_NOSIGNAL | MSG_CONFIRM | MSG_WAITALL | MSG_WAITFORONE | MSG_CMSG_CLOEXEC;
    struct patience patience = patience_for(file, op == HUSK_OP_SEND ? POLLOUT : POLLIN, flags);
    uint64_t done = 0;
    int64_t ret = 0;

    while (done < count) {
        ret = move_batch(file, op, addr + done * sizeof(struct user_messages), count - done,
                         flags & ~ours);
        if (ret > 0) {
            done += ret;
            patience.none |= (flags & MSG_WAITFORONE) != 0;
            if (until != NEVER && clock_monotonic() >= until)
                break;
            continue;
        }
        ret = try_again(&patience, ret);
        if (ret < 0)
            break;
    }
    return done > 0 ? (int64_t)done : raise_pipe(file, ret, flags);
}

int64_t sys_sendmmsg(const struct call *call)
{
    uint64_t count = (uint32_t)call->arg[2] < HUSK_IOV_MAX ? (uint32_t)call->arg[2] : HUSK_IOV_MAX;
    struct file *file;
    int64_t ret = socket_get(call->arg[0], &file);

    if (ret == SOCKET_IS_LOCAL)
        return unix_sendmmsg(call);
    if (ret < 0)
        return ret;
    ret = move_messages(file, HUSK_OP_SEND, call->arg[1], count, (uint32_t)call->arg[3], NEVER);
    file_release(file);
    return ret;
}

/* As on Linux the timeout is looked at only after a message came. */
int64_t sys_recvmmsg(const struct call *call)
{
    uint64_t count = (uint32_t)call->arg[2] < HUSK_IOV_MAX ? (uint32_t)call->arg[2] : HUSK_IOV_MAX;
    uint64_t until = NEVER;
    struct timespec timeout;
    struct file *file;
    int64_t ret = socket_get(call->arg[0], &file);

    if (ret == SOCKET_IS_LOCAL)
        return unix_recvmmsg(call);
    if (ret < 0)
        return ret;
    if (call->arg[4]) {
        if (user_read(&timeout, call->arg[4]) < 0)
            ret = -EFAULT;
        else if (timeout.tv_sec < 0 || (uint64_t)timeout.tv_nsec >= 1000000000)
            ret = -EINVAL;
        else if ((uint64_t)timeout.tv_sec < INT64_MAX / 1000000000)
            until = deadline_in(timeout.tv_sec * 1000000000ULL + timeout.tv_nsec);
    }
    if (ret == 0)
        ret = move_messages(file, HUSK_OP_RECEIVE, call->arg[1], count, (uint32_t)call->arg[3],
                            until);
    file_release(file);
    return ret;
}
