/* SPDX-License-Identifier: ISC
 *
 * Sockets: making, naming, connecting, options.
 */
#include "sockets.h"

#include <asm/poll.h>
#include <asm/socket.h>
#include <linux/fcntl.h>
#include <linux/net.h>
#include <linux/time.h>

#include "unix.h"
#include "wait.h"

#define SOCK_NONBLOCK O_NONBLOCK
#define SOCK_CLOEXEC  O_CLOEXEC
#define SECOND        1000000000ULL

int64_t socket_get(uint64_t fd, struct file **file)
{
    *file = file_get((uint32_t)fd);
    if (!*file || (*file)->flags & O_PATH)
        return -EBADF;
    if (unix_is_socket(*file))
        return SOCKET_IS_LOCAL;
    if ((*file)->kind != HUSK_KIND_SOCKET)
        return -ENOTSOCK;
    file_hold(*file);
    return 0;
}

/* OP, which does not wait, on the socket and two arguments. */
static int64_t socket_call(enum husk_op op, const struct call *call)
{
    static syscall_fn *const local[] = {
        [HUSK_OP_BIND] = unix_bind,
        [HUSK_OP_LISTEN] = unix_listen,
        [HUSK_OP_SHUTDOWN] = unix_shutdown,
    };
    struct file *file;
    int64_t ret = socket_get(call->arg[0], &file);

    if (ret == SOCKET_IS_LOCAL)
        return local[op](call);
    if (ret < 0)
        return ret;
    ret = HYPERCALL(op, file->handle, call->arg[1], (uint32_t)call->arg[2]);
    file_release(file);
    return ret;
}

uint64_t socket_receive_deadline(const struct file *file)
{
    return file->receive_timeout ? deadline_in(file->receive_timeout) : NEVER;
}

uint64_t socket_send_deadline(const struct file *file)
{
    return file->send_timeout ? deadline_in(file->send_timeout) : NEVER;
}

bool socket_is_stream(const struct file *file)
{
    return file->kind == HUSK_KIND_SOCKET && file->socket_type == SOCK_STREAM;
}

int64_t socket_wait(struct file *file, int16_t events, uint64_t deadline)
{
    int64_t ret =
        wait_for_host(file->handle, socket_is_stream(file) ? file : NULL, events, deadline);

    if (ret == -ETIMEDOUT)
        return -EAGAIN;
    if (ret == -EINTR && deadline == NEVER)
        return -ERESTARTSYS;
    return ret < 0 ? ret : 0;
}

/* A descriptor for the host's socket HANDLE, or -errno: it is closed then. */
static int64_t install(uint32_t handle, uint64_t type, uint64_t flags)
{
    int64_t fd = fd_find(0);
    struct file *file = fd < 0 ? NULL : file_new(handle, HUSK_KIND_SOCKET, O_RDWR);

    if (!file) {
        HYPERCALL(HUSK_OP_CLOSE, handle);
        return fd < 0 ? fd : -ENFILE;
    }
    file->flags |= flags & SOCK_NONBLOCK;
    file->socket_type = type;
    fd_install(fd, file, flags & SOCK_CLOEXEC);
    return fd;
}

int64_t sys_socket(const struct call *call)
{
    uint64_t type = (uint32_t)call->arg[1] & SOCK_MASK, flags = (uint32_t)call->arg[1] & ~SOCK_MASK;
    int64_t handle;

    if (flags & ~(uint64_t)(SOCK_NONBLOCK | SOCK_CLOEXEC))
        return -EINVAL;
    if (fd_find(0) < 0)
        return -EMFILE;
    if ((uint32_t)call->arg[0] == AF_UNIX)
        return unix_socket(type, (uint32_t)call->arg[2], flags);
    handle = HYPERCALL(HUSK_OP_SOCKET, (uint32_t)call->arg[0], type, (uint32_t)call->arg[2]);
    return handle < 0 ? handle : install(handle, type, flags);
}

