/* SPDX-License-Identifier: ISC
 *
 * AF_UNIX sockets: what goes through them. Packets wait in the socket that receives them.
 */
#include <asm/poll.h>
#include <linux/fcntl.h>

#include "slab.h"
#include "sockets.h"
#include "thread.h"
#include "unix.h"
#include "unix_control.h"

/* Of messages that wait: even an empty one takes a page. */
#define MESSAGES_LIMIT (1 << 20)
#define MESSAGE_MAX    (UNIX_LIMIT - 32) /* the largest message, as on Linux */

static bool is_stream(const struct unix_socket *socket)
{
    return socket->type == SOCK_STREAM;
}

static void packet_free(struct packet *packet)
{
    bytes_free(&packet->bytes);
    control_drop_files(packet);
    if (packet->from)
        slab_free(packet->from);
    slab_free(packet);
}

static void remove_first(struct unix_socket *socket)
{
    struct packet *packet = socket->first;

    socket->first = packet->next;
    socket->waiting -= packet->cost;
    packet_free(packet);
}

void unix_drop_packets(struct unix_socket *socket)
{
    while (socket->first)
        remove_first(socket);
}

static struct packet *append_packet(struct unix_socket *socket)
{
    struct packet *packet = slab_alloc_zeroed(sizeof(*packet));

    if (!packet)
        return NULL;
    if (socket->first)
        socket->last->next = packet;
    else
        socket->first = packet;
    socket->last = packet;
    return packet;
}

static bool has_room_for_messages(const struct unix_socket *socket)
{
    return socket->waiting < MESSAGES_LIMIT;
}

/* A quarter of the room must be left, as on Linux, so that programs do not wake for each byte. */
static bool is_writable(const struct unix_socket *socket)
{
    const struct unix_socket *peer = socket->peer;

    if (socket->listening)
        return false;
    if (!peer)
        return true;
    return is_stream(socket) ? peer->waiting * 4 <= UNIX_LIMIT : has_room_for_messages(peer);
}

uint32_t unix_poll(struct file *file)
{
    const struct unix_socket *socket = unix_of(file);
    bool connects = socket->type != SOCK_DGRAM;
    uint32_t events = 0;

    if (socket->error)
        events |= POLLERR;
    if ((socket->read_shut && socket->write_shut) ||
        (connects && !socket->connected && !socket->listening))
        events |= POLLHUP;
    if (socket->read_shut)
        events |= POLLRDHUP | POLLIN | POLLRDNORM;
    if (socket->first || socket->pending)
        events |= POLLIN | POLLRDNORM;
    if (is_writable(socket))
        events |= POLLOUT | POLLWRNORM | POLLWRBAND;
    return events;
}

int64_t unix_queued(struct file *file)
{
    const struct unix_socket *socket = unix_of(file);

    if (socket->listening)
        return -EINVAL;
    if (is_stream(socket))
        return socket->waiting;
    return socket->first ? (int64_t)socket->first->bytes.used : 0;
}

static int64_t take_error(struct unix_socket *socket)
{
    int64_t error = socket->error;

    socket->error = 0;
    return -error;
}

/* Descriptors stay together with the first byte that comes after them. */
static int64_t put_stream(struct unix_socket *to, struct message *message, uint64_t len)
{
    struct packet *packet = to->last;
    int64_t put;

    if (!to->first || packet->files || message->files)
        packet = append_packet(to);
    if (!packet)
        return -ENOMEM;
    put = bytes_put(&packet->bytes, &message->span, len);
    if (put > 0) {
        packet->cost += put;
        to->waiting += put;
        control_move_files(message, packet);
    }
    if (packet->bytes.used == 0 && to->first == packet) {
        remove_first(to);
        return put;
    }
    object_wake(&to->object, POLLIN | POLLRDNORM);
    return put;
}

/* 0: there is room; or -errno. */
static int64_t check_stream(const struct unix_socket *socket)
{
    if (!socket->connected)
        return -ENOTCONN;
    return socket->write_shut || !socket->peer ? -EPIPE : 0;
}

