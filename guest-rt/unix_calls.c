/* SPDX-License-Identifier: ISC
 *
 * AF_UNIX sockets: the calls that send and receive, from the application's arguments to a message.
 */
#include "sockets.h"
#include "unix_control.h"

int64_t unix_read(struct file *file, struct span *to)
{
    struct message message = {.span = *to};

    return unix_receive(file, &message, 0);
}

/* The caller raises SIGPIPE. */
int64_t unix_write(struct file *file, struct span *from)
{
    struct message message = {.span = *from};

    return unix_send(file, &message, MSG_NOSIGNAL);
}

static struct file *held_file(const struct call *call)
{
    struct file *file = file_get((uint32_t)call->arg[0]);

    file_hold(file);
    return file;
}

int64_t unix_sendto(const struct call *call)
{
    struct message message = {
        .span = span_of(call->arg[1], call->arg[2]),
        .name = call->arg[4],
        .name_size = (uint32_t)call->arg[5],
    };
    struct file *file = held_file(call);
    int64_t ret = unix_send(file, &message, (uint32_t)call->arg[3]);

    file_release(file);
    return ret;
}

/* Where the sender's name is wanted: a stream's has none. */
static int64_t put_sender(const struct message *message, guest_addr_t addr, uint32_t *len)
{
    if (message->from.len > 0)
        return unix_write_address(&message->from, addr, len);
    *len = 0;
    return 0;
}

int64_t unix_recvfrom(const struct call *call)
{
    struct message message = {.span = span_of(call->arg[1], call->arg[2])};
    struct file *file = held_file(call);
    int64_t ret = unix_receive(file, &message, (uint32_t)call->arg[3]);
    uint32_t len;

    file_release(file);
    if (ret < 0 || !call->arg[4])
        return ret;
    if (user_read(&len, call->arg[5]) < 0)
        return -EFAULT;
    if ((int32_t)len < 0)
        return -EINVAL;
    if (put_sender(&message, call->arg[4], &len) < 0)
        return -EFAULT;
    return user_write(call->arg[5], &len) < 0 ? -EFAULT : ret;
}

static int64_t read_message(guest_addr_t addr, struct user_message *user, struct message *message)
{
    if (user_read(user, addr) < 0)
        return -EFAULT;
    if (user->iov_count > HUSK_IOV_MAX)
        return -EMSGSIZE;
    if ((int32_t)user->name_len < 0)
        return -EINVAL;
    *message = (struct message){
        .name = user->name,
        .name_size = user->name_len,
        .control = user->control,
        .control_room = user->control_len,
    };
    return span_of_vector(&message->span, user->iov, user->iov_count);
}

static int64_t send_one(struct file *file, guest_addr_t addr, uint32_t flags)
{
    struct user_message user;
    struct message message;
    int64_t ret = read_message(addr, &user, &message);

    return ret < 0 ? ret : unix_send(file, &message, flags);
}

static int64_t receive_one(struct file *file, guest_addr_t addr, uint32_t flags)
{
    struct user_message user;
    struct message message;
    int64_t ret = read_message(addr, &user, &message);

    if (ret == 0)
        ret = unix_receive(file, &message, flags);
    if (ret < 0)
        return ret;
    if (user.name && put_sender(&message, user.name, &user.name_len) < 0)
        return -EFAULT;
    user.control_len = message.control_used;
    user.flags = message.flags;
    return user_write(addr, &user) < 0 ? -EFAULT : ret;
}

int64_t unix_sendmsg(const struct call *call)
{
    struct file *file = held_file(call);
    int64_t ret = send_one(file, call->arg[1], (uint32_t)call->arg[2]);

    file_release(file);
    return ret;
}

int64_t unix_recvmsg(const struct call *call)
{
    struct file *file = held_file(call);
    int64_t ret = receive_one(file, call->arg[1], (uint32_t)call->arg[2]);

    file_release(file);
    return ret;
}

/* struct mmsghdr[COUNT]: until one fails. */
static int64_t move_many(const struct call *call,
                         int64_t (*move)(struct file *file, guest_addr_t addr, uint32_t flags))
{
    uint64_t count = (uint32_t)call->arg[2] < HUSK_IOV_MAX ? (uint32_t)call->arg[2] : HUSK_IOV_MAX;
    uint32_t flags = (uint32_t)call->arg[3];
    struct file *file = held_file(call);
    int64_t ret = 0;
    uint64_t done = 0;

    while (done < count) {
        guest_addr_t at = call->arg[1] + done * sizeof(struct user_messages);
        uint32_t len;

        ret = move(file, at, flags & ~(uint32_t)MSG_WAITFORONE);
        if (ret < 0)
            break;
        len = (uint32_t)ret;
        if (user_write(at + offsetof(struct user_messages, len), &len) < 0) {
            ret = -EFAULT;
            break;
        }
        done++;
        if (flags & MSG_WAITFORONE)
            flags |= MSG_DONTWAIT;
    }
    file_release(file);
    return done > 0 ? (int64_t)done : ret;
}

int64_t unix_sendmmsg(const struct call *call)
{
    return move_many(call, send_one);
}

int64_t unix_recvmmsg(const struct call *call)
{
    return move_many(call, receive_one);
}