int64_t sys_bind(const struct call *call)
{
    return socket_call(HUSK_OP_BIND, call);
}

int64_t sys_listen(const struct call *call)
{
    return socket_call(HUSK_OP_LISTEN, call);
}

int64_t sys_shutdown(const struct call *call)
{
    return socket_call(HUSK_OP_SHUTDOWN, call);
}

/* Where the application keeps the room for an address. */
static int64_t get_room(uint64_t addr, int32_t *room)
{
    if (user_read(room, addr) < 0)
        return -EFAULT;
    return *room < 0 ? -EINVAL : 0;
}

static int64_t accept_one(struct file *file, uint64_t addr, int32_t room)
{
    uint64_t deadline = NEVER;
    bool waited = false;
    int64_t ret;

    for (;;) {
        ret = HYPERCALL(HUSK_OP_ACCEPT, file->handle, addr, addr ? room : 0);
        if (ret != -EAGAIN || file->flags & O_NONBLOCK)
            return ret;
        if (!waited)
            deadline = socket_receive_deadline(file);
        waited = true;
        ret = socket_wait(file, POLLIN, deadline);
        if (ret < 0)
            return ret;
    }
}

static int64_t do_accept(const struct call *call, uint64_t flags)
{
    uint64_t addr = call->arg[1];
    struct file *file;
    int32_t room = 0;
    int64_t ret = socket_get(call->arg[0], &file);

    if (ret == SOCKET_IS_LOCAL)
        return unix_accept(call, flags);
    if (ret < 0)
        return ret;
    if (flags & ~(uint64_t)(SOCK_NONBLOCK | SOCK_CLOEXEC))
        ret = -EINVAL;
    else if (fd_find(0) < 0)
        ret = -EMFILE;
    else if (addr)
        ret = get_room(call->arg[2], &room);
    if (ret == 0)
        ret = accept_one(file, addr, room);
    file_release(file);
    if (ret < 0)
        return ret;
    room = (int32_t)(ret >> 32);
    if (addr && user_write(call->arg[2], &room) < 0) {
        HYPERCALL(HUSK_OP_CLOSE, (uint32_t)ret);
        return -EFAULT;
    }
    ret = install((uint32_t)ret, SOCK_STREAM, flags);
    if (ret >= 0)
        file_get(ret)->little = true; /* a request, perhaps */
    return ret;
}

int64_t sys_accept(const struct call *call)
{
    return do_accept(call, 0);
}

int64_t sys_accept4(const struct call *call)
{
    return do_accept(call, (uint32_t)call->arg[3]);
}

/* A connect that was interrupted goes on meanwhile, and is asked for again (EALREADY). */
static int64_t connect_wait(struct file *file, uint64_t addr, uint64_t len)
{
    uint64_t deadline = socket_send_deadline(file);
    int64_t ret;

    do {
        ret = socket_wait(file, POLLOUT, deadline);
        if (ret < 0)
            return ret == -EAGAIN ? -EINPROGRESS : ret;
        ret = HYPERCALL(HUSK_OP_CONNECT, file->handle, addr, len);
    } while (ret == -EALREADY || ret == -EINPROGRESS);
    return ret;
}

int64_t sys_connect(const struct call *call)
{
    uint64_t addr = call->arg[1], len = (uint32_t)call->arg[2];
    struct file *file;
    int64_t ret = socket_get(call->arg[0], &file);

    if (ret == SOCKET_IS_LOCAL)
        return unix_connect(call);
    if (ret < 0)
        return ret;
    hypercall_tell(TELLING_SENDS);
    ret = HYPERCALL(HUSK_OP_CONNECT, file->handle, addr, len);
    if ((ret == -EINPROGRESS || ret == -EALREADY) && !(file->flags & O_NONBLOCK))
        ret = connect_wait(file, addr, len);
    if (ret == 0)
        file->little = socket_is_stream(file);
    file_release(file);
    return ret;
}