static int64_t send_stream(struct file *file, struct message *message, bool nonblocking)
{
    struct unix_socket *socket = unix_of(file);
    uint64_t deadline = socket_send_deadline(file);
    int64_t done = 0, ret = check_stream(socket);

    if (message->name)
        return socket->connected ? -EISCONN : -EOPNOTSUPP;
    while (ret >= 0 && message->span.left > 0) {
        uint64_t left = message->span.left, room;

        room = socket->peer->waiting < UNIX_LIMIT ? UNIX_LIMIT - socket->peer->waiting : 0;
        if (room == 0)
            ret = object_wait_for(&socket->object, nonblocking, deadline);
        else
            ret = put_stream(socket->peer, message, room < left ? room : left);
        if (room > 0 && ret > 0)
            done += ret;
        if (ret >= 0)
            ret = check_stream(socket);
    }
    return done > 0 ? done : ret;
}

/* Where a message goes. */
static int64_t find_receiver(struct unix_socket *socket, const struct unix_address *to,
                             struct unix_socket **receiver)
{
    int64_t ret;

    if (to) {
        ret = unix_find(to, socket->type, receiver);
        if (ret < 0)
            return ret;
    } else if (socket->peer) {
        *receiver = socket->peer;
    } else {
        bool was_connected = socket->connected;

        if (socket->type == SOCK_SEQPACKET)
            return was_connected ? -EPIPE : -ENOTCONN;
        socket->connected = false;
        return was_connected ? -ECONNREFUSED : -ENOTCONN;
    }
    if (socket->write_shut || (*receiver)->read_shut)
        return -EPIPE;
    return socket->type == SOCK_DGRAM && (*receiver)->peer && (*receiver)->peer != socket ? -EPERM
                                                                                          : 0;
}

static int64_t put_message(struct unix_socket *from, struct unix_socket *to,
                           struct message *message)
{
    struct packet *packet = slab_alloc_zeroed(sizeof(*packet));
    uint64_t len = message->span.left;
    int64_t put;

    if (!packet)
        return -ENOMEM;
    if (from->type == SOCK_DGRAM && from->name.len > 0) {
        packet->from = slab_alloc(sizeof(*packet->from));
        if (packet->from)
            *packet->from = from->name;
    }
    put = bytes_put(&packet->bytes, &message->span, len);
    if (put < (int64_t)len) {
        packet_free(packet);
        return put < 0 ? put : -EFAULT;
    }
    control_move_files(message, packet);
    packet->cost = page_up(len + 1);
    to->waiting += packet->cost;
    if (to->first)
        to->last->next = packet;
    else
        to->first = packet;
    to->last = packet;
    object_wake(&to->object, POLLIN | POLLRDNORM);
    return put;
}

static int64_t send_message(struct file *file, struct message *message, bool nonblocking)
{
    struct unix_socket *socket = unix_of(file), *receiver;
    uint64_t deadline = socket_send_deadline(file);
    struct unix_address to;
    int64_t ret;

    if (socket->type == SOCK_SEQPACKET)
        message->name = 0;
    if (message->name) {
        ret = unix_read_address(message->name, message->name_size, &to);
        if (ret < 0)
            return ret;
    }
    if (message->span.left > MESSAGE_MAX)
        return -EMSGSIZE;
    for (;;) {
        ret = find_receiver(socket, message->name ? &to : NULL, &receiver);
        if (ret < 0)
            return ret;
        if (has_room_for_messages(receiver))
            return put_message(socket, receiver, message);
        ret = object_wait_for(&receiver->object, nonblocking, deadline);
        if (ret < 0)
            return ret;
    }
}

int64_t unix_send(struct file *file, struct message *message, uint32_t flags)
{
    bool nonblocking = file->flags & O_NONBLOCK || flags & MSG_DONTWAIT;
    int64_t ret;

    if (flags & MSG_OOB)
        return -EOPNOTSUPP;
    ret = control_read(message);
    if (ret == 0)
        ret = is_stream(unix_of(file)) ? send_stream(file, message, nonblocking)
                                       : send_message(file, message, nonblocking);
    control_drop(message);
    if (ret == -EPIPE && unix_of(file)->type != SOCK_DGRAM && !(flags & MSG_NOSIGNAL))
        signal_raise(SIGPIPE);
    return ret;
}

