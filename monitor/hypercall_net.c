/* SPDX-License-Identifier: ISC
 *
 * Sockets: addresses, messages and options are copied and checked here; net.h does the rest.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>

#include "cleanup.h"
#include "hypercall.h"
#include "interrupt.h"

/* What else there is would connect (MSG_FASTOPEN), read errors (MSG_ERRQUEUE) or pass routers by.
 */
#define SEND_FLAGS    (MSG_OOB | MSG_EOR | MSG_MORE)
#define RECEIVE_FLAGS (MSG_OOB | MSG_PEEK | MSG_TRUNC)

#define SENDFILE_MAX (16 << 20) /* bytes at once: the run can be ended in between */

static int socket_handle(struct run *run, uint64_t number, struct handle **handle)
{
    *handle = handles_get(&run->handles, number);
    if (!*handle)
        return -EBADF;
    return (*handle)->kind == HUSK_KIND_SOCKET ? 0 : -ENOTSOCK;
}

/* The sockaddr of LENGTH bytes at ADDR. -EAFNOSUPPORT also if it is not of the socket's family. */
static int read_address(struct run *run, const struct net_socket *socket, guest_addr_t addr,
                        uint64_t length, struct net_address *address, int *family)
{
    struct sockaddr_storage sockaddr = {0};

    if (length > sizeof(sockaddr) || length < sizeof(sockaddr.ss_family))
        return -EINVAL;
    if (memory_read(&run->memory, &sockaddr, addr, length) < 0)
        return -EFAULT;
    *family = sockaddr.ss_family;
    if (sockaddr.ss_family != (socket->ipv6 ? AF_INET6 : AF_INET))
        return -EAFNOSUPPORT;
    return net_address_from(&sockaddr, length, address);
}

/* Write as much of it as ROOM takes. Returns the whole length or -EFAULT. */
static int64_t write_address(struct run *run, const struct net_socket *socket,
                             const struct net_address *address, guest_addr_t addr, uint64_t room)
{
    struct sockaddr_storage sockaddr;
    socklen_t length = net_address_to(address, socket->ipv6 ? AF_INET6 : AF_INET, &sockaddr);

    if (room > length)
        room = length;
    if (room > 0 && memory_write(&run->memory, addr, &sockaddr, room) < 0)
        return -EFAULT;
    return length;
}

int64_t serve_socket(struct run *run, const struct husk_desc *desc)
{
    struct net_socket *socket;
    int fd;
    int ret =
        net_socket_open(&run->network, desc->arg[0], desc->arg[1], desc->arg[2], &socket, &fd);

    return ret < 0 ? ret : handles_insert_socket(&run->handles, socket, fd);
}

int64_t serve_bind(struct run *run, const struct husk_desc *desc)
{
    struct net_address address;
    struct handle *handle;
    int family;
    int ret = socket_handle(run, desc->arg[0], &handle);

    if (ret == 0)
        ret = read_address(run, handle->socket, desc->arg[1], desc->arg[2], &address, &family);
    if (ret < 0)
        return ret;
    return net_bind(&run->network, handle->socket, handle->dir.fd,
                    (unsigned)(handle - run->handles.table), &address);
}

int64_t serve_listen(struct run *run, const struct husk_desc *desc)
{
    struct handle *handle;
    int ret = socket_handle(run, desc->arg[0], &handle);

    if (ret < 0)
        return ret;
    return net_listen(&run->network, handle->socket, handle->dir.fd, (int)desc->arg[1]);
}

int64_t serve_accept(struct run *run, const struct husk_desc *desc)
{
    struct net_socket *accepted;
    struct net_address peer;
    struct handle *handle;
    int64_t number, length = 0;
    int fd, ret = socket_handle(run, desc->arg[0], &handle);

    if (ret == 0 && run->handles.sockets >= run->handles.max_sockets)
        ret = -EMFILE; /* the connection waits */
    if (ret == 0)
        ret = net_accept(&run->network, handle->socket, handle->dir.fd, &accepted, &fd, &peer);
    if (ret < 0)
        return ret;
    if (desc->arg[1])
        length = write_address(run, accepted, &peer, desc->arg[1], desc->arg[2]);
    if (length < 0) {
        net_socket_close(accepted, fd);
        return length;
    }
    number = handles_insert_socket(&run->handles, accepted, fd);
    if (number < 0)
        return number;
    handles_get(&run->handles, (uint64_t)number)->ahead = AHEAD_YES;
    return number | length << 32;
}