static int64_t get_name(const struct call *call, bool peer)
{
    int32_t room;
    struct file *file;
    int64_t ret = socket_get(call->arg[0], &file);

    if (ret == SOCKET_IS_LOCAL)
        return unix_name(call, peer);
    if (ret < 0)
        return ret;
    ret = get_room(call->arg[2], &room);
    if (ret == 0)
        ret = HYPERCALL(HUSK_OP_NAME, file->handle, peer, call->arg[1], room);
    file_release(file);
    if (ret < 0)
        return ret;
    room = (int32_t)ret;
    return user_write(call->arg[2], &room);
}

int64_t sys_getsockname(const struct call *call)
{
    return get_name(call, false);
}

int64_t sys_getpeername(const struct call *call)
{
    return get_name(call, true);
}

/* The timeouts are ours: the host's sockets never wait. */
uint64_t *socket_timeout(struct file *file, uint64_t level, uint64_t name)
{
    if (level != SOL_SOCKET)
        return NULL;
    if (name == SO_RCVTIMEO_OLD || name == SO_RCVTIMEO_NEW)
        return &file->receive_timeout;
    return name == SO_SNDTIMEO_OLD || name == SO_SNDTIMEO_NEW ? &file->send_timeout : NULL;
}

int64_t socket_set_timeout(uint64_t *timeout, uint64_t addr, int32_t len)
{
    struct {
        int64_t sec, usec;
    } value;

    if (len < (int32_t)sizeof(value))
        return -EINVAL;
    if (user_read(&value, addr) < 0)
        return -EFAULT;
    if (value.usec < 0 || value.usec >= 1000000)
        return -EDOM;
    /* As Linux: a negative time has passed already. */
    if (value.sec < 0)
        *timeout = 1;
    else if ((uint64_t)value.sec >= INT64_MAX / SECOND)
        *timeout = 0;
    else
        *timeout = value.sec * SECOND + value.usec * 1000;
    return 0;
}

int64_t sys_setsockopt(const struct call *call)
{
    uint64_t level = (uint32_t)call->arg[1], name = (uint32_t)call->arg[2];
    int32_t len = (int32_t)call->arg[4];
    uint64_t *timeout;
    struct file *file;
    int64_t ret = socket_get(call->arg[0], &file);

    if (ret == SOCKET_IS_LOCAL)
        return unix_setsockopt(call);
    if (ret < 0)
        return ret;
    timeout = socket_timeout(file, level, name);
    if (len < 0)
        ret = -EINVAL;
    else if (timeout)
        ret = socket_set_timeout(timeout, call->arg[3], len);
    else
        ret = HYPERCALL(HUSK_OP_SETOPT, file->handle, level, name, call->arg[3], len);
    file_release(file);
    return ret;
}

int64_t socket_get_timeout(uint64_t timeout, uint64_t addr, int32_t room)
{
    struct {
        int64_t sec, usec;
    } value = {timeout / SECOND, timeout % SECOND / 1000};
    size_t len = (size_t)room < sizeof(value) ? (size_t)room : sizeof(value);

    return user_copy((void *)addr, &value, len) < 0 ? -EFAULT : (int64_t)len;
}

int64_t sys_getsockopt(const struct call *call)
{
    uint64_t level = (uint32_t)call->arg[1], name = (uint32_t)call->arg[2];
    uint64_t *timeout;
    struct file *file;
    int32_t room;
    int64_t ret = socket_get(call->arg[0], &file);

    if (ret == SOCKET_IS_LOCAL)
        return unix_getsockopt(call);
    if (ret < 0)
        return ret;
    timeout = socket_timeout(file, level, name);
    ret = get_room(call->arg[4], &room);
    if (ret == 0)
        ret = timeout ? socket_get_timeout(*timeout, call->arg[3], room)
                      : HYPERCALL(HUSK_OP_GETOPT, file->handle, level, name, call->arg[3], room);
    file_release(file);
    if (ret < 0)
        return ret;
    room = (int32_t)ret;
    return user_write(call->arg[4], &room);
}
