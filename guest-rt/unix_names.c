/* SPDX-License-Identifier: ISC
 *
 * Names of AF_UNIX sockets. A path in a tmpfs becomes a file there, as on Linux. Any other is a
 * name within the guest and nothing else: no file is made on the host, nor looked at.
 */
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "lookup.h"
#include "sockets.h"
#include "unix.h"

#define FAMILY_SIZE 2 /* sun_family */

int64_t unix_read_address(guest_addr_t addr, uint32_t len, struct unix_address *address)
{
    struct {
        uint16_t family;
        char path[UNIX_PATH_MAX];
    } name = {0};

    if (len < FAMILY_SIZE || len > sizeof(name))
        return -EINVAL;
    if (user_copy(&name, (const void *)addr, len) < 0)
        return -EFAULT;
    if (name.family != AF_UNIX)
        return -EINVAL;
    address->len = len - FAMILY_SIZE;
    memcpy(address->path, name.path, sizeof(name.path));
    if (address->len > 0 && name.path[0]) {
        uint32_t end = 0;

        while (end < address->len && name.path[end])
            end++;
        address->len = end;
    }
    return 0;
}

int64_t unix_write_address(const struct unix_address *address, guest_addr_t addr, uint32_t *len)
{
    struct {
        uint16_t family;
        char path[UNIX_PATH_MAX + 1];
    } name = {.family = AF_UNIX};
    uint32_t room = *len;

    memcpy(name.path, address->path, address->len);
    *len = FAMILY_SIZE + address->len + (address->len > 0 && address->path[0]);
    return user_copy((void *)addr, &name, room < *len ? room : *len) < 0 ? -EFAULT : 0;
}

static bool is_path(const struct unix_address *address)
{
    return address->path[0] != 0;
}

/* Abstract names are apart for each type. */
static struct unix_socket *find_name(const struct unix_address *address, uint8_t type)
{
    struct unix_socket *socket = NULL;

    while ((socket = unix_after(socket))) {
        const struct unix_address *name = &socket->name;
        uint32_t same = 0;

        if (!socket->has_name || name->len != address->len ||
            (!is_path(name) && socket->type != type))
            continue;
        while (same < name->len && name->path[same] == address->path[same])
            same++;
        if (same == name->len)
            return socket;
    }
    return NULL;
}

static int64_t find_place(const struct unix_address *address, enum husk_end end,
                          struct place *place)
{
    char path[UNIX_PATH_MAX + 1];

    memcpy(path, address->path, address->len);
    path[address->len] = 0;
    return path_find(AT_FDCWD, (uint64_t)path, end, place);
}

static int64_t make_file(struct unix_socket *socket, const struct place *place)
{
    const struct tmpfs_new new = {
        .mode = S_IFSOCK | file_mode(0777), .uid = BOOT->euid, .gid = BOOT->egid};
    struct tmpfs_node *node;
    int64_t ret;

    if (place->node || !place->at.len)
        return -EADDRINUSE;
    ret = tmpfs_make(&place->at, &new, &node);
    if (ret == 0)
        socket->node = tmpfs_get(node);
    return ret == -EEXIST ? -EADDRINUSE : ret;
}

/* Five digits that nobody has: unix(7), Autobind. */
static int64_t choose_name(struct unix_socket *socket)
{
    static uint32_t last;
    struct unix_address address = {.len = 6};

    do {
        uint32_t rest = ++last & 0xfffff;

        for (int i = 5; i > 0; i--, rest >>= 4)
            address.path[i] = "0123456789abcdef"[rest & 15];
    } while (find_name(&address, socket->type));
    socket->name = address;
    socket->has_name = true;
    return 0;
}

int64_t unix_take_name(struct unix_socket *socket, const struct unix_address *address)
{
    struct place place;
    int64_t ret;

    if (address->len == 0)
        return choose_name(socket);
    if (is_path(address)) {
        ret = find_place(address, HUSK_END_PARENT, &place);
        if (ret == 0 && place.system == FS_TMPFS)
            ret = make_file(socket, &place);
        if (ret < 0)
            return ret;
    }
    if (!socket->node && find_name(address, socket->type))
        return -EADDRINUSE;
    socket->name = *address;
    socket->has_name = !socket->node;
    return 0;
}

void unix_give_name_back(struct unix_socket *socket)
{
    if (socket->node)
        tmpfs_put(socket->node);
}

static int64_t find_node(const struct tmpfs_node *node, struct unix_socket **found)
{
    struct unix_socket *socket = NULL;

    if (!node)
        return -ENOENT;
    while ((socket = unix_after(socket)))
        if (socket->node == node) {
            *found = socket;
            return 0;
        }
    return -ECONNREFUSED;
}

int64_t unix_find(const struct unix_address *address, uint8_t type, struct unix_socket **found)
{
    struct place place = {.system = FS_HOST};
    int64_t ret = 0;

    if (address->len == 0)
        return -EINVAL;
    if (is_path(address))
        ret = find_place(address, HUSK_END_FOLLOW, &place);
    if (ret < 0)
        return ret;
    if (place.system == FS_TMPFS)
        ret = find_node(place.node, found);
    else if (!(*found = find_name(address, type)))
        ret = is_path(address) ? -ENOENT : -ECONNREFUSED;
    return ret == 0 && (*found)->type != type ? -EPROTOTYPE : ret;
}
