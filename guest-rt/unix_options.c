/* SPDX-License-Identifier: ISC
 *
 * AF_UNIX sockets: setsockopt and getsockopt.
 */
#include <asm/socket.h>

#include "sockets.h"
#include "unix.h"

/* Sizes of buffers and the like: accepted, and without effect. */
static bool is_ignored(uint64_t name)
{
    return name == SO_SNDBUF || name == SO_RCVBUF || name == SO_REUSEADDR || name == SO_KEEPALIVE ||
           name == SO_BROADCAST || name == SO_LINGER || name == SO_SNDBUFFORCE ||
           name == SO_RCVBUFFORCE || name == SO_PRIORITY;
}

int64_t unix_setsockopt(const struct call *call)
{
    struct file *file = file_get((uint32_t)call->arg[0]);
    uint64_t name = (uint32_t)call->arg[2];
    uint64_t *timeout = socket_timeout(file, (uint32_t)call->arg[1], name);
    int32_t value, len = (int32_t)call->arg[4];

    if ((uint32_t)call->arg[1] != SOL_SOCKET)
        return -EOPNOTSUPP;
    if (timeout)
        return socket_set_timeout(timeout, call->arg[3], len);
    if (len < (int32_t)sizeof(value))
        return -EINVAL;
    if (user_read(&value, call->arg[3]) < 0)
        return -EFAULT;
    if (name == SO_PASSCRED)
        unix_of(file)->wants_credentials = value != 0;
    else if (!is_ignored(name))
        return -ENOPROTOOPT;
    return 0;
}

static int64_t int_option(struct unix_socket *socket, uint64_t name, int32_t *value)
{
    *value = 0;
    switch (name) {
    case SO_TYPE:
        *value = socket->type;
        return 0;
    case SO_DOMAIN:
        *value = AF_UNIX;
        return 0;
    case SO_ACCEPTCONN:
        *value = socket->listening;
        return 0;
    case SO_PASSCRED:
        *value = socket->wants_credentials;
        return 0;
    case SO_SNDBUF:
    case SO_RCVBUF:
        *value = UNIX_LIMIT;
        return 0;
    case SO_ERROR:
        *value = socket->error;
        socket->error = 0;
        return 0;
    case SO_PROTOCOL:
    case SO_REUSEADDR:
    case SO_KEEPALIVE:
    case SO_BROADCAST:
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

static int64_t put_option(const struct call *call, const void *value, size_t size)
{
    uint32_t len;

    if (user_read(&len, call->arg[4]) < 0)
        return -EFAULT;
    if ((int32_t)len < 0)
        return -EINVAL;
    len = len < size ? len : size;
    if (user_copy((void *)call->arg[3], value, len) < 0)
        return -EFAULT;
    return user_write(call->arg[4], &len);
}

int64_t unix_getsockopt(const struct call *call)
{
    struct file *file = file_get((uint32_t)call->arg[0]);
    const uint32_t credentials[3] = {PID, BOOT->euid, BOOT->egid}; /* struct ucred */
    const uint32_t nobody[3] = {0, UINT32_MAX, UINT32_MAX};
    uint64_t level = (uint32_t)call->arg[1], name = (uint32_t)call->arg[2];
    uint64_t *timeout = socket_timeout(file, level, name);
    int32_t value;
    int64_t ret;

    if (level != SOL_SOCKET)
        return -EOPNOTSUPP;
    if (timeout) {
        const int64_t time[2] = {*timeout / 1000000000, *timeout % 1000000000 / 1000};

        return put_option(call, time, sizeof(time));
    }
    if (name == SO_PEERCRED)
        return put_option(call, unix_of(file)->connected ? credentials : nobody,
                          sizeof(credentials));
    ret = int_option(unix_of(file), name, &value);
    return ret < 0 ? ret : put_option(call, &value, sizeof(value));
}
