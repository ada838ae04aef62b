/* SPDX-License-Identifier: ISC
 *
 * AF_UNIX sockets: made, named, connected, closed.
 */
#include "unix.h"

#include <asm/poll.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/stat.h>

#include "slab.h"
#include "sockets.h"

#define BACKLOG_MAX 4096 /* SOMAXCONN of Linux */

enum { SHUT_RD, SHUT_WR, SHUT_RDWR };

static struct unix_socket *all;

struct unix_socket *unix_after(const struct unix_socket *socket)
{
    return socket ? socket->next : all;
}

static bool is_message_based(const struct unix_socket *socket)
{
    return socket->type == SOCK_DGRAM;
}

static void leave_list(struct unix_socket *socket)
{
    if (socket->previous)
        socket->previous->next = socket->next;
    else
        all = socket->next;
    if (socket->next)
        socket->next->previous = socket->previous;
}

/* The other side sees the end; an error, if this side did not read everything. */
static void disconnect(struct unix_socket *socket)
{
    struct unix_socket *peer = socket->peer;

    socket->peer = NULL;
    if (!peer || is_message_based(socket))
        return;
    peer->peer = NULL;
    peer->read_shut = peer->write_shut = true;
    if (socket->first)
        peer->error = ECONNRESET;
    object_wake(&peer->object, POLLIN | POLLOUT | POLLHUP | POLLRDHUP | POLLERR);
}

/* Datagram sockets that send to this one have nobody any longer: they are told when they try. */
static void forget(const struct unix_socket *gone)
{
    struct unix_socket *socket = NULL;

    while ((socket = unix_after(socket)))
        if (socket->peer == gone) {
            socket->peer = NULL;
            object_wake(&socket->object, POLLOUT);
        }
}

static void destroy(struct unix_socket *socket)
{
    while (socket->pending) {
        struct unix_socket *waiting = socket->pending;

        socket->pending = waiting->next_pending;
        if (waiting->peer)
            waiting->peer->error = ECONNRESET;
        destroy(waiting);
    }
    leave_list(socket);
    disconnect(socket);
    forget(socket);
    unix_drop_packets(socket);
    unix_give_name_back(socket);
    object_abandon(&socket->object);
    slab_free(socket);
}

static void release(struct file *file)
{
    destroy(unix_of(file));
}

static const struct object_kind unix_kind = {
    .name = "socket",
    .numbered = true,
    .mode = S_IFSOCK | 0777,
    .system = SOCKFS_MAGIC,
    .read = unix_read,
    .write = unix_write,
    .poll = unix_poll,
    .queued = unix_queued,
    .release = release,
};

bool unix_is_socket(const struct file *file)
{
    return file->system == FS_OBJECT && file->object->kind == &unix_kind;
}

static struct unix_socket *socket_new(uint8_t type)
{
    struct unix_socket *socket = slab_alloc_zeroed(sizeof(*socket));

    if (!socket)
        return NULL;
    object_init(&socket->object, &unix_kind);
    socket->type = type;
    socket->next = all;
    if (all)
        all->previous = socket;
    all = socket;
    return socket;
}

static int64_t check_type(uint64_t *type, uint64_t protocol, uint64_t flags)
{
    const uint64_t raw = 3; /* SOCK_RAW, which is a datagram socket: unix(7) */
    const uint64_t types = 11;

    if (flags & ~(uint64_t)(O_NONBLOCK | O_CLOEXEC) || *type >= types)
        return -EINVAL;
    if (protocol != 0 && protocol != AF_UNIX)
        return -EPROTONOSUPPORT;
    if (*type == raw)
        *type = SOCK_DGRAM;
    return *type == SOCK_STREAM || *type == SOCK_DGRAM || *type == SOCK_SEQPACKET
               ? 0
               : -ESOCKTNOSUPPORT;
}

/* A descriptor for it; without one it is destroyed. */
static int64_t open_socket(struct unix_socket *socket, uint64_t flags)
{
    int64_t fd = object_open(&socket->object, O_RDWR | flags);

    if (fd < 0)
        destroy(socket);
    return fd;
}