int64_t serve_connect(struct run *run, const struct husk_desc *desc)
{
    struct net_address address;
    struct handle *handle;
    int family = AF_INET;
    int ret = socket_handle(run, desc->arg[0], &handle);

    if (ret < 0)
        return ret;
    ret = read_address(run, handle->socket, desc->arg[1], desc->arg[2], &address, &family);
    if (family == AF_UNSPEC)
        return net_disconnect(handle->socket, handle->dir.fd);
    if (ret < 0)
        return ret;
    ret = net_connect(&run->network, handle->socket, handle->dir.fd, &address);
    if (ret == 0 && handle->socket->protocol == NET_TCP && handle->ahead == AHEAD_NO)
        handle->ahead = AHEAD_YES;
    return ret;
}

int64_t serve_shutdown(struct run *run, const struct husk_desc *desc)
{
    struct handle *handle;
    int ret = socket_handle(run, desc->arg[0], &handle);

    if (ret < 0)
        return ret;
    if (desc->arg[1] != SHUT_WR)
        handle->ahead = AHEAD_NEVER;
    return net_shutdown(handle->socket, handle->dir.fd, (int)desc->arg[1]);
}

int64_t serve_name(struct run *run, const struct husk_desc *desc)
{
    struct net_address address;
    struct handle *handle;
    int ret = socket_handle(run, desc->arg[0], &handle);

    if (ret < 0)
        return ret;
    ret = desc->arg[1] ? net_peer_name(&run->network, handle->socket, handle->dir.fd, &address)
                       : net_own_name(&run->network, handle->socket, handle->dir.fd, &address);
    if (ret < 0)
        return ret;
    return write_address(run, handle->socket, &address, desc->arg[2], desc->arg[3]);
}

/* Receive, and see whether it pays to do so ahead: after little that will not be much, either. */
static int64_t receive(struct run *run, struct handle *handle, const struct iovec *iov,
                       size_t count, int flags, struct net_address *from, bool *from_known,
                       int *message_flags)
{
    int64_t got = net_receive(&run->network, handle->socket, handle->dir.fd, iov, count, flags,
                              from, from_known, message_flags);

    if (got < 0 || handle->socket->protocol != NET_TCP || handle->ahead == AHEAD_NEVER)
        return got;
    handle->ahead = flags == 0 && got > 0 && got < HUSK_AHEAD_ROOM ? AHEAD_YES : AHEAD_NO;
    return got;
}

/* An error is told only once: a socket that has one is left alone. Where there are data or the end,
 * a peek meets no error that comes meanwhile (tcp_recvmsg of Linux looks there first). */
bool hypercall_receive_ahead(struct run *run, uint64_t number, uint32_t events, guest_addr_t addr)
{
    const uint32_t readable = EPOLLIN | EPOLLRDNORM, unclear = EPOLLERR | EPOLLHUP | EPOLLPRI;
    struct handle *handle = handles_get(&run->handles, number);
    struct husk_ahead ahead;
    struct iovec iov;
    int64_t got;

    if (!(events & readable) || events & unclear)
        return false;
    if (!handle || handle->kind != HUSK_KIND_SOCKET || handle->ahead != AHEAD_YES ||
        memory_read(&run->memory, &ahead, addr, sizeof(ahead)) < 0 || ahead.room == 0 ||
        ahead.room > HUSK_AHEAD_ROOM)
        return false;
    iov.iov_len = ahead.room;
    iov.iov_base = memory_pointer(&run->memory, ahead.base, ahead.room, HUSK_PROT_WRITE);
    if (!iov.iov_base)
        return false;
    got = net_receive(&run->network, handle->socket, handle->dir.fd, &iov, 1, MSG_PEEK,
                      &(struct net_address){0}, &(bool){false}, &(int){0});
    if (got <= 0)
        return false;
    handle->ahead = AHEAD_THERE;
    ahead.handle = (uint32_t)number;
    ahead.length = (uint32_t)got;
    return memory_write(&run->memory, addr, &ahead, sizeof(ahead)) == 0;
}

