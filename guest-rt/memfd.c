/* SPDX-License-Identifier: ISC
 *
 * memfd_create(2): nameless files of a tmpfs that no path leads to. It has no limit but the
 * program's memory, and nothing is ever sealed.
 */
#include <linux/fcntl.h>
#include <linux/memfd.h>
#include <linux/stat.h>

#include "files.h"
#include "identity.h"

#define NAME_LENGTH_MAX 249 /* memfd_create(2) */
#define DEVICE          1   /* minor number of st_dev */

/* Since Linux 6.3; not in Debian 12's headers. */
#define NOEXEC_SEAL 8U
#define EXEC        16U

/* The address of another file's function would need a GOT. */
static uint64_t now(void)
{
    return clock_realtime();
}

static struct tmpfs *file_system(void)
{
    static struct tmpfs *fs;

    if (!fs)
        fs = tmpfs_create(&(struct tmpfs_options){.device = DEVICE, .mode = 0700, .clock = now});
    return fs;
}

static int64_t make(uint32_t mode, uint64_t fd, bool close_on_exec)
{
    const struct tmpfs_new new = {.mode = S_IFREG | mode,
                                  .uid = user_identity()->effective,
                                  .gid = group_identity()->effective};
    struct tmpfs_node *node;
    struct file *file;

    if (!file_system() || tmpfs_make_nameless(file_system(), &new, true, &node) < 0)
        return -ENOMEM;
    file = file_new_tmpfs(node, O_RDWR | O_LARGEFILE);
    tmpfs_put(node);
    if (!file)
        return -ENFILE;
    fd_install(fd, file, close_on_exec);
    return (int64_t)fd;
}

int64_t sys_memfd_create(const struct call *call)
{
    long len = user_scan((const char *)call->arg[0], NAME_LENGTH_MAX + 1);
    uint32_t flags = call->arg[1];
    int64_t fd = fd_find(0);

    if (flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING | NOEXEC_SEAL | EXEC) ||
        (flags & NOEXEC_SEAL && flags & EXEC))
        return -EINVAL;
    if (len < 0)
        return -EFAULT;
    if (len > NAME_LENGTH_MAX)
        return -EINVAL;
    return fd < 0 ? fd : make(flags & NOEXEC_SEAL ? 0666 : 0777, fd, flags & MFD_CLOEXEC);
}