int64_t unix_socket(uint64_t type, uint64_t protocol, uint64_t flags)
{
    struct unix_socket *socket;
    int64_t ret = check_type(&type, protocol, flags);

    if (ret < 0)
        return ret;
    socket = socket_new(type);
    return socket ? open_socket(socket, flags) : -ENOMEM;
}

static void join(struct unix_socket *one, struct unix_socket *other)
{
    one->peer = other;
    other->peer = one;
    one->connected = other->connected = true;
}

int64_t sys_socketpair(const struct call *call)
{
    uint64_t type = (uint32_t)call->arg[1] & SOCK_MASK, flags = (uint32_t)call->arg[1] & ~SOCK_MASK;
    struct unix_socket *ends[2];
    int32_t fds[2];
    int64_t ret;

    if ((uint32_t)call->arg[0] != AF_UNIX)
        return (uint32_t)call->arg[0] > AF_UNIX ? -EOPNOTSUPP : -EAFNOSUPPORT;
    ret = check_type(&type, (uint32_t)call->arg[2], flags);
    if (ret < 0)
        return ret;
    ends[0] = socket_new(type);
    ends[1] = socket_new(type);
    if (!ends[0] || !ends[1]) {
        for (int i = 0; i < 2; i++)
            if (ends[i])
                destroy(ends[i]);
        return -ENOMEM;
    }
    join(ends[0], ends[1]);
    fds[0] = open_socket(ends[0], flags);
    fds[1] = fds[0] < 0 ? fds[0] : open_socket(ends[1], flags);
    if (fds[0] < 0)
        destroy(ends[1]);
    ret = fds[1] < 0 ? fds[1] : user_write(call->arg[3], &fds);
    if (ret < 0 && fds[0] >= 0)
        fd_close(fds[0]);
    if (ret < 0 && fds[1] >= 0)
        fd_close(fds[1]);
    return ret;
}

static struct unix_socket *socket_at(const struct call *call)
{
    return unix_of(file_get((uint32_t)call->arg[0]));
}

int64_t unix_bind(const struct call *call)
{
    struct unix_socket *socket = socket_at(call);
    struct unix_address address;
    int64_t ret = unix_read_address(call->arg[1], (uint32_t)call->arg[2], &address);

    if (ret < 0)
        return ret;
    if (socket->name.len > 0)
        return address.len == 0 ? 0 : -EINVAL;
    return unix_take_name(socket, &address);
}

int64_t unix_listen(const struct call *call)
{
    struct unix_socket *socket = socket_at(call);
    uint32_t backlog = (uint32_t)call->arg[1];

    if (is_message_based(socket))
        return -EOPNOTSUPP;
    if (socket->connected || socket->name.len == 0)
        return -EINVAL;
    socket->listening = true;
    socket->backlog = backlog < BACKLOG_MAX ? backlog : BACKLOG_MAX;
    return 0;
}

static void add_pending(struct unix_socket *listener, struct unix_socket *socket)
{
    struct unix_socket **link = &listener->pending;

    while (*link)
        link = &(*link)->next_pending;
    *link = socket;
    listener->pending_count++;
    object_wake(&listener->object, POLLIN | POLLRDNORM);
}

/* Wait until the listener has room: its queue is woken when it accepts. */
static int64_t find_listener(struct file *file, const struct unix_address *address,
                             struct unix_socket **listener)
{
    uint64_t deadline = socket_send_deadline(file);

    for (;;) {
        int64_t ret = unix_find(address, unix_of(file)->type, listener);

        if (ret < 0)
            return ret;
        if (!(*listener)->listening)
            return -ECONNREFUSED;
        if ((*listener)->pending_count <= (*listener)->backlog)
            return 0;
        ret = object_wait_for(&(*listener)->object, file->flags & O_NONBLOCK, deadline);
        if (ret < 0)
            return ret;
    }
}

static int64_t connect_stream(struct file *file, const struct unix_address *address)
{
    struct unix_socket *socket = unix_of(file), *listener, *accepted;
    int64_t ret;

    if (socket->listening)
        return -EINVAL;
    if (socket->connected)
        return -EISCONN;
    ret = find_listener(file, address, &listener);
    if (ret < 0)
        return ret;
    if (socket->connected)
        return -EISCONN;
    accepted = socket_new(socket->type);
    if (!accepted)
        return -ENOMEM;
    accepted->name = listener->name;
    join(socket, accepted);
    add_pending(listener, accepted);
    return 0;
}