int64_t serve_skip(struct run *run, const struct husk_desc *desc)
{
    struct handle *handle;
    int ret = socket_handle(run, desc->arg[0], &handle);

    if (ret < 0)
        return ret;
    if (handle->socket->protocol != NET_TCP || desc->arg[1] > HUSK_AHEAD_ROOM)
        return -EINVAL;
    net_skip(handle->dir.fd, desc->arg[1]);
    if (handle->ahead == AHEAD_THERE)
        handle->ahead = AHEAD_YES;
    return 0;
}

/* A datagram is sent as a whole or not at all. */
static bool is_whole(const struct iovec *iov, int64_t count, uint64_t size)
{
    for (int64_t i = 0; i < count; i++)
        size -= iov[i].iov_len;
    return size == 0;
}

static int64_t send_message(struct run *run, const struct handle *handle,
                            const struct husk_message *message, uint64_t flags)
{
    uncleared struct iovec iov[HUSK_IOV_MAX];
    struct net_address address, *to = NULL;
    uint64_t size;
    int64_t count =
        hypercall_get_vector(run, message->iov, message->iov_count, HUSK_PROT_READ, iov, &size);
    int family, ret;

    if (count < 0)
        return count;
    if (handle->socket->protocol == NET_UDP) {
        if (!is_whole(iov, count, size))
            return -EFAULT;
        if (message->name) {
            ret = read_address(run, handle->socket, message->name, message->name_size, &address,
                               &family);
            if (ret < 0)
                return ret;
            to = &address;
        }
    }
    return net_send(&run->network, handle->socket, handle->dir.fd, iov, (size_t)count, (int)flags,
                    to);
}

static int64_t receive_message(struct run *run, struct handle *handle, struct husk_message *message,
                               uint64_t flags)
{
    uncleared struct iovec iov[HUSK_IOV_MAX];
    struct net_address from;
    bool from_known;
    int message_flags;
    uint64_t size;
    int64_t length, got;
    int64_t count =
        hypercall_get_vector(run, message->iov, message->iov_count, HUSK_PROT_WRITE, iov, &size);

    if (count < 0)
        return count;
    got = receive(run, handle, iov, (size_t)count, (int)flags, &from, &from_known, &message_flags);
    if (got < 0)
        return got;
    length = from_known && message->name
                 ? write_address(run, handle->socket, &from, message->name, message->name_size)
                 : 0;
    if (length < 0)
        return length;
    message->name_size = (uint32_t)length;
    message->flags = (uint32_t)message_flags;
    return got;
}

/* Messages until one fails: that is told only if it is the first. */
static int64_t serve_messages(struct run *run, const struct husk_desc *desc, bool send)
{
    uint64_t flags = desc->arg[3], done;
    struct handle *handle;
    int64_t result = socket_handle(run, desc->arg[0], &handle);

    if (result < 0)
        return result;
    if (desc->arg[2] > HUSK_MESSAGES_MAX)
        return -EINVAL;
    if (flags & ~(uint64_t)(send ? SEND_FLAGS : RECEIVE_FLAGS))
        return -EOPNOTSUPP;
    for (done = 0; done < desc->arg[2]; done++) {
        struct husk_message message;
        guest_addr_t addr = desc->arg[1] + done * sizeof(message);

        if (memory_read(&run->memory, &message, addr, sizeof(message)) < 0)
            result = -EFAULT;
        else
            result = send ? send_message(run, handle, &message, flags)
                          : receive_message(run, handle, &message, flags);
        message.result = result;
        if (result >= 0 && memory_write(&run->memory, addr, &message, sizeof(message)) < 0)
            result = -EFAULT;
        if (result < 0)
            break;
    }
    return done > 0 ? (int64_t)done : result;
}