/* Those that send to SOCKET have room again. */
static void wake_senders(struct unix_socket *socket)
{
    struct unix_socket *sender = NULL;

    if (socket->type != SOCK_DGRAM) {
        if (socket->peer)
            object_wake(&socket->peer->object, POLLOUT | POLLWRNORM | POLLWRBAND);
    } else {
        while ((sender = unix_after(sender)))
            if (sender->peer == socket)
                object_wake(&sender->object, POLLOUT | POLLWRNORM | POLLWRBAND);
    }
    object_wake(&socket->object, POLLOUT); /* threads that wait in send_message */
}

/* Nothing is there: 0 to look again, 1 at the end, or -errno. */
static int64_t wait_to_receive(struct file *file, bool nonblocking, uint64_t deadline)
{
    struct unix_socket *socket = unix_of(file);

    if (socket->error)
        return take_error(socket);
    if (socket->read_shut)
        return 1;
    if (socket->type == SOCK_STREAM && !socket->connected)
        return -EINVAL;
    if (socket->type == SOCK_SEQPACKET && !socket->connected)
        return -ENOTCONN;
    return object_wait_for(&socket->object, nonblocking, deadline);
}

/* Bytes of the first packet, whose descriptors come with them. */
static int64_t take_stream(struct unix_socket *socket, struct message *message, uint32_t flags)
{
    struct packet *packet = socket->first;
    struct span *span = &message->span;
    int64_t done;

    if (flags & MSG_PEEK) {
        done = bytes_peek(&packet->bytes, 0, span, span->left);
    } else {
        done = bytes_take(&packet->bytes, span, span->left);
        packet->cost -= done > 0 ? done : 0;
        socket->waiting -= done > 0 ? done : 0;
    }
    if (done >= 0)
        control_write_files(message, packet, flags);
    if (packet->bytes.used == 0)
        remove_first(socket);
    if (!(flags & MSG_PEEK))
        wake_senders(socket);
    return done;
}

/* As much as there is; with MSG_WAITALL as much as fits. Never beyond descriptors. */
static int64_t receive_stream(struct file *file, struct message *message, uint32_t flags,
                              bool nonblocking)
{
    struct unix_socket *socket = unix_of(file);
    uint64_t deadline = socket_receive_deadline(file);
    bool had_files = false;
    int64_t done = 0, ret = 0;

    while (message->span.left > 0 && !had_files) {
        if (!socket->first) {
            if (done > 0 && !(flags & MSG_WAITALL))
                break;
            ret = wait_to_receive(file, nonblocking, deadline);
            if (ret != 0)
                break;
            continue;
        }
        if (socket->first->files && done > 0)
            break;
        had_files = socket->first->files != NULL;
        ret = take_stream(socket, message, flags);
        if (ret < 0)
            break;
        done += ret;
        if (flags & MSG_PEEK)
            break;
    }
    return done > 0 || ret > 0 ? done : ret;
}

static int64_t receive_message(struct file *file, struct message *message, uint32_t flags,
                               bool nonblocking)
{
    struct unix_socket *socket = unix_of(file);
    uint64_t deadline = socket_receive_deadline(file), room = message->span.left, len;
    struct packet *packet;
    int64_t ret;

    while (!(packet = socket->first)) {
        ret = wait_to_receive(file, nonblocking, deadline);
        if (ret != 0)
            return ret < 0 ? ret : 0;
    }
    len = packet->bytes.used;
    ret = bytes_peek(&packet->bytes, 0, &message->span, len < room ? len : room);
    if (len > room)
        message->flags |= MSG_TRUNC;
    if (packet->from)
        message->from = *packet->from;
    if (ret >= 0)
        control_write_files(message, packet, flags);
    if (!(flags & MSG_PEEK)) {
        remove_first(socket);
        wake_senders(socket);
    }
    return ret >= 0 && flags & MSG_TRUNC ? (int64_t)len : ret;
}

int64_t unix_receive(struct file *file, struct message *message, uint32_t flags)
{
    struct unix_socket *socket = unix_of(file);
    bool nonblocking = file->flags & O_NONBLOCK || flags & MSG_DONTWAIT;
    int64_t ret;

    message->flags = flags & MSG_CMSG_CLOEXEC;
    message->from.len = 0;
    if (flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (flags & MSG_ERRQUEUE)
        return -EAGAIN;
    control_begin(message, socket->wants_credentials);
    ret = is_stream(socket) ? receive_stream(file, message, flags, nonblocking)
                            : receive_message(file, message, flags, nonblocking);
    return ret;
}