static int64_t connect_messages(struct unix_socket *socket, const struct unix_address *address)
{
    struct unix_socket *peer;
    int64_t ret = unix_find(address, socket->type, &peer);

    if (ret < 0)
        return ret;
    if (peer->peer && peer->peer != socket)
        return -EPERM;
    socket->peer = peer;
    socket->connected = true;
    return 0;
}

int64_t unix_connect(const struct call *call)
{
    struct file *file = file_get((uint32_t)call->arg[0]);
    struct unix_socket *socket = unix_of(file);
    struct unix_address address;
    uint16_t family = 1;
    int64_t ret;

    if ((uint32_t)call->arg[2] >= sizeof(family) && user_read(&family, call->arg[1]) < 0)
        return -EFAULT;
    if (family == 0 && is_message_based(socket)) {
        socket->peer = NULL;
        socket->connected = false;
        return 0;
    }
    ret = unix_read_address(call->arg[1], (uint32_t)call->arg[2], &address);
    if (ret < 0)
        return ret;
    if (is_message_based(socket))
        return connect_messages(socket, &address);
    file_hold(file);
    ret = connect_stream(file, &address);
    file_release(file);
    return ret;
}

static int64_t take_pending(struct file *file, struct unix_socket **accepted)
{
    struct unix_socket *listener = unix_of(file);
    uint64_t deadline = socket_receive_deadline(file);
    int64_t ret;

    while (!listener->pending) {
        ret = object_wait(file, deadline);
        if (ret < 0)
            return ret;
    }
    *accepted = listener->pending;
    listener->pending = (*accepted)->next_pending;
    (*accepted)->next_pending = NULL;
    listener->pending_count--;
    object_wake(&listener->object, POLLOUT);
    return 0;
}

static int64_t put_name(const struct unix_address *name, uint64_t addr, uint64_t len_addr)
{
    uint32_t len;
    int64_t ret;

    if (user_read(&len, len_addr) < 0)
        return -EFAULT;
    if ((int32_t)len < 0)
        return -EINVAL;
    ret = unix_write_address(name, addr, &len);
    return ret < 0 ? ret : user_write(len_addr, &len);
}

int64_t unix_accept(const struct call *call, uint64_t flags)
{
    static const struct unix_address nobody;
    struct file *file = file_get((uint32_t)call->arg[0]);
    struct unix_socket *accepted;
    int64_t ret, fd;

    if (flags & ~(uint64_t)(O_NONBLOCK | O_CLOEXEC))
        return -EINVAL;
    if (is_message_based(unix_of(file)))
        return -EOPNOTSUPP;
    if (!unix_of(file)->listening)
        return -EINVAL;
    if (fd_find(0) < 0)
        return -EMFILE;
    file_hold(file);
    ret = take_pending(file, &accepted);
    file_release(file);
    if (ret < 0)
        return ret;
    fd = open_socket(accepted, flags);
    if (fd < 0 || !call->arg[1])
        return fd;
    ret = put_name(accepted->peer ? &accepted->peer->name : &nobody, call->arg[1], call->arg[2]);
    if (ret < 0)
        fd_close(fd);
    return ret < 0 ? ret : fd;
}

int64_t unix_name(const struct call *call, bool peer)
{
    const struct unix_socket *socket = socket_at(call);

    if (peer)
        socket = socket->peer;
    return socket ? put_name(&socket->name, call->arg[1], call->arg[2]) : -ENOTCONN;
}

int64_t unix_shutdown(const struct call *call)
{
    struct unix_socket *socket = socket_at(call), *peer = socket->peer;
    uint32_t how = (uint32_t)call->arg[1];
    bool reading = how != SHUT_WR, writing = how != SHUT_RD;

    if (how > SHUT_RDWR)
        return -EINVAL;
    socket->read_shut |= reading;
    socket->write_shut |= writing;
    object_wake(&socket->object, POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
    if (!peer || is_message_based(socket))
        return 0;
    peer->read_shut |= writing;
    peer->write_shut |= reading;
    object_wake(&peer->object, POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
    return 0;
}