int64_t serve_send(struct run *run, const struct husk_desc *desc)
{
    return serve_messages(run, desc, true);
}

int64_t serve_receive(struct run *run, const struct husk_desc *desc)
{
    return serve_messages(run, desc, false);
}

int64_t hypercall_socket_transfer(struct run *run, struct handle *handle, bool to_guest,
                                  const struct iovec *iov, int count)
{
    struct net_address from;
    bool from_known;
    int message_flags;

    /* read(2) of no bytes never waits, unlike recv(2). */
    if (to_guest && is_whole(iov, count, 0))
        return 0;
    if (to_guest)
        return receive(run, handle, iov, (size_t)count, 0, &from, &from_known, &message_flags);
    return net_send(&run->network, handle->socket, handle->dir.fd, iov, (size_t)count, 0, NULL);
}

int64_t serve_sendfile(struct run *run, const struct husk_desc *desc)
{
    const struct handle *file = handles_get(&run->handles, desc->arg[1]);
    off_t offset = (off_t)desc->arg[2];
    struct handle *handle;
    ssize_t sent;
    int ret = socket_handle(run, desc->arg[0], &handle);

    if (ret < 0)
        return ret;
    if (!file)
        return -EBADF;
    if (handle->socket->protocol != NET_TCP || file->kind != HUSK_KIND_FILE || offset < 0)
        return -EINVAL;
    /* Sockets never wait here, so a signal that is none of the guest's business, its timer's for
     * example, came before the first byte. */
    do
        sent = sendfile(handle->dir.fd, file->dir.fd, &offset,
                        desc->arg[3] < SENDFILE_MAX ? desc->arg[3] : SENDFILE_MAX);
    while (sent < 0 && errno == EINTR && !interrupt_pending());
    return sent < 0 ? -errno : sent;
}

int64_t serve_getoption(struct run *run, const struct husk_desc *desc)
{
    uint8_t value[NET_OPTION_MAX] = {0};
    socklen_t length = sizeof(value);
    struct handle *handle;
    int ret = socket_handle(run, desc->arg[0], &handle);

    if (ret < 0)
        return ret;
    if (desc->arg[4] < length)
        length = (socklen_t)desc->arg[4];
    ret =
        net_get_option(handle->socket, handle->dir.fd, desc->arg[1], desc->arg[2], value, &length);
    if (ret < 0)
        return ret;
    if (length > 0 && memory_write(&run->memory, desc->arg[3], value, length) < 0)
        return -EFAULT;
    return length;
}

int64_t serve_setoption(struct run *run, const struct husk_desc *desc)
{
    uint8_t value[NET_OPTION_MAX] = {0};
    size_t length = desc->arg[4] < sizeof(value) ? desc->arg[4] : sizeof(value);
    struct handle *handle;
    int ret = socket_handle(run, desc->arg[0], &handle);

    if (ret < 0)
        return ret;
    if (length > 0 && memory_read(&run->memory, value, desc->arg[3], length) < 0)
        return -EFAULT;
    return net_set_option(handle->socket, handle->dir.fd, desc->arg[1], desc->arg[2], value,
                          (socklen_t)length);
}

int64_t serve_queued(struct run *run, const struct husk_desc *desc)
{
    struct handle *handle;
    int bytes = 0, ret = socket_handle(run, desc->arg[0], &handle);

    if (ret < 0)
        return ret;
    return ioctl(handle->dir.fd, FIONREAD, &bytes) < 0 ? -errno : bytes;
}

int64_t serve_hosts(struct run *run, const struct husk_desc *desc)
{
    const struct net_policy *policy = &run->network.policy;
    size_t length = policy->hosts_length < desc->arg[1] ? policy->hosts_length : desc->arg[1];

    if (length > 0 && memory_write(&run->memory, desc->arg[0], policy->hosts, length) < 0)
        return -EFAULT;
    return (int64_t)length;
}
